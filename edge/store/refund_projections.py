"""What the facts of giving money back mean: the request of two people, and the terminal's undoing of a sale."""

from typing import Any, Final

import apsw

from edge.journal.ports import Recorded
from edge.store.payment_projections import evidence_columns, move
from edge.store.projecting import Project, insert
from shared.errors import BugError
from shared.events import (
    Body,
    PaymentReversed,
    RefundAgreed,
    RefundDropped,
    RefundProposed,
    ReversalDecided,
    ReversalInDoubt,
    ReversalRefused,
    ReversalRequested,
)
from shared.payment import PaymentState


def _proposed(connection: apsw.Connection, at: Recorded, body: RefundProposed) -> None:
    insert(
        connection,
        "refund",
        refund_id=body.refund_id,
        payment_id=body.payment_id,
        means=body.means,
        amount_rial=body.amount_rial,
        operator=body.operator,
        reason=body.reason,
        state="proposed",
        proposed_at=at.entry.at,
        proposed_index=at.index,
        proposed_leaf=at.leaf.hex(),
    )


def _decide(connection: apsw.Connection, refund_id: str, state: str, **values: Any) -> None:
    pairs = "".join(f", {column} = ?" for column in values)
    connection.execute(
        f"UPDATE refund SET state = ?{pairs} WHERE refund_id = ?",  # noqa: S608 - columns are keywords of this module
        (state, *values.values(), refund_id),
    )
    if connection.changes() == 0:
        raise BugError("refund.unknown", refund_id=refund_id)


def _agreed(connection: apsw.Connection, at: Recorded, body: RefundAgreed) -> None:
    _decide(connection, body.refund_id, "agreed", decided_by=body.operator, decided_at=at.entry.at)


def _dropped(connection: apsw.Connection, at: Recorded, body: RefundDropped) -> None:
    values = {"decided_by": body.operator, "decided_at": at.entry.at, "outcome_reason": body.reason}
    _decide(connection, body.refund_id, "dropped", **values)


def _under_way(connection: apsw.Connection, payment_id: str, state: str, reason: str) -> None:
    """Settle the refund that the terminal was told of."""
    connection.execute(
        "UPDATE refund SET state = ?, outcome_reason = ? WHERE payment_id = ? AND state IN ('sent', 'in_doubt')",
        (state, reason, payment_id),
    )


def _reversal_requested(connection: apsw.Connection, at: Recorded, body: ReversalRequested) -> None:
    move(connection, at, body.payment_id, PaymentState.REVERSAL_REQUESTED)
    _decide(connection, body.refund_id, "sent")


def _reversed(connection: apsw.Connection, at: Recorded, body: PaymentReversed) -> None:
    # The numbers of the sale stay: they are what the customer's slip shows.
    own = ("response_code", "terminal_time")
    values = {key: value for key, value in evidence_columns(body.evidence).items() if key in own}
    move(connection, at, body.payment_id, PaymentState.REVERSED, **values)
    _under_way(connection, body.payment_id, "done", "")


def _reversal_in_doubt(connection: apsw.Connection, at: Recorded, body: ReversalInDoubt) -> None:
    # Not-founds are counted anew: those of before were about the sale, these are about its undoing.
    values: dict[str, Any] = {"in_doubt_reason": body.reason, "counting_not_found": 0}
    move(connection, at, body.payment_id, PaymentState.REVERSAL_IN_DOUBT, **values)
    _under_way(connection, body.payment_id, "in_doubt", body.reason)


def _reversal_refused(connection: apsw.Connection, at: Recorded, body: ReversalRefused) -> None:
    # The sale stands by the entry that approved it.
    move(connection, at, body.payment_id, PaymentState.APPROVED, keeps_outcome=True)
    _under_way(connection, body.payment_id, "refused", body.reason)


def _reversal_decided(connection: apsw.Connection, at: Recorded, body: ReversalDecided) -> None:
    to = PaymentState.REVERSED if body.undone else PaymentState.APPROVED
    word = {"stated_by": body.operator, "stated_slip": body.slip_number, "stated_reason": body.reason}
    move(connection, at, body.payment_id, to, keeps_outcome=not body.undone, **word)
    _under_way(connection, body.payment_id, "done" if body.undone else "refused", "stated")


REFUND_PROJECTORS: Final[dict[type[Body], Project]] = {
    RefundProposed: _proposed,
    RefundAgreed: _agreed,
    RefundDropped: _dropped,
    ReversalRequested: _reversal_requested,
    PaymentReversed: _reversed,
    ReversalInDoubt: _reversal_in_doubt,
    ReversalRefused: _reversal_refused,
    ReversalDecided: _reversal_decided,
}
