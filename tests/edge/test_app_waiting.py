"""A box whose medium cannot be read when it starts: it says so, and comes up by itself once the medium is back."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec
import pytest
import uvicorn

from edge.app import create_app
from edge.settings import STORE_NAME, load_settings, save_settings
from edge.web.waiting import Waiting
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.errors import DeviceError
from shared.journal.entry import decode_entry
from tests.edge.store.boxes import Box
from tests.edge.test_app import PASSWORD, folder
from tests.edge.web.conftest import Browser

DEADLINE_S = 60
__all__ = ["folder"]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.web.waiting.AGAIN_FIRST_S", 0.05)
    monkeypatch.setattr("edge.web.waiting.AGAIN_LONGEST_S", 0.1)


def unread(folder: Path) -> Path:
    """Make opening the file fail as a medium does that does not answer: SQLite finds no way to its log."""
    obstacle = folder / f"{STORE_NAME}-wal"
    obstacle.unlink(missing_ok=True)
    obstacle.mkdir()
    return obstacle


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Start the box as `daftar edge serve` does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        save_settings(folder, msgspec.structs.replace(load_settings(folder), port=port))
        config = uvicorn.Config(
            create_app(folder, SystemClock(), SystemEntropy()), log_config=None, timeout_graceful_shutdown=5
        )
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve(sockets=[listener]))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            try:
                yield client
            finally:
                server.should_exit = True
                await running


async def health_says(client: httpx.AsyncClient, **wanted: str) -> dict[str, str]:
    """Ask for the box's health until it says so."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            said: dict[str, str] = (await client.get("/health")).json()
            if wanted.items() <= said.items():
                return said
            await asyncio.sleep(0.02)


async def test_the_box_comes_up_by_itself_when_its_medium_is_back(folder: Path) -> None:
    obstacle = unread(folder)
    async with served(folder) as client:
        said = await health_says(client, status="not_started")
        assert (said["code"], said["clears"]) == ("store.unreadable", "by itself")
        page = await client.get("/")
        assert (page.status_code, page.headers["retry-after"]) == (503, "10")
        assert "دستگاه خودش دوباره امتحان می‌کند" in page.text
        obstacle.rmdir()
        await health_says(client, status="ok")
        person = Browser(client)
        await person.send("/sign-in", "/sign-in", username="sara", password=PASSWORD)
        assert (await person.get("/")).status_code == 200
    with Box(folder, enrolled=False) as box:
        kinds = [decode_entry(data).type for data, _ in box.queries.entries(0, 10)]
    assert kinds == ["journal.opened", "boot.started"], "tried often, started once"


async def test_damage_found_behind_a_medium_that_came_back_is_said_and_not_tried_for_ever(folder: Path) -> None:
    obstacle = unread(folder)
    async with served(folder) as client:
        await health_says(client, status="not_started")
        obstacle.rmdir()
        (folder / STORE_NAME).write_bytes(b"no database at all" * 500)
        await health_says(client, clears="no")
        assert "دستگاه خودش دوباره امتحان می‌کند" not in (await client.get("/")).text


async def test_a_box_that_waits_stops_when_told_to(folder: Path) -> None:
    unread(folder)
    app = create_app(folder, SystemClock(), SystemEntropy())
    assert isinstance(app, Waiting)
    async with asyncio.timeout(DEADLINE_S), app.lifespan():
        pass


async def test_a_file_that_goes_missing_meanwhile_is_waited_for_too(folder: Path) -> None:
    obstacle = unread(folder)
    away = folder / "elsewhere"
    async with served(folder) as client:
        (folder / STORE_NAME).rename(away)
        obstacle.rmdir()
        await health_says(client, code="store.missing")
        away.rename(folder / STORE_NAME)
        await health_says(client, status="ok")


@pytest.mark.faults("the box cannot start")
async def test_a_box_that_breaks_while_it_comes_to_life_says_whether_it_tries_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults: list[Exception] = [DeviceError("store.unreadable"), ValueError("fixture")]

    @asynccontextmanager
    async def running(_: object) -> AsyncIterator[None]:
        if faults:
            raise faults.pop(0)
        yield

    monkeypatch.setattr("edge.app.Box.running", running)
    obstacle = unread(folder)
    async with served(folder) as client:
        await health_says(client, code="store.unreadable", clears="by itself")
        obstacle.rmdir()
        await health_says(client, code="box.start_fault", clears="no")
        assert not faults, "the medium's fault was tried again"
        page = (await client.get("/")).text
        assert "دیگر خودش امتحان نمی‌کند" in page
        assert "دستگاه خودش دوباره امتحان می‌کند" not in page
