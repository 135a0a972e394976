"""Whatever entries come, in whatever order: the books stay in balance and say what the payment's state says."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from central.ledger.posting import Fact, NotPostable, PaymentBook, Transfer, biller_kind, book, confirmed, refused
from central.ledger.store import account_of
from shared.events import (
    Body,
    Evidence,
    PaymentApproved,
    PaymentCancelled,
    PaymentDeclined,
    PaymentInDoubt,
    PaymentNotCharged,
    PaymentNotSent,
    PaymentOverridden,
    PaymentRequested,
    PaymentSent,
    Split,
)
from shared.payment import CHARGED, LATE, PaymentState

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
)


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


@given(purpose=st.sampled_from(["bill", "inquiry_fee"]), bodies=st.lists(_BODIES, max_size=12))
def test_the_books_say_what_the_state_says(purpose: str, bodies: list[Body]) -> None:
    books = Books()
    payment: PaymentBook = book(None, fact(0, requested(purpose))).payment
    asked_provider = 0
    for index, body in enumerate(bodies, 1):
        try:
            booking = book(payment, fact(index, body))
        except NotPostable:
            continue
        for transfer in booking.transfers:
            books.write(transfer)
        if isinstance(body, PaymentApproved) and payment.state in LATE:
            assert [case.kind for case in booking.cases] == ["late_approval"]
        payment = booking.payment
        asked_provider += booking.confirm

        balances = books.balances()
        assert sum(balances.values()) == 0
        owed = "unconfirmed" if purpose == "bill" else "fees"
        charged = payment.state in CHARGED
        assert -balances[owed] == (AMOUNT_RIAL if charged else 0)
        assert balances["doubtful"] == (AMOUNT_RIAL if payment.state is PaymentState.OVERRIDDEN_CHARGED else 0)
        in_flight = payment.state in (PaymentState.SENT, PaymentState.IN_DOUBT)
        assert len(books.open_pending()) == (1 if in_flight else 0)
    assert asked_provider <= 1
    assert asked_provider == (purpose == "bill" and payment.state is PaymentState.APPROVED)


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


def test_an_answer_moves_the_obligation_to_whom_it_is_owed() -> None:
    payment = book(None, fact(0, requested("bill"))).payment
    taken, given_back = confirmed(payment, "confirm/p"), refused(payment, "confirm/p")
    assert (taken.debit, taken.credit) == ("unconfirmed", "biller:landline")
    assert (given_back.debit, given_back.credit) == ("unconfirmed", "refunds")


def test_a_bill_names_its_biller_by_the_digit_before_the_check_digit() -> None:
    assert [biller_kind(bill_id) for bill_id in ("1234567800193", "9174639504124", "12", "", None, "x")] == [
        "traffic_fine",
        "electricity",
        "water",
        "other",
        "other",
        "other",
    ]
