"""ATMs of an office: what is journaled, what follows from it, and that central's word moves a ticket."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.services.atms import Atms
from edge.store.rebuild import rebuild_projections
from shared.atm import difference_of, difference_rial
from shared.atm_typed import AtmDraft
from shared.errors import OperatorError
from shared.events import AtmCashCounted, AtmTicketAnswered, TicketAnswer
from tests.edge.store.boxes import OFFICE_FEED, Box

NOTE, CHEQUE = 1_000_000, 500_000
DRAFT = AtmDraft(bank="017", number="۲۰۴۱۷", place="کنار در", cassettes=((NOTE, 2_500), (CHEQUE, 2_500)))
SARA = {"operator": "sara"}


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with Box(tmp_path) as box:
        yield box
        assert rebuild_projections(box.path) == [], "the journal alone gives the same"


@pytest.fixture
def atms(box: Box) -> Atms:
    return Atms(box.writer, box.entropy)


def count_of(box: Box, report_id: str) -> AtmCashCounted:
    event = box.queries.atms.event_named(report_id)
    assert event is not None
    assert isinstance(event.body, AtmCashCounted)
    return event.body


def answer(box: Box, ticket_id: str, said: TicketAnswer, **more: str) -> None:
    body = AtmTicketAnswered(
        ticket_id=ticket_id, answer=said, answered_by="mina", answered_at="2026-11-22T09:00:00.000Z", **more
    )
    box.receive(OFFICE_FEED, [box.central.office.say(body)])


async def test_a_machine_is_registered_once_and_said_anew_by_its_name(box: Box, atms: Atms) -> None:
    names = await asyncio.gather(*(atms.register(DRAFT, operator="sara", name="k") for _ in range(3)))
    (atm,) = box.queries.atms.atms()
    assert ({atm.atm_id}, atm.number, atm.state, atm.cash_rial) == (set(names), "20417", None, None)
    with pytest.raises(OperatorError, match="known_already") as refused:
        await atms.register(DRAFT, operator="sara")
    assert (refused.value.field, refused.value.data["atm_id"]) == ("number", atm.atm_id)
    await atms.change(atm.atm_id, AtmDraft(bank="062", number="7", place="حیاط", cassettes=((NOTE, 0),)), **SARA)
    (changed,) = box.queries.atms.atms()
    assert (changed.bank, changed.place, len(changed.cassettes)) == ("062", "حیاط", 1)
    await atms.remove(atm.atm_id, reason="بانک برد", operator="sara")
    with pytest.raises(OperatorError, match=r"atm\.removed"):
        await atms.report_state(atm.atm_id, "in_service", operator="sara")
    assert await atms.register(DRAFT, operator="sara") != atm.atm_id


async def test_a_count_is_held_against_what_the_machine_said_and_the_difference_stays(box: Box, atms: Atms) -> None:
    atm_id = await atms.register(DRAFT, operator="sara")
    counted = await atms.count_cash(atm_id, {1: 10, 2: 20}, operator="sara")
    assert difference_rial(count_of(box, counted).cassettes) is None, "nothing was known before"
    await atms.load_cash(atm_id, {1: 1_000}, how="added", operator="sara")
    (atm,) = box.queries.atms.atms()
    assert [(one.notes, one.source) for one in atm.cassettes] == [(1_010, "loaded"), (20, "counted")]
    assert atm.cash_rial == 1_010 * NOTE + 20 * CHEQUE
    counted = await atms.count_cash(atm_id, {1: 398, 2: 20}, machine={1: 400, 2: 20}, operator="sara", name="n")
    assert await atms.count_cash(atm_id, {1: 1, 2: 1}, operator="sara", name="n") == counted
    lines = count_of(box, counted).cassettes
    assert [(line.expected, difference_of(line)) for line in lines] == [(400, -2), (20, 0)]
    assert box.queries.atms.holdings(atm_id)[1].notes == 398, "what was found is what is there"
    kinds = [event.type for event in box.queries.atms.events(atm_id, None, 10)]
    assert kinds[:2] == ["atm.cash_counted", "atm.cash_reported"]
    assert len(kinds) == 5


async def test_a_figure_that_is_missing_or_impossible_is_said_at_its_field(box: Box, atms: Atms) -> None:
    atm_id = await atms.register(DRAFT, operator="sara")
    size = box.queries.size()
    for notes, code, field in (
        ({1: 10}, "atm.notes_missing", "notes-2"),
        ({1: 10, 2: 200_000}, "atm.notes_too_many", "notes-2"),
    ):
        with pytest.raises(OperatorError) as refused:
            await atms.count_cash(atm_id, notes, operator="sara")
        assert (refused.value.code, refused.value.field) == (code, field)
    with pytest.raises(OperatorError, match="notes_missing"):
        await atms.load_cash(atm_id, {1: 0}, how="added", operator="sara")
    with pytest.raises(OperatorError, match=r"atm\.unknown"):
        await atms.report_cash("a-none", {1: 1}, operator="sara")
    assert box.queries.size() == size


async def test_a_ticket_goes_to_the_bank_and_comes_back(box: Box, atms: Atms) -> None:
    atm_id = await atms.register(DRAFT, operator="sara")
    ticket_id = await atms.open_fault(atm_id, "dispenser", operator="sara", name="t")
    assert await atms.open_fault(atm_id, "line", operator="sara", name="t") == ticket_id
    answer(box, ticket_id, "technician", bank_reference="88-1")
    ticket = box.queries.atms.ticket(ticket_id)
    assert ticket is not None
    assert (ticket.ticket, ticket.kind, ticket.state, ticket.bank_reference) == (1, "dispenser", "technician", "88-1")
    answer(box, ticket_id, "resolved")
    await atms.note_fault(ticket_id, "باز گیر کرد", operator="sara")
    assert [row.state for row in box.queries.atms.tickets(open_only=True)] == ["open"]
    with pytest.raises(OperatorError, match="tickets_open"):
        await atms.remove(atm_id, reason="رفت", operator="sara")
    for _ in range(2):
        await atms.close_fault(ticket_id, "fixed", operator="sara")
    answer(box, ticket_id, "declined", text="دیر")
    answer(box, "a-nobody", "accepted")
    assert box.queries.atms.tickets(open_only=True) == []
    history = [event.type for event in box.queries.atms.ticket_events(ticket_id)]
    assert history == [
        "atm.fault_opened",
        "atm.ticket_answered",
        "atm.ticket_answered",
        "atm.fault_noted",
        "atm.fault_closed",
        "atm.ticket_answered",
    ]
    with pytest.raises(OperatorError, match="ticket_closed"):
        await atms.note_fault(ticket_id, "باز هم", operator="sara")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("کارت ۶۰۳۷ ۹۹۱۲ ۳۴۵۶ ۷۸۹۳ ضبط شد", "atm.card_number_in_text"),
        ("x" * 501, "atm.text_too_long"),
        ("  ", "atm.text_missing"),
    ],
)
async def test_words_carry_no_card_number_into_the_journal(box: Box, atms: Atms, text: str, code: str) -> None:
    atm_id = await atms.register(DRAFT, operator="sara")
    with pytest.raises(OperatorError) as refused:
        await atms.open_fault(atm_id, "other", detail=text, operator="sara")
    assert (refused.value.code, refused.value.field) == (code, "detail")
    assert await atms.open_fault(atm_id, "card_captured", detail="کارت ۷۸۹۳ ضبط شد", operator="sara")


@pytest.mark.parametrize(
    ("draft", "code", "field"),
    [
        ({"bank": "999"}, "atm.bank_unknown", "bank"),
        ({"number": ""}, "atm.number_bad", "number"),
        ({"number": "۱۲/۳"}, "atm.number_bad", "number"),
        ({"place": ""}, "atm.text_missing", "place"),
        ({"cassettes": ()}, "atm.no_cassettes", "denomination-1"),
        ({"cassettes": ((NOTE, 1), (0, 1))}, "atm.denomination_bad", "denomination-2"),
        ({"cassettes": ((NOTE, 10**6),)}, "atm.notes_too_many", "capacity-1"),
    ],
)
async def test_a_draft_is_checked_at_its_fields(atms: Atms, draft: dict[str, object], code: str, field: str) -> None:
    members = {name: getattr(DRAFT, name) for name in DRAFT.__struct_fields__}
    with pytest.raises(OperatorError) as refused:
        await atms.register(AtmDraft(**members | draft), operator="sara")
    assert (refused.value.code, refused.value.field) == (code, field)
