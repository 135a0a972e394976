"""The pages of ATMs over a real box's file: what a manager and an operator do there, by its forms."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from edge.services.atms import Atms
from edge.services.idempotent import Idempotent
from edge.store.people import People
from shared.events import AtmTicketAnswered
from tests.edge.store.boxes import OFFICE_FEED, Box
from tests.edge.web.conftest import Browser, Page
from tests.edge.web.fake_counter import FakeCounter

MACHINE = {
    "bank": "062",
    "number": "۲۰۴۱۷",
    "place": "کنار در",
    "denomination-1": "1000000",
    "capacity-1": "۲٬۵۰۰",
    "denomination-2": "500000",
    "capacity-2": "2000",
}


@pytest.fixture
def box(tmp_path: Path, counter: FakeCounter, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    with Box(tmp_path) as box, closing(People(box.path)) as people:
        counter.atms, counter.queries.atms = Atms(box.writer, box.entropy), box.queries.atms
        monkeypatch.setattr(counter, "idempotent", Idempotent(people, box.identity.journal_id).run)
        yield box


async def machine(manager: Browser) -> str:
    answer = await manager.send("/atms/new", "/atms", **MACHINE)
    assert answer.status_code == 303
    return answer.headers["location"]


@pytest.fixture
def manager(operator: Browser, counter: FakeCounter, box: Box) -> Browser:
    """The operator, signed in, as a manager."""
    for token, person in counter.sessions.items():
        counter.sessions[token] = msgspec.structs.replace(person, role="manager")
    return operator


async def test_a_machine_of_a_merged_bank_is_registered_and_listed(manager: Browser) -> None:
    empty = await manager.page("/atms")
    assert "هنوز خودپردازی ثبت نشده است" in empty.text
    where = await machine(manager)
    listed = await manager.page("/atms")
    assert "مدیریت خودپردازهای بانک آینده (اکنون ملی)" in listed.text
    assert ("20417" in listed.text, "گزارش نشده" in listed.text) == (True, True)
    again = await manager.send("/atms/new", "/atms", **MACHINE)
    assert again.status_code == 422
    page = Page(again.text)
    assert page.field("number")["aria-invalid"] == "true"
    assert page.field("capacity-1")["value"] == "۲٬۵۰۰", "what was typed stays"
    edited = await manager.send(f"{where}/edit", f"{where}/edit", place="حیاط")
    assert edited.status_code == 422, "a form without a number says so"


async def test_a_count_shows_sum_and_difference_and_is_printed(manager: Browser, counter: FakeCounter) -> None:
    where = await machine(manager)
    sheet = f"{where}/cash"
    bad = await manager.send(sheet, sheet, **{"notes-1": "x", "notes-2": "1"})
    assert bad.status_code == 422
    assert Page(bad.text).field("notes-1")["value"] == "x"
    figures = {"machine-1": "۱۲۰۰", "machine-2": "10", "notes-1": "1198", "notes-2": "10"}
    answer = await manager.send(sheet, sheet, **figures)
    page = await manager.page(answer.headers["location"])
    assert "۱۲۰٬۳۰۰٬۰۰۰ تومان" in page.text
    assert "۱٬۲۰۳٬۰۰۰٬۰۰۰ ریال" in page.text
    assert "کسری: ۲۰۰٬۰۰۰ تومان" in page.text
    assert "۲ کمتر" in page.text
    report_id = answer.headers["location"].rsplit("/", 1)[1]
    await manager.send(answer.headers["location"], f"{answer.headers['location']}/print")
    assert counter.asked[-1] == ("print_cash_slip", report_id)
    listed = await manager.page("/atms")
    assert ("۱٬۱۹۸ اسکناس" in listed.text, 'width="48"' in listed.source) == (True, True)


async def test_a_load_and_a_report_go_by_their_own_sheets(manager: Browser, box: Box) -> None:
    where = await machine(manager)
    sheet = f"{where}/cash"
    for what, values in (
        ("load", {"how": "replaced", "notes-1": "2000", "notes-2": "2000"}),
        ("report", {"notes-1": "1500", "notes-2": "1999"}),
    ):
        answer = await manager.send(f"{sheet}?what={what}", sheet, **values)
        assert (await manager.get(answer.headers["location"])).status_code == 200
    (atm,) = box.queries.atms.atms()
    assert [(one.notes, one.source) for one in atm.cassettes] == [(1500, "reported"), (1999, "reported")]
    assert (await manager.get("/atms/reports/a-none")).status_code == 404


async def test_how_a_machine_stands_takes_one_press(manager: Browser) -> None:
    where = await machine(manager)
    answer = await manager.send(where, f"{where}/state", state="out_of_service", note="برق رفت")
    assert answer.status_code == 303
    page = await manager.page(where)
    assert ("از کار افتاده" in page.text, "برق رفت" in page.text) == (True, True)
    told = await manager.send(where, f"{where}/state", state="limited", note="کارت 6037991234567893 ماند")
    assert told.status_code == 422
    assert "شمارهٔ کارت" in Page(told.text).text


async def test_a_fault_is_followed_from_the_office_to_the_bank_and_back(manager: Browser, box: Box) -> None:
    where = await machine(manager)
    nothing = await manager.send(where, f"{where}/faults", kind="", detail="چه؟")
    assert nothing.status_code == 422
    assert Page(nothing.text).field("detail")["value"] == "چه؟"
    opened = await manager.send(where, f"{where}/faults", kind="dispenser", detail="دو اسکناس گیر کرده")
    ticket = opened.headers["location"]
    said = AtmTicketAnswered(
        ticket_id=ticket.rsplit("/", 1)[1],
        answer="resolved",
        text="از راه دور درست شد",
        bank_reference="88-1",
        answered_by="mina",
        answered_at="2026-11-22T09:00:00.000Z",
    )
    box.receive(OFFICE_FEED, [box.central.office.say(said)])
    page = await manager.page(ticket)
    assert ("رفع شد، به گفتهٔ بانک" in page.text, "88-1" in page.text) == (True, True)
    assert (await manager.send(ticket, f"{ticket}/notes", text="")).status_code == 422
    assert (await manager.send(ticket, f"{ticket}/notes", text="هنوز نه")).status_code == 303
    assert "باز · در انتظار بانک" in (await manager.page("/atms")).text
    assert (await manager.send(ticket, f"{ticket}/close", outcome="fixed")).status_code == 303
    closed = await manager.page(ticket)
    assert closed.all("form", action=f"{ticket}/notes") == []
    removal = await manager.send(f"{where}/edit", f"{where}/remove", reason="بانک برد")
    assert removal.headers["location"] == "/atms"
    assert "هنوز خودپردازی ثبت نشده است" in (await manager.page("/atms")).text
    assert "بانک برد" in (await manager.page(where)).text


async def test_a_form_sent_twice_reports_once(manager: Browser, box: Box) -> None:
    where = await machine(manager)
    hidden = (await manager.page(where)).form(f"{where}/faults")
    answers = [
        await manager.client.post(f"{where}/faults", data={**hidden, "kind": "line", "detail": ""}) for _ in range(2)
    ]
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert len(box.queries.atms.tickets()) == 1


@pytest.mark.usefixtures("box")
async def test_only_a_manager_registers_machines(operator: Browser) -> None:
    assert (await operator.get("/atms/new")).status_code == 403
    assert (await operator.page("/atms")).all("a", href="/atms/new") == []
    assert (await operator.get("/atms/a-nobody")).status_code == 404


async def test_pages_are_whole_in_english_too(manager: Browser) -> None:
    where = await machine(manager)
    await manager.send("/atms", "/language", language="en")
    for path in ("/atms", where, f"{where}/cash", f"{where}/cash?what=load", f"{where}/edit", "/atms/new"):
        page = await manager.page(path)
        assert page.all("html", lang="en", dir="ltr"), path
