"""What the end of a case books: pure."""

import msgspec
import pytest

from central.ledger.accounts import FEES, LOSSES, RECOVERABLE, REFUNDS, UNCONFIRMED, Account
from central.ledger.booking import PaymentBook
from central.ledger.closings import (
    OUTCOMES,
    PAID_BACK,
    Standing,
    closing_transfers,
    is_of,
    standing_on,
    takes_two,
    turned_round,
)
from shared.payment import PaymentState

AMOUNT = 40_000


def payment(state: PaymentState = PaymentState.APPROVED, confirmation: str = "none") -> PaymentBook:
    return PaymentBook(
        office_id="1", payment_id="p", journal_id="j", obligation="o", purpose="bill", method="pcpos",
        amount_rial=AMOUNT, split={}, terminal="t", reference="r", operator="op", bill_id="7748317800142",
        bill_payment_id="1", inquiry_id=None, state=state, requested_index=0, requested_claim="",
        terminal_number="77", confirmation=confirmation,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("of", "settled", "outcome", "accounts"),
    [
        (payment(confirmation="refused"), False, "refunded", ("refunds", "paid_out")),
        (payment(), True, "refunded", ("unconfirmed", "paid_out")),
        (payment(confirmation="confirmed"), True, "refunded", ("losses", "paid_out")),
        (payment(PaymentState.REVERSED), False, "refunded", ("losses", "paid_out")),
        (payment(), False, "loss", ("losses", "receivable:77")),
        (payment(), True, "loss", ("losses", "settled")),
        (payment(PaymentState.OVERRIDDEN_CHARGED), False, "written_off", ("losses", "doubtful")),
        (payment(PaymentState.REVERSED, "confirmed"), False, "loss", ("losses", "recoverable")),
        (payment(), False, "recovered", ("settled", "receivable:77")),
        (payment(PaymentState.REVERSED, "confirmed"), False, "recovered", ("settled", "recoverable")),
    ],
)
def test_each_end_moves_the_money_from_where_it_stood(
    of: PaymentBook, outcome: str, accounts: tuple[str, str], *, settled: bool
) -> None:
    (made,) = closing_transfers(Standing(payment=of, settled=settled), outcome, amount_rial=AMOUNT, closing_id=7)
    assert (made.debit, made.credit, made.amount_rial, made.transfer_id) == (*accounts, AMOUNT, "case/7")
    (back,) = turned_round([made], closing_id=8)
    assert (back.debit, back.credit, back.amount_rial, back.transfer_id) == (*reversed(accounts), AMOUNT, "case/8")


@pytest.mark.parametrize("outcome", ["loss", "written_off", "recovered"])
def test_of_a_bill_that_the_acquirer_passed_on_nothing_is_lost(outcome: str) -> None:
    passed_on = msgspec.structs.replace(payment(confirmation="confirmed"), pays_bill=True)
    assert not closing_transfers(Standing(payment=passed_on, settled=True), outcome, amount_rial=AMOUNT, closing_id=1)
    assert closing_transfers(Standing(payment=passed_on, settled=False), outcome, amount_rial=AMOUNT, closing_id=1)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_where_the_books_hold_nothing_of_it_nothing_is_booked(outcome: str) -> None:
    assert not closing_transfers(Standing(payment=None, settled=False), outcome, amount_rial=1, closing_id=1)
    assert not closing_transfers(Standing(payment=payment(), settled=False), outcome, amount_rial=0, closing_id=1)
    nowhere = Standing(payment=payment(PaymentState.DECLINED), settled=False)
    assert outcome in PAID_BACK or not closing_transfers(nowhere, outcome, amount_rial=1, closing_id=1)


def test_only_an_explanation_is_one_persons_and_not_where_money_is_owed() -> None:
    alone = {(kind, outcome) for kind in ("refund", "overdue") for outcome in OUTCOMES if not takes_two(kind, outcome)}
    assert alone == {("overdue", "explained")}


@pytest.mark.parametrize(
    ("of", "held", "stands"),
    [
        (payment(), {UNCONFIRMED: AMOUNT}, {UNCONFIRMED: AMOUNT}),
        (payment(confirmation="refused"), {UNCONFIRMED: AMOUNT}, {REFUNDS: AMOUNT}),
        (payment(confirmation="confirmed"), {UNCONFIRMED: 30_000}, {RECOVERABLE: 30_000}),
        # What two people took as a loss with their eyes open stays one, and is less of one where a claim is found.
        (payment(confirmation="confirmed"), {LOSSES: 10_000, UNCONFIRMED: 5_000}, {LOSSES: 10_000, RECOVERABLE: 5_000}),
        (payment(), {LOSSES: AMOUNT}, {UNCONFIRMED: AMOUNT}),
        (payment(PaymentState.REVERSED, "refused"), {REFUNDS: AMOUNT}, {RECOVERABLE: AMOUNT}),
        # A loss taken for a charge is none where there is no charge: the terminal gave the money back, too.
        (payment(PaymentState.REVERSED, "confirmed"), {LOSSES: AMOUNT}, {RECOVERABLE: AMOUNT}),
        (payment(PaymentState.NOT_CHARGED), {LOSSES: AMOUNT}, {RECOVERABLE: AMOUNT}),
        # A pay-out that was taken back after it had moved: nothing is left of it anywhere.
        (payment(confirmation="confirmed"), {UNCONFIRMED: -AMOUNT, RECOVERABLE: AMOUNT}, {}),
        (payment(confirmation="refused"), {UNCONFIRMED: -AMOUNT, REFUNDS: AMOUNT, FEES: 0}, {}),
    ],
)
def test_what_a_customer_was_paid_stands_on_the_claims_that_are_left(
    of: PaymentBook, held: dict[Account, int], stands: dict[Account, int]
) -> None:
    assert {account: rial for account, rial in standing_on(of, held).items() if rial} == stands


def test_what_one_end_booked_is_told_from_what_another_did_and_from_what_turned_it_round() -> None:
    made = ("case/1", "case/1/1", "case/12", "case/12/1", "case/1/settled/7", "case/1/1/settled/7")
    assert [name for name in made if is_of(name, 1)] == ["case/1", "case/1/1"]
