"""What the facts mean: each entry changes the projections here, in its own transaction and in a rebuild alike.

One function for each body type that changes anything; a type without one is carried. A function reads only the entry,
the projections, and the feed rows the entry names, so that the same facts give the same rows, always. Nothing here
reads a clock.
"""

from collections.abc import Callable
from typing import Any, Final

import apsw
import msgspec

from edge.journal.ports import Recorded
from edge.store.schema.tables import HOLDS_OBLIGATION
from shared.clock import parse_instant
from shared.errors import BugError, IntegrityError, OperatorError
from shared.events import (
    FEED_BODIES,
    AlarmRaised,
    Body,
    DataKeyMade,
    Evidence,
    FeedReceived,
    InquiryAnswered,
    InquiryRequested,
    JournalClosed,
    KeyRotated,
    NoticePublished,
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
    ReceiptPrinted,
    StatusQueried,
    decode_body,
)
from shared.ids import bill_obligation
from shared.journal.entry import decode_entry
from shared.payment import CERTAINLY_UNCHARGED, LATE, PaymentState, advance

_YEARS: Final = (1970, 2200)
"""Years of instants that any clock may honestly have shown, and every calendar has."""
_NO_OUTCOME: Final = frozenset({PaymentState.REQUESTED, PaymentState.SENT, PaymentState.IN_DOUBT})


def apply(connection: apsw.Connection, recorded: Recorded) -> None:
    """Project an entry.

    Raises OperatorError `payment.obligation_held` (the last guard of one obligation, one charge), BugError
    `payment.move_not_allowed` or `payment.unknown`, IntegrityError `feed.gap`.
    """
    _apply_body(connection, recorded, recorded.body)


def _apply_body(connection: apsw.Connection, at: Recorded, body: Body) -> None:
    project = _PROJECTORS.get(type(body))
    if project is not None:
        project(connection, at, body)


def _insert(connection: apsw.Connection, table: str, **values: Any) -> None:
    columns = ", ".join(values)
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", tuple(values.values()))  # noqa: S608


def _update_payment(connection: apsw.Connection, payment_id: str, **values: Any) -> None:
    pairs = ", ".join(f"{column} = ?" for column in values)
    connection.execute(
        f"UPDATE payment SET {pairs} WHERE payment_id = ?",  # noqa: S608 - columns are keywords of this module
        (*values.values(), payment_id),
    )


# --- payments -------------------------------------------------------------------------------------------------------


def _requested(connection: apsw.Connection, at: Recorded, body: PaymentRequested) -> None:
    holder = next(
        connection.execute(
            f"SELECT payment_id FROM payment WHERE obligation = ? AND {HOLDS_OBLIGATION} "  # noqa: S608
            "ORDER BY doubled, requested_index DESC",
            (body.obligation,),
        ),
        None,
    )
    if holder is not None:
        raise OperatorError("payment.obligation_held", payment_id=holder[0])
    _insert(
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
        requested_at=at.entry.at,
        requested_index=at.index,
    )


def _move(connection: apsw.Connection, at: Recorded, payment_id: str, to: PaymentState, **values: Any) -> None:
    """Move a payment by the table. An outcome keeps where in the journal it stands."""
    row = next(connection.execute("SELECT state FROM payment WHERE payment_id = ?", (payment_id,)), None)
    if row is None:
        raise BugError("payment.unknown", payment_id=payment_id)
    advance(PaymentState(row[0]), to)
    if to not in _NO_OUTCOME:
        values |= {"outcome_index": at.index, "outcome_leaf": at.leaf.hex(), "outcome_at": at.entry.at}
    _update_payment(connection, payment_id, state=str(to), **values)
    if to in CERTAINLY_UNCHARGED:
        _single_out(connection, payment_id)


def _single_out(connection: apsw.Connection, freed: str) -> None:
    """Let a charge that was thought the second one of its obligation be the only one, now that `freed` is none."""
    connection.execute(
        "UPDATE payment SET doubled = 0 WHERE payment_id = ("  # noqa: S608 - a constant of this package
        "SELECT payment_id FROM payment WHERE obligation = (SELECT obligation FROM payment WHERE payment_id = ?1) "
        f"AND {HOLDS_OBLIGATION} ORDER BY doubled, requested_index LIMIT 1)",
        (freed,),
    )


def _evidence_columns(evidence: Evidence) -> dict[str, Any]:
    """Return what the evidence says; what it does not say stays as it was."""
    columns = {
        "stan": evidence.stan,
        "rrn": evidence.rrn,
        "pan": evidence.pan,
        "terminal_number": evidence.terminal_number,
        "merchant_number": evidence.merchant_number,
        "response_code": evidence.response_code,
    }
    return {column: value for column, value in columns.items() if value is not None}


def _not_sent(connection: apsw.Connection, at: Recorded, body: PaymentNotSent) -> None:
    _move(connection, at, body.payment_id, PaymentState.NOT_SENT, not_sent_reason=body.reason)


def _sent(connection: apsw.Connection, at: Recorded, body: PaymentSent) -> None:
    _move(connection, at, body.payment_id, PaymentState.SENT, terminal_number=body.terminal_number)


def _approved(connection: apsw.Connection, at: Recorded, body: PaymentApproved) -> None:
    row = next(
        connection.execute("SELECT state, obligation, purpose FROM payment WHERE payment_id = ?", (body.payment_id,)),
        None,
    )
    values = _evidence_columns(body.evidence)
    if row is not None:
        state, obligation, purpose = row
        if purpose == "bill":
            values["confirmation"] = "queued"
        if PaymentState(state) in LATE:
            # Evidence of a charge beats evidence of none, even where the customer has meanwhile paid again.
            other = connection.execute(
                f"SELECT 1 FROM payment WHERE obligation = ? AND payment_id <> ? AND {HOLDS_OBLIGATION}",  # noqa: S608
                (obligation, body.payment_id),
            )
            values |= {"late": 1, "doubled": int(next(other, None) is not None)}
    _move(connection, at, body.payment_id, PaymentState.APPROVED, **values)


def _declined(connection: apsw.Connection, at: Recorded, body: PaymentDeclined) -> None:
    _move(connection, at, body.payment_id, PaymentState.DECLINED, **_evidence_columns(body.evidence))


def _cancelled(connection: apsw.Connection, at: Recorded, body: PaymentCancelled) -> None:
    _move(connection, at, body.payment_id, PaymentState.CANCELLED, **_evidence_columns(body.evidence))


def _in_doubt(connection: apsw.Connection, at: Recorded, body: PaymentInDoubt) -> None:
    # What a doubtful answer says of terminal and trace is not believed: it may be another payment's.
    code = {} if body.evidence is None else {"response_code": body.evidence.response_code}
    _move(connection, at, body.payment_id, PaymentState.IN_DOUBT, in_doubt_reason=body.reason, **code)


def _status_queried(connection: apsw.Connection, _: Recorded, body: StatusQueried) -> None:
    counts = body.counts and body.outcome == "not_found"
    connection.execute(
        "UPDATE payment SET asked_count = asked_count + 1, counting_not_found = counting_not_found + ? "
        "WHERE payment_id = ?",
        (int(counts), body.payment_id),
    )
    if connection.changes() == 0:
        raise BugError("payment.unknown", payment_id=body.payment_id)


def _not_charged(connection: apsw.Connection, at: Recorded, body: PaymentNotCharged) -> None:
    _move(connection, at, body.payment_id, PaymentState.NOT_CHARGED)


def _overridden(connection: apsw.Connection, at: Recorded, body: PaymentOverridden) -> None:
    to = PaymentState.OVERRIDDEN_CHARGED if body.charged else PaymentState.OVERRIDDEN_NOT_CHARGED
    _move(connection, at, body.payment_id, to)


def _printed(connection: apsw.Connection, _: Recorded, body: ReceiptPrinted) -> None:
    connection.execute("UPDATE payment SET printed = printed + 1 WHERE payment_id = ?", (body.about,))
    connection.execute("UPDATE inquiry SET printed = printed + 1 WHERE inquiry_id = ?", (body.about,))


# --- inquiries, keys, alarms ----------------------------------------------------------------------------------------


def _inquiry_requested(connection: apsw.Connection, at: Recorded, body: InquiryRequested) -> None:
    _insert(
        connection,
        "inquiry",
        inquiry_id=body.inquiry_id,
        ticket=body.ticket,
        service=body.service,
        kind=body.kind,
        parameter=msgspec.json.encode(body.parameter).decode(),
        parameter_tail=body.parameter_tail,
        operator=body.operator,
        requested_at=at.entry.at,
        requested_index=at.index,
    )


def _data_key_made(connection: apsw.Connection, at: Recorded, body: DataKeyMade) -> None:
    _insert(
        connection,
        "data_key",
        key_id=body.key_id,
        month=body.month,
        public_key=body.public_key,
        made_index=at.index,
    )


def _key_rotated(connection: apsw.Connection, at: Recorded, body: KeyRotated) -> None:
    _insert(connection, "key_rotation", entry_index=at.index, public_key=body.public_key)


def _journal_closed(connection: apsw.Connection, at: Recorded, body: JournalClosed) -> None:
    _insert(connection, "journal_end", entry_index=at.index, reason=body.reason, closed_at=at.entry.at)


def _alarm_raised(connection: apsw.Connection, at: Recorded, body: AlarmRaised) -> None:
    _insert(
        connection,
        "alarm",
        alarm_index=at.index,
        kind=body.kind,
        payment_id=body.payment_id,
        detail=body.detail,
        raised_at=at.entry.at,
    )


# --- feed -----------------------------------------------------------------------------------------------------------


def _feed_received(connection: apsw.Connection, at: Recorded, body: FeedReceived) -> None:
    rows = list(
        connection.execute(
            "SELECT data FROM feed_entry WHERE feed = ? AND entry_index BETWEEN ? AND ? ORDER BY entry_index",
            (body.feed, body.first, body.last),
        )
    )
    if len(rows) != body.last - body.first + 1:
        raise IntegrityError("feed.gap", feed=body.feed, wanted=body.first, found=body.first + len(rows))
    for (data,) in rows:
        answer = _answer(data)
        if answer is not None:
            _apply_body(connection, at, answer)


def _answer(data: bytes) -> Body | None:
    """Return what a stored feed entry says, None where this release does not understand it.

    An entry that central signed but wrote wrongly is kept like one of another release: it must not hold back those
    behind it.
    """
    entry = decode_entry(data)
    try:
        return decode_body(entry.type, bytes(entry.body), FEED_BODIES)
    except msgspec.ValidationError:
        return None


def _inquiry_answered(connection: apsw.Connection, _: Recorded, body: InquiryAnswered) -> None:
    obligation = None
    if body.bill_id is not None and body.bill_payment_id is not None:
        obligation = bill_obligation(body.bill_id, body.bill_payment_id)
    connection.execute(
        "UPDATE inquiry SET outcome = ?, amount_rial = ?, bill_id = ?, bill_payment_id = ?, obligation = ?, due = ?, "
        "customer = ?, provider = ?, reason = ?, answered_at = ? WHERE inquiry_id = ?",
        (
            body.outcome,
            body.amount_rial,
            body.bill_id,
            body.bill_payment_id,
            obligation,
            body.due,
            None if body.customer is None else msgspec.json.encode(body.customer).decode(),
            body.provider,
            body.reason,
            _instant_or_none(body.answered_at),
            body.inquiry_id,
        ),
    )


def _instant_or_none(text: str) -> str | None:
    """Return an instant another program wrote, None where it is none: no page may fail by what it reads here."""
    try:
        year = parse_instant(text).year
    except (ValueError, OverflowError):
        return None
    return text if _YEARS[0] <= year <= _YEARS[1] else None


def _confirmed(connection: apsw.Connection, _: Recorded, body: PaymentConfirmed) -> None:
    _update_payment(connection, body.payment_id, confirmation="confirmed", provider_reference=body.provider_reference)


def _refused(connection: apsw.Connection, _: Recorded, body: PaymentRefused) -> None:
    _update_payment(
        connection, body.payment_id, confirmation="refused", refusal_reason=body.reason, case_id=body.case_id
    )


def _notice_published(connection: apsw.Connection, at: Recorded, body: NoticePublished) -> None:
    # A notice published again under its name replaces the text that is shown.
    connection.execute("DELETE FROM notice WHERE notice_id = ?", (body.notice_id,))
    _insert(
        connection,
        "notice",
        notice_id=body.notice_id,
        title=body.title,
        text=body.text,
        received_at=at.entry.at,
        received_index=at.index,
    )


_Project = Callable[[apsw.Connection, Recorded, Any], None]

_PROJECTORS: Final[dict[type[Body], _Project]] = {
    PaymentRequested: _requested,
    PaymentNotSent: _not_sent,
    PaymentSent: _sent,
    PaymentApproved: _approved,
    PaymentDeclined: _declined,
    PaymentCancelled: _cancelled,
    PaymentInDoubt: _in_doubt,
    StatusQueried: _status_queried,
    PaymentNotCharged: _not_charged,
    PaymentOverridden: _overridden,
    ReceiptPrinted: _printed,
    InquiryRequested: _inquiry_requested,
    DataKeyMade: _data_key_made,
    KeyRotated: _key_rotated,
    JournalClosed: _journal_closed,
    AlarmRaised: _alarm_raised,
    FeedReceived: _feed_received,
    InquiryAnswered: _inquiry_answered,
    PaymentConfirmed: _confirmed,
    PaymentRefused: _refused,
    NoticePublished: _notice_published,
}
