"""What the facts mean: each entry changes the projections here, in its own transaction and in a rebuild alike.

One function for each body type that changes anything; a type without one is carried. A function reads only the entry,
the projections, and the feed rows the entry names, so that the same facts give the same rows, always. Nothing here
reads a clock.
"""

from typing import Final

import apsw
import msgspec

from edge.journal.ports import Recorded
from edge.store import day_rows, elsewhere_projections, exposure_rows, finding_rows, profile_rows, service_projections
from edge.store.atm_projections import ATM_PROJECTORS
from edge.store.payment_projections import PAYMENT_PROJECTORS
from edge.store.people_rows import PEOPLE_PROJECTORS
from edge.store.projecting import Project, instant_or_none
from edge.store.projecting import insert as _insert
from edge.store.refund_projections import REFUND_PROJECTORS
from shared.errors import IntegrityError
from shared.events import (
    FEED_BODIES,
    AlarmRaised,
    Body,
    BootStarted,
    DataKeyMade,
    DayClosed,
    FeedReceived,
    InquiryAnswered,
    InquiryRequested,
    JournalClosed,
    JournalOpened,
    KeyRotated,
    NoticePublished,
    ObligationsHeld,
    ReceiptPrinted,
    decode_body,
)
from shared.ids import bill_obligation, payment_and_item
from shared.journal.entry import decode_entry


def apply(connection: apsw.Connection, recorded: Recorded) -> None:
    """Project an entry.

    Raises OperatorError `payment.obligation_held` (the last guard of one obligation, one charge), BugError
    `payment.move_not_allowed` or `payment.unknown`, IntegrityError `feed.gap`.
    """
    _apply_body(connection, recorded, recorded.body)
    finding_rows.note_act(connection, recorded)


def _apply_body(connection: apsw.Connection, at: Recorded, body: Body) -> None:
    project = _PROJECTORS.get(type(body))
    if project is not None:
        before = finding_rows.documents_of(connection, body)
        project(connection, at, body)
        finding_rows.note(connection, body, before)


def _opened(connection: apsw.Connection, at: Recorded, body: JournalOpened) -> None:
    exposure_rows.boot(connection, at, body)
    elsewhere_projections.began(connection, at, body)


_PRINTED: Final = (
    "UPDATE payment SET printed = printed + 1 WHERE payment_id = ?",
    "UPDATE inquiry SET printed = printed + 1 WHERE inquiry_id = ?",
    "UPDATE service_request SET printed = printed + 1 WHERE inquiry_id = ?",
    "UPDATE day_close SET printed = printed + 1 WHERE close_id = ?",
)
"""What a paper may be about; each has a name of its own."""


def _printed(connection: apsw.Connection, _: Recorded, body: ReceiptPrinted) -> None:
    payment_id, item = payment_and_item(body.about)
    if item is not None:
        connection.execute(
            "UPDATE holding SET printed = printed + 1 WHERE payment_id = ? AND item = ?", (payment_id, item)
        )
    for printed in _PRINTED:
        connection.execute(printed, (body.about,))
        if connection.changes():
            return


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
            "SELECT entry_index, data FROM feed_entry WHERE feed = ? AND entry_index BETWEEN ? AND ? "
            "ORDER BY entry_index",
            (body.feed, body.first, body.last),
        )
    )
    if len(rows) != body.last - body.first + 1:
        raise IntegrityError("feed.gap", feed=body.feed, wanted=body.first, found=body.first + len(rows))
    for index, data in rows:
        service_projections.catalogue_came(connection, at, body.feed, index, data)
        answer = _answer(data)
        if answer is not None:
            exposure_rows.policy_set(connection, at, body.feed, answer)
            profile_rows.published(connection, at, body.feed, index, answer)
            _apply_answer(connection, at, body.feed, index, answer)


def _apply_answer(connection: apsw.Connection, at: Recorded, feed: str, feed_index: int, answer: Body) -> None:
    """Project what the feed told of a payment, an inquiry or a request; the history's index hears of all of it."""
    before = finding_rows.documents_of(connection, answer)
    service_projections.told(connection, feed, feed_index, answer)
    if (project := _PROJECTORS.get(type(answer))) is not None:
        project(connection, at, answer)
    finding_rows.note(connection, answer, before)


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
            instant_or_none(body.answered_at),
            body.inquiry_id,
        ),
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


_PROJECTORS: Final[dict[type[Body], Project]] = {
    **PAYMENT_PROJECTORS,
    **REFUND_PROJECTORS,
    **ATM_PROJECTORS,
    **PEOPLE_PROJECTORS,
    **service_projections.SERVICE_PROJECTORS,
    ReceiptPrinted: _printed,
    JournalOpened: _opened,
    BootStarted: exposure_rows.boot,
    DayClosed: day_rows.closed,
    InquiryRequested: _inquiry_requested,
    DataKeyMade: _data_key_made,
    KeyRotated: _key_rotated,
    JournalClosed: _journal_closed,
    AlarmRaised: _alarm_raised,
    FeedReceived: _feed_received,
    InquiryAnswered: _inquiry_answered,
    NoticePublished: _notice_published,
    ObligationsHeld: elsewhere_projections.told,
}
