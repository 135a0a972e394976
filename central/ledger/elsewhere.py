"""What one journal of an office holds, told to the office's other boxes on its feed: they do not charge it again.

A box that takes over from another one, or works beside it, cannot see that journal; central can, as far as it has
heard. So the journal's payments stand on the office's feed as `obligations.held`: all that hold something when another
box is enrolled, the open ones and the newest first; and from then on each that stands otherwise than it was told. What
the feed said of a payment is kept (`told_payment`), so that nothing is told twice, and one that was never told to hold
anything is not told to be free.

A fee is left out: only the box that took its request can be paid it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, case, func, select
from sqlalchemy.dialects.postgresql import insert

from central.ledger.accepted_entry import AcceptedEntry
from central.ledger.left_behind import LEFT_OPEN, hear_after_all, is_gone, stood
from central.ledger.receive import post_entries
from central.ledger.storable import name_or_none
from central.store import journals
from central.store.books import office_payment, office_payment_item, payment_entry
from central.store.elsewhere import told_payment
from central.store.fleet import feed
from shared.clock import instant_text
from shared.events import (
    Body,
    FeedReceived,
    ObligationElsewhere,
    ObligationsHeld,
    PaymentElsewhere,
    PaymentRequested,
)
from shared.ids import FeedId, OfficeId, office_feed
from shared.payment import CERTAINLY_UNCHARGED, PaymentState

AppendFeed = Callable[[Connection, FeedId, Body], int]
"""Appends a fact to a feed in the caller's transaction; returns its index."""

PIECE_SIZE_MAX_BYTES: Final = 40 * 1024
"""Of one entry's payments: with its envelope it stays well below what an entry may have."""
BATCH: Final = 500
_COLUMNS: Final = (
    "payment_id",
    "state",
    "terminal",
    "requested_claim",
    "stan",
    "rrn",
    "pan",
    "obligation",
    "amount_rial",
    "bill_id",
    "bill_payment_id",
    "confirmation",
    "item_count",
    "service",
)
_ITEM_COLUMNS: Final = ("obligation", "amount_rial", "bill_id", "bill_payment_id", "confirmation")


def posting_for_all(append_feed: AppendFeed) -> Callable[[Connection, object, Sequence[AcceptedEntry]], None]:
    """Return what books accepted entries and tells the office's other boxes what they hold, in the same transaction.

    What a box that is gone says after all, it says to the cases of what it left open, too.
    """

    def post(connection: Connection, journal: object, accepted: Sequence[AcceptedEntry]) -> None:
        groups = [(*key, list(each)) for key, each in groupby(accepted, key=lambda one: (one.office, one.journal))]
        before = {
            name: stood(connection, office, name, _names(entries))
            for office, name, entries in groups
            if connection.execute(select(is_gone(office, name))).scalar_one()
        }
        post_entries(connection, journal, accepted)
        for office, name, entries in groups:
            if name in before:
                at = max(entry.received_at for entry in entries)
                hear_after_all(connection, office, name, _names(entries), before=before[name], at=at)
            _tell_of_entries(connection, office, name, entries, append_feed)

    return post


def tell_newcomer(
    connection: Connection, office: str, newcomer: str, predecessor: str | None, append_feed: AppendFeed
) -> int:
    """Put on the office's feed what its other journals hold, for a journal that begins now.

    Return how many entries of the feed that journal has to read before its box takes money; 0 for an office's first.
    """
    # An exchange that goes on beside this is waited for: it has not seen the newcomer, and tells it nothing.
    others = [row for row in _journals(connection, office, lock=True) if row.journal_id != newcomer]
    for row in others:
        listened_to = row.journal_id == predecessor or not row.is_gone
        payments = _all_of(connection, office, row.journal_id)
        _tell(connection, office, row, payments, append_feed, always=listened_to)
    if not others:
        return 0
    name = office_feed(OfficeId(office))
    return int(connection.execute(select(feed.c.size).where(feed.c.feed_id == name)).scalar_one_or_none() or 0)


def successor_of(connection: Connection, office: str, journal: str) -> str | None:
    """Return the journal that took over from this one."""
    table = journals.journal.c
    found: str | None = connection.execute(
        select(table.journal_id).where(table.office_id == office, table.predecessor == journal)
    ).scalar_one_or_none()
    return found


def _journals(connection: Connection, office: str, *, lock: bool = False) -> Sequence[Row[Any]]:
    table = journals.journal
    gone = is_gone(table.c.office_id, table.c.journal_id).label("is_gone")
    query = select(table, gone).where(table.c.office_id == office).order_by(table.c.opened_at)
    return connection.execute(query.with_for_update(of=table) if lock else query).all()


def _tell_of_entries(
    connection: Connection, office: str, journal: str, entries: Sequence[AcceptedEntry], append_feed: AppendFeed
) -> None:
    """Tell the other boxes of an office what these entries have changed."""
    everyone = _journals(connection, office)
    if all(row.is_gone for row in everyone if row.journal_id != journal):
        return
    own = next(row for row in everyone if row.journal_id == journal)
    heard_at = max(entry.received_at for entry in entries)
    # What a box says that was taken over from tells at least until when it was heard; but that it heard this very word
    # is no news, or the two would go on for ever.
    has_news = any(not isinstance(entry.body, FeedReceived) for entry in entries)
    always = has_news and any(row.predecessor == journal for row in everyone)
    payments = _named(connection, office, journal, _names(entries))
    size = max(own.size, *(entry.index + 1 for entry in entries))
    _tell(connection, office, own, payments, append_feed, always=always, size=size, heard_at=heard_at)


def _names(entries: Iterable[AcceptedEntry]) -> set[str]:
    """Return of which payments entries speak."""
    names = (name_or_none(getattr(entry.body, "payment_id", None)) for entry in entries)
    return {name for name in names if name is not None}


def _tell(
    connection: Connection,
    office: str,
    journal: Row[Any],
    payments: Iterable[PaymentElsewhere],
    append_feed: AppendFeed,
    *,
    always: bool,
    size: int | None = None,
    heard_at: datetime | None = None,
) -> None:
    """Put payments on the feed in pieces; `always` one at least, for the time until which the journal was heard."""
    heard = max(filter(None, (journal.last_exchange_at, heard_at)), default=None)
    for piece in _pieces(payments):
        body = ObligationsHeld(
            journal=journal.journal_id,
            heard_size=journal.size if size is None else size,
            heard_at=None if heard is None else instant_text(heard),
            payments=piece,
        )
        if piece or always:
            append_feed(connection, office_feed(OfficeId(office)), body)
            _keep_told(connection, office, piece)


def _pieces(payments: Iterable[PaymentElsewhere]) -> Iterator[tuple[PaymentElsewhere, ...]]:
    """Yield payments in pieces that fit an entry each; an empty one only where there is no other."""
    piece: list[PaymentElsewhere] = []
    size = 0
    for payment in payments:
        needs = len(msgspec.json.encode(payment))
        if needs > PIECE_SIZE_MAX_BYTES and payment.covers:
            payment = msgspec.structs.replace(payment, covers=())  # noqa: PLW2901 - what it holds itself is told all the same
            needs = len(msgspec.json.encode(payment))
        if needs > PIECE_SIZE_MAX_BYTES:
            # No counter makes such a payment, and nothing that is made up may hold up an office.
            continue
        if size + needs > PIECE_SIZE_MAX_BYTES:
            yield tuple(piece)
            piece, size = [], 0
        piece.append(payment)
        size += needs
    yield tuple(piece)


def _keep_told(connection: Connection, office: str, payments: Sequence[PaymentElsewhere]) -> None:
    if not payments:
        return
    rows = insert(told_payment)
    connection.execute(
        rows.on_conflict_do_update(index_elements=list(told_payment.primary_key), set_={"state": rows.excluded.state}),
        [{"office_id": office, "payment_id": one.payment_id, "state": str(one.state)} for one in payments],
    )


def _all_of(connection: Connection, office: str, journal: str) -> Iterator[PaymentElsewhere]:
    """Yield the payments of a journal of which something is to be told: open ones first, then the newest."""
    is_open = case((office_payment.c.state.in_(sorted(LEFT_OPEN)), 0), else_=1)
    query = _of_journal(office, journal).order_by(is_open, office_payment.c.ordinal.desc())
    # Years of an office's payments: read as they are told, never all at once.
    rows = connection.execute(query, execution_options={"stream_results": True, "max_row_buffer": BATCH})
    for some in rows.partitions(BATCH):
        yield from _with_items(connection, office, some)


def _named(connection: Connection, office: str, journal: str, names: Collection[str]) -> list[PaymentElsewhere]:
    if not names:
        return []
    query = _of_journal(office, journal).where(office_payment.c.payment_id.in_(sorted(names)))
    return _with_items(connection, office, connection.execute(query.order_by(office_payment.c.ordinal)).all())


def _of_journal(office: str, journal: str) -> Any:
    """Return the query of payments that stand otherwise than the feed said, and of what it never spoke but should."""
    table = office_payment.c
    told = told_payment.c.state
    # One that is kept and one that was told to be: nobody but its terminal knows the difference.
    state = case((table.state == str(PaymentState.ACKNOWLEDGED), str(PaymentState.APPROVED)), else_=table.state)
    free = [str(one) for one in CERTAINLY_UNCHARGED]
    joined = office_payment.outerjoin(
        told_payment,
        (told_payment.c.office_id == table.office_id) & (told_payment.c.payment_id == table.payment_id),
    )
    columns = (state.label("state") if name == "state" else table[name] for name in _COLUMNS)
    return (
        select(*columns)
        .select_from(joined)
        .where(
            table.office_id == office,
            table.journal_id == journal,
            table.purpose != "inquiry_fee",
            told.is_distinct_from(state),
            told.is_not(None) | table.state.not_in(free),
        )
    )


def _with_items(connection: Connection, office: str, rows: Sequence[Row[Any]]) -> list[PaymentElsewhere]:
    of_many = [row.payment_id for row in rows if row.item_count]
    item = office_payment_item.c
    query = select(item.payment_id, *(item[name] for name in _ITEM_COLUMNS)).order_by(item.payment_id, item.item)
    found = (
        connection.execute(query.where(item.office_id == office, item.payment_id.in_(of_many))).all() if of_many else ()
    )
    items = {name: tuple(map(_obligation, group)) for name, group in groupby(found, key=lambda each: each.payment_id)}
    covers = _covers(connection, office, [row.payment_id for row in rows if row.service])
    return [
        PaymentElsewhere(
            payment_id=row.payment_id,
            state=PaymentState(row.state),
            terminal=row.terminal,
            requested_at=row.requested_claim,
            stan=row.stan,
            rrn=row.rrn,
            pan=row.pan,
            obligations=items.get(row.payment_id) or (_obligation(row),),
            covers=covers.get(row.payment_id, ()),
        )
        for row in rows
    ]


def _covers(connection: Connection, office: str, of_services: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return of which parts the wholes of answers are made that payments pay, as their boxes wrote it."""
    if not of_services:
        return {}
    entry = payment_entry.c
    covers = entry.body["covers"]
    rows = connection.execute(
        select(entry.payment_id, covers.label("covers")).where(
            entry.office_id == office,
            entry.payment_id.in_(of_services),
            entry.type == PaymentRequested.type,
            func.jsonb_typeof(covers) == "array",
        )
    )
    return {row.payment_id: tuple(filter(name_or_none, row.covers)) for row in rows}


def _obligation(row: Row[Any]) -> ObligationElsewhere:
    return ObligationElsewhere(
        obligation=row.obligation,
        amount_rial=row.amount_rial,
        bill_id=row.bill_id,
        bill_payment_id=row.bill_payment_id,
        # What still waits for its provider's word waits at central.
        confirmation="none" if row.confirmation == "queued" else row.confirmation,
    )
