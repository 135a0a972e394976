"""Whatever entries come, in whatever order: the books stay in balance and say what the payment's state says."""

from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.ledger.booking import Fact, NotPostable, PaymentBook, Transfer
from central.ledger.items import biller_kind
from central.ledger.positions import answered
from central.ledger.posting import book
from central.ledger.store import account_of
from shared.events import (
    Body,
    Evidence,
    PaymentAcknowledged,
    PaymentApproved,
    PaymentCancelled,
    PaymentDeclined,
    PaymentInDoubt,
    PaymentNotCharged,
    PaymentNotSent,
    PaymentOverridden,
    PaymentRequested,
    PaymentReversed,
    PaymentSent,
    RefundAgreed,
    RefundDropped,
    RefundProposed,
    ReversalDecided,
    ReversalInDoubt,
    ReversalRefused,
    ReversalRequested,
    Split,
)
from shared.payment import CERTAINLY_UNCHARGED, CHARGED, LATE, PaymentState

AMOUNT_RIAL = 17_000
_EVIDENCE = st.builds(
    Evidence,
    source=st.just("answer"),
    response_code=st.sampled_from(["00", "51"]),
    amount_rial=st.sampled_from([None, AMOUNT_RIAL, AMOUNT_RIAL, 5]),
    terminal_number=st.sampled_from([None, "1", "2"]),
    rrn=st.sampled_from([None, "7"]),
)
_BODIES = st.one_of(
    st.builds(PaymentSent, payment_id=st.just("p"), terminal_number=st.sampled_from([None, "1"])),
    st.builds(PaymentApproved, payment_id=st.just("p"), evidence=_EVIDENCE),
    st.builds(PaymentDeclined, payment_id=st.just("p"), evidence=_EVIDENCE),
    st.builds(PaymentCancelled, payment_id=st.just("p"), evidence=_EVIDENCE),
    st.builds(
        PaymentInDoubt,
        payment_id=st.just("p"),
        reason=st.sampled_from(["no_answer", "mismatch"]),
        evidence=st.none() | _EVIDENCE,
    ),
    st.builds(PaymentNotSent, payment_id=st.just("p"), reason=st.just("restart")),
    st.builds(PaymentNotCharged, payment_id=st.just("p"), asked_count=st.just(2)),
    st.builds(
        PaymentOverridden,
        payment_id=st.just("p"),
        charged=st.booleans(),
        operator=st.just("boss"),
        reason=st.just("r"),
        slip_number=st.just("9"),
    ),
    st.just(PaymentAcknowledged(payment_id="p")),
    st.builds(
        RefundProposed,
        refund_id=st.sampled_from(["r1", "r2"]),
        payment_id=st.just("p"),
        means=st.sampled_from(["reversal", "void", "central"]),
        amount_rial=st.sampled_from([AMOUNT_RIAL, 1, 0]),
        operator=st.sampled_from(["a", "b"]),
        reason=st.just("why"),
    ),
    st.builds(
        RefundAgreed,
        refund_id=st.sampled_from(["r1", "r2"]),
        payment_id=st.just("p"),
        operator=st.sampled_from(["a", "b"]),
    ),
    st.builds(
        RefundDropped, refund_id=st.just("r1"), payment_id=st.just("p"), operator=st.just("a"), reason=st.just("no")
    ),
    st.builds(
        ReversalRequested,
        payment_id=st.just("p"),
        refund_id=st.sampled_from(["r1", "r9"]),
        means=st.sampled_from(["reversal", "void"]),
    ),
    st.builds(PaymentReversed, payment_id=st.just("p"), evidence=_EVIDENCE),
    st.builds(ReversalInDoubt, payment_id=st.just("p"), reason=st.just("no_answer")),
    st.builds(ReversalRefused, payment_id=st.just("p"), reason=st.just("too late")),
)
_ANSWERS = st.sampled_from(["confirmed", "refused"])


def fact(index: int, body: Body) -> Fact:
    return Fact(
        office_id="o", journal_id="j", index=index, leaf=index.to_bytes(32, "big"), at_claim="2026-11-22", body=body
    )


def requested(purpose: str) -> PaymentRequested:
    return PaymentRequested(
        payment_id="p",
        obligation="bill:1:2",
        purpose=purpose,  # type: ignore[arg-type]
        amount_rial=AMOUNT_RIAL,
        split=Split(gross_rial=AMOUNT_RIAL, company_rial=AMOUNT_RIAL),
        method="pcpos",
        terminal="t",
        reference="1",
        operator="op",
        bill_id="7748317800142",
        bill_payment_id="1770160",
    )


class Books:
    """A ledger in memory that holds the rules the database holds."""

    def __init__(self) -> None:
        self.by_id: dict[str, Transfer] = {}
        self.ended: set[str] = set()

    def write(self, transfer: Transfer) -> None:
        assert transfer.transfer_id not in self.by_id
        assert transfer.debit != transfer.credit
        assert transfer.amount_rial == AMOUNT_RIAL
        account_of(transfer.debit)
        account_of(transfer.credit)
        if transfer.pending_id is not None:
            pending = self.by_id[transfer.pending_id]
            assert pending.phase == "pending"
            assert (pending.debit, pending.credit) == (transfer.debit, transfer.credit)
            assert transfer.pending_id not in self.ended
            self.ended.add(transfer.pending_id)
        self.by_id[transfer.transfer_id] = transfer

    def open_pending(self) -> list[Transfer]:
        return [each for each in self.by_id.values() if each.phase == "pending" and each.transfer_id not in self.ended]

    def balances(self) -> Counter[str]:
        sums: Counter[str] = Counter()
        for transfer in self.by_id.values():
            if transfer.phase in ("posted", "post"):
                sums[transfer.debit] += transfer.amount_rial
                sums[transfer.credit] -= transfer.amount_rial
        return sums


_LIVES = st.one_of(
    st.lists(_BODIES | _ANSWERS, max_size=12),
    # Most random orders end early: these begin with a charge, so that what follows one is tried often.
    st.lists(_BODIES | _ANSWERS, max_size=10).map(
        lambda rest: [
            PaymentSent(payment_id="p", terminal_number="1", confirming=True),
            PaymentApproved(payment_id="p", evidence=Evidence(source="answer", response_code="00")),
            *rest,
        ]
    ),
)
"""Entries of a box, and between them what a provider answers."""


def owed_to(payment: PaymentBook) -> str:
    """Where the balance of a charged payment has to stand."""
    if payment.confirmation == "confirmed":
        return "biller:landline"
    if payment.confirmation == "refused":
        return "refunds"
    return "unconfirmed" if payment.purpose == "bill" else "fees"


def check(books: Books, payment: PaymentBook) -> None:
    balances = books.balances()
    assert sum(balances.values()) == 0
    charged = payment.state in CHARGED
    by_word = payment.state is PaymentState.OVERRIDDEN_CHARGED
    taken = payment.confirmation == "confirmed"
    wanted = Counter({owed_to(payment): -AMOUNT_RIAL} if charged or taken else {})
    wanted["doubtful"] = AMOUNT_RIAL if by_word else 0
    wanted["recoverable"] = AMOUNT_RIAL if taken and not charged else 0
    wanted[f"receivable:{payment.terminal_number or 'unknown'}"] = AMOUNT_RIAL if charged and not by_word else 0
    assert +balances == +wanted
    assert -balances == -wanted
    in_flight = payment.state in (PaymentState.SENT, PaymentState.IN_DOUBT)
    assert [each.transfer_id for each in books.open_pending()] == ([payment.pending_transfer] if in_flight else [])


@given(purpose=st.sampled_from(["bill", "inquiry_fee"]), life=_LIVES)
def test_the_books_say_what_the_state_says(purpose: str, life: list[Body | str]) -> None:
    books = Books()
    payment: PaymentBook = book(None, fact(0, requested(purpose))).payment
    asked_provider = 0
    for index, body in enumerate(life, 1):
        if isinstance(body, str):
            if payment.confirmation != "queued":
                continue
            for transfer in answered(payment, body, f"confirm/{index}"):
                books.write(transfer)
            payment = msgspec.structs.replace(payment, confirmation=body)
            check(books, payment)
            continue
        try:
            booking = book(payment, fact(index, body))
        except NotPostable:
            continue
        for transfer in booking.transfers:
            books.write(transfer)
        if isinstance(body, PaymentApproved) and payment.state in LATE:
            assert [case.kind for case in booking.cases] == ["late_approval"]
        lost = payment.state not in CERTAINLY_UNCHARGED and booking.payment.state in CERTAINLY_UNCHARGED
        kinds = [case.kind for case in booking.cases]
        assert ("confirmed_uncharged" in kinds) == (lost and booking.payment.confirmation == "confirmed")
        payment = booking.payment
        asked_provider += len(booking.asks)
        check(books, payment)
    assert asked_provider <= 1
    assert (asked_provider == 1) == (payment.confirmation != "none")
    assert purpose == "bill" or asked_provider == 0


@given(bodies=st.lists(_BODIES, max_size=6))
def test_booking_is_a_function(bodies: list[Body]) -> None:
    def walk() -> list[object]:
        payment = book(None, fact(0, requested("bill"))).payment
        steps: list[object] = []
        for index, body in enumerate(bodies, 1):
            try:
                booking = book(payment, fact(index, body))
            except NotPostable as error:
                steps.append((error.code, error.data))
                continue
            steps.append(booking)
            payment = booking.payment
        return steps

    assert walk() == walk()


def after(*bodies: Body) -> PaymentBook:
    payment = book(None, fact(0, requested("bill"))).payment
    for index, body in enumerate(bodies, 1):
        payment = book(payment, fact(index, body)).payment
    return payment


SENT = PaymentSent(payment_id="p", terminal_number="1")
APPROVED = PaymentApproved(
    payment_id="p", evidence=Evidence(source="answer", response_code="00", amount_rial=AMOUNT_RIAL)
)
PROPOSED = RefundProposed(
    refund_id="r1", payment_id="p", means="central", amount_rial=AMOUNT_RIAL, operator="maryam", reason="wrong bill"
)


def test_an_answer_moves_the_obligation_to_whom_it_is_owed() -> None:
    payment = after(SENT, APPROVED)
    (taken,), (given_back,) = answered(payment, "confirmed", "c"), answered(payment, "refused", "c")
    assert (taken.debit, taken.credit) == ("unconfirmed", "biller:landline")
    assert (given_back.debit, given_back.credit) == ("unconfirmed", "refunds")


def test_an_approval_in_doubt_again_is_taken_back_and_may_have_moved_once_more() -> None:
    booking = book(after(SENT, APPROVED), fact(9, PaymentInDoubt(payment_id="p", reason="restart")))
    assert [(each.phase, each.debit, each.credit) for each in booking.transfers] == [
        ("posted", "unconfirmed", "receivable:1"),
        ("pending", "receivable:1", "unconfirmed"),
    ]


def test_a_refund_by_finance_takes_two_people_and_names_both() -> None:
    proposed = after(SENT, APPROVED, PROPOSED)
    with pytest.raises(NotPostable, match="refund_one_person"):
        book(proposed, fact(9, RefundAgreed(refund_id="r1", payment_id="p", operator="maryam")))
    booking = book(proposed, fact(9, RefundAgreed(refund_id="r1", payment_id="p", operator="sara")))
    (case,) = booking.cases
    assert (case.kind, case.amount_rial, booking.transfers) == ("refund", AMOUNT_RIAL, ())
    assert case.facts == {"refund_id": "r1", "proposed_by": "maryam", "agreed_by": "sara", "reason": "wrong bill"}


def decided(*, undone: bool) -> ReversalDecided:
    return ReversalDecided(
        payment_id="p", undone=undone, operator="sara", agreed_by="reza", reason="slip seen", slip_number="9"
    )


@pytest.mark.parametrize(
    ("end", "state", "moved_back"),
    [
        (PaymentReversed(payment_id="p", evidence=Evidence(source="reversal", response_code="00")), "done", True),
        (ReversalRefused(payment_id="p", reason="51"), "refused", False),
        (ReversalInDoubt(payment_id="p", reason="no_answer"), "in_doubt", False),
        (decided(undone=True), "done", True),
        (decided(undone=False), "refused", False),
    ],
)
def test_a_reversal_gives_back_only_what_the_terminal_undid(end: Body, state: str, *, moved_back: bool) -> None:
    by_terminal = msgspec.structs.replace(PROPOSED, means="reversal")
    agreed = RefundAgreed(refund_id="r1", payment_id="p", operator="sara")
    asked = ReversalRequested(payment_id="p", refund_id="r1", means="reversal")
    asked_for = after(SENT, APPROVED, by_terminal, agreed, asked)
    if isinstance(end, ReversalDecided):
        asked_for = book(asked_for, fact(8, ReversalInDoubt(payment_id="p", reason="no_answer"))).payment
    booking = book(asked_for, fact(9, end))
    by_word = [(case.kind, case.facts["operator"]) for case in booking.cases]
    assert by_word == ([("overridden", "sara + reza")] if isinstance(end, ReversalDecided) else [])
    assert booking.payment.refunds["r1"]["state"] == state
    assert [(each.debit, each.credit) for each in booking.transfers] == (
        [("unconfirmed", "receivable:1")] if moved_back else []
    )


def test_a_bill_names_its_biller_by_the_digit_before_the_check_digit() -> None:
    assert [biller_kind(bill_id) for bill_id in ("1234567800193", "9174639504124", "12", "", None, "x")] == [
        "traffic_fine",
        "electricity",
        "water",
        "other",
        "other",
        "other",
    ]
