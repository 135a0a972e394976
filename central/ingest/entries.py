"""Storing entries: the main branch with its tree and its books, and what stands beside it.

Dispositions, one for each stored entry:

    accepted         in the main branch and booked
    unknown_type     in the main branch; a type of another release: carried, not understood
    bad_body         in the main branch; a known type whose body does not decode: an alarm, for it may be about money
    bad_link         in the main branch by the signed tree, but the entry says of itself another place
    bad_envelope     in the main branch by the signed tree, but the bytes are no entry
    posting_failed   in the main branch; the books could not take it (see `reposting`)
    fork             beside the main branch: it contradicts it
    held             beside the main branch: it came while the journal was quarantined
    booked_aside     beside the main branch, and given to the books by two people (see `quarantine`)

No disposition is a refusal: the entry's bytes and signature are kept, and the entries after it go their way.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

import msgspec
import structlog
from sqlalchemy import Connection, insert, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import InterfaceError, OperationalError

from central.ingest.accepted import Accepted, JournalContext, Posting
from central.ledger.left_behind import open_left_behind
from central.store import journals
from central.store.alarms import raise_alarm
from shared.events import JOURNAL_BODIES, Body, JournalClosed, decode_body
from sync.central_session import Verdict
from sync.checked_request import Checked

Disposition = Literal[
    "accepted", "unknown_type", "bad_body", "bad_link", "bad_envelope", "posting_failed", "fork", "held"
]
NO_TYPE: Final = ""
"""Stored as the type of bytes that are no entry."""
_TYPE_SIZE_MAX: Final = 100

_log = structlog.get_logger()


class _Placed(msgspec.Struct, frozen=True):
    """An entry with what is to be written beside it."""

    checked: Checked
    disposition: Disposition
    body: Body | None = None


def store_main(
    connection: Connection, context: JournalContext, verdict: Verdict, *, posting: Posting, received_at: datetime
) -> None:
    """Store the verdict's main entries and tree nodes, and have them booked."""
    if not verdict.main:
        return
    faults = {alarm.leaf: alarm.kind for alarm in verdict.alarms if alarm.kind in ("bad_link", "bad_envelope")}
    placed = [_place(checked, faults.get(checked.leaf)) for checked in verdict.main]
    statement = upsert(journals.journal_entry).values(
        [_row(context, item.checked, item.disposition, on_main=True, received_at=received_at) for item in placed]
    )
    # An entry that stood aside joins the main branch as the same row: its key is the hash of its bytes.
    statement = statement.on_conflict_do_update(
        index_elements=["office_id", "journal_id", "leaf"],
        set_={"on_main": True, "disposition": statement.excluded.disposition},
    )
    connection.execute(statement)
    connection.execute(
        insert(journals.journal_node),
        [
            {
                "office_id": context.office,
                "journal_id": context.journal,
                "level": level,
                "position": position,
                "hash": digest,
            }
            for level, position, digest in verdict.nodes
        ],
    )
    accepted = [
        Accepted(
            office=context.office,
            journal=context.journal,
            index=item.checked.index,
            leaf=item.checked.leaf,
            entry=item.checked.entry,
            body=item.body,
            received_at=received_at,
        )
        for item in placed
        if item.checked.entry is not None and item.disposition in ("accepted", "unknown_type", "bad_body")
    ]
    _post(connection, context, accepted, posting)
    for item in placed:
        if item.disposition == "bad_body" and item.checked.entry is not None:
            detail = f"a body of type {_type_text(item.checked)} that cannot be read"
            raise_alarm(
                connection, context, "bad_body", detail, at=received_at,
                index=item.checked.index, leaf=item.checked.leaf,
            )  # fmt: skip


def store_rotations(connection: Connection, context: JournalContext, verdict: Verdict) -> None:
    """Keep the keys that the verdict's entries have passed the journal to."""
    if not verdict.rotations:
        return
    rows = [
        {
            "office_id": context.office,
            "journal_id": context.journal,
            "entry_index": rotation.index,
            "leaf": rotation.leaf,
            "public_key": rotation.public_key,
        }
        for rotation in verdict.rotations
    ]
    connection.execute(insert(journals.journal_key), rows)


def store_close(connection: Connection, context: JournalContext, verdict: Verdict, *, received_at: datetime) -> None:
    """Note that the journal is closed, when it is, and open a case for each payment that it leaves in doubt."""
    for checked in verdict.main:
        placed = _place(checked, None)
        if not isinstance(placed.body, JournalClosed):
            continue
        connection.execute(
            update(journals.journal)
            .where(journals.journal.c.office_id == context.office, journals.journal.c.journal_id == context.journal)
            .values(closed_at=received_at, closed_reason=placed.body.reason)
        )
        open_left_behind(connection, context.office, context.journal, received_at)


def store_aside(connection: Connection, context: JournalContext, verdict: Verdict, *, received_at: datetime) -> None:
    """Store entries beside the main branch, keyed by their leaf."""
    if not verdict.aside:
        return
    rows = [
        _row(context, checked, verdict.aside_as, on_main=False, received_at=received_at) for checked in verdict.aside
    ]
    connection.execute(upsert(journals.journal_entry).values(rows).on_conflict_do_nothing())


def _place(checked: Checked, fault: str | None) -> _Placed:
    if checked.entry is None or fault == "bad_envelope":
        return _Placed(checked, "bad_envelope")
    if fault is not None:
        return _Placed(checked, "bad_link")
    try:
        body = decode_body(checked.entry.type, bytes(checked.entry.body), JOURNAL_BODIES)
    except msgspec.MsgspecError:
        return _Placed(checked, "bad_body")
    return _Placed(checked, "unknown_type") if body is None else _Placed(checked, "accepted", body)


def _row(
    context: JournalContext, checked: Checked, disposition: Disposition, *, on_main: bool, received_at: datetime
) -> dict[str, object]:
    return {
        "office_id": context.office,
        "journal_id": context.journal,
        "leaf": checked.leaf,
        "entry_index": checked.index,
        "on_main": on_main,
        "disposition": disposition,
        "type": _type_text(checked),
        "data": checked.data,
        "signature": checked.signature,
        "received_at": received_at,
    }


def _type_text(checked: Checked) -> str:
    """Return the type as a column holds it: whatever a box writes there, PostgreSQL's text takes no zero."""
    kind = NO_TYPE if checked.entry is None else checked.entry.type
    return kind[:_TYPE_SIZE_MAX].replace("\x00", "\ufffd")


def _post(connection: Connection, context: JournalContext, accepted: Sequence[Accepted], posting: Posting) -> None:
    """Have entries booked: all at once, and one by one when that fails, so that one poison entry stops only itself."""
    if not accepted or try_post(connection, context, accepted, posting) is None:
        return
    for one in accepted:
        error = try_post(connection, context, [one], posting)
        if error is not None:
            _mark_failed(connection, context, one, error)


def try_post(
    connection: Connection, context: JournalContext, accepted: Sequence[Accepted], posting: Posting
) -> Exception | None:
    """Book entries in a savepoint; return what went wrong with them, if anything.

    Raises OperationalError, InterfaceError: trouble with the database, which may be gone a moment later.
    """
    try:
        with connection.begin_nested():
            posting(connection, context, accepted)
    except (OperationalError, InterfaceError):
        # The database's trouble is not the entry's: the whole exchange fails, and the box asks again.
        raise
    except Exception as error:  # noqa: BLE001 - whatever the books stumble over, the entry must be stored
        return error
    return None


def _mark_failed(connection: Connection, context: JournalContext, one: Accepted, error: Exception) -> None:
    _log.error("posting failed", journal=context.journal, index=one.index, type=one.entry.type, exc_info=error)
    table = journals.journal_entry
    connection.execute(
        update(table)
        .where(
            tuple_(table.c.office_id, table.c.journal_id, table.c.leaf)
            == tuple_(context.office, context.journal, one.leaf)
        )
        .values(disposition="posting_failed")
    )
    detail = f"{one.entry.type}: {type(error).__name__}: {error}"[:500].replace("\x00", "\ufffd")
    raise_alarm(connection, context, "posting_failed", detail, at=one.received_at, index=one.index, leaf=one.leaf)
