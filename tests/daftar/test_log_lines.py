import json
import logging
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog

from daftar.log_lines import log_in_lines
from shared.errors import DeviceError

SECRET = "0012345679"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    log = structlog.get_config()
    yield
    structlog.configure(**log)
    root.handlers, root.level = handlers, level


def fail(national_code: str) -> None:
    password = f"secret of {national_code}"
    raise DeviceError("terminal.unreachable", letters=len(password))


def test_a_traceback_says_where_and_not_with_what():
    out = StringIO()
    log_in_lines(out)
    try:
        fail(SECRET)
    except DeviceError:
        structlog.get_logger().exception("payment stopped", payment_id="p1")
        logging.getLogger("a.library").exception("پاسخ نیامد")
    ours, theirs = [json.loads(line) for line in out.getvalue().splitlines()]
    assert (ours["event"], ours["payment_id"], ours["level"]) == ("payment stopped", "p1", "error")
    assert theirs["event"] == "پاسخ نیامد"
    for line in (ours, theirs):
        assert line["exception"][0]["frames"][-1]["name"] == "fail"
        assert line["exception"][0]["exc_type"] == "DeviceError"
    assert SECRET not in out.getvalue()
    assert "secret of" not in out.getvalue()


class Full(StringIO):
    def write(self, _: str) -> int:
        raise OSError("no space left on device")


def test_a_log_without_room_stops_nobody():
    log_in_lines(Full())
    structlog.get_logger().error("unheard")
    logging.getLogger("a.library").error("unheard")
