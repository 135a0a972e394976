"""What is to be charged, before anybody said by which terminal: a bill, a fee, an order, or several bills at once."""

from collections.abc import Sequence
from typing import Final

import msgspec

from shared.entropy import Entropy, random_digits
from shared.errors import OperatorError
from shared.events import PaymentItem, PaymentRequested, Purpose, Split
from shared.identifiers import Bill
from shared.ids import bill_obligation, group_obligation

REFERENCE_DIGITS: Final = 18
ITEMS_MAX: Final = 50
"""Bills of one charge, and of one group: what a slip of paper and a patient customer can bear."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """One charge: of one obligation, or of several `items` that each have their own."""

    purpose: Purpose
    amount_rial: int
    split: Split
    obligation: str = ""
    """Empty where there are items."""
    bill_id: str | None = None
    bill_payment_id: str | None = None
    inquiry_id: str | None = None
    service: str = ""
    payable: str = ""
    group_id: str = ""
    items: tuple[PaymentItem, ...] = ()
    covers: tuple[str, ...] = ()
    """See `PaymentRequested.covers`."""

    def request(self, *, payment_id: str, terminal: str, operator: str, entropy: Entropy) -> PaymentRequested:
        """Return the intent to charge it at a terminal."""
        return PaymentRequested(
            payment_id=payment_id,
            obligation=self.obligation or group_obligation(payment_id),
            purpose=self.purpose,
            amount_rial=self.amount_rial,
            split=self.split,
            method="pcpos",
            terminal=terminal,
            reference=random_digits(entropy, REFERENCE_DIGITS),
            operator=operator,
            bill_id=self.bill_id,
            bill_payment_id=self.bill_payment_id,
            inquiry_id=self.inquiry_id,
            service=self.service,
            payable=self.payable,
            group_id=self.group_id,
            items=self.items,
            covers=self.covers,
        )


def bill_wanted(
    bill: Bill, *, inquiry_id: str | None = None, service: str = "", payable: str = "", group_id: str = ""
) -> Wanted:
    """Return the charge of one bill: all of it is the company's."""
    return Wanted(
        purpose="bill",
        amount_rial=bill.amount_rial,
        split=Split(gross_rial=bill.amount_rial, company_rial=bill.amount_rial),
        obligation=bill_obligation(bill.bill_id, bill.payment_id),
        bill_id=bill.bill_id,
        bill_payment_id=bill.payment_id,
        inquiry_id=inquiry_id,
        service=service,
        payable=payable,
        group_id=group_id,
    )


def bills_wanted(
    bills: Sequence[Bill], *, inquiry_id: str | None = None, service: str = "", payable: str = "", group_id: str = ""
) -> Wanted:
    """Return the one charge of several bills; of a single one, its own.

    Raises OperatorError `bill.too_many`, `bill.twice` (names the first line, from 1).
    """
    check_bills(bills)
    if len(bills) == 1:
        return bill_wanted(bills[0], inquiry_id=inquiry_id, service=service, payable=payable, group_id=group_id)
    items = tuple(
        PaymentItem(
            obligation=bill_obligation(bill.bill_id, bill.payment_id),
            amount_rial=bill.amount_rial,
            bill_id=bill.bill_id,
            bill_payment_id=bill.payment_id,
        )
        for bill in bills
    )
    amount_rial = sum(item.amount_rial for item in items)
    return Wanted(
        purpose="bill",
        amount_rial=amount_rial,
        split=Split(gross_rial=amount_rial, company_rial=amount_rial),
        inquiry_id=inquiry_id,
        service=service,
        payable=payable,
        group_id=group_id,
        items=items,
    )


def check_bills(bills: Sequence[Bill]) -> None:
    """Check that bills can be paid together: some, not too many, none of them twice.

    Raises OperatorError `bill.none`, `bill.too_many`, `bill.twice` (names the first line, from 1).
    """
    if not bills:
        raise OperatorError("bill.none")
    if len(bills) > ITEMS_MAX:
        raise OperatorError("bill.too_many", count=len(bills), count_max=ITEMS_MAX)
    seen: dict[str, int] = {}
    for line, bill in enumerate(bills, start=1):
        obligation = bill_obligation(bill.bill_id, bill.payment_id)
        if obligation in seen:
            raise OperatorError("bill.twice", line=seen[obligation])
        seen[obligation] = line
