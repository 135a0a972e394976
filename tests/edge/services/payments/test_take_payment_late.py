"""What comes too early, too late, twice or not at all: the terminal's answers against the journal's order."""

import asyncio
from pathlib import Path
from typing import NoReturn

import msgspec
import pytest

from edge.devices.terminals.outcome import TerminalOutcome
from edge.devices.virtual.terminal import VirtualTerminal
from edge.services.payments.wanted import bill_wanted
from edge.store.exchange_store import SqliteExchangeStore
from edge.uplink.ports import Settlement
from shared.errors import OperatorError
from shared.events import InquiryAnswered, InquiryRequested
from shared.payment import PaymentState
from tests.edge.services.office import POWER, WATER, Office
from tests.edge.store.boxes import OFFICE_FEED, asked

QUICK = {"answer_timeout_ms": 200, "longest_ms": 400, "query_timeout_ms": 500}


async def declined(office: Office) -> str:
    office.virtual.set_auto("decline")
    payment_id = await office.pay()
    assert await office.ends(payment_id) is PaymentState.DECLINED
    office.virtual.set_auto(None)
    return payment_id


def say_late(office: Office, payment_id: str, **other: object) -> None:
    evidence = office.charge_of(payment_id, **other)
    office.worker.late_answer(office.payment(payment_id).reference, TerminalOutcome(kind="approved", evidence=evidence))


async def test_a_late_approval_stops_the_second_payment_that_was_not_sent_yet(office: Office) -> None:
    first = await declined(office)
    async with office.worker.lock:
        second = await office.pay()
        say_late(office, first)
        await office.until(lambda: office.payment(first).state is PaymentState.APPROVED)
    assert await office.ends(second) is PaymentState.NOT_SENT
    assert office.payment(second).not_sent_reason in ("payment.obligation_held", "operator_cancelled")
    assert not office.virtual.charges
    assert office.payment(first).late
    assert not office.payment(first).doubled


async def test_a_box_that_is_set_aside_while_a_payment_waits_sends_no_amount(office: Office) -> None:
    async with office.worker.lock:
        waiting = await office.pay()
        await SqliteExchangeStore(office.box.queries, office.box.writer).settle(
            Settlement(
                token=None,
                cosigned_size=None,
                cosigned_note=None,
                next_index=0,
                quarantined=True,
                feeds=(),
                alarms=(),
                answered_at="2026-11-22T08:00:00.000Z",
            )
        )
    office.virtual.set_auto("approve")
    assert await office.ends(waiting) is PaymentState.NOT_SENT
    assert office.payment(waiting).not_sent_reason == "payment.box_quarantined"
    with pytest.raises(OperatorError, match=r"payment\.box_quarantined"):
        await office.pay()
    assert not office.virtual.charges


async def test_a_late_approval_has_the_second_payment_at_the_card_cancelled(office: Office) -> None:
    first = await declined(office)
    second = await office.pay()
    await office.card_asked_for()
    await office.until(lambda: office.payments.progress(second) == "waiting_card")
    say_late(office, first)
    assert await office.ends(second) is PaymentState.CANCELLED
    assert office.payment(first).state is PaymentState.APPROVED
    assert not office.virtual.charges


async def test_a_late_approval_of_an_earlier_run_is_applied(tmp_path: Path, terminal: VirtualTerminal) -> None:
    async with Office(tmp_path, terminal) as office:
        payment_id = await declined(office)
    async with Office(tmp_path, terminal) as office:
        say_late(office, payment_id)
        await office.until(lambda: office.payment(payment_id).state is PaymentState.APPROVED)
        assert office.alarms() == [("late_approval", payment_id)]
        assert [job.document for job in office.box.queries.print_jobs_for(payment_id)] == ["bill_receipt"]


async def test_an_approval_that_belongs_to_no_sale_of_this_run_is_applied_where_it_agrees(office: Office) -> None:
    payment_id = await declined(office)
    office.worker.stray_answer(office.charge_of(payment_id, amount_rial=1))
    await office.until(lambda: office.alarms() == [("stray_approval", payment_id)])
    assert office.payment(payment_id).state is PaymentState.DECLINED
    office.worker.stray_answer(office.charge_of(payment_id, terminal_number="99999999"))
    await office.until(lambda: len(office.alarms()) == 2)
    assert office.payment(payment_id).state is PaymentState.DECLINED
    office.worker.stray_answer(office.charge_of(payment_id))
    await office.until(lambda: office.payment(payment_id).state is PaymentState.APPROVED)
    office.worker.stray_answer(office.charge_of(payment_id, reference="000000000000000000"))
    await office.until(lambda: office.alarms()[0] == ("stray_approval", None))


async def test_a_second_charge_under_one_reference_is_an_alarm_not_a_repeat(office: Office) -> None:
    office.virtual.set_auto("approve")
    payment_id = await office.pay()
    await office.ends(payment_id)
    say_late(office, payment_id, rrn=office.payment(payment_id).rrn, stan=office.payment(payment_id).stan)
    say_late(office, payment_id)
    await office.until(lambda: office.alarms() == [("second_charge", payment_id)])
    assert office.payment(payment_id).rrn == office.virtual.charges[0].rrn


@pytest.mark.parametrize(("step", "state"), [("prepare", PaymentState.NOT_SENT), ("sale", PaymentState.IN_DOUBT)])
@pytest.mark.faults("payment stopped")
async def test_a_fault_of_the_program_leaves_no_payment_open(
    office: Office, monkeypatch: pytest.MonkeyPatch, step: str, state: PaymentState
) -> None:
    async def fail(*_: object, **__: object) -> NoReturn:
        raise RuntimeError("a fault nobody thought of")

    monkeypatch.setattr(office.terminal, step, fail)
    payment_id = await office.pay()
    assert await office.ends(payment_id) is state
    payment = office.payment(payment_id)
    assert (payment.not_sent_reason or payment.in_doubt_reason) == "fault"


async def test_a_stop_of_the_program_does_not_undo_an_answer_on_its_way_to_the_journal(office: Office) -> None:
    payment_id = await office.pay()
    await office.card_asked_for()
    await office.until(lambda: office.payments.progress(payment_id) == "waiting_card")
    with office.slow_medium():
        office.virtual.press("approve")
        await office.until(lambda: any("outcome" in name for name in office.payments.outcomes.open_work()))
        finishing = asyncio.create_task(office.payments.finish())
        await asyncio.sleep(0)
    await finishing
    assert office.payment(payment_id).state is PaymentState.APPROVED


async def test_an_answer_that_comes_while_the_box_stops_is_journaled(office: Office) -> None:
    payment_id = await office.pay()
    await office.card_asked_for()
    await office.until(lambda: office.payments.progress(payment_id) == "waiting_card")
    await office.payments.finish()
    assert office.payment(payment_id).state is PaymentState.SENT
    office.virtual.press("approve")
    await office.until(
        lambda: bool(office.payments.outcomes.open_work()) or office.payment(payment_id).stan is not None
    )
    await office.terminal.close()
    await office.payments.finish()
    assert office.payment(payment_id).state is PaymentState.APPROVED


async def test_a_caller_that_goes_away_leaves_no_payment_that_nobody_works_on(office: Office) -> None:
    office.virtual.set_auto("approve")
    with office.slow_medium():
        caller = asyncio.create_task(office.pay())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)
    await office.until(lambda: bool(office.box.queries.payments(None, 1)))
    (payment,) = office.box.queries.payments(None, 1)
    await office.until(lambda: office.payment(payment.payment_id).state is PaymentState.APPROVED)


async def test_a_cancel_that_comes_before_the_card_is_asked_for_is_not_forgotten(office: Office) -> None:
    async with office.worker.lock:
        payment_id = await office.pay()
        await office.payments.cancel(payment_id)
    assert await office.ends(payment_id) is PaymentState.NOT_SENT
    assert office.payment(payment_id).not_sent_reason == "operator_cancelled"


async def test_a_payment_names_only_an_inquiry_that_was_answered_with_its_bill(office: Office) -> None:
    with pytest.raises(OperatorError, match=r"inquiry\.unknown"):
        await office.payments.request(bill_wanted(WATER, inquiry_id="6104331234568596"), operator="sara")
    waiting: InquiryRequested = asked("q-waiting")
    office.box.write(waiting, asked("q-power", ticket=2))
    answer = InquiryAnswered(
        inquiry_id="q-power",
        outcome="owed",
        amount_rial=POWER.amount_rial,
        bill_id=POWER.bill_id.zfill(13),
        bill_payment_id=POWER.payment_id.zfill(13),
    )
    office.box.receive(OFFICE_FEED, [office.box.central.office.say(answer)])
    for inquiry_id in ("q-waiting", "q-power"):
        with pytest.raises(OperatorError, match=r"inquiry\.other_bill"):
            await office.payments.request(bill_wanted(WATER, inquiry_id=inquiry_id), operator="sara")
    office.virtual.set_auto("approve")
    assert await office.ends(await office.payments.request(bill_wanted(POWER, inquiry_id="q-power"), operator="sara"))
    inquiry = office.box.queries.inquiry("q-power")
    assert inquiry is not None
    assert inquiry.payment_id is not None, "leading zeros are no other bill"


async def test_a_not_found_of_a_terminal_that_was_never_known_by_number_counts_for_nothing(
    tmp_path: Path, terminal: VirtualTerminal
) -> None:
    office = Office(tmp_path, terminal, **QUICK)
    telling = office.profile
    mute = msgspec.structs.replace(telling.capabilities, query_by_reference=False, query_last=False)
    office.profile = msgspec.structs.replace(telling, capabilities=mute)
    async with office:
        terminal.set_auto("approve")
        terminal.set_fault("die_after_charging")
        payment_id = await office.pay()
        assert await office.ends(payment_id) is PaymentState.IN_DOUBT
        assert office.payment(payment_id).terminal_number is None
        office.terminal.profile = telling
        # Another terminal is put in its place: it has never heard of the sale.
        other = VirtualTerminal(clock=office.box.clock, entropy=office.box.entropy, terminal_number="30000001")
        assert terminal._address is not None
        await other.start(*terminal._address)
        try:
            await office.until(lambda: office.payments.waited_ms(payment_id) > QUICK["longest_ms"])
            for _ in range(3):
                await office.resolve.ask(payment_id, operator="sara")
            payment = office.payment(payment_id)
            assert (payment.state, payment.counting_not_found) == (PaymentState.IN_DOUBT, 0)
            assert payment.asked_count == 3
            # Nobody would come for it otherwise, and its terminal takes no other payment.
            assert [alarm.kind for alarm in office.box.queries.alarms_about(payment_id)] == ["not_found_unproved"]
        finally:
            await other.stop()


async def test_after_word_of_a_charge_that_does_not_agree_no_not_found_settles(
    tmp_path: Path, terminal: VirtualTerminal
) -> None:
    async with Office(tmp_path, terminal, **QUICK) as office:
        terminal.set_auto("approve")
        await office.ends(await office.pay(POWER))
        terminal.set_fault("wrong_amount")
        payment_id = await office.pay(WATER)
        assert await office.ends(payment_id) is PaymentState.IN_DOUBT
        await office.until(lambda: office.alarms() == [("charge_mismatch", payment_id)])
        terminal._memory._content.transactions.clear()
        await office.until(lambda: office.payments.waited_ms(payment_id) > QUICK["longest_ms"])
        for _ in range(3):
            await office.resolve.ask(payment_id, operator="sara")
        payment = office.payment(payment_id)
        assert (payment.state, payment.asked_count) == (PaymentState.IN_DOUBT, 3)


@pytest.mark.faults("asking about a payment failed")
async def test_trouble_with_one_payment_does_not_keep_the_others_from_being_asked_about(
    tmp_path: Path, terminal: VirtualTerminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Office(tmp_path, terminal, **QUICK) as office:
        terminal.set_auto("approve")
        terminal.set_fault("die_after_charging")
        payment_id = await office.pay()
        assert await office.ends(payment_id) is PaymentState.IN_DOUBT
        terminal.set_fault("none")
        await terminal.restart()
        real = office.box.queries.in_doubt
        ghost = msgspec.structs.replace(real()[0], payment_id="p-ghost")
        monkeypatch.setattr(office.box.queries, "in_doubt", lambda: [ghost, *real()])
        await office.until(lambda: office.terminal.state.connected)
        await office.resolve.ask_all()
        assert office.payment(payment_id).state is PaymentState.APPROVED


async def test_a_request_repeated_after_a_restart_is_the_same_payment_and_the_same_inquiry(
    tmp_path: Path, terminal: VirtualTerminal
) -> None:
    terminal.set_auto("decline")
    async with Office(tmp_path, terminal) as office:
        await office.payments.request(bill_wanted(WATER), operator="api:kiosk", payment_id="pderived")
        await office.ends("pderived")
        await office.inquiries.request("electricity", "9174639", operator="api:kiosk", inquiry_id="qderived")
    async with Office(tmp_path, terminal) as office:
        terminal.set_auto("approve")
        size = office.box.queries.size()
        assert (
            await office.payments.request(bill_wanted(WATER), operator="api:kiosk", payment_id="pderived") == "pderived"
        )
        again = await office.inquiries.request("electricity", "9174639", operator="api:kiosk", inquiry_id="qderived")
        assert again == "qderived"
        assert office.payments.progress("pderived") is None
        assert office.box.queries.size() == size
        assert not terminal.charges
