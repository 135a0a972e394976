"""A training, as an office has it: served by the real command beside the office's own file, which it never touches."""

import asyncio
import re
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import apsw
import httpx
import pytest

from daftar.demo.world import free_ports
from edge.settings import KEY_NAME, STORE_NAME, PrinterSettings, Settings, TerminalSettings, save_settings
from edge.store.people import People
from tests.edge.passwords import verifier_of
from tests.edge.store.boxes import Box

pytestmark = pytest.mark.system

T = TypeVar("T")

DEADLINE_S = 90
PASSWORD = "گذرواژهٔ آموزش"
BILL = {"bill_id": "7748317800142", "payment_id": "1770160"}


async def until_up(client: httpx.AsyncClient, process: asyncio.subprocess.Process) -> None:
    while True:
        assert process.returncode is None
        try:
            if (await client.get("/sign-in")).status_code == 200:
                return
        except httpx.TransportError:
            await asyncio.sleep(0.1)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "box"
    folder.mkdir()
    Box(folder)
    people = People(folder / STORE_NAME)
    people.save_operator("sara", name="Sara", verifier=verifier_of(PASSWORD), role="manager")
    people.close()
    save_settings(
        folder,
        Settings(
            office_name="دفتر آزمون",
            terminals=(TerminalSettings(host="127.0.0.1", port=9, profile="daftar/virtual"),),
            printer=PrinterSettings(host="127.0.0.1", port=9, profile="daftar/virtual_80mm"),
            verify_base="https://central.example",
        ),
    )
    return folder


@pytest.fixture
async def doors(data: Path) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """The pages of a training that is up, and its desk."""
    ports = free_ports()
    command = [sys.executable, "-m", "daftar", "edge", "train", "--data", str(data)]
    process = await asyncio.create_subprocess_exec(
        *command, "--port", str(ports.box), "--desk-port", str(ports.desk), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with (
            asyncio.timeout(DEADLINE_S),
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports.box}", timeout=DEADLINE_S) as pages,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports.desk}", timeout=DEADLINE_S) as desk,
        ):
            await until_up(pages, process)
            yield pages, desk
    finally:
        process.terminate()
        code = await process.wait()
    assert code == 0


async def until(look: Callable[[], Awaitable[tuple[bool, T]]]) -> T:
    """Look again until it is so; the fixture's deadline ends it."""
    while True:
        found, seen = await look()
        if found:
            return seen
        await asyncio.sleep(0.1)


def field(html: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert found, html
    return found[1]


def entries(folder: Path) -> int:
    connection = apsw.Connection(str(folder / STORE_NAME), flags=apsw.SQLITE_OPEN_READONLY)
    [(count,)] = connection.execute("SELECT count(*) FROM entry")
    connection.close()
    return int(count)


async def test_a_bill_is_paid_in_training_and_the_office_knows_nothing_of_it(
    data: Path, doors: tuple[httpx.AsyncClient, httpx.AsyncClient]
) -> None:
    pages, desk = doors
    before = entries(data)
    door = (await pages.get("/sign-in")).text
    assert "حالت آموزشی" in door
    signed = await pages.post("/sign-in", data={"csrf": field(door, "csrf"), "username": "sara", "password": PASSWORD})
    assert signed.status_code == 303
    assert {name for name in pages.cookies if "session" in name} == {"daftar_training_session"}

    # Both terminals may be the one that is offered.
    for terminal in (1, 2):
        await desk.post("/control/terminal", json={"terminal": terminal, "auto": True})

    async def offer() -> tuple[bool, str]:
        page = (await pages.get("/bill", params=BILL)).text
        return 'name="key"' in page, page

    page = await until(offer)
    form = dict(
        re.findall(r'name="(\w+)" value="([^"]*)"', page[page.index('action="/payments"') :].partition("</form>")[0])
    )
    sent = await pages.post("/payments", data={**form, "csrf": field(page, "csrf")})
    assert sent.status_code == 303, sent.text

    # The card is taken by the virtual terminal, and the centre that makes answers up confirms the bill.
    async def confirmed() -> tuple[bool, str]:
        shown = (await pages.get(sent.headers["location"])).text
        return "تأیید شد" in shown, shown

    assert "حالت آموزشی" in await until(confirmed)

    async def printed() -> tuple[bool, Any]:
        paper = (await desk.get("/state")).json()["printer"]["shown_paper"]
        return bool(paper), paper

    assert (await desk.get(f"/paper/{await until(printed)}")).headers["content-type"] == "image/png"

    training = data / "training"
    assert entries(data) == before
    assert entries(training) > 4
    assert not (data / KEY_NAME).exists() or (data / KEY_NAME).read_bytes() != (training / KEY_NAME).read_bytes()


async def test_it_begins_anew_and_needs_no_real_box_that_runs(data: Path) -> None:
    (data / "training").mkdir()
    (data / "training" / "old").write_text("of yesterday")
    ports = free_ports()
    command = [sys.executable, "-m", "daftar", "edge", "train", "--data", str(data)]
    process = await asyncio.create_subprocess_exec(
        *command, "--port", str(ports.box), "--desk-port", str(ports.desk), stderr=asyncio.subprocess.DEVNULL
    )
    async with asyncio.timeout(DEADLINE_S), httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports.box}") as pages:
        await until_up(pages, process)
    process.terminate()
    assert await process.wait() == 0
    assert not (data / "training" / "old").exists()
    shutil.rmtree(data / "training")
