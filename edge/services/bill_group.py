"""Bills that were put together at the counter: how each of them stands now. Reads only, decides nothing.

There is no group but the payments that carry its name: one charge for all its bills, or one charge each. So a group is
whole after a power cut at any moment: its payments are journaled in one commit, and a start says of each what became of
it. A bill stands by whoever holds it, be that a payment of another group; else by the newest attempt of this one.
"""

from typing import Final, Protocol

import msgspec

from edge.journal.views import Confirmation, ItemView, PaymentView
from edge.services.disagreement import Told as DisputeTold
from edge.services.disagreement import disputed
from shared.errors import OperatorError
from shared.identifiers import Bill, parse_bill
from shared.paper_facts import GroupState
from shared.payment import CERTAINLY_UNCHARGED, CHARGED, PaymentState

UNDER_WAY: Final = frozenset({PaymentState.REQUESTED, PaymentState.SENT})
_PAID: Final[dict[Confirmation, GroupState]] = {
    "none": "paid",
    "queued": "paid",
    "confirmed": "confirmed",
    "refused": "refused",
}
_DECLINED: Final = frozenset({PaymentState.DECLINED, PaymentState.CANCELLED})


class GroupLine(msgspec.Struct, frozen=True, kw_only=True):
    """One bill of a group, and the payment by which it stands."""

    bill: Bill
    obligation: str
    payment: PaymentView
    item: int | None
    """Which of the payment's items it is, None where the payment is its own."""
    confirmation: Confirmation
    case_id: str | None
    printed: int
    is_disputed: bool
    """It counts as not charged, and a charge of it was spoken of."""

    @property
    def is_paid(self) -> bool:
        """Return whether it is charged, and stays so."""
        return self.payment.state in CHARGED and not self.payment.unacknowledged

    @property
    def is_free(self) -> bool:
        """Return whether it is certainly not charged: it may be paid again."""
        return self.payment.state in CERTAINLY_UNCHARGED and not self.is_disputed

    @property
    def is_waiting(self) -> bool:
        """Return whether its payment is under way."""
        return self.payment.state in UNDER_WAY

    @property
    def state(self) -> GroupState:
        """Return how the slip names it."""
        if self.is_paid and self.payment.state is not PaymentState.REVERSAL_IN_DOUBT:
            return _PAID[self.confirmation]
        if self.is_disputed or self.payment.state not in CERTAINLY_UNCHARGED | {PaymentState.REQUESTED}:
            return "in_doubt"
        return "declined" if self.payment.state in _DECLINED else "not_sent"


class GroupView(msgspec.Struct, frozen=True, kw_only=True):
    """The bills of a group in the order in which they were put into it."""

    group_id: str
    lines: tuple[GroupLine, ...]
    payments: tuple[PaymentView, ...]
    """Its attempts, oldest first."""
    one_charge: bool
    """Whether its bills were charged together when somebody last tried."""

    @property
    def free(self) -> tuple[GroupLine, ...]:
        """Return the bills that may be paid again."""
        return tuple(line for line in self.lines if line.is_free)

    @property
    def amount_rial(self) -> int:
        """Return the sum of all."""
        return sum(line.bill.amount_rial for line in self.lines)

    @property
    def paid_rial(self) -> int:
        """Return the sum of what is paid."""
        return sum(line.bill.amount_rial for line in self.lines if line.is_paid)


class Told(DisputeTold, Protocol):
    """What is read of payments and their alarms."""

    def payments_of_group(self, group_id: str) -> list[PaymentView]:
        """Return all payments of bills that were put together, oldest first."""

    def payment_by_obligation(self, obligation: str) -> PaymentView | None:
        """Return the payment that holds an obligation: the newest that is not certainly uncharged."""


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
    found = (_line_of(payment, obligation, is_disputed=False) for obligation in payment.obligations)
    return tuple(line for line in found if line is not None)


def _line(told: Told, obligation: str, payment: PaymentView) -> GroupLine | None:
    return _line_of(payment, obligation, is_disputed=disputed(told, obligation) is not None)


def _line_of(payment: PaymentView, obligation: str, *, is_disputed: bool) -> GroupLine | None:
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
        is_disputed=is_disputed,
    )
