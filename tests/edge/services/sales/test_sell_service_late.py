"""Words that come late: that a part or the whole of an answer was charged, and that a fee is to be given back."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from edge.devices.terminals.outcome import TerminalOutcome
from edge.devices.virtual.terminal import VirtualTerminal
from shared.answer_document import AnswerDocument
from shared.clock import ClockQuality, SystemClock
from shared.errors import OperatorError
from shared.events import RefundAgreed, RefundDropped, RefundProposed
from shared.payment import PaymentState
from shared.service_state import ServiceState
from tests.edge.services.office import Office
from tests.edge.services.service_desk import ASKED, FEE_RIAL, FINE_BILLS, Desk, desk_of


@pytest.fixture
async def desk(office: Office) -> AsyncIterator[Desk]:
    with desk_of(office) as opened:
        yield opened


async def declined(desk: Desk, key: str) -> tuple[str, str]:
    """Return a request whose answer may be seen, and the payment of `key` that was declined."""
    inquiry_id = await desk.paid_request()
    desk.printed(inquiry_id)
    desk.answer(inquiry_id)
    desk.office.virtual.set_auto("decline")
    payment_id = await desk.pay(inquiry_id, key)
    assert desk.office.payment(payment_id).state is PaymentState.DECLINED
    desk.office.virtual.set_auto(None)
    return inquiry_id, payment_id


def say_late(office: Office, payment_id: str) -> None:
    evidence = office.charge_of(payment_id)
    office.worker.late_answer(office.payment(payment_id).reference, TerminalOutcome(kind="approved", evidence=evidence))


@pytest.mark.parametrize(("first_key", "second_key"), [("total", "1"), ("1", "total")])
async def test_a_late_approval_stops_a_payment_of_the_same_debt_that_waits(
    desk: Desk, first_key: str, second_key: str
) -> None:
    office = desk.office
    inquiry_id, first = await declined(desk, first_key)
    charged_before = len(office.virtual.charges)
    async with office.worker.lock:
        second = await desk.selling.pay_answer(inquiry_id, [second_key], operator="sara")
        say_late(office, first)
        await office.until(lambda: office.payment(first).state is PaymentState.APPROVED)
    office.virtual.set_auto("approve")
    assert await office.ends(second) is PaymentState.NOT_SENT
    assert len(office.virtual.charges) == charged_before


async def test_a_late_approval_has_the_card_for_a_part_of_the_same_debt_cancelled(desk: Desk) -> None:
    office = desk.office
    inquiry_id, first = await declined(desk, "total")
    second = await desk.selling.pay_answer(inquiry_id, ["1", "2"], operator="sara")
    await office.until(lambda: office.payments.progress(second) == "waiting_card")
    say_late(office, first)
    assert await office.ends(second) is PaymentState.CANCELLED


@pytest.mark.parametrize("paper_first", [True, False])
async def test_a_late_approval_of_a_paper_or_of_its_whole_has_the_card_for_the_other_cancelled(
    desk: Desk, *, paper_first: bool
) -> None:
    """The paper names no answer: only the whole's own tells that they are the same debt."""
    office = desk.office

    async def begun(*, paper: bool) -> str:
        if paper:
            return await office.pay(FINE_BILLS[1])
        return await desk.selling.pay_answer(inquiry_id, ["total"], operator="sara")

    inquiry_id = await desk.paid_request()
    desk.printed(inquiry_id)
    desk.answer(inquiry_id)
    office.virtual.set_auto("decline")
    first = await begun(paper=paper_first)
    assert await office.ends(first) is PaymentState.DECLINED
    office.virtual.set_auto(None)
    second = await begun(paper=not paper_first)
    await office.until(lambda: office.payments.progress(second) == "waiting_card")
    say_late(office, first)
    assert await office.ends(second) is PaymentState.CANCELLED


async def test_a_late_approval_leaves_another_part_alone(desk: Desk) -> None:
    office = desk.office
    inquiry_id, first = await declined(desk, "1")
    async with office.worker.lock:
        second = await desk.selling.pay_answer(inquiry_id, ["2"], operator="sara")
        say_late(office, first)
        await office.until(lambda: office.payment(first).state is PaymentState.APPROVED)
    office.virtual.set_auto("approve")
    assert await office.ends(second) is PaymentState.APPROVED


@pytest.mark.parametrize(("first_key", "second_key", "left"), [("total", "1", set()), ("1", "total", {"2"})])
async def test_a_disputed_part_or_whole_keeps_the_same_debt_from_being_paid(
    desk: Desk, first_key: str, second_key: str, left: set[str]
) -> None:
    office = desk.office
    inquiry_id, first = await declined(desk, first_key)
    async with office.worker.lock:
        waiting = await desk.selling.pay_answer(inquiry_id, [second_key], operator="sara")
        office.worker.stray_answer(office.charge_of(first, amount_rial=1))
        await office.until(lambda: office.alarms() == [("stray_approval", first)])
    assert await office.ends(waiting) is PaymentState.NOT_SENT
    assert office.payment(waiting).not_sent_reason == "payment.charge_disputed"
    assert desk.view(inquiry_id).payable == left
    with pytest.raises(OperatorError) as refused:
        await desk.selling.pay_answer(inquiry_id, [second_key], operator="sara")
    assert (refused.value.code, refused.value.data["payment_id"]) == ("payment.charge_disputed", first)


@pytest.mark.parametrize("code", ["car_fines", "score"])
async def test_no_fee_is_taken_for_an_answer_that_could_not_be_read_here(desk: Desk, code: str) -> None:
    desk.office.virtual.set_auto("approve")
    fields = ASKED if code == "car_fines" else {"national_code": ASKED["national_code"]}
    inquiry_id = await desk.ask(code, fields)
    if code == "score":
        desk.answer(inquiry_id, AnswerDocument(values={"score": "3"}))
    assert desk.view(inquiry_id).state is ServiceState.FEE_DUE
    desk.box.within(lambda view: view._connection.execute("DELETE FROM private_key"))  # type: ignore[attr-defined]
    with pytest.raises(OperatorError, match=r"service\.ask_anew"):
        await desk.selling.pay_fee(inquiry_id, operator="sara")
    assert "payment.requested" not in desk.office.kinds()


async def test_no_fee_is_taken_for_an_answer_that_is_none(desk: Desk) -> None:
    desk.office.virtual.set_auto("approve")
    inquiry_id = await desk.ask("score", {"national_code": ASKED["national_code"]})
    desk.answer(inquiry_id, b"null")
    with pytest.raises(OperatorError, match=r"service\.ask_anew"):
        await desk.selling.pay_fee(inquiry_id, operator="sara")
    assert "payment.requested" not in desk.office.kinds()


async def test_no_word_about_an_answer_is_told_before_its_fee(desk: Desk) -> None:
    inquiry_id = await desk.ask("score", {"national_code": ASKED["national_code"]})
    desk.answer(inquiry_id, None, outcome="nothing", reason="no_record")
    view = desk.view(inquiry_id)
    assert (view.state, view.outcome, view.reason) == (ServiceState.FEE_DUE, None, "")
    desk.office.virtual.set_auto("approve")
    await desk.pay_fee(inquiry_id)
    assert (desk.view(inquiry_id).state, desk.view(inquiry_id).reason) == (ServiceState.NOTHING, "no_record")


@pytest.mark.parametrize("answered", [False, True])
async def test_a_fee_that_finance_is_to_give_back_is_not_waited_for_any_more(desk: Desk, *, answered: bool) -> None:
    """Central puts no request to its provider whose fee two people agreed to give back, nor puts one again."""
    inquiry_id = await desk.paid_request()
    fee = desk.views.known(inquiry_id).fee_payment_id
    assert fee
    if answered:
        desk.answer(inquiry_id, None, outcome="wrong_parameter")
    back = {"refund_id": "r1", "payment_id": fee}
    desk.box.write(RefundProposed(**back, means="central", amount_rial=FEE_RIAL, operator="sara", reason="by mistake"))
    before = desk.view(inquiry_id)
    assert before.state is (ServiceState.NEEDS_REVIEW if answered else ServiceState.WAITING)
    desk.box.write(RefundAgreed(**back, operator="reza"))
    view = desk.view(inquiry_id)
    assert (view.state, view.fee_back, view.may_retry) == (ServiceState.REFUSED, True, False)
    assert not desk.views.known(inquiry_id).is_asked
    with pytest.raises(OperatorError) as refused:
        await desk.selling.retry(inquiry_id, operator="sara")
    assert refused.value.code == "service.nothing_to_retry"
    desk.box.write(RefundDropped(**back, operator="reza", reason="wanted after all"))
    assert (desk.view(inquiry_id).state, desk.view(inquiry_id).fee_back) == (before.state, False)
    assert desk.views.known(inquiry_id).is_asked is not answered


class ClockThatWasAhead(SystemClock):
    """A clock that nobody vouches for and that is ahead by two months, until central's word puts it right."""

    def __init__(self) -> None:
        super().__init__()
        self.is_right = False

    def now(self) -> datetime:
        return super().now() + timedelta(days=0 if self.is_right else 62)

    def quality(self) -> ClockQuality:
        return "central" if self.is_right else "floor"


async def test_an_answer_paid_for_while_the_clock_was_ahead_is_read_once_it_is_right(
    tmp_path: Path, terminal: VirtualTerminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line that puts the clock right is the one that brings the answers."""
    clock = ClockThatWasAhead()
    monkeypatch.setattr("tests.edge.services.office.SystemClock", lambda: clock)
    async with Office(tmp_path, terminal) as office:
        with desk_of(office) as desk:
            inquiry_id = await desk.paid_request()
            clock.is_right = True
            await desk.ask()
            desk.printed(inquiry_id)
            desk.answer(inquiry_id)
            view = desk.view(inquiry_id)
            assert (view.state, view.document_state) == (ServiceState.READY, "open")
