"""What the API takes and gives about decisions on a charge."""

import msgspec

from edge.journal.refunds import RefundState
from edge.web.ports.counter import Counter, RefundMeans, RefundView


class OverrideIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A manager's word about a payment in doubt."""

    charged: bool
    slip_number: str = ""
    """Of the terminal's slip; needed when it was charged."""
    reason: str
    username: str
    password: str


class ReversalWordIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What became of a reversal in doubt, and the manager who agrees."""

    undone: bool
    slip_number: str = ""
    """Of the slip of the reversal; needed when it was undone."""
    reason: str
    username: str
    password: str


class RefundIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A payment to be given back, whole."""

    means: RefundMeans
    """One of the payment's `refund_means`."""
    reason: str


class AgreeIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The manager who agrees: another person than asked."""

    username: str
    password: str


class DropIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a request is off."""

    reason: str


class RefundOut(msgspec.Struct, frozen=True, kw_only=True):
    """A request to give a payment back, as the journal has it now."""

    refund_id: str
    payment_id: str
    means: RefundMeans
    state: RefundState
    """proposed, agreed, dropped; for a terminal then sent, in_doubt, done or refused."""
    amount_rial: int
    reason: str
    asked_by: str
    asked_at: str
    decided_by: str | None
    decided_at: str | None
    outcome_reason: str
    trouble: str | None
    """Code of why the terminal could not be told yet; nothing has left then."""
    journal_index: int
    journal_leaf: str


class RefundsOut(msgspec.Struct, frozen=True, kw_only=True):
    """Requests, oldest first."""

    refunds: list[RefundOut]


def refund_out(refund: RefundView, counter: Counter) -> RefundOut:
    """Return a request as the API gives it."""
    return RefundOut(
        refund_id=refund.refund_id,
        payment_id=refund.payment_id,
        means=refund.means,
        state=refund.state,
        amount_rial=refund.amount_rial,
        reason=refund.reason,
        asked_by=refund.operator,
        asked_at=refund.proposed_at,
        decided_by=refund.decided_by,
        decided_at=refund.decided_at,
        outcome_reason=refund.outcome_reason,
        trouble=counter.refund_trouble(refund.refund_id),
        journal_index=refund.proposed_index,
        journal_leaf=refund.proposed_leaf,
    )
