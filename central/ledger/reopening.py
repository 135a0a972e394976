"""Letting entries be booked a second time: those the books could not take, once what was in their way is gone.

Booking follows from the entry and what the books hold, and a transfer's id follows from the entry's leaf: an entry that
is booked twice is booked once, and one that still cannot be booked is set aside as before.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, select

from central.ledger.cases import CENTRAL, case_id, unposted_about, write_note
from central.store.books import money_case, posted_entry

BOOKED_LATER: Final = "پس از آن ثبت شد · booked since then"
"""The note in the case of an entry that could be booked after all."""


def reopen(connection: Connection, office_id: str, journal_id: str, *, first: int) -> set[bytes]:
    """Forget that entries of a journal from index `first` on could not be booked; return their leaves.

    Whoever calls hands them to `post_entries` again in the same transaction, with those that were missing before them.
    """
    gone = connection.execute(
        delete(posted_entry)
        .where(
            posted_entry.c.office_id == office_id,
            posted_entry.c.journal_id == journal_id,
            posted_entry.c.entry_index >= first,
            posted_entry.c.disposition == "unposted",
        )
        .returning(posted_entry.c.leaf)
    )
    return set(gone.scalars())


def forget(connection: Connection, office_id: str, journal_id: str, leaves: Collection[bytes]) -> None:
    """Forget that these entries were seen without being understood, for a release that understands them."""
    connection.execute(
        delete(posted_entry).where(
            posted_entry.c.office_id == office_id,
            posted_entry.c.journal_id == journal_id,
            posted_entry.c.leaf.in_(leaves),
            posted_entry.c.disposition == "no_effect",
        )
    )


def note_booked(
    connection: Connection, office_id: str, journal_id: str, leaves: Collection[bytes], *, at: datetime
) -> None:
    """Write into the cases of reopened entries that are booked by now that they are."""
    table = posted_entry
    booked = connection.execute(
        select(table.c.leaf).where(
            table.c.office_id == office_id,
            table.c.journal_id == journal_id,
            table.c.leaf.in_(leaves),
            table.c.disposition != "unposted",
        )
    ).scalars()
    for leaf in sorted(booked):
        about = case_id("unposted", unposted_about(journal_id, leaf))
        connection.execute(select(money_case.c.case_id).where(money_case.c.case_id == about).with_for_update())
        write_note(connection, about, BOOKED_LATER, by=CENTRAL, at=at)
