from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from firmware_profiles.profile import ProtocolName
from firmware_profiles.registry import from_documents
from shared.errors import DeviceError

PROTOCOL = b"""
protocol = "behpardakht"
title_fa = "x"
title_en = "x"
[codes.00]
outcome = "approved"
fa = "x"
en = "x"
[codes.51]
outcome = "declined"
fa = "x"
en = "x"
"""
TERMINAL = b"""
protocol = "behpardakht"
calendar = "jalali"
reference_digits_max = 20
[tcp]
port = 1024
[identity]
maker = "a"
model = "b"
title_fa = "x"
title_en = "x"
[times]
connect_timeout_ms = 100
ready_timeout_ms = 100
answer_timeout_ms = 100
longest_ms = 100
query_timeout_ms = 100
frame_gap_ms = 100
reconnect_first_ms = 100
reconnect_longest_ms = 100
heartbeat_every_ms = 100
[capabilities]
query_by_reference = true
query_last = true
cancel_while_waiting = true
"""
DOCUMENTS = {"protocols/behpardakht.toml": PROTOCOL, "terminals/a/b.toml": TERMINAL}


def refusal(documents: dict[str, bytes]) -> DeviceError:
    with pytest.raises(DeviceError) as caught:
        from_documents(documents)
    return caught.value


def bundled() -> Iterator[Path]:
    return (Path(__file__).parents[2] / "firmware_profiles").rglob("*.toml")


def test_a_terminal_is_found_by_maker_and_model_with_its_protocols_codes() -> None:
    registry = from_documents(DOCUMENTS)
    profile = registry.terminal("a/b")
    assert profile.meaning("00").outcome == "approved"
    assert profile.meaning("51").outcome == "declined"
    assert [one.name for one in registry.terminals] == ["a/b"]


def test_a_model_may_mean_something_else_by_a_code() -> None:
    own = TERMINAL + b'[codes.51]\noutcome = "in_doubt"\nfa = "x"\nen = "x"\n'
    profile = from_documents({**DOCUMENTS, "terminals/a/b.toml": own}).terminal("a/b")
    assert profile.meaning("51").outcome == "in_doubt"
    assert profile.meaning("00").outcome == "approved"


def test_a_name_nobody_bears_is_refused_with_those_that_exist() -> None:
    with pytest.raises(DeviceError, match=r"profile\.unknown known=a/b name=a/c"):
        from_documents(DOCUMENTS).terminal("a/c")
    with pytest.raises(DeviceError, match=r"profile\.unknown"):
        from_documents(DOCUMENTS).printer("a/b")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (TERMINAL.replace(b"ready_timeout_ms", b"redy_timeout_ms"), "redy_timeout_ms"),
        (TERMINAL.replace(b"longest_ms = 100", b"longest_ms = 99"), "longest_ms is shorter"),
        (TERMINAL.replace(b"reconnect_longest_ms = 100", b"reconnect_longest_ms = 99"), "reconnect_longest_ms"),
        (TERMINAL.replace(b"ready_timeout_ms = 100", b"ready_timeout_ms = 0"), "$.times.ready_timeout_ms"),
        (TERMINAL.replace(b"behpardakht", b"nobody"), "$.protocol"),
        (TERMINAL + b'[codes.12345]\noutcome = "declined"\nfa = "x"\nen = "x"\n', "$.codes"),
        (TERMINAL.replace(b"[tcp]\nport = 1024\n", b""), "reached in no way"),
        (TERMINAL + b'[zvt]\npassword = "123456"\n', "[zvt] is for terminals of that protocol"),
        (TERMINAL + b"[serial]\nbaud = 115200\nstopbits = 1\n", "$.serial"),
        (TERMINAL + b"[limits]\namount_min_rial = 10\namount_max_rial = 9\n", "amount_max_rial is less"),
        (b"\xff", "utf-8"),
        (b"this is not TOML", "Expected"),
    ],
)
def test_a_wrong_file_is_refused_and_named_with_the_member(wrong: bytes, said: str) -> None:
    error = refusal({**DOCUMENTS, "terminals/a/b.toml": wrong})
    assert error.code == "profile.malformed"
    assert error.data["file"] == "terminals/a/b.toml"
    assert said in str(error.data["why"])


def test_exactly_one_profile_bears_a_name() -> None:
    error = refusal({**DOCUMENTS, "more/terminals/a/b.toml": TERMINAL})
    assert error.code == "profile.duplicate"
    assert error.data["name"] == "a/b"


@pytest.mark.parametrize("path", ["terminals/a/c.toml", "terminals/b/b.toml", "xa/b.toml", "elsewhere/a/b.toml"])
def test_a_file_whose_place_is_not_its_name_is_refused(path: str) -> None:
    error = refusal({"protocols/behpardakht.toml": PROTOCOL, path: TERMINAL})
    assert error.code == "profile.misplaced"
    assert error.data["file"] == path


def test_a_protocol_nobody_describes_is_refused() -> None:
    error = refusal({"terminals/a/b.toml": TERMINAL})
    assert error.code == "profile.malformed"
    assert "behpardakht" in str(error.data["why"])


def test_every_bundled_file_is_understood() -> None:
    registry = from_documents({path.as_posix(): path.read_bytes() for path in bundled()})
    places = {f"{path.parent.name}/{path.stem}" for path in bundled() if path.parent.parent.name == "terminals"}
    assert {one.name for one in registry.terminals} == places
    assert len([one for one in registry.terminals if one.identity.maker != "daftar"]) >= 12
    assert {one.protocol for one in registry.terminals} == set(get_args(ProtocolName))
    assert registry.printers
    for printer in registry.printers:
        assert registry.printer(printer.name) is printer
