"""Whatever entries come, in whatever order: the books stay in balance and say what the payment's state says."""

from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.ledger.booking import Fact, NotPostable, PaymentBook, Transfer
from central.ledger.items import biller_kind, with_words, words_of
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
    PaymentItem,
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
    st.builds(
        PaymentSent, payment_id=st.just("p"), terminal_number=st.sampled_from([None, "1"]), pays_bill=st.booleans()
    ),
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
_ANSWERS = st.tuples(st.sampled_from(["confirmed", "refused", "withdrawn"]), st.integers(min_value=0, max_value=2))
"""What a provider says, of which item; `withdrawn`: it is not asked any more, the money not being there."""


def fact(index: int, body: Body) -> Fact:
    return Fact(
        office_id="o", journal_id="j", index=index, leaf=index.to_bytes(32, "big"), at_claim="2026-11-22", body=body
    )


BILL = ("7748317800142", "1770160")
ITEMS = (
    PaymentItem(obligation="bill:a", amount_rial=9_000, bill_id=BILL[0], bill_payment_id=BILL[1]),
    PaymentItem(obligation="bill:b", amount_rial=7_000, bill_id="1234567800193", bill_payment_id="7"),
    PaymentItem(obligation="bill:c", amount_rial=1_000, bill_id="77483178001", bill_payment_id="1"),
)
"""Bills of one charge: of a landline, a fine, and one of the landline's kind of a kind nobody knows."""


def requested(what: str) -> PaymentRequested:
    """A bill, a fee, an order, or several bills (`items`)."""
    many = what == "items"
    return PaymentRequested(
        payment_id="p",
        obligation="group:p" if many else "bill:1:2",
        purpose="bill" if many else what,  # type: ignore[arg-type]
        amount_rial=AMOUNT_RIAL,
        split=Split(gross_rial=AMOUNT_RIAL, company_rial=9_000, provider_rial=5_000, office_rial=2_500, vat_rial=500),
        method="pcpos",
        terminal="t",
        reference="1",
        operator="op",
        bill_id=None if many else BILL[0],
        bill_payment_id=None if many else BILL[1],
        service="topup" if what in ("order", "inquiry_fee") else "",
        items=ITEMS if many else (),
    )


class Books:
    """A ledger in memory that holds the rules the database holds."""

    def __init__(self) -> None:
        self.by_id: dict[str, Transfer] = {}
        self.ended: set[str] = set()

    def write(self, transfer: Transfer) -> None:
        assert transfer.transfer_id not in self.by_id
        assert transfer.debit != transfer.credit
        assert 0 < transfer.amount_rial <= AMOUNT_RIAL
        account_of(transfer.debit)
        account_of(transfer.credit)
        if transfer.pending_id is not None:
            pending = self.by_id[transfer.pending_id]
            assert pending.phase == "pending"
            assert (pending.debit, pending.credit) == (transfer.debit, transfer.credit)
            assert pending.amount_rial == transfer.amount_rial
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
    st.lists(_BODIES | _ANSWERS, max_size=8).map(
        lambda rest: [PaymentSent(payment_id="p", terminal_number="1", pays_bill=True), *rest]
    ),
)
"""Entries of a box, and between them what a provider answers."""


BILLERS = ("landline", "traffic_fine", "other")
FEE_SHARES = {"company": 9_000, "provider:topup": 5_000, "office": 2_500, "vat": 500}


def owed_to(payment: PaymentBook) -> list[tuple[str, int, bool]]:
    """To whom what amount of a payment goes on, and whether they count on it, charged or not."""
    if payment.pays_bill:
        return [(f"acquirer_pays:{payment.terminal_number or 'unknown'}", AMOUNT_RIAL, False)]
    words = [item.confirmation for item in payment.items] or [payment.confirmation]
    amounts = [item.amount_rial for item in ITEMS] if payment.items else [AMOUNT_RIAL]
    if payment.purpose == "inquiry_fee" and words == ["confirmed"]:
        return [(account, rial, True) for account, rial in FEE_SHARES.items()]
    takers = {"order": ["provider:topup"], "bill": [f"biller:{kind}" for kind in BILLERS]}.get(payment.purpose, [""])
    waiting = "fees" if payment.purpose == "inquiry_fee" else "unconfirmed"
    return [
        ({"confirmed": takers[place], "refused": "refunds"}.get(word, waiting), rial, word == "confirmed")
        for place, (word, rial) in enumerate(zip(words, amounts, strict=True))
    ]


def check(books: Books, payment: PaymentBook) -> None:
    balances = books.balances()
    assert sum(balances.values()) == 0
    charged = payment.state in CHARGED
    wanted: Counter[str] = Counter()
    for account, rial, counted_on in owed_to(payment):
        by_word = payment.state is PaymentState.OVERRIDDEN_CHARGED
        there = "doubtful" if by_word else f"receivable:{payment.terminal_number or 'unknown'}"
        if charged or counted_on:
            wanted[account] -= rial
            wanted[there if charged else "recoverable"] += rial
    assert +balances == +wanted
    assert -balances == -wanted
    in_flight = payment.state in (PaymentState.SENT, PaymentState.IN_DOUBT)
    pending = books.open_pending()
    assert [each.transfer_id for each in pending] == ([payment.pending_transfer] if in_flight else [])
    # What may have moved is the charge, whatever it pays.
    assert [each.amount_rial for each in pending] == [AMOUNT_RIAL] * in_flight


def apply_answer(books: Books, payment: PaymentBook, word: str, item: int | None, index: int) -> PaymentBook:
    """Return the payment after a provider's answer, or after its question is withdrawn, where either may come."""
    known = words_of(payment)[item]
    is_fee = payment.purpose == "inquiry_fee"
    if word == "withdrawn":
        # As the provider's worker does it: a queued question of a payment that is not charged.
        may_be = known == "queued" and payment.state in CERTAINLY_UNCHARGED
        return with_words(payment, {item: "none"}) if may_be else payment
    # A fee may be refused, and its request be answered after all.
    if known != ("queued" if not is_fee else known) or known == word:
        return payment
    for transfer in answered(payment, word, f"confirm/{index}", item=item):
        books.write(transfer)
    return with_words(payment, {item: word})


@given(what=st.sampled_from(["bill", "inquiry_fee", "order", "items"]), life=_LIVES)
def test_the_books_say_what_the_state_says(what: str, life: list[Body | tuple[str, int]]) -> None:
    books = Books()
    payment: PaymentBook = book(None, fact(0, requested(what))).payment
    asked: Counter[int | None] = Counter()
    for index, body in enumerate(life, 1):
        if isinstance(body, tuple):
            word, place = body
            item = place if payment.items else None
            before, payment = payment, apply_answer(books, payment, word, item, index)
            asked[item] -= word == "withdrawn" and payment != before
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
        taken = [item for item, word in words_of(payment).items() if word == "confirmed"]
        cases = [case for case in booking.cases if case.kind == "confirmed_uncharged"]
        assert [case.item for case in cases] == (taken if lost and not payment.pays_bill else [])
        assert sum(case.amount_rial for case in cases) <= AMOUNT_RIAL
        payment = booking.payment
        asked.update(booking.asks)
        check(books, payment)
    for item, word in words_of(payment).items():
        assert asked[item] == (word != "none" and what != "inquiry_fee" and not payment.pays_bill)


@given(bodies=st.lists(_BODIES, max_size=6))
def test_booking_is_a_function(bodies: list[Body]) -> None:
    def walk() -> list[object]:
        payment = book(None, fact(0, requested("items"))).payment
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


def after(*bodies: Body, what: str = "bill") -> PaymentBook:
    payment = book(None, fact(0, requested(what))).payment
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


def test_a_bill_that_the_terminal_paid_is_the_acquirers_to_pay_on_and_nobody_is_asked() -> None:
    sent = msgspec.structs.replace(SENT, pays_bill=True)
    approved = book(after(sent), fact(9, APPROVED))
    assert [(each.phase, each.debit, each.credit) for each in approved.transfers] == [
        ("post", "receivable:1", "acquirer_pays:1")
    ]
    assert (approved.asks, approved.payment.confirmation, approved.charged) == ((), "confirmed", True)
    declined = PaymentDeclined(payment_id="p", evidence=Evidence(source="answer", response_code="51"))
    assert [each.phase for each in book(after(sent), fact(9, declined)).transfers] == ["void"]
    word = PaymentOverridden(payment_id="p", charged=True, operator="mina", reason="-", slip_number="1")
    doubted = book(after(sent, PaymentInDoubt(payment_id="p", reason="no_answer")), fact(9, word))
    assert [(each.debit, each.credit) for each in doubted.transfers if each.phase == "posted"] == [
        ("doubtful", "acquirer_pays:1")
    ]


@pytest.mark.parametrize("what", ["items", "order", "inquiry_fee"])
def test_what_is_no_single_bill_goes_on_as_it_always_does(what: str) -> None:
    approved = book(after(msgspec.structs.replace(SENT, pays_bill=True), what=what), fact(9, APPROVED))
    assert not approved.payment.pays_bill
    assert "acquirer_pays" not in "".join(each.credit for each in approved.transfers)
    assert bool(approved.asks) == (what != "inquiry_fee")


def test_one_charge_is_one_receivable_and_each_of_its_bills_a_claim() -> None:
    payment = after(SENT, what="items")
    approved = book(payment, fact(9, APPROVED))
    (posted,) = approved.transfers
    assert (posted.phase, posted.debit, posted.credit, posted.amount_rial) == (
        "post",
        "receivable:1",
        "unconfirmed",
        AMOUNT_RIAL,
    )
    assert approved.asks == (0, 1, 2)
    (taken,) = answered(approved.payment, "confirmed", "c", item=1)
    assert (taken.debit, taken.credit, taken.amount_rial) == ("unconfirmed", "biller:traffic_fine", 7_000)
    (refused,) = answered(approved.payment, "refused", "c", item=0)
    assert (refused.debit, refused.credit, refused.amount_rial) == ("unconfirmed", "refunds", 9_000)


def test_a_reversal_turns_every_bill_round_and_says_which_are_owed_on() -> None:
    answered_for = with_words(after(SENT, APPROVED, what="items"), {0: "confirmed", 1: "refused"})
    assert answered_for.confirmation == "queued", "one bill waits"
    asked = ReversalRequested(payment_id="p", refund_id="r9", means="void")
    told = book(answered_for, fact(8, asked)).payment
    undone = PaymentReversed(payment_id="p", evidence=Evidence(source="reversal", response_code="00"))
    booking = book(told, fact(9, undone))
    assert {(each.debit, each.credit): each.amount_rial for each in booking.transfers} == {
        ("recoverable", "receivable:1"): 9_000,
        ("refunds", "receivable:1"): 7_000,
        ("unconfirmed", "receivable:1"): 1_000,
    }
    (lost,) = booking.cases
    assert (lost.kind, lost.item, lost.amount_rial) == ("confirmed_uncharged", 0, 9_000)


@pytest.mark.parametrize(
    ("words", "together"),
    [
        (["confirmed", "refused", "queued"], "queued"),
        (["confirmed", "refused", "confirmed"], "refused"),
        (["confirmed", "confirmed", "confirmed"], "confirmed"),
        (["none", "none", "none"], "none"),
        (["confirmed", "none", "none"], "none"),
    ],
)
def test_a_payment_says_what_its_bills_say_together(words: list[str], together: str) -> None:
    payment = with_words(after(SENT, APPROVED, what="items"), dict(enumerate(words)))
    assert payment.confirmation == together


@pytest.mark.parametrize(
    "items", [ITEMS[:1], ITEMS[:2], (*ITEMS[:2], msgspec.structs.replace(ITEMS[2], amount_rial=0))]
)
def test_items_that_are_not_the_charge_are_set_aside(items: tuple[PaymentItem, ...]) -> None:
    with pytest.raises(NotPostable, match="bad_items"):
        book(None, fact(0, msgspec.structs.replace(requested("items"), items=items)))


def test_an_earned_fee_is_the_tariffs_shares_and_a_split_that_is_none_the_companys() -> None:
    fee = after(SENT, APPROVED, what="inquiry_fee")
    shares = {each.credit: each.amount_rial for each in answered(fee, "confirmed", "c")}
    assert shares == FEE_SHARES
    wrong = msgspec.structs.replace(fee, split={**fee.split, "company_rial": 1})
    assert {each.credit: each.amount_rial for each in answered(wrong, "confirmed", "c")} == {"company": AMOUNT_RIAL}


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
