"""Rows of catalogue services as the structs of `edge.journal.services`, and the feed's entries they name."""

from collections.abc import Sequence
from typing import Any, Final, TypeVar

import apsw
import msgspec

from edge.journal.services import CataloguePlace, ServiceImageView, ServiceRequestView
from edge.store.schema.payment_tables import HOLDS_OBLIGATION
from shared.events import FEED_BODIES, Body, CataloguePublished, ImageAnswered, PaymentConfirmed, ServiceAnswered
from shared.events import decode_body as _decode
from shared.journal.entry import decode_entry
from shared.sealed import Sealed

B = TypeVar("B", bound=Body)

_FEE: Final = ("fee_payment_id", "fee_state", "fee_kept", "fee_back", "fee_printed")
_COLUMNS: Final = tuple(name for name in ServiceRequestView.__struct_fields__ if name not in _FEE)
_MEMBERS: Final = (*_COLUMNS, *_FEE)
_FLAGS: Final = ("print_first", "rules_accepted", "fee_kept", "fee_back", "fee_printed")
_FEE_BACK: Final = (
    # As `central.ledger.giving_back.agreed_for_finance` has it; its first condition is that of the index.
    "EXISTS (SELECT 1 FROM refund r WHERE r.payment_id = fee.payment_id AND r.state NOT IN ('dropped', 'refused') "
    "AND r.state = 'agreed' AND r.means = 'central' AND r.amount_rial = fee.amount_rial)"
)
_REQUEST: Final = (
    f"SELECT {', '.join(f's.{name}' for name in _COLUMNS)}, "  # noqa: S608 - names of this package
    f"fee.payment_id, fee.state, coalesce(fee.unacknowledged, 0) = 0, {_FEE_BACK}, coalesce(fee.printed, 0) > 0 "
    "FROM service_request s LEFT JOIN payment fee ON fee.payment_id = (SELECT payment_id FROM holding "
    f"WHERE obligation = 'fee:' || s.inquiry_id ORDER BY {HOLDS_OBLIGATION} DESC, doubled, requested_index DESC "
    "LIMIT 1) "
)
_PLACE: Final = "SELECT feed, feed_index, catalogue_id, withdrawn, received_index FROM catalogue "


# --- what customers asked for ---


def request(connection: apsw.Connection, inquiry_id: str) -> ServiceRequestView | None:
    """Return a request for a service."""
    return next(iter(_requests(connection, "WHERE s.inquiry_id = ?", inquiry_id)), None)


def requests(connection: apsw.Connection, before_index: int | None, limit: int) -> list[ServiceRequestView]:
    """Return requests, newest first, whose `requested_index` is below `before_index` (None: from the newest)."""
    before = 2**62 if before_index is None else before_index
    return _requests(connection, "WHERE s.requested_index < ? ORDER BY s.requested_index DESC LIMIT ?", before, limit)


def requests_at(connection: apsw.Connection, indexes: Sequence[int]) -> list[ServiceRequestView]:
    """Return the requests that were made at these entries, newest first."""
    condition = "WHERE s.requested_index IN (SELECT value FROM json_each(?)) ORDER BY s.requested_index DESC"
    return _requests(connection, condition, msgspec.json.encode(list(indexes)).decode())


def requests_about(connection: apsw.Connection, search_key: str, limit: int) -> list[ServiceRequestView]:
    """Return the newest answered requests about one applicant, by the search key of its month."""
    condition = "WHERE s.search_key = ? AND s.outcome = 'done' ORDER BY s.requested_index DESC LIMIT ?"
    return _requests(connection, condition, search_key, limit)


def newest_waiting(connection: apsw.Connection, limit: int) -> list[ServiceRequestView]:
    """Return the newest requests that have no answer."""
    return _requests(connection, "WHERE s.outcome IS NULL ORDER BY s.requested_index DESC LIMIT ?", limit)


def _requests(connection: apsw.Connection, condition: str, *values: str | int) -> list[ServiceRequestView]:
    return [_read(row) for row in connection.execute(_REQUEST + condition, values)]


def _read(row: tuple[Any, ...]) -> ServiceRequestView:
    members = dict(zip(_MEMBERS, row, strict=True))
    for flag in _FLAGS:
        members[flag] = bool(members[flag])
    members["fields"] = msgspec.json.decode(members["fields"], type=Sealed)
    return msgspec.convert(members, ServiceRequestView)


def last_ticket(connection: apsw.Connection) -> int:
    """Return the number of the newest ticket, of a request or an inquiry; 0 before the first."""
    newest = (
        next(connection.execute(f"SELECT ticket FROM {table} ORDER BY requested_index DESC LIMIT 1"), (0,))  # noqa: S608
        for table in ("inquiry", "service_request")
    )
    return max(int(ticket) for (ticket,) in newest)


# --- what the feed told ---


def answer(connection: apsw.Connection, asked: ServiceRequestView) -> ServiceAnswered | None:
    """Return the answer that a request's row names."""
    if asked.answer_feed is None or asked.answer_index is None:
        return None
    return _told(connection, asked.answer_feed, asked.answer_index, ServiceAnswered)


def images(connection: apsw.Connection, inquiry_id: str) -> list[ServiceImageView]:
    """Return the pictures that came of an answer's items, in order."""
    rows = connection.execute(
        "SELECT item, number, label, there, feed, feed_index FROM service_image WHERE inquiry_id = ? "
        "ORDER BY item, number",
        (inquiry_id,),
    )
    return [
        ServiceImageView(item=item, number=number, label=label, there=bool(there), feed=feed, feed_index=feed_index)
        for item, number, label, there, feed, feed_index in rows
    ]


def images_asked(connection: apsw.Connection, inquiry_id: str) -> frozenset[str]:
    """Return the keys of the items whose pictures were asked for."""
    rows = connection.execute("SELECT item FROM service_image_ask WHERE inquiry_id = ?", (inquiry_id,))
    return frozenset(item for (item,) in rows)


def awaits_images(connection: apsw.Connection) -> bool:
    """Return whether pictures were asked for of which none came."""
    rows = connection.execute(
        "SELECT 1 FROM service_image_ask ask WHERE NOT EXISTS (SELECT 1 FROM service_image came "
        "WHERE came.inquiry_id = ask.inquiry_id AND came.item = ask.item) LIMIT 1"
    )
    return next(rows, None) is not None


def image(connection: apsw.Connection, place: ServiceImageView) -> Sealed | None:
    """Return the sealed bytes of a picture."""
    told = _told(connection, place.feed, place.feed_index, ImageAnswered)
    return None if told is None else told.image


def fulfilment(connection: apsw.Connection, payment_id: str) -> Sealed | None:
    """Return the sealed text of what a payment bought."""
    row = next(connection.execute("SELECT feed, feed_index FROM fulfilment WHERE payment_id = ?", (payment_id,)), None)
    told = None if row is None else _told(connection, row[0], row[1], PaymentConfirmed)
    return None if told is None else told.fulfilment


def _told(connection: apsw.Connection, feed: str, feed_index: int, kind: type[B]) -> B | None:
    row = next(
        connection.execute("SELECT data FROM feed_entry WHERE feed = ? AND entry_index = ?", (feed, feed_index)), None
    )
    if row is None:
        return None
    entry = decode_entry(row[0])
    try:
        body = _decode(entry.type, bytes(entry.body), FEED_BODIES)
    except msgspec.ValidationError:
        return None
    return body if isinstance(body, kind) else None


# --- catalogues ---


def newest_catalogues(connection: apsw.Connection) -> tuple[tuple[str, int], ...]:
    """Return the place of each feed's newest catalogue: what tells whether another is in force by now."""
    return tuple(connection.execute("SELECT feed, max(feed_index) FROM catalogue GROUP BY feed ORDER BY feed"))


def catalogues(connection: apsw.Connection, feed: str) -> list[CataloguePlace]:
    """Return the catalogues of a feed, newest first."""
    return _places(connection, "WHERE feed = ? ORDER BY feed_index DESC", feed)


def catalogues_named(connection: apsw.Connection, catalogue_id: str) -> list[CataloguePlace]:
    """Return the catalogues of a name, the newest that came first."""
    return _places(connection, "WHERE catalogue_id = ? ORDER BY received_index DESC, feed_index DESC", catalogue_id)


def _places(connection: apsw.Connection, condition: str, value: str) -> list[CataloguePlace]:
    return [
        CataloguePlace(
            feed=row[0], feed_index=row[1], catalogue_id=row[2], withdrawn=bool(row[3]), received_index=row[4]
        )
        for row in connection.execute(_PLACE + condition, (value,))
    ]


def catalogue(connection: apsw.Connection, place: CataloguePlace) -> CataloguePublished | None:
    """Return what was published at a place, None where this release cannot read it."""
    return _told(connection, place.feed, place.feed_index, CataloguePublished)


def alarmed(connection: apsw.Connection, kind: str, detail: str) -> bool:
    """Return whether an alarm was raised before in these very words."""
    rows = connection.execute("SELECT 1 FROM alarm WHERE kind = ? AND detail = ? LIMIT 1", (kind, detail))
    return next(rows, None) is not None


# --- keys ---


def private_key(connection: apsw.Connection, key_id: str) -> bytes | None:
    """Return the private half of a data key, None when it was forgotten."""
    row = next(connection.execute("SELECT private_key FROM private_key WHERE key_id = ?", (key_id,)), None)
    return None if row is None else bytes(row[0])


def private_keys(connection: apsw.Connection) -> list[bytes]:
    """Return the private halves of all data keys that are kept, the newest month's first."""
    return [key for (key,) in connection.execute("SELECT private_key FROM private_key ORDER BY month DESC, key_id")]
