"""Bills that were put together at the counter: how each of them stands now. Reads only, decides nothing.

There is no group but the payments that carry its name: one charge for all its bills, or one charge each. So a group is
whole after a power cut at any moment: its payments are journaled in one commit, and a start says of each what became of
it. A bill stands by whoever holds it, be that a payment of another group; else by the newest attempt of this one.
"""

from typing import Protocol

import msgspec

from edge.journal.bill_groups import GroupLine, GroupView
from edge.journal.elsewhere import OthersReader
from edge.journal.views import ItemView, PaymentView
from edge.services.payments.disagreement import Told as DisputeTold
from edge.services.payments.disagreement import disputed
from shared.errors import OperatorError
from shared.identifiers import parse_bill
from shared.payment import CERTAINLY_UNCHARGED


class Told(DisputeTold, Protocol):
    """What is read of payments and their alarms."""

    def payments_of_group(self, group_id: str) -> list[PaymentView]:
        """Return all payments of bills that were put together, oldest first."""

    def payment_by_obligation(self, obligation: str) -> PaymentView | None:
        """Return the payment that holds an obligation: the newest that is not certainly uncharged."""

    def whole_of(self, obligation: str) -> PaymentView | None:
        """Return the newest payment of a whole that pays an obligation as a part, and was not refused."""

    @property
    def others(self) -> OthersReader:
        """What the office's other journals hold."""


def group_view(told: Told, group_id: str) -> GroupView:
    """Return how a group stands. Raises OperatorError `bill.no_group`."""
    payments = told.payments_of_group(group_id)
    if not payments:
        raise OperatorError("bill.no_group", group_id=group_id)
    newest: dict[str, PaymentView] = {}
    for payment in payments:
        newest |= dict.fromkeys(payment.obligations, payment)
    lines = tuple(
        line
        for obligation, payment in newest.items()
        if (line := _line(told, obligation, told.payment_by_obligation(obligation) or payment)) is not None
    )
    return GroupView(group_id=group_id, lines=lines, payments=tuple(payments), one_charge=bool(payments[-1].items))


def lines_of(payment: PaymentView) -> tuple[GroupLine, ...]:
    """Return the bills of one charge."""
    found = (_line_of(payment, obligation) for obligation in payment.obligations)
    return tuple(line for line in found if line is not None)


def _line(told: Told, obligation: str, payment: PaymentView) -> GroupLine | None:
    held = None
    if payment.state in CERTAINLY_UNCHARGED:
        others = told.others
        held = told.whole_of(obligation) or others.holder_of(obligation) or others.whole_of(obligation)
    line = _line_of(payment, obligation)
    if line is None:
        return None
    return msgspec.structs.replace(line, disputed=disputed(told, obligation), held_by=held and held.payment_id)


def _line_of(payment: PaymentView, obligation: str) -> GroupLine | None:
    item = next((number for number, one in enumerate(payment.items) if one.obligation == obligation), None)
    paid: PaymentView | ItemView = payment if item is None else payment.items[item]
    if paid.bill_id is None or paid.bill_payment_id is None:
        return None
    return GroupLine(
        bill=parse_bill(paid.bill_id, paid.bill_payment_id),
        obligation=obligation,
        payment=payment,
        item=item,
        confirmation=paid.confirmation,
        case_id=paid.case_id,
        printed=paid.printed,
    )
