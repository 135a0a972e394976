"""Read a bill at the counter: its ids checked without any line, and the payment that already holds it, if any.

A payment of this box, or one that another box of the office took by central's word.
"""

import msgspec

from edge.journal.elsewhere import ElsewherePayment
from edge.journal.views import PaymentView
from edge.store.queries import Queries
from shared.identifiers import Bill
from shared.identifiers import read_bill as read_ids
from shared.ids import bill_obligation


class BillReading(msgspec.Struct, frozen=True, kw_only=True):
    """What a bill says, and the payment because of which it cannot be paid again here."""

    bill: Bill
    amount_rial: int
    earlier: PaymentView | None
    elsewhere: ElsewherePayment | None = None
    """One of another box of the office, by central's word."""


def read_bill(queries: Queries, bill: str, payment: str | None = None) -> BillReading:
    """Return what the two ids, or one 26-digit barcode, say. Raises OperatorError `bill.*` naming the field."""
    found = read_ids(bill, payment)
    obligation = bill_obligation(found.bill_id, found.payment_id)
    return BillReading(
        bill=found,
        amount_rial=found.amount_rial,
        earlier=queries.payment_by_obligation(obligation) or queries.whole_of(obligation),
        elsewhere=queries.others.holder_of(obligation) or queries.others.whole_of(obligation),
    )
