"""How cases end, and what each end is for the books: pure, but for the words.

    refunded      the customer has the money back: claim ← paid_out
    recovered     the acquirer or biller paid outside of its files: settled ← what was owed
    loss          the centre bears it: losses ← what was owed
    written_off   nobody will ever ask for it: as a loss, under its own name
    explained     nothing has to move

Whatever moves money takes two people, and so does saying of a case in which money is owed that nothing has to move.
"""

from typing import Final, Literal, get_args

import msgspec

from central.ledger.accounts import FEES, LOSSES, PAID_OUT, REFUNDS, SETTLED, UNCONFIRMED, Account
from central.ledger.booking import PaymentBook, Transfer
from central.ledger.positions import position

Outcome = Literal["refunded", "recovered", "loss", "written_off", "explained"]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
REOPENED: Final = "reopened"
"""Proposed of a closed case: its closing is taken back."""
BY_CENTRAL: Final = "by_central"
"""Closed without a person: what it was about is over."""
CORRECTED: Final = "corrected"
"""Closed without a person: a corrected file does not have the difference, or has it as another case."""

OUTCOME_NAMES: Final[dict[str, tuple[str, str]]] = {
    "refunded": ("پول به مشتری برگردانده شد", "The customer has the money back"),
    "recovered": ("طلب بیرون از فایل‌ها وصول شد", "Recovered outside of the files"),
    "loss": ("زیان آن پذیرفته شد", "Taken as a loss"),
    "written_off": ("از دفترها کنار گذاشته شد", "Written off"),
    "explained": ("روشن شد؛ پولی جابه‌جا نمی‌شود", "Explained; no money has to move"),
    REOPENED: ("دوباره باز شد", "Opened again"),
    BY_CENTRAL: ("خودبه‌خود پایان یافت", "Ended by itself"),
    CORRECTED: ("فایل تسویه اصلاح شد", "The settlement file was corrected"),
}
"""Names of ends, Persian and English."""

_MONEY_OWED: Final = frozenset({"refund", "confirmed_uncharged"})
"""Kinds of cases in which central itself found that somebody is owed money."""
_GIVABLE: Final = (REFUNDS, UNCONFIRMED, FEES)
"""Claims out of which a customer can be paid: nobody else has them."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where the money of a case stands: its payment, if it has one, and whether the acquirer settled it."""

    payment: PaymentBook | None
    settled: bool


def takes_two(kind: str, outcome: str) -> bool:
    """Return whether a case of this kind ends so only by two people."""
    return outcome != "explained" or kind in _MONEY_OWED


def closing_transfer(standing: Standing, outcome: str, *, amount_rial: int, closing_id: int) -> Transfer | None:
    """Return what an end books, or None where the books hold nothing of it: no payment, or nothing owed."""
    if standing.payment is None or amount_rial == 0:
        return None
    accounts = _accounts(standing.payment, outcome, settled=standing.settled)
    if accounts is None:
        return None
    debit, credit = accounts
    return Transfer(
        transfer_id=f"case/{closing_id}",
        phase="posted",
        debit=debit.code,
        credit=credit.code,
        amount_rial=amount_rial,
        reason=outcome,
    )


def turned_round(made: Transfer, *, closing_id: int) -> Transfer:
    """Return the transfer that takes a closing's own back."""
    return msgspec.structs.replace(
        made, transfer_id=f"case/{closing_id}", debit=made.credit, credit=made.debit, reason=REOPENED
    )


def _accounts(payment: PaymentBook, outcome: str, *, settled: bool) -> tuple[Account, Account] | None:
    """Return the accounts to debit and to credit."""
    place = position(payment)
    if outcome == "refunded":
        claim = None if place is None else place.credit
        return (claim if claim in _GIVABLE else LOSSES), PAID_OUT
    owed = None if place is None else SETTLED if settled else place.debit
    if owed is None or outcome == "explained":
        return None
    if outcome == "recovered":
        return None if settled else (SETTLED, owed)
    return LOSSES, owed
