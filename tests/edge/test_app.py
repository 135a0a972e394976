"""The box put together on its folder: real file, real sockets, no central."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NoReturn

import apsw
import httpx
import pytest
from litestar import Litestar

from edge.app import create_app
from edge.services.sign_in import new_verifier
from edge.settings import KEY_NAME, PrinterSettings, Settings, TerminalSettings, save_settings
from edge.store.people import People
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.events import AlarmRaised
from shared.journal.entry import decode_entry
from tests.edge.store.boxes import Box
from tests.edge.web.conftest import Browser

PASSWORD = "گذرواژه یک ۱۲۳"
NOWHERE = 9
"""The discard port: nobody listens there."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    box = Box(tmp_path, enrolled=False)
    assert (tmp_path / KEY_NAME).exists()
    people = People(box.path)
    people.save_operator("sara", name="سارا", verifier=new_verifier(PASSWORD), role="operator")
    people.close()
    settings = Settings(
        office_name="دفتر آزمون",
        terminals=(TerminalSettings(host="127.0.0.1", port=NOWHERE, profile="daftar/virtual"),),
        printer=PrinterSettings(host="127.0.0.1", port=NOWHERE, profile="daftar/virtual_80mm"),
        verify_base="http://127.0.0.1:1",
    )
    save_settings(tmp_path, settings)
    return tmp_path


@asynccontextmanager
async def visiting(app: Litestar) -> AsyncIterator[Browser]:
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # the two libraries type ASGI differently
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield Browser(client)


def no_room(_: object) -> NoReturn:
    raise apsw.FullError("database or disk is full")


async def test_a_box_whose_medium_is_full_says_so_to_supervisors_and_to_people(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with visiting(create_app(folder, SystemClock(), SystemEntropy())) as person:
        assert (await person.get("/health")).json() == {"status": "ok"}
        await person.send("/sign-in", "/sign-in", username="sara", password=PASSWORD)
        monkeypatch.setattr("edge.store.journal_store.SqliteJournalStore.commit", no_room)
        bill = "/bill?bill_id=2050327604613&payment_id=1070189"
        refused = await person.send(bill, "/payments")
        assert refused.status_code == 503
        assert "دستگاه خودش دوباره امتحان می‌کند" in refused.text or "تکرارش نکنید" in refused.text
        health = await person.get("/health")
        assert (health.status_code, health.json()["code"]) == (503, "journal.not_written")
        home = await person.get("/")
        assert home.status_code == 200
        assert "پرداخت تازه پذیرفته نمی‌شود" in home.text
    monkeypatch.undo()
    with Box(folder, enrolled=False) as box:
        assert box.queries.payments(None, 1) == []
        assert box.write(AlarmRaised(kind="test"))


async def test_stopping_and_starting_is_journaled_once_each_time(folder: Path) -> None:
    for _ in range(2):
        async with create_app(folder, SystemClock(), SystemEntropy()).lifespan():
            pass
    with Box(folder, enrolled=False) as box:
        kinds = [decode_entry(data).type for data, _ in box.queries.entries(0, 10)]
        assert kinds == ["journal.opened", "boot.started", "boot.started"]
