"""Entries that central took into a journal's main branch, as the books see them, and the hook that books them.

The hook runs in the transaction that stores the entries: what is stored is booked, or neither is. A hook that raises
does not lose the entry: it is stored with the disposition `posting_failed` and an alarm.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from shared.events import Body
from shared.journal.entry import Entry


class JournalContext(msgspec.Struct, frozen=True, kw_only=True):
    """Whose journal it is."""

    office: str
    box: str
    journal: str
    public_key: bytes
    """The box's Ed25519 key that this journal was opened with, 32 bytes."""


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a main branch."""

    office: str
    journal: str
    index: int
    leaf: bytes
    """RFC 6962 leaf hash, 32 bytes."""
    entry: Entry
    body: Body | None
    """None for a type of another release: carried, not understood."""
    received_at: datetime


Posting = Callable[[Connection, JournalContext, Sequence[Accepted]], None]
"""Book accepted entries, in index order, dense. Must not commit. A second call for an entry follows only a raise."""


def post_nothing(connection: Connection, journal: JournalContext, accepted: Sequence[Accepted]) -> None:
    """Book nothing: for a central without books, and for tests of the receiver alone."""
