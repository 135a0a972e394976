"""What the facts of payments mean: each moves its payment by the payment table, and keeps what the evidence says."""

from typing import Any, Final

import apsw

from edge.journal.ports import Recorded
from edge.store import day_rows, elsewhere_projections, exposure_rows, holding_projections
from edge.store.holding_projections import await_confirmation, mark_doubled
from edge.store.projecting import Project, insert
from shared.errors import BugError
from shared.events import (
    AcquirerAnswered,
    Body,
    ChargeRuledOut,
    Evidence,
    PaymentAcknowledged,
    PaymentApproved,
    PaymentCancelled,
    PaymentConfirmed,
    PaymentDeclined,
    PaymentInDoubt,
    PaymentNotCharged,
    PaymentNotSent,
    PaymentOverridden,
    PaymentRefused,
    PaymentRequested,
    PaymentSent,
    StatusQueried,
)
from shared.payment import CERTAINLY_UNCHARGED, LATE, OPEN, PaymentState, advance, needs_acknowledgement

_SAME_OUTCOME: Final = frozenset(
    {PaymentState.ACKNOWLEDGED, PaymentState.REVERSAL_REQUESTED, PaymentState.REVERSAL_IN_DOUBT}
)
"""States that leave the outcome as it was: the receipt goes on naming the entry that said the money was taken."""
_NOWHERE: Final[dict[str, Any]] = {
    "outcome_index": None,
    "outcome_leaf": None,
    "outcome_at": None,
    "terminal_time": None,
}


def update_payment(connection: apsw.Connection, payment_id: str, **values: Any) -> None:
    """Set columns of a payment."""
    pairs = ", ".join(f"{column} = ?" for column in values)
    connection.execute(
        f"UPDATE payment SET {pairs} WHERE payment_id = ?",  # noqa: S608 - columns are keywords of this package
        (*values.values(), payment_id),
    )


def move(
    connection: apsw.Connection,
    at: Recorded,
    payment_id: str,
    to: PaymentState,
    *,
    keeps_outcome: bool = False,
    **values: Any,
) -> None:
    """Move a payment by the table. An outcome keeps where in the journal it stands.

    Raises BugError `payment.unknown`, `payment.move_not_allowed`.
    """
    row = next(
        connection.execute(
            "SELECT state, moved_index, amount_rial, method, purpose, terminal FROM payment WHERE payment_id = ?",
            (payment_id,),
        ),
        None,
    )
    if row is None:
        raise BugError("payment.unknown", payment_id=payment_id)
    before, amount_rial = PaymentState(row[0]), row[2]
    advance(before, to)
    exposure_rows.moved(connection, amount_rial, (before, row[1]), (to, at.index))
    day_rows.moved(connection, row[3:], amount_rial, before, to)
    if to in OPEN:
        values |= _NOWHERE
    elif to not in _SAME_OUTCOME and not keeps_outcome:
        values |= {"outcome_index": at.index, "outcome_leaf": at.leaf.hex(), "outcome_at": at.entry.at}
        values.setdefault("terminal_time", None)
    values.setdefault("unacknowledged", 0)
    # Apart: a statement that sets the state carries all triggers, and takes long to prepare.
    update_payment(connection, payment_id, moved_index=at.index, **values)
    update_payment(connection, payment_id, state=str(to))
    if to in CERTAINLY_UNCHARGED:
        holding_projections.single_out(connection, payment_id)


def evidence_columns(evidence: Evidence) -> dict[str, Any]:
    """Return what the evidence says; what it does not say stays as it was."""
    columns = {
        "stan": evidence.stan,
        "rrn": evidence.rrn,
        "pan": evidence.pan,
        "terminal_number": evidence.terminal_number,
        "merchant_number": evidence.merchant_number,
        "receipt_number": evidence.receipt_number,
        "terminal_time": evidence.terminal_time,
        # The acquirer's records carry no code of an answer.
        "response_code": evidence.response_code or None,
    }
    return {column: value for column, value in columns.items() if value is not None}


def _requested(connection: apsw.Connection, at: Recorded, body: PaymentRequested) -> None:
    insert(
        connection,
        "payment",
        payment_id=body.payment_id,
        obligation=body.obligation,
        purpose=body.purpose,
        amount_rial=body.amount_rial,
        state=str(PaymentState.REQUESTED),
        method=body.method,
        terminal=body.terminal,
        reference=body.reference,
        operator=body.operator,
        bill_id=body.bill_id,
        bill_payment_id=body.bill_payment_id,
        inquiry_id=body.inquiry_id,
        service=body.service,
        payable=body.payable,
        group_id=body.group_id,
        item_count=len(body.items),
        requested_at=at.entry.at,
        requested_index=at.index,
        moved_index=at.index,
    )
    holding_projections.hold(connection, at, body)
    exposure_rows.moved(connection, body.amount_rial, None, (PaymentState.REQUESTED, at.index))


def _not_sent(connection: apsw.Connection, at: Recorded, body: PaymentNotSent) -> None:
    move(connection, at, body.payment_id, PaymentState.NOT_SENT, not_sent_reason=body.reason)


def _sent(connection: apsw.Connection, at: Recorded, body: PaymentSent) -> None:
    move(
        connection,
        at,
        body.payment_id,
        PaymentState.SENT,
        terminal_number=body.terminal_number,
        baseline_stan=body.baseline_stan,
        confirming=int(body.confirming),
        pays_bill=int(body.pays_bill),
    )


def _approved(connection: apsw.Connection, at: Recorded, body: PaymentApproved) -> None:
    row = next(
        connection.execute("SELECT state, confirming FROM payment WHERE payment_id = ?", (body.payment_id,)),
        None,
    )
    unkept = row is not None and needs_acknowledgement(confirming=bool(row[1]), source=body.evidence.source)
    values = evidence_columns(body.evidence) | {"unacknowledged": int(unkept), "counting_not_found": 0}
    if not unkept:
        await_confirmation(connection, body.payment_id)
    if row is not None and PaymentState(row[0]) in LATE:
        # Evidence of a charge beats evidence of none, even where the customer has meanwhile paid again.
        values["late"] = 1
        mark_doubled(connection, body.payment_id)
    move(connection, at, body.payment_id, PaymentState.APPROVED, **values)


def _acknowledged(connection: apsw.Connection, at: Recorded, body: PaymentAcknowledged) -> None:
    await_confirmation(connection, body.payment_id)
    move(connection, at, body.payment_id, PaymentState.ACKNOWLEDGED)


def _declined(connection: apsw.Connection, at: Recorded, body: PaymentDeclined) -> None:
    move(connection, at, body.payment_id, PaymentState.DECLINED, **evidence_columns(body.evidence))


def _cancelled(connection: apsw.Connection, at: Recorded, body: PaymentCancelled) -> None:
    move(connection, at, body.payment_id, PaymentState.CANCELLED, **evidence_columns(body.evidence))


def _in_doubt(connection: apsw.Connection, at: Recorded, body: PaymentInDoubt) -> None:
    # What a doubtful answer says of terminal and trace is not believed: it may be another payment's.
    code: dict[str, Any] = {} if body.evidence is None else {"response_code": body.evidence.response_code}
    move(connection, at, body.payment_id, PaymentState.IN_DOUBT, in_doubt_reason=body.reason, **code)


def _status_queried(connection: apsw.Connection, at: Recorded, body: StatusQueried) -> None:
    counts = body.counts and body.outcome == "not_found"
    connection.execute(
        "UPDATE payment SET asked_count = asked_count + 1, counting_not_found = counting_not_found + ?, "
        "last_answer = ?, last_answer_code = ?, last_asked_at = ? WHERE payment_id = ?",
        (int(counts), body.outcome, body.response_code, at.entry.at, body.payment_id),
    )
    if connection.changes() == 0:
        raise BugError("payment.unknown", payment_id=body.payment_id)


def _not_charged(connection: apsw.Connection, at: Recorded, body: PaymentNotCharged) -> None:
    move(connection, at, body.payment_id, PaymentState.NOT_CHARGED, not_charged_by=body.source)


def _overridden(connection: apsw.Connection, at: Recorded, body: PaymentOverridden) -> None:
    to = PaymentState.OVERRIDDEN_CHARGED if body.charged else PaymentState.OVERRIDDEN_NOT_CHARGED
    values: dict[str, Any] = _word(body)
    if body.charged:
        await_confirmation(connection, body.payment_id, by_word=True)
        row = next(connection.execute("SELECT state FROM payment WHERE payment_id = ?", (body.payment_id,)), None)
        if row is not None and PaymentState(row[0]) in LATE:
            mark_doubled(connection, body.payment_id)
    else:
        values["ruled_out_index"] = at.index
    move(connection, at, body.payment_id, to, **values)


def _word(body: PaymentOverridden | ChargeRuledOut) -> dict[str, Any]:
    return {"stated_by": body.operator, "stated_slip": body.slip_number, "stated_reason": body.reason}


def _ruled_out(connection: apsw.Connection, at: Recorded, body: ChargeRuledOut) -> None:
    word = _word(body) if body.source == "manager" else {}
    update_payment(connection, body.payment_id, ruled_out_index=at.index, **word)
    if connection.changes() == 0:
        raise BugError("payment.unknown", payment_id=body.payment_id)


def _acquirer_answered(connection: apsw.Connection, at: Recorded, body: AcquirerAnswered) -> None:
    """Keep what the acquirer's records say; `edge.services.payments.acquirer_answers` judges it."""
    insert(
        connection,
        "acquirer_answer",
        payment_id=body.payment_id,
        charged=int(body.charged),
        about=body.about,
        refund_id=body.refund_id,
        source=body.source,
        acquirer=body.acquirer,
        amount_rial=body.amount_rial,
        rrn=body.rrn,
        stan=body.stan,
        terminal_number=body.terminal_number,
        file_sha256=body.file_sha256,
        file_row=body.row,
        received_index=at.index,
    )
    elsewhere_projections.settle(connection, body.payment_id)


PAYMENT_PROJECTORS: Final[dict[type[Body], Project]] = {
    PaymentRequested: _requested,
    PaymentNotSent: _not_sent,
    PaymentSent: _sent,
    PaymentApproved: _approved,
    PaymentAcknowledged: _acknowledged,
    PaymentDeclined: _declined,
    PaymentCancelled: _cancelled,
    PaymentInDoubt: _in_doubt,
    StatusQueried: _status_queried,
    PaymentNotCharged: _not_charged,
    PaymentOverridden: _overridden,
    ChargeRuledOut: _ruled_out,
    PaymentConfirmed: holding_projections.confirmed,
    PaymentRefused: holding_projections.refused,
    AcquirerAnswered: _acquirer_answered,
}
