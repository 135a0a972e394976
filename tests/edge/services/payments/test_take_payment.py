import asyncio
from pathlib import Path

import pytest

from edge.devices.terminals.outcome import TerminalOutcome
from edge.devices.virtual.terminal import VirtualTerminal
from edge.services.payments.judge_outcome import judge
from shared.errors import OperatorError
from shared.events import Evidence
from shared.payment import CHARGED, LATE, TRANSITIONS, PaymentState
from tests.edge.services.office import POWER, WATER, Office

YES = TerminalOutcome(kind="approved", evidence=Evidence(source="answer", response_code="00"))
NO = TerminalOutcome(kind="declined", evidence=Evidence(source="answer", response_code="51"))
DOUBT = TerminalOutcome(kind="in_doubt", reason="no_answer")


def added(state: PaymentState, outcome: TerminalOutcome) -> list[str]:
    return [body.type for body in judge("p", state, outcome, spoken_before=False)]


@pytest.mark.parametrize("state", PaymentState)
def test_an_approval_is_never_lost_whatever_was_thought_before(state: PaymentState) -> None:
    types = added(state, YES)
    if state in CHARGED - {PaymentState.OVERRIDDEN_CHARGED}:
        assert types == []
    elif PaymentState.APPROVED in TRANSITIONS[state]:
        assert types[0] == "payment.approved"
        assert ("alarm.raised" in types) == (state in LATE)
    else:
        assert types == ["alarm.raised"]


@pytest.mark.parametrize("state", PaymentState)
def test_a_refusal_ends_only_what_is_open(state: PaymentState) -> None:
    is_open = state in (PaymentState.SENT, PaymentState.IN_DOUBT)
    assert added(state, NO) == (["payment.declined"] if is_open else [])


def test_silence_is_in_doubt_once() -> None:
    assert added(PaymentState.SENT, DOUBT) == ["payment.in_doubt"]
    assert added(PaymentState.IN_DOUBT, DOUBT) == []


async def test_an_approved_bill_has_its_evidence_and_its_receipt_spooled(office: Office) -> None:
    office.virtual.set_auto("approve")
    payment_id = await office.pay()
    assert await office.ends(payment_id) is PaymentState.APPROVED
    payment = office.payment(payment_id)
    (charge,) = office.virtual.charges
    assert (payment.amount_rial, payment.rrn, payment.reference) == (10_000, charge.rrn, charge.reference)
    assert payment.confirmation == "queued"
    (job,) = office.box.queries.print_jobs_for(payment_id)
    assert (job.document, job.state, job.copy) == ("bill_receipt", "waiting", False)


async def test_sent_is_durable_before_the_amount_is_on_the_terminals_screen(office: Office) -> None:
    seen: list[list[str]] = []
    office.virtual.on_change = lambda screen: seen.append(office.kinds()) if screen.amount_rial else None
    office.virtual.set_auto("approve")
    await office.ends(await office.pay())
    assert seen
    assert seen[0][-2:] == ["payment.requested", "payment.sent"]


async def test_a_bill_being_paid_and_a_paid_bill_are_refused_naming_the_payment(office: Office) -> None:
    first = await office.pay()
    await office.card_asked_for()
    with pytest.raises(OperatorError, match=r"payment\.obligation_held") as refused:
        await office.pay()
    assert refused.value.data["payment_id"] == first
    office.virtual.press("approve")
    assert await office.ends(first) is PaymentState.APPROVED
    with pytest.raises(OperatorError, match=r"payment\.obligation_held") as refused:
        await office.pay()
    assert refused.value.data["payment_id"] == first
    assert len(office.virtual.charges) == 1


async def test_eight_operators_with_one_bill_charge_once(office: Office) -> None:
    office.virtual.set_auto("approve")
    tries = await asyncio.gather(*(office.pay() for _ in range(8)), return_exceptions=True)
    (payment_id,) = [made for made in tries if isinstance(made, str)]
    assert await office.ends(payment_id) is PaymentState.APPROVED
    assert len(office.virtual.charges) == 1


@pytest.mark.parametrize(("key", "state"), [("decline", PaymentState.DECLINED), ("cancel", PaymentState.CANCELLED)])
async def test_a_refused_bill_may_be_paid_again(office: Office, key: str, state: PaymentState) -> None:
    office.virtual.set_auto(key)  # type: ignore[arg-type] # one of the keys
    assert await office.ends(await office.pay()) is state
    office.virtual.set_auto("approve")
    assert await office.ends(await office.pay()) is PaymentState.APPROVED
    assert len(office.virtual.charges) == 1


async def test_a_terminal_that_is_off_was_not_sent_anything(office: Office) -> None:
    await office.virtual.stop()
    payment_id = await office.pay()
    assert await office.ends(payment_id) is PaymentState.NOT_SENT
    assert "payment.sent" not in office.kinds()


async def test_the_operator_cancels_while_the_card_is_awaited(office: Office) -> None:
    payment_id = await office.pay()
    await office.card_asked_for()
    await office.until(lambda: office.payments.progress(payment_id) == "waiting_card")
    await office.payments.cancel(payment_id)
    assert await office.ends(payment_id) is PaymentState.CANCELLED
    assert not office.virtual.charges


async def test_two_bills_at_one_terminal_wait_for_each_other(office: Office) -> None:
    office.virtual.set_auto("approve")
    first, second = await asyncio.gather(office.pay(WATER), office.pay(POWER))
    assert {await office.ends(first), await office.ends(second)} == {PaymentState.APPROVED}
    assert len(office.virtual.charges) == 2


async def test_a_terminal_with_a_payment_in_doubt_takes_no_other(tmp_path: Path, terminal: VirtualTerminal) -> None:
    async with Office(tmp_path, terminal, answer_timeout_ms=300) as office:
        terminal.set_fault("go_silent")
        terminal.set_auto("approve")
        silent = await office.pay(WATER)
        waiting = await office.pay(POWER)
        assert await office.ends(silent) is PaymentState.IN_DOUBT
        assert await office.ends(waiting) is PaymentState.NOT_SENT
        assert office.payment(waiting).not_sent_reason == "payment.terminal_locked"
        with pytest.raises(OperatorError, match=r"payment\.terminal_locked") as refused:
            await office.pay(POWER)
        assert refused.value.data["payment_id"] == silent


async def test_a_late_approval_is_applied(tmp_path: Path, terminal: VirtualTerminal) -> None:
    async with Office(tmp_path, terminal, answer_timeout_ms=300) as office:
        terminal.set_fault("answer_late", late_ms=700)
        terminal.set_auto("approve")
        payment_id = await office.pay()
        assert await office.ends(payment_id) is PaymentState.IN_DOUBT
        await office.until(lambda: office.payment(payment_id).state is PaymentState.APPROVED)
        assert len(terminal.charges) == 1


@pytest.mark.parametrize("fault", ["wrong_amount", "wrong_reference", "wrong_terminal_number"])
async def test_an_answer_that_does_not_agree_is_in_doubt_and_an_alarm(office: Office, fault: str) -> None:
    office.virtual.set_auto("approve")
    await office.ends(await office.pay(POWER))  # teaches the box the terminal's number
    office.virtual.set_fault(fault)  # type: ignore[arg-type] # one of the faults
    payment_id = await office.pay(WATER)
    assert await office.ends(payment_id) is PaymentState.IN_DOUBT
    await office.until(lambda: bool(office.box.queries.status().alarms))


async def test_killed_in_a_card_dialogue_the_box_comes_back_in_doubt_and_finds_the_charge(
    tmp_path: Path, terminal: VirtualTerminal
) -> None:
    async with Office(tmp_path, terminal) as office:
        payment_id = await office.pay()
        await office.card_asked_for()
    async with Office(tmp_path, terminal) as office:
        assert office.recovered.in_doubt == (payment_id,)
        terminal.press("approve")
        await office.until(lambda: len(terminal.charges) == 1)
        assert (await office.resolve.ask(payment_id, operator="sara")).state is PaymentState.APPROVED
        with pytest.raises(OperatorError, match=r"payment\.obligation_held"):
            await office.pay()
