"""The box put together on its folder: real file, real sockets, no central."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NoReturn

import apsw
import httpx
import msgspec
import pytest
from litestar import Litestar

from edge.app import create_app
from edge.settings import (
    KEY_NAME,
    STORE_NAME,
    PrinterSettings,
    Settings,
    TerminalSettings,
    load_settings,
    save_settings,
)
from edge.store.people import People
from edge.store.queries import Queries
from edge.store.reserve import Usage
from edge.web.waiting import Waiting
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.events import AlarmRaised, BootStarted
from shared.ids import bill_obligation
from shared.journal.entry import decode_entry
from tests.edge.passwords import verifier_of
from tests.edge.store.boxes import Box, in_doubt, requested, sent
from tests.edge.web.conftest import Browser

PASSWORD = "گذرواژه یک ۱۲۳"
NOWHERE = 9
OTHER = bill_obligation("2050327604613", "1070189")
"""The discard port: nobody listens there."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    box = Box(tmp_path, enrolled=False)
    assert (tmp_path / KEY_NAME).exists()
    people = People(box.path)
    people.save_operator("sara", name="سارا", verifier=verifier_of(PASSWORD), role="operator")
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
async def visiting(app: Litestar | Waiting) -> AsyncIterator[Browser]:
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # the two libraries type ASGI differently
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield Browser(client)


def no_room(_: object) -> NoReturn:
    raise apsw.FullError("database or disk is full")


@pytest.mark.faults("not journaled", "request failed")
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


def damage(path: Path, statement: str) -> None:
    """Change the file as a medium that forgets does: beneath all guards."""
    connection = apsw.Connection(str(path))
    for (trigger,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {trigger}")
    connection.execute(statement)
    connection.close()


@pytest.mark.faults("not journaled", "request failed")
async def test_a_journal_that_does_not_hold_is_shown_takes_nothing_and_says_whom_to_call(folder: Path) -> None:
    settings = load_settings(folder)
    save_settings(folder, msgspec.structs.replace(settings, support_line="پشتیبانی نمونه 021-1234"))
    damage(folder / STORE_NAME, "UPDATE entry SET signature = zeroblob(64)")
    async with visiting(create_app(folder, SystemClock(), SystemEntropy())) as person:
        health = await person.get("/health")
        assert health.status_code == 503
        assert health.json()["clears"] == "no"
        assert health.json()["call"] == "پشتیبانی نمونه 021-1234"
        await person.send("/sign-in", "/sign-in", username="sara", password=PASSWORD)
        for address in ("/", "/history/payments", "/about"):
            shown = await person.get(address)
            assert shown.status_code == 200
            assert "دفتر روزنامه درست نیست؛ پول نگیرید" in shown.text
            assert "پشتیبانی نمونه 021-1234" in shown.text
        refused = await person.send("/bill?bill_id=2050327604613&payment_id=1070189", "/payments")
        assert refused.status_code == 500
        assert "پولی جابه‌جا نشده است" in refused.text
    queries = Queries(folder / STORE_NAME)
    assert queries.size() == 1
    queries.close()


@pytest.mark.faults("request failed")
@pytest.mark.parametrize(
    "statement",
    ["UPDATE payment SET method = 'nonsense'", "ALTER TABLE session RENAME TO lost"],
    ids=["header", "who asks"],
)
async def test_a_file_that_cannot_say_what_stands_above_every_page_is_said_to_be_damaged(
    folder: Path, statement: str
) -> None:
    with Box(folder, enrolled=False) as box:
        box.write(requested("p1"), sent("p1"), in_doubt("p1"))
    async with visiting(create_app(folder, SystemClock(), SystemEntropy())) as person:
        await person.send("/sign-in", "/sign-in", username="sara", password=PASSWORD)
        damage(folder / STORE_NAME, statement)
        for address in ("/", "/payments/p1", "/history/payments"):
            shown = await person.get(address)
            assert shown.status_code == 500
            assert "پروندهٔ دستگاه آسیب دیده است" in shown.text
            assert "پول نگیرید" in shown.text
        assert (await person.get("/nowhere")).status_code == 404


@pytest.mark.parametrize("content", [b"", b"no database at all" * 500])
async def test_a_box_that_cannot_start_serves_one_page_that_says_so(folder: Path, content: bytes) -> None:
    (folder / STORE_NAME).write_bytes(content)
    async with visiting(create_app(folder, SystemClock(), SystemEntropy())) as person:
        for address in ("/", "/payments/p1", "/api/v1/status"):
            shown = await person.get(address)
            assert shown.status_code == 503
            assert "دستگاه روشن نشد" in shown.text
        health = await person.get("/health")
        assert (health.status_code, health.json()["status"]) == (503, "not_started")
        assert (await person.get("/assets/daftar.css")).status_code == 200


@pytest.mark.faults("request failed")
async def test_a_full_disk_refuses_new_work_and_lets_the_rest_go_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.app.usage_of", lambda _: Usage(96 * 1024**3, 4 * 1024**3))
    async with visiting(create_app(folder, SystemClock(), SystemEntropy())) as person:
        await person.send("/sign-in", "/sign-in", username="sara", password=PASSWORD)
        refused = await person.send("/bill?bill_id=2050327604613&payment_id=1070189", "/payments")
        assert refused.status_code == 507
        assert "کار تازه پذیرفته نمی‌شود" in refused.text
        home = await person.get("/")
        assert "بستن روز کار می‌کند" in home.text
        assert (await person.get("/health")).json() == {"status": "ok"}


async def test_a_start_says_what_it_found(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    stick = tmp_path_factory.mktemp("stick")
    save_settings(folder, msgspec.structs.replace(load_settings(folder), head_copy_folder=str(stick)))
    with Box(folder, enrolled=False) as box:
        box.write(requested("p1"), sent("p1"), requested("p2", obligation=OTHER))
    for _ in range(2):
        async with visiting(create_app(folder, SystemClock(), SystemEntropy())) as person:
            await person.send("/sign-in", "/sign-in", username="sara", password=PASSWORD)
            about = await person.get("/about")
            assert "سلامت دستگاه" in about.text
    with Box(folder, enrolled=False) as box:
        entries = [decode_entry(data) for data, _ in box.queries.entries(0, 20)]
        starts = [msgspec.json.decode(one.body, type=BootStarted) for one in entries if one.type == "boot.started"]
    assert [(one.found_size, one.in_doubt, one.signer) for one in starts] == [
        (4, ("p1",), "file"),
        (7, ("p1",), "file"),
    ]
    assert [one.clock in ("ntp", "floor") for one in starts] == [True, True]
    assert [one.beside_size for one in starts] == [None, 7]
