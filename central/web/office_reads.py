"""What pages read of offices, journals, alarms, feeds and receipts: frozen structs, never rows."""

from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, and_, case, func, select

from central.store.books import office_payment
from central.store.fleet import alarm, box, feed, feed_entry, office
from central.store.journals import journal, journal_entry, journal_node
from shared.errors import IntegrityError
from shared.journal.entry import Entry
from shared.journal.tree import check_inclusion, inclusion_proof, root
from shared.payment import CHARGED

RHYTHM_DAYS: Final = 30
"""How far back the usual takings of an office are looked for."""


class OfficeRow(msgspec.Struct, frozen=True, kw_only=True):
    """An office and how its boxes are heard of. `usual_day_rial`: mean charged per day on which it charged at all."""

    office_id: str
    name: str
    box_count: int
    journal_count: int
    entry_count: int
    uncosigned_count: int
    quarantined_count: int
    alarm_count: int
    last_exchange_at: datetime | None
    usual_day_rial: int


class JournalRow(msgspec.Struct, frozen=True, kw_only=True):
    """A journal as central mirrors it."""

    office_id: str
    journal_id: str
    box_id: str
    public_key: bytes
    size: int
    root: bytes
    cosigned_size: int
    cosigned_at_s: int
    cosigned_note: str
    opened_at: datetime
    last_exchange_at: datetime | None
    quarantined_at: datetime | None
    predecessor: str | None
    predecessor_cosigned_size: int | None
    closed_at: datetime | None
    closed_reason: str | None
    retired_at: datetime | None
    aside_count: int
    """Entries beside the main branch: of a fork, or held in quarantine."""


class AsideRow(msgspec.Struct, frozen=True, kw_only=True):
    """How many entries of a type stand beside a journal's main branch, and why."""

    type: str
    disposition: str
    count: int


class EntryRow(msgspec.Struct, frozen=True, kw_only=True):
    """A stored entry. `body` is its JSON, or None when the bytes are no entry."""

    entry_index: int
    leaf: bytes
    type: str
    disposition: str
    on_main: bool
    received_at: datetime
    at_claim: str | None
    body: str | None


class AlarmRow(msgspec.Struct, frozen=True, kw_only=True):
    """Something a person must look at."""

    alarm_id: int
    office_id: str
    box_id: str | None
    journal_id: str | None
    kind: str
    detail: str
    entry_index: int | None
    raised_at: datetime
    closed_at: datetime | None


class FeedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A feed of central's answers."""

    feed_id: str
    size: int
    head: str
    opened_at: datetime


class FeedEntryRow(msgspec.Struct, frozen=True, kw_only=True):
    """One signed answer. `body` is its JSON."""

    entry_index: int
    type: str
    appended_at: datetime
    body: str


class ReceiptFound(msgspec.Struct, frozen=True, kw_only=True):
    """What the mirror knows of a receipt's entry. `proof_length` hashes prove it under the cosigned root."""

    office_id: str
    office_name: str
    journal_id: str
    entry_index: int
    leaf: bytes
    type: str
    received_at: datetime
    cosigned: bool
    cosigned_size: int
    proof_length: int | None
    payment_id: str | None
    inquiry_id: str | None


def offices(connection: Connection, *, now: datetime) -> tuple[OfficeRow, ...]:
    """Return every office, in order of its code."""
    of_journals = (
        select(
            journal.c.office_id,
            func.count().label("journal_count"),
            func.sum(journal.c.size).label("entry_count"),
            func.sum(journal.c.size - journal.c.cosigned_size).label("uncosigned_count"),
            func.count(journal.c.quarantined_at).label("quarantined_count"),
            func.max(journal.c.last_exchange_at).label("last_exchange_at"),
        )
        .group_by(journal.c.office_id)
        .subquery()
    )
    of_boxes = select(box.c.office_id, func.count().label("box_count")).group_by(box.c.office_id).subquery()
    of_alarms = (
        select(alarm.c.office_id, func.count().label("alarm_count"))
        .where(alarm.c.closed_at.is_(None))
        .group_by(alarm.c.office_id)
        .subquery()
    )
    day = func.date_trunc("day", func.timezone("Asia/Tehran", office_payment.c.received_at))
    of_payments = (
        select(
            office_payment.c.office_id,
            (func.sum(office_payment.c.amount_rial) / func.count(day.distinct())).label("usual_day_rial"),
        )
        .where(
            office_payment.c.state.in_(sorted(CHARGED)),
            office_payment.c.received_at > now - func.make_interval(0, 0, 0, RHYTHM_DAYS),
        )
        .group_by(office_payment.c.office_id)
        .subquery()
    )
    parts = (of_journals, of_boxes, of_alarms, of_payments)
    names = [name for name in OfficeRow.__struct_fields__ if name not in ("office_id", "name", "last_exchange_at")]
    columns = {column.name: column for part in parts for column in part.c if column.name != "office_id"}
    query = select(
        office.c.office_id,
        office.c.name,
        columns["last_exchange_at"],
        *(func.coalesce(columns[name], 0).label(name) for name in names),
    )
    joined: Any = office
    for part in parts:
        joined = joined.outerjoin(part, part.c.office_id == office.c.office_id)
    rows = connection.execute(query.select_from(joined).order_by(office.c.office_id)).mappings()
    return tuple(_office_row(dict(row), names) for row in rows)


def _office_row(row: dict[str, Any], numbers: list[str]) -> OfficeRow:
    """Return an office; sums come from the database as Decimal."""
    values: dict[str, Any] = {name: int(value) if name in numbers else value for name, value in row.items()}
    return OfficeRow(**values)


def journals(connection: Connection, office_id: str | None = None) -> tuple[JournalRow, ...]:
    """Return journals, of one office or of all, newest first."""
    aside = (
        select(func.count())
        .where(
            journal_entry.c.office_id == journal.c.office_id,
            journal_entry.c.journal_id == journal.c.journal_id,
            ~journal_entry.c.on_main,
        )
        .scalar_subquery()
        .label("aside_count")
    )
    names = [name for name in JournalRow.__struct_fields__ if name != "aside_count"]
    query = select(*(journal.c[name] for name in names), aside).order_by(
        journal.c.office_id, journal.c.opened_at.desc()
    )
    if office_id is not None:
        query = query.where(journal.c.office_id == office_id)
    return tuple(JournalRow(**row) for row in connection.execute(query).mappings())


def journal_of(connection: Connection, journal_id: str) -> JournalRow | None:
    """Return one journal, or None."""
    return next((row for row in journals(connection) if row.journal_id == journal_id), None)


def aside_types(connection: Connection, journal_id: str) -> tuple[AsideRow, ...]:
    """Return what stands beside a journal's main branch, by type."""
    table = journal_entry.c
    query = (
        select(table.type, table.disposition, func.count().label("count"))
        .where(table.journal_id == journal_id, ~table.on_main)
        .group_by(table.type, table.disposition)
        .order_by(table.type, table.disposition)
    )
    return tuple(AsideRow(**row) for row in connection.execute(query).mappings())


def entries(
    connection: Connection, journal_id: str, *, before: int | None = None, limit: int = 50
) -> tuple[EntryRow, ...]:
    """Return entries of a journal, newest first, branches side by side; page by `entry_index`."""
    table = journal_entry
    query = select(table).where(table.c.journal_id == journal_id)
    if before is not None:
        query = query.where(table.c.entry_index < before)
    query = query.order_by(table.c.entry_index.desc(), table.c.on_main.desc(), table.c.leaf).limit(limit)
    found = []
    for row in connection.execute(query).mappings():
        entry = _decoded(row["data"])
        found.append(
            EntryRow(
                entry_index=row["entry_index"],
                leaf=row["leaf"],
                type=row["type"],
                disposition=row["disposition"],
                on_main=row["on_main"],
                received_at=row["received_at"],
                at_claim=None if entry is None else entry.at,
                body=None if entry is None else bytes(entry.body).decode(),
            )
        )
    return tuple(found)


def alarms(connection: Connection, *, office_id: str | None = None, limit: int = 50) -> tuple[AlarmRow, ...]:
    """Return alarms, open ones first, newest first."""
    query = (
        select(*(alarm.c[name] for name in AlarmRow.__struct_fields__))
        .order_by(case((alarm.c.closed_at.is_(None), 0), else_=1), alarm.c.alarm_id.desc())
        .limit(limit)
    )
    if office_id is not None:
        query = query.where(alarm.c.office_id == office_id)
    return tuple(AlarmRow(**row) for row in connection.execute(query).mappings())


def feeds(connection: Connection) -> tuple[FeedRow, ...]:
    """Return every feed, in order of its name."""
    query = select(*(feed.c[name] for name in FeedRow.__struct_fields__)).order_by(feed.c.feed_id)
    return tuple(FeedRow(**row) for row in connection.execute(query).mappings())


def feed_entries(
    connection: Connection, feed_id: str, *, before: int | None = None, limit: int = 50
) -> tuple[FeedEntryRow, ...]:
    """Return entries of a feed, newest first; page by `entry_index`."""
    query = select(feed_entry).where(feed_entry.c.feed_id == feed_id)
    if before is not None:
        query = query.where(feed_entry.c.entry_index < before)
    rows = connection.execute(query.order_by(feed_entry.c.entry_index.desc()).limit(limit)).mappings()
    return tuple(
        FeedEntryRow(
            entry_index=row["entry_index"],
            type=row["type"],
            appended_at=row["appended_at"],
            body=bytes(msgspec.json.decode(row["data"], type=Entry).body).decode(),
        )
        for row in rows
    )


def holds_place(connection: Connection, journal_id: str, index: int) -> bool:
    """Return whether central holds an entry at this place of a journal: a paper of another one there is in no log."""
    here = select(journal.c.size).where(journal.c.journal_id == journal_id, journal.c.size > index)
    return connection.execute(here).first() is not None


def receipt(connection: Connection, journal_id: str, index: int, leaf_digits: str) -> ReceiptFound | None:
    """Return what is known of the entry a receipt names, or None when it has not come or differs.

    `leaf_digits` are the first hex digits of its leaf hash, as the receipt prints them. Raises IntegrityError
    `tree.not_included` when the mirror's own tree does not hold it.
    """
    query = (
        select(
            journal_entry,
            journal.c.size.label("journal_size"),
            journal.c.cosigned_size,
            office.c.name.label("office_name"),
        )
        .join(
            journal,
            and_(journal.c.office_id == journal_entry.c.office_id, journal.c.journal_id == journal_entry.c.journal_id),
        )
        .join(office, office.c.office_id == journal_entry.c.office_id)
        .where(
            journal_entry.c.journal_id == journal_id,
            journal_entry.c.entry_index == index,
            journal_entry.c.on_main,
            func.starts_with(func.encode(journal_entry.c.leaf, "hex"), leaf_digits.lower()),
        )
    )
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    cosigned = index < row["cosigned_size"]
    entry = _decoded(row["data"])
    body: dict[str, Any] = {} if entry is None else msgspec.json.decode(entry.body)
    return ReceiptFound(
        office_id=row["office_id"],
        office_name=row["office_name"],
        journal_id=journal_id,
        entry_index=index,
        leaf=row["leaf"],
        type=row["type"],
        received_at=row["received_at"],
        cosigned=cosigned,
        cosigned_size=row["cosigned_size"],
        proof_length=_proved(connection, journal_id, row["leaf"], index, row["cosigned_size"]) if cosigned else None,
        payment_id=body.get("payment_id"),
        inquiry_id=body.get("inquiry_id"),
    )


def _proved(connection: Connection, journal_id: str, leaf: bytes, index: int, size: int) -> int:
    """Prove an entry under the root of the mirror's tree; return how many hashes that took."""

    def node(level: int, position: int) -> bytes:
        found: bytes | None = connection.execute(
            select(journal_node.c.hash).where(
                journal_node.c.journal_id == journal_id,
                journal_node.c.level == level,
                journal_node.c.position == position,
            )
        ).scalar_one_or_none()
        if found is None:
            raise IntegrityError("journal.node_missing", journal=journal_id, level=level, position=position)
        return found

    proof = inclusion_proof(index, size, node)
    check_inclusion(leaf, index, size, proof, root(size, node))
    return len(proof)


def _decoded(data: bytes) -> Entry | None:
    try:
        return msgspec.json.decode(data, type=Entry)
    except msgspec.MsgspecError:
        return None
