"""Bills that were put together at the counter, and how each of them stands: frozen structs, as `edge.journal.views`."""

from typing import Final

import msgspec

from edge.journal.views import Confirmation, PaymentView
from shared.identifiers import Bill
from shared.paper_facts import GroupState
from shared.payment import CERTAINLY_UNCHARGED, CHARGED, PaymentState

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
    disputed: PaymentView | None = None
    """Its payment that counts as not charged and of which a charge was spoken: not always the one it stands by."""
    held_by: str | None = None
    """The payment that holds it though this one charged nothing: of a whole that it is a part of, or of another box."""

    @property
    def is_paid(self) -> bool:
        """Return whether it is charged, and stays so."""
        return self.payment.state in CHARGED and not self.payment.unacknowledged

    @property
    def is_free(self) -> bool:
        """Return whether it is certainly not charged: it may be paid again."""
        return self.payment.state in CERTAINLY_UNCHARGED and self.disputed is None and self.held_by is None

    @property
    def state(self) -> GroupState:
        """Return how the slip names it."""
        if self.is_paid and self.payment.state is not PaymentState.REVERSAL_IN_DOUBT:
            return _PAID[self.confirmation]
        if self.disputed is not None or self.payment.state not in CERTAINLY_UNCHARGED | {PaymentState.REQUESTED}:
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

    @property
    def slip_about(self) -> str:
        """Return what its slip is about: the one charge that paid all, whose slip came with it, else the group."""
        standing = {line.payment.payment_id for line in self.lines}
        whole = self.lines[0].payment if len(standing) == 1 and all(line.is_paid for line in self.lines) else None
        return whole.payment_id if whole is not None and len(whole.items) == len(self.lines) else self.group_id
