"""What the API takes and gives about bills that are paid together."""

import msgspec

from edge.web.ports.counter import Confirmation, Counter
from edge.web.ports.groups import GroupView
from edge.web.schemas.payments import BillIn, PaymentOut, payment_out
from shared.paper_facts import GroupState


class GroupIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bills to be paid together at the terminal now."""

    bills: list[BillIn]
    one_charge: bool
    """One charge for all of them; else a charge for each, one after another."""
    terminal: str | None = None
    """Name of the terminal; without one the box takes the caller's last one, or the one that is free soonest."""


class GroupAgainIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Those bills of a group that are certainly not charged, to be paid again."""

    one_charge: bool
    bills: list[BillIn] = []
    """Only these of them; all where none is named."""
    terminal: str | None = None


class GroupBillOut(msgspec.Struct, frozen=True, kw_only=True):
    """How one bill of a group stands."""

    bill_id: str
    bill_payment_id: str
    amount_rial: int
    state: GroupState
    """paid, confirmed, refused (a case is open), declined, in_doubt (never charge again), not_sent."""
    confirmation: Confirmation
    case_id: str | None
    payment_id: str
    """The payment by which it stands."""
    item: int | None
    """Which of the payment's items it is, from 0."""
    may_be_paid_again: bool


class GroupOut(msgspec.Struct, frozen=True, kw_only=True):
    """A group: its bills in the order in which they were given, and every payment made of it, oldest first."""

    group_id: str
    amount_rial: int
    paid_rial: int
    bills: list[GroupBillOut]
    payments: list[PaymentOut]


def group_out(group: GroupView, counter: Counter) -> GroupOut:
    """Return a group as the API gives it."""
    return GroupOut(
        group_id=group.group_id,
        amount_rial=group.amount_rial,
        paid_rial=group.paid_rial,
        bills=[
            GroupBillOut(
                bill_id=line.bill.bill_id,
                bill_payment_id=line.bill.payment_id,
                amount_rial=line.bill.amount_rial,
                state=line.state,
                confirmation=line.confirmation,
                case_id=line.case_id,
                payment_id=line.payment.payment_id,
                item=line.item,
                may_be_paid_again=line.is_free,
            )
            for line in group.lines
        ],
        payments=[payment_out(payment, counter) for payment in group.payments],
    )
