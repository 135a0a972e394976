"""Pages of a whole box leave nothing of what they read open: the WAL is brought into the file between any two."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import apsw
import httpx
import pytest
from litestar import Litestar

from edge.app import create_app
from edge.settings import STORE_NAME
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from tests.edge.store.boxes import Box, approved, in_doubt, requested, sent
from tests.edge.test_app import OTHER, PASSWORD, folder, visiting
from tests.edge.web.conftest import Browser

__all__ = ["folder"]
ADDRESSES = (
    "/",
    "/live",
    "/gauges",
    "/history/payments",
    "/history/payments?q=770160",
    "/history/payments?state=review",
    "/history/payments.xlsx",
    "/history/inquiries",
    "/history/acts",
    "/payments/p1",
    "/payments/p1/live",
    "/payments/p2",
    "/payments/nobody",
    "/refunds",
    "/day",
    "/about",
    "/nowhere",
)


@pytest.fixture
def app(folder: Path) -> Litestar:
    with Box(folder, enrolled=False) as box:
        box.write(requested("p1"), sent("p1"), approved("p1"))
        box.write(requested("p2", obligation=OTHER), sent("p2"), in_doubt("p2"))
    made = create_app(folder, SystemClock(), SystemEntropy())
    assert isinstance(made, Litestar)
    return made


class Writer:
    """Another connection to the file, that writes and brings what was written into it."""

    def __init__(self, folder: Path) -> None:
        self._connection = apsw.Connection(str(folder / STORE_NAME))
        # The box's own writer may be at it.
        self._connection.set_busy_timeout(2_000)
        self._count = 0

    def brings_all_in(self) -> bool:
        """Write, so that a reader of an earlier moment is in the way, and return whether nobody was."""
        self._count += 1
        self._connection.execute("UPDATE operator SET name = ?", (f"name {self._count}",))
        ((busy, _, _),) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return not busy

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def writer(app: Litestar, folder: Path) -> Iterator[Writer]:
    made = Writer(folder)
    yield made
    made.close()


async def signed_in(person: Browser) -> None:
    await person.send("/sign-in", "/sign-in", username="sara", password=PASSWORD)


def broken(*_: object, **__: object) -> NoReturn:
    raise RuntimeError("in the middle")


async def test_after_any_page_all_that_was_written_is_brought_in(app: Litestar, writer: Writer) -> None:
    async with visiting(app) as person:
        await signed_in(person)
        for address in ADDRESSES:
            await person.get(address)
            assert writer.brings_all_in(), address


@pytest.mark.faults("request failed")
@pytest.mark.parametrize(
    ("address", "where"),
    [
        ("/history/payments", "edge.web.pages.history.page_facts"),
        ("/payments/p1", "edge.web.payment_view.review_alarms"),
        ("/about", "edge.web.rendering.menu_for"),
    ],
)
async def test_a_page_that_fails_in_its_middle_leaves_nothing_open_either(
    app: Litestar, writer: Writer, monkeypatch: pytest.MonkeyPatch, address: str, where: str
) -> None:
    async with visiting(app) as person:
        await signed_in(person)
        with monkeypatch.context() as patched:
            patched.setattr(where, broken)
            assert (await person.get(address)).status_code == 500
        assert writer.brings_all_in()
        assert "name 1" in (await person.get(address)).text, "what was written since is shown"


async def test_a_reader_who_goes_away_leaves_nothing_open(app: Litestar, writer: Writer) -> None:
    async def cut(_: Any) -> NoReturn:
        raise OSError("the reader has gone")

    async def going_away(scope: Any, receive: Any, _: Any) -> None:
        await app(scope, receive, cut)

    async with visiting(app) as person:
        await signed_in(person)
        transport = httpx.ASGITransport(app=going_away, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1", cookies=person.client.cookies
        ) as gone:
            for address in ADDRESSES:
                await gone.get(address)
                assert writer.brings_all_in(), address
