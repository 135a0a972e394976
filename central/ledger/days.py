"""Closes of the day, held against the journal's own entries: what a box says it took, and what its entries say.

The figures are made again from the payments' entries as central keeps them, by the same words (`shared.day`), and the
size and root from central's mirror of the journal. A difference stops nothing: it is an alarm for a person.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, select, tuple_

from central.store import journals
from central.store.alarms import raise_alarm
from central.store.books import office_fact, office_payment, payment_entry
from shared.day import DayBook, DayTotals, said
from shared.events import JOURNAL_BODIES, Body, DayClosed
from shared.journal import tree
from shared.payment import DOUBTFUL

DAY_DIFFERS: Final = "day_differs"
"""Alarm: a close of the day is not what the journal's entries give."""


class Mirror(msgspec.Struct, frozen=True, kw_only=True):
    """What central holds of a journal before a close."""

    first: int
    """The entry after the close before it."""
    entries: tuple[tuple[int, Body], ...]
    """Entries of every payment that moved since then or is in doubt, from its first one on, in order."""
    root: str | None
    """Merkle root at the close's index, hex; None where the mirror does not reach that far."""


class Own(msgspec.Struct, frozen=True, kw_only=True):
    """What central's own copy of the journal gives for a close."""

    totals: DayTotals
    in_doubt: tuple[int, int]
    """Count and rial."""
    first: int
    root: str | None


def own_close(index: int, mirror: Mirror) -> Own:
    """Return what a close at this index should say. Pure."""
    book = DayBook()
    for at, entry in mirror.entries:
        if at < mirror.first:
            book.add(entry)
    book.close()
    for at, entry in mirror.entries:
        if mirror.first <= at < index:
            book.add(entry)
    return Own(totals=book.totals(), in_doubt=book.in_doubt(), first=mirror.first, root=mirror.root)


def differences(body: DayClosed, index: int, mirror: Mirror) -> list[str]:
    """Return, in words for the alarm, what a close at this index says otherwise than the journal. Pure."""
    own = own_close(index, mirror)
    pairs = (
        ("first", body.first, own.first),
        ("size", body.size, index),
        ("root", body.root, own.root),
        *((name, getattr(said(body), name), getattr(own.totals, name)) for name in own.totals.__struct_fields__),
        ("in doubt", (body.in_doubt_count, body.in_doubt_rial), own.in_doubt),
    )
    return [f"{name}: says {_short(says)}, is {_short(found)}" for name, says, found in pairs if says != found]


def _short(value: object) -> str:
    if isinstance(value, tuple) and value and isinstance(value[0], msgspec.Struct):
        return " + ".join(f"{row.method} {row.purpose} {row.terminal} {row.count}/{row.amount_rial}" for row in value)
    return str(value)


def check_close(
    connection: Connection, *, office: str, journal: str, index: int, leaf: bytes, body: DayClosed, at: datetime
) -> None:
    """Raise an alarm when a close is not what the journal's entries give. Does not commit."""
    found = differences(body, index, mirror_of(connection, office, journal, index))
    if found:
        subject = _Subject(office=office, box=_box(connection, office, journal), journal=journal)
        raise_alarm(connection, subject, DAY_DIFFERS, "; ".join(found)[:1000], at=at, index=index, leaf=leaf)


def mirror_of(connection: Connection, office: str, journal: str, index: int) -> Mirror:
    """Return what central holds of a journal before a close at this index."""
    return Mirror(
        first=_first(connection, office, journal, index),
        entries=tuple(_entries(connection, office, journal, index)),
        root=_root(connection, office, journal, index),
    )


class _Subject(msgspec.Struct, frozen=True, kw_only=True):
    office: str
    box: str
    journal: str


def _box(connection: Connection, office: str, journal: str) -> str:
    table = journals.journal
    asked = select(table.c.box_id).where(table.c.office_id == office, table.c.journal_id == journal)
    return str(connection.execute(asked).scalar() or "")


def _first(connection: Connection, office: str, journal: str, index: int) -> int:
    table = office_fact
    newest = connection.execute(
        select(table.c.entry_index)
        .where(
            table.c.office_id == office,
            table.c.journal_id == journal,
            table.c.type == DayClosed.type,
            table.c.entry_index < index,
        )
        .order_by(table.c.entry_index.desc())
        .limit(1)
    ).scalar()
    return 0 if newest is None else int(newest) + 1


def _entries(connection: Connection, office: str, journal: str, index: int) -> Iterator[tuple[int, Body]]:
    """Yield the entries before the close of payments that moved in its day, or that are or lately were in doubt."""
    first = _first(connection, office, journal, index)
    entry, payment = payment_entry, office_payment
    moved = select(entry.c.payment_id).where(
        entry.c.office_id == office, entry.c.journal_id == journal, entry.c.entry_index >= first
    )
    doubtful = select(payment.c.payment_id).where(
        payment.c.office_id == office,
        payment.c.journal_id == journal,
        payment.c.state.in_([str(state) for state in DOUBTFUL]),
    )
    rows = connection.execute(
        select(entry.c.entry_index, entry.c.type, entry.c.body)
        .where(
            entry.c.office_id == office,
            entry.c.journal_id == journal,
            entry.c.entry_index < index,
            entry.c.payment_id.in_(moved.union(doubtful)),
        )
        .order_by(entry.c.entry_index)
    )
    for at, kind, members in rows:
        body = _body(kind, members)
        if body is not None:
            yield at, body


def _body(kind: str, members: Any) -> Body | None:
    body_type = JOURNAL_BODIES.get(kind)
    return None if body_type is None else msgspec.convert(members, body_type)


def _root(connection: Connection, office: str, journal: str, size: int) -> str | None:
    table = journals.journal_node
    places = list(_places(size))
    rows = connection.execute(
        select(table.c.level, table.c.position, table.c.hash).where(
            table.c.office_id == office,
            table.c.journal_id == journal,
            tuple_(table.c.level, table.c.position).in_(places),
        )
    )
    found: dict[tuple[int, int], bytes] = {(level, position): digest for level, position, digest in rows}
    if len(found) != len(places):
        return None
    return tree.root(size, lambda level, position: found[level, position]).hex()


def _places(size: int) -> Iterator[tuple[int, int]]:
    """Yield the complete subtrees that a tree of this size is made of."""
    start = 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            yield level, start >> level
            start += 1 << level
