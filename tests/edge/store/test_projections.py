import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from edge.journal.recovery import recover
from edge.journal.views import PaymentView
from edge.store.rebuild import rebuild_projections
from shared.errors import BugError, OperatorError
from shared.events import (
    AlarmRaised,
    Body,
    Evidence,
    InquiryAnswered,
    NoticePublished,
    PaymentCancelled,
    PaymentConfirmed,
    PaymentInDoubt,
    PaymentNotCharged,
    PaymentNotSent,
    PaymentOverridden,
    PaymentRefused,
    ReceiptPrinted,
    StatusQueried,
)
from shared.ids import NETWORK_FEED
from tests.edge.store.boxes import (
    BILL_ID,
    BILL_PAYMENT_ID,
    BILL_RIAL,
    OBLIGATION,
    OFFICE_FEED,
    Box,
    approved,
    asked,
    declined,
    evidence,
    in_doubt,
    requested,
    requested_of,
    sent,
)


def test_an_approved_bill_waits_for_confirmation_and_knows_its_place_in_the_journal(box: Box):
    box.write(requested("p1"))
    box.write(sent("p1"))
    (outcome,) = box.write(approved("p1"))
    payment = box.queries.payment("p1")
    assert payment
    assert (payment.state, payment.confirmation) == ("approved", "queued")
    assert (payment.outcome_index, payment.outcome_leaf) == (3, outcome.leaf.hex())
    assert (payment.stan, payment.rrn, payment.pan) == ("000123", "123456789012", "610433******8596")
    assert (payment.cosigned, payment.late, payment.doubled) == (False, False, False)


def test_what_a_doubtful_answer_says_is_not_believed(box: Box):
    wrong = Evidence(source="answer", response_code="00", rrn="999999999999", terminal_number="00009999")
    box.write(requested("p1"), sent("p1"), PaymentInDoubt(payment_id="p1", reason="mismatch", evidence=wrong))
    payment = box.queries.payment("p1")
    assert payment
    assert (payment.state, payment.in_doubt_reason, payment.response_code) == ("in_doubt", "mismatch", "00")
    assert (payment.rrn, payment.terminal_number, payment.outcome_index) == (None, "00001234", None)


def test_only_not_founds_that_count_are_counted(box: Box):
    box.write(requested("p1"), sent("p1"), in_doubt("p1"))
    for outcome, counts in (("no_answer", False), ("not_found", False), ("not_found", True), ("unclear", True)):
        box.write(StatusQueried(payment_id="p1", outcome=outcome, counts=counts))
    payment = box.queries.payment("p1")
    assert payment
    assert (payment.asked_count, payment.counting_not_found) == (4, 1)


def test_a_charge_proved_late_is_applied_even_when_the_customer_paid_again(box: Box):
    box.write(requested("p1"), sent("p1"), declined("p1"))
    box.write(requested("p2"), sent("p2"), approved("p2"))
    box.write(approved("p1"))
    late = box.queries.payment("p1")
    assert late
    assert (late.state, late.late, late.doubled, late.confirmation) == ("approved", True, True, "queued")
    holder = box.queries.payment_by_obligation(OBLIGATION)
    assert holder
    assert holder.payment_id == "p2"
    with pytest.raises(OperatorError):
        box.write(requested("p3"))
    assert rebuild_projections(box.path) == []


def test_a_charge_is_no_second_one_once_the_other_is_none(box: Box):
    box.write(requested("p1"), sent("p1"), declined("p1"))
    box.write(requested("p2"), sent("p2"), in_doubt("p2"), approved("p1"))
    late = box.queries.payment("p1")
    assert late
    assert late.doubled
    box.write(PaymentNotCharged(payment_id="p2", asked_count=2))
    late = box.queries.payment_by_obligation(OBLIGATION)
    assert late
    assert (late.payment_id, late.late, late.doubled) == ("p1", True, False)


def test_a_late_charge_of_an_obligation_nobody_holds_takes_it_again(box: Box):
    box.write(requested("p1"), PaymentNotSent(payment_id="p1", reason="terminal.unreachable"), approved("p1"))
    late = box.queries.payment("p1")
    assert late
    assert (late.late, late.doubled) == (True, False)
    with pytest.raises(OperatorError) as caught:
        box.write(requested("p2"))
    assert caught.value.data == {"payment_id": "p1"}


def test_the_providers_word_arrives_on_the_feed(box: Box):
    for payment, bill in (("p1", "bill:1:1"), ("p2", "bill:2:2")):
        box.write(requested(payment, obligation=bill), sent(payment), approved(payment))
    box.receive(
        OFFICE_FEED,
        [
            box.central.office.say(
                PaymentConfirmed(payment_id="p1", provider="w", track_id="t", provider_reference="R-1", confirmed_at="")
            ),
            box.central.office.say(
                PaymentRefused(payment_id="p2", provider="w", track_id="t", reason="already_paid", case_id="case-7")
            ),
            box.central.office.say(
                PaymentConfirmed(payment_id="x", provider="w", track_id="t", provider_reference="", confirmed_at="")
            ),
        ],
    )
    confirmed, refused = box.queries.payment("p1"), box.queries.payment("p2")
    assert confirmed
    assert refused
    assert (confirmed.confirmation, confirmed.provider_reference) == ("confirmed", "R-1")
    assert (refused.confirmation, refused.refusal_reason, refused.case_id) == ("refused", "already_paid", "case-7")
    assert box.queries.status().unconfirmed_count == 0


def test_an_answer_that_this_release_does_not_understand_holds_nothing_back(box: Box):
    box.receive(
        NETWORK_FEED,
        [
            box.central.network.say_raw("weather.changed", b'{"rain":true}'),
            box.central.network.say_raw("notice.published", b'{"notice_id":7}'),
            box.central.network.say(NoticePublished(notice_id="n1", title="قطعی", text="فردا")),
            box.central.network.say(NoticePublished(notice_id="n1", title="قطعی", text="پس‌فردا")),
        ],
    )
    assert [(notice.notice_id, notice.text) for notice in box.queries.notices(10)] == [("n1", "پس‌فردا")]
    assert rebuild_projections(box.path) == []


@pytest.mark.parametrize(
    "written", ["", "yesterday", "2026-11-22T08:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00Z"]
)
def test_an_answer_whose_moment_is_none_has_no_moment(box: Box, written: str):
    box.write(asked("q1"))
    answer = InquiryAnswered(inquiry_id="q1", outcome="nothing_owed", answered_at=written)
    box.receive(OFFICE_FEED, [box.central.office.say(answer)])
    inquiry = box.queries.inquiry("q1")
    assert inquiry
    assert (inquiry.outcome, inquiry.answered_at) == ("nothing_owed", None)
    assert rebuild_projections(box.path) == []


def test_an_answered_inquiry_shows_the_payment_that_holds_its_bill(box: Box):
    box.write(asked("q1"))
    answer = InquiryAnswered(
        inquiry_id="q1",
        outcome="owed",
        amount_rial=BILL_RIAL,
        bill_id=BILL_ID,
        bill_payment_id=BILL_PAYMENT_ID,
        answered_at="2026-11-22T08:00:00.000Z",
    )
    box.receive(OFFICE_FEED, [box.central.office.say(answer)])
    inquiry = box.queries.inquiry("q1")
    assert inquiry
    assert (inquiry.outcome, inquiry.amount_rial, inquiry.payment_id) == ("owed", BILL_RIAL, None)
    box.write(requested("p1"))
    inquiry = box.queries.inquiry("q1")
    assert inquiry
    assert inquiry.payment_id == "p1"
    box.write(PaymentNotSent(payment_id="p1", reason="x"))
    inquiry = box.queries.inquiry("q1")
    assert inquiry
    assert inquiry.payment_id is None


def test_printed_papers_are_counted_by_what_they_are_about(box: Box):
    box.write(requested("p1"), asked("q1"))
    for about in ("p1", "p1", "q1", "test page"):
        box.write(ReceiptPrinted(job_id="j", document="d", about=about, copy=False))
    payment, inquiry = box.queries.payment("p1"), box.queries.inquiry("q1")
    assert payment
    assert inquiry
    assert (payment.printed, inquiry.printed) == (2, 1)


def test_a_fact_about_an_unknown_payment_is_a_fault_of_the_program(box: Box):
    for body in (sent("nobody"), approved("nobody"), StatusQueried(payment_id="nobody", outcome="not_found")):
        with pytest.raises(BugError) as caught:
            box.write(body)
        assert caught.value.code == "payment.unknown"
    assert box.queries.size() == 1


MOVES: dict[str, Callable[[str], Body]] = {
    "not_sent": lambda payment: PaymentNotSent(payment_id=payment, reason="terminal.unreachable"),
    "sent": sent,
    "approved": approved,
    "declined": declined,
    "cancelled": lambda payment: PaymentCancelled(payment_id=payment, evidence=evidence("17")),
    "in_doubt": in_doubt,
    "not_charged": lambda payment: PaymentNotCharged(payment_id=payment, asked_count=2),
    "overridden_charged": lambda payment: PaymentOverridden(
        payment_id=payment, charged=True, operator="m", reason="slip", slip_number="12"
    ),
    "overridden_not_charged": lambda payment: PaymentOverridden(
        payment_id=payment, charged=False, operator="m", reason="slip", slip_number="12"
    ),
}
ALLOWED = {
    # The design's table, written out once more: the reference these tests hold the box to.
    "requested": {"not_sent", "sent"},
    "sent": {"approved", "declined", "cancelled", "in_doubt"},
    "in_doubt": {
        "approved", "declined", "cancelled", "not_charged", "overridden_charged", "overridden_not_charged",
    },
    "declined": {"approved", "overridden_charged"},
    "cancelled": {"approved", "overridden_charged"},
    "not_sent": {"approved", "overridden_charged"},
    "not_charged": {"approved", "overridden_charged"},
    "overridden_charged": {"approved"},
    "overridden_not_charged": {"approved", "overridden_charged"},
    "approved": {"in_doubt"},
}  # fmt: skip
FREE = {"not_sent", "declined", "cancelled", "not_charged", "overridden_not_charged"}


def in_one_word(words: list[str]) -> str:
    """Return what the provider's words about the items come to for the payment."""
    if "queued" in words:
        return "queued"
    if "refused" in words:
        return "refused"
    return "confirmed" if set(words) == {"confirmed"} else "none"


def is_doubled(payment: PaymentView, obligation: str) -> bool:
    """Return whether a payment is the second charge of an obligation."""
    of_items = [item.doubled for item in payment.items if item.obligation == obligation]
    return of_items[0] if of_items else payment.doubled


class Lives(RuleBasedStateMachine):
    """Random lives of payments against a model of a few lines; the rebuild must agree with the box at every end."""

    payments: Bundle[str] = Bundle("payments")

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.box = self.stack.enter_context(Box(self.folder))
        self.states: dict[str, str] = {}
        self.obligations: dict[str, tuple[str, ...]] = {}
        self.confirmations: dict[str, list[str]] = {}
        """The provider's word about each obligation of a payment."""
        self.size = 1

    @initialize(target=payments)
    def first(self) -> str:
        return self._request(("bill:1:1",))

    def _request(self, obligations: tuple[str, ...]) -> str:
        payment = f"p{len(self.states)}"
        self.box.write(requested_of(payment, obligations))
        self.states[payment], self.obligations[payment] = "requested", obligations
        self.confirmations[payment] = ["none"] * len(obligations)
        self.size += 1
        return payment

    def _holders(self, obligation: str) -> list[str]:
        return [
            payment
            for payment, state in self.states.items()
            if obligation in self.obligations[payment] and state not in FREE
        ]

    @rule(target=payments, obligations=st.sampled_from([("bill:1:1",), ("bill:2:2",), ("bill:1:1", "bill:2:2")]))
    def request(self, obligations: tuple[str, ...]) -> Any:
        holders = [holder for obligation in obligations for holder in self._holders(obligation)]
        if not holders:
            return self._request(obligations)
        with pytest.raises(OperatorError) as caught:
            self.box.write(requested_of("refused", obligations))
        assert caught.value.code == "payment.obligation_held"
        assert caught.value.data["payment_id"] in holders
        return next(iter(self.states))

    @rule(payment=payments, to=st.sampled_from(sorted(MOVES)), again=st.integers(0, 2))
    def move(self, payment: str, to: str, again: int) -> None:
        # Random targets alone rarely get far: choose among the allowed ones two times of three.
        allowed = sorted(ALLOWED[self.states[payment]])
        if again and allowed:
            to = allowed[len(to) % len(allowed)]
        if to not in ALLOWED[self.states[payment]]:
            with pytest.raises(BugError):
                self.box.write(AlarmRaised(kind="undone"), MOVES[to](payment))
            return
        self.box.write(MOVES[to](payment))
        self.states[payment] = to
        if to in ("approved", "overridden_charged"):
            self.confirmations[payment] = ["queued" if word == "none" else word for word in self.confirmations[payment]]
        self.size += 1

    @rule(payment=payments)
    def query(self, payment: str) -> None:
        self.box.write(StatusQueried(payment_id=payment, outcome="not_found", counts=True))
        self.size += 1

    @rule(payment=payments, accepted=st.booleans(), item=st.sampled_from([None, 0, 1]))
    def hear(self, payment: str, accepted: bool, item: int | None) -> None:  # noqa: FBT001 - Hypothesis passes by name
        about: dict[str, Any] = {"payment_id": payment, "provider": "w", "track_id": "t", "item": item}
        word: Body = (
            PaymentConfirmed(**about, provider_reference="r", confirmed_at="")
            if accepted
            else PaymentRefused(**about, reason="expired", case_id="c")
        )
        self.box.receive(OFFICE_FEED, [self.box.central.office.say(word)])
        self.size += 1
        words = self.confirmations[payment]
        if item is None and len(words) > 1:
            return  # Which of them is not said.
        if (item or 0) < len(words):
            words[item or 0] = "confirmed" if accepted else "refused"

    @rule()
    def restart(self) -> None:
        box = self.box
        box.__exit__()
        box.__enter__()
        recover(box.writer, box.queries, box.identity, box.signer.public_key, software="test")
        self.size += 1
        for payment, state in self.states.items():
            if state in ("requested", "sent"):
                self.states[payment] = "not_sent" if state == "requested" else "in_doubt"
                self.size += 1

    @invariant()
    def the_box_says_what_the_model_says(self) -> None:
        assert self.box.queries.size() == self.size
        found = {payment.payment_id: payment for payment in self.box.queries.payments(None, 1000)}
        assert {name: str(payment.state) for name, payment in found.items()} == self.states
        for name, words in self.confirmations.items():
            assert found[name].confirmation == in_one_word(words)
            assert [item.confirmation for item in found[name].items] == (words if len(words) > 1 else [])
        for obligation in {one for several in self.obligations.values() for one in several}:
            holder = self.box.queries.payment_by_obligation(obligation)
            holders = self._holders(obligation)
            assert (holder is not None and holder.payment_id in holders) or not (holder or holders)
            # One obligation, one charge: all but one of its holders were proved late.
            assert sum(not is_doubled(found[name], obligation) for name in holders) == min(1, len(holders))
        waiting = [
            1
            for name, words in self.confirmations.items()
            for word in words
            if word == "queued" and self.states[name] in ("approved", "overridden_charged")
        ]
        assert self.box.queries.status().unconfirmed_count == len(waiting)

    def teardown(self) -> None:
        with self.stack:
            assert rebuild_projections(self.box.path) == []


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=15, stateful_step_count=30)
