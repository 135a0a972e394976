import msgspec
import pytest

from edge.store.rebuild import rebuild_projections
from shared.errors import BugError
from shared.events import (
    AcquirerAnswered,
    Body,
    Evidence,
    PaymentApproved,
    PaymentNotCharged,
    PaymentOverridden,
    PaymentReversed,
    RefundAgreed,
    RefundDropped,
    RefundProposed,
    ReversalInDoubt,
    ReversalRefused,
    ReversalRequested,
    StatusQueried,
)
from tests.edge.store.boxes import BILL_RIAL, OFFICE_FEED, Box, approved, in_doubt, requested, sent


def proposed(refund_id: str = "r1") -> RefundProposed:
    return RefundProposed(
        refund_id=refund_id,
        payment_id="p1",
        means="reversal",
        amount_rial=BILL_RIAL,
        operator="sara",
        reason="قبض دیگری بود",
    )


def agreed(refund_id: str = "r1") -> RefundAgreed:
    return RefundAgreed(refund_id=refund_id, payment_id="p1", operator="reza")


TOLD = ReversalRequested(payment_id="p1", refund_id="r1", means="reversal")
UNDONE = PaymentReversed(payment_id="p1", evidence=Evidence(source="reversal", response_code="00", stan="000999"))
UNDONE_AT = Evidence(source="reversal", response_code="00", terminal_time="17:50")
UNCLEAR = ReversalInDoubt(payment_id="p1", reason="no_answer")
STANDS = ReversalRefused(payment_id="p1", reason="refused")


@pytest.mark.parametrize(
    ("facts", "state", "refund"),
    [
        ([proposed()], "approved", "proposed"),
        ([proposed(), agreed()], "approved", "agreed"),
        ([proposed(), agreed(), TOLD], "reversal_requested", "sent"),
        ([proposed(), agreed(), TOLD, UNDONE], "reversed", "done"),
        ([proposed(), agreed(), TOLD, UNCLEAR], "reversal_in_doubt", "in_doubt"),
        ([proposed(), agreed(), TOLD, UNCLEAR, UNDONE], "reversed", "done"),
        ([proposed(), agreed(), TOLD, STANDS], "approved", "refused"),
        ([proposed(), agreed(), TOLD, UNCLEAR, STANDS], "approved", "refused"),
    ],
)
def test_a_request_and_its_payment_move_together(box: Box, facts: list[Body], state: str, refund: str) -> None:
    box.write(requested("p1"), sent("p1"), approved("p1"), *facts)
    payment, found = box.queries.payment("p1"), box.queries.refund("r1")
    assert payment
    assert found
    assert (payment.state, found.state) == (state, refund)
    assert payment.stan == "000123", "the sale's own numbers stay"
    if state != "reversed":
        assert payment.outcome_index == 3, "its receipt goes on naming the entry that approved it"
    assert (found in box.queries.open_refunds()) == (refund not in ("done", "refused"))
    assert rebuild_projections(box.path) == []


@pytest.mark.parametrize(
    ("facts", "time"),
    [
        ([], "17:45"),
        ([proposed(), agreed(), TOLD, UNCLEAR, STANDS], "17:45"),
        ([proposed(), agreed(), TOLD, UNDONE], None),
        ([proposed(), agreed(), TOLD, msgspec.structs.replace(UNDONE, evidence=UNDONE_AT)], "17:50"),
    ],
)
def test_the_terminals_own_time_is_that_of_the_outcome(box: Box, facts: list[Body], time: str | None) -> None:
    taken = Evidence(source="answer", response_code="00", terminal_time="17:45")
    box.write(requested("p1"), sent("p1"), PaymentApproved(payment_id="p1", evidence=taken), *facts)
    payment = box.queries.payment("p1")
    assert payment
    assert payment.terminal_time == time
    assert rebuild_projections(box.path) == []


def test_one_charge_has_one_request_until_that_one_is_off(box: Box) -> None:
    box.write(requested("p1"), sent("p1"), approved("p1"), proposed("r1"))
    with pytest.raises(BugError):
        box.write(proposed("r2"))
    box.write(RefundDropped(refund_id="r1", payment_id="p1", operator="sara", reason="نمی‌خواهد"), proposed("r2"))
    assert [(found.refund_id, found.state) for found in box.queries.refunds_of("p1")] == [
        ("r1", "dropped"),
        ("r2", "proposed"),
    ]
    with pytest.raises(BugError, match=r"refund\.unknown"):
        box.write(agreed("r3"))


def test_what_finance_has_is_open_at_the_box_no_more(box: Box) -> None:
    central = RefundProposed(
        refund_id="r1", payment_id="p1", means="central", amount_rial=BILL_RIAL, operator="sara", reason="دو بار"
    )
    box.write(requested("p1"), sent("p1"), approved("p1"), central)
    assert len(box.queries.open_refunds()) == 1
    box.write(agreed())
    assert box.queries.open_refunds() == []


def test_an_override_says_by_whose_word_and_a_charged_bill_waits_for_its_provider(box: Box) -> None:
    word = PaymentOverridden(payment_id="p1", charged=True, operator="reza", reason="رسید", slip_number="000412")
    box.write(requested("p1"), sent("p1"), in_doubt("p1"), word)
    payment = box.queries.payment("p1")
    assert payment
    assert (payment.state, payment.confirmation) == ("overridden_charged", "queued")
    assert (payment.stated_by, payment.stated_slip, payment.stated_reason) == ("reza", "000412", "رسید")
    assert box.queries.status().unconfirmed_count == 1
    assert rebuild_projections(box.path) == []


def test_a_payment_in_doubt_again_has_no_outcome_and_keeps_what_its_provider_said(box: Box) -> None:
    box.write(requested("p1"), sent("p1"), approved("p1"), in_doubt("p1", "restart"))
    payment = box.queries.payment("p1")
    assert payment
    assert (payment.outcome_index, payment.confirmation) == (None, "queued")
    box.write(PaymentNotCharged(payment_id="p1", asked_count=0, source="acquirer"))
    payment = box.queries.payment("p1")
    assert payment
    assert (payment.state, payment.not_charged_by) == ("not_charged", "acquirer")


def test_the_newest_answer_of_a_terminal_is_kept(box: Box) -> None:
    box.write(requested("p1"), sent("p1"), in_doubt("p1"))
    box.write(StatusQueried(payment_id="p1", outcome="no_answer"))
    box.write(StatusQueried(payment_id="p1", outcome="unclear", response_code="96"))
    payment = box.queries.payment("p1")
    assert payment
    assert (payment.asked_count, payment.last_answer, payment.last_answer_code) == (2, "unclear", "96")
    assert payment.last_asked_at is not None


def test_the_acquirers_words_are_kept_in_order(box: Box) -> None:
    box.write(requested("p1"), sent("p1"), in_doubt("p1"))
    say = [
        AcquirerAnswered(payment_id=name, charged=charged, source="settlement", acquirer="beh", answered_at="")
        for name, charged in (("p1", False), ("p-elsewhere", True), ("p1", True))
    ]
    box.receive(OFFICE_FEED, [box.central.office.say(body) for body in say])
    assert [(one.number, one.charged) for one in box.queries.acquirer_answers("p1")] == [(1, False), (3, True)]
    assert len(box.queries.acquirer_answers()) == 3
    payment = box.queries.payment("p1")
    assert payment
    assert payment.state == "in_doubt", "judged by a use case, not by a projection"
    assert rebuild_projections(box.path) == []
