"""Booking entries that the books could not take when they came: after a release that can, without a person's hand.

What is looked for, in each journal's main branch:

    posting_failed   the books stumbled over it
    unknown_type     it was of a type that this release understands and the one that took it did not

Entries of the journal after the first of these that were set aside as not bookable are handed over again with them, in
the journal's order: an approval could not be booked because its request was not. Each journal is one transaction under
the lock of its row, as an exchange is; booking is by the same hook and as repeatable.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import msgspec
import structlog
from sqlalchemy import Connection, Engine, and_, literal_column, or_, select, update

from central.ingest.accepted import Accepted, JournalContext, Posting
from central.ingest.entries import try_post
from central.ledger.reopening import forget, note_booked, reopen
from central.store import fleet, journals
from central.store.transactions import in_transaction
from shared.clock import Clock
from shared.errors import IntegrityError
from shared.events import JOURNAL_BODIES, decode_body
from shared.journal.entry import decode_entry

ENTRIES_MAX: Final = 1_000
"""How many entries of a journal are taken at once."""
CLOSED_BY: Final = "central"

_log = structlog.get_logger()


class RepostReport(msgspec.Struct, frozen=True, kw_only=True):
    """How many entries of all journals the books took now (booked, or set aside again), and how many failed again."""

    taken: int
    failed: int


def repost(engine: Engine, posting: Posting, *, clock: Clock) -> RepostReport:
    """Hand over again what could not be booked. Several processes may call it at once; raises for database trouble."""
    with engine.connect() as connection:
        waiting = connection.execute(
            select(journals.journal_entry.c.office_id, journals.journal_entry.c.journal_id)
            .where(_is_waiting())
            .distinct()
            .order_by(journals.journal_entry.c.office_id, journals.journal_entry.c.journal_id)
        ).all()
    taken = failed = 0
    for office_id, journal_id in waiting:
        repost_one = partial(_repost_journal, office_id=office_id, journal_id=journal_id, posting=posting, clock=clock)
        report = in_transaction(engine, repost_one)
        taken, failed = taken + report.taken, failed + report.failed
    if waiting:
        _log.info("reposted", journals=len(waiting), taken=taken, failed=failed)
    return RepostReport(taken=taken, failed=failed)


def _is_waiting() -> Any:
    table = journals.journal_entry
    return and_(
        table.c.on_main,
        # The condition of the index, written out: parameters would hide that it fits.
        literal_column("disposition IN ('posting_failed', 'unknown_type')"),
        or_(
            table.c.disposition == "posting_failed",
            and_(table.c.disposition == "unknown_type", table.c.type.in_(sorted(JOURNAL_BODIES))),
        ),
    )


def _repost_journal(
    connection: Connection, office_id: str, journal_id: str, posting: Posting, clock: Clock
) -> RepostReport:
    table = journals.journal_entry
    of_journal = and_(table.c.office_id == office_id, table.c.journal_id == journal_id)
    owner = connection.execute(
        select(journals.journal.c.box_id, journals.journal.c.public_key)
        .where(journals.journal.c.office_id == office_id, journals.journal.c.journal_id == journal_id)
        .with_for_update()
    ).one()
    context = JournalContext(office=office_id, box=owner.box_id, journal=journal_id, public_key=owner.public_key)
    waiting = connection.execute(
        select(table).where(of_journal, _is_waiting()).order_by(table.c.entry_index).limit(ENTRIES_MAX)
    ).all()
    if not waiting:
        return RepostReport(taken=0, failed=0)
    forget(connection, office_id, journal_id, [row.leaf for row in waiting])
    reopened = reopen(connection, office_id, journal_id, first=waiting[0].entry_index)
    set_aside = connection.execute(
        select(table).where(of_journal, table.c.on_main, table.c.leaf.in_(reopened - {row.leaf for row in waiting}))
    ).all()
    taken: list[Accepted] = []
    failed = 0
    for row in sorted((*waiting, *set_aside), key=lambda each: each.entry_index):
        accepted = accepted_of(row)
        if accepted is not None and try_post(connection, context, [accepted], posting) is None:
            taken.append(accepted)
        else:
            failed += 1
    _mark_taken(connection, context, taken, clock)
    note_booked(connection, office_id, journal_id, reopened, at=clock.now())
    return RepostReport(taken=len(taken), failed=failed)


def accepted_of(row: Any) -> Accepted | None:
    """Return a stored entry as the books take it, or None for one that this release does not understand either."""
    try:
        entry = decode_entry(row.data)
        body = decode_body(entry.type, bytes(entry.body), JOURNAL_BODIES)
    except (IntegrityError, msgspec.MsgspecError):
        return None
    return Accepted(
        office=row.office_id,
        journal=row.journal_id,
        index=row.entry_index,
        leaf=row.leaf,
        entry=entry,
        body=body,
        received_at=row.received_at,
    )


def _mark_taken(connection: Connection, context: JournalContext, taken: Sequence[Accepted], clock: Clock) -> None:
    """Note that the books took these entries, and close the alarms about them."""
    leaves = [accepted.leaf for accepted in taken]
    table, alarm = journals.journal_entry, fleet.alarm
    connection.execute(
        update(table)
        .where(
            table.c.office_id == context.office,
            table.c.journal_id == context.journal,
            table.c.leaf.in_(leaves),
            table.c.disposition != "accepted",
        )
        .values(disposition="accepted")
    )
    connection.execute(
        update(alarm)
        .where(
            alarm.c.office_id == context.office,
            alarm.c.journal_id == context.journal,
            alarm.c.leaf.in_(leaves),
            alarm.c.kind == "posting_failed",
            alarm.c.closed_at.is_(None),
        )
        .values(closed_at=clock.now(), closed_by=CLOSED_BY)
    )
