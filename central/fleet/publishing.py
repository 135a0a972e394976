"""Publishing on the feed of an office or of the whole network, where the newest of a kind stands.

Policies, catalogues and profiles are published so. What stands is read from the feeds themselves: there is no second
place that could differ.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Generic, TypeVar

import msgspec
from sqlalchemy import Connection, func, select

from central.store import fleet
from shared.clock import instant_text
from shared.errors import OperatorError
from shared.events import FEED_BODIES, Body, decode_body
from shared.ids import NETWORK_FEED, FeedId, OfficeId, office_feed
from shared.journal.entry import decode_entry

B = TypeVar("B", bound=Body)
AppendFeed = Callable[[Connection, FeedId, Body], object]
"""`central.fleet.feed.append` with clock and key given."""


class Published(msgspec.Struct, Generic[B], frozen=True, kw_only=True):
    """A body on a feed."""

    feed: FeedId
    body: B
    published_at: str


def feed_of(connection: Connection, office: str | None) -> FeedId:
    """Return an office's feed, or with None the network's. Raises OperatorError `office.unknown`."""
    if office is None:
        return NETWORK_FEED
    known = select(fleet.office.c.office_id).where(fleet.office.c.office_id == office)
    if connection.execute(known).one_or_none() is None:
        raise OperatorError("office.unknown", field="office", office=office)
    return office_feed(OfficeId(office))


def publish(connection: Connection, office: str | None, body: Body, append: AppendFeed) -> None:
    """Sign a body onto an office's feed, or with None onto the network's. Does not commit.

    Raises OperatorError `office.unknown`.
    """
    append(connection, feed_of(connection, office), body)


def published(connection: Connection, kind: type[B]) -> list[Published[B]]:
    """Return all that was published of a kind, newest first."""
    entry = fleet.feed_entry.c
    query = select(entry.feed_id, entry.data, entry.appended_at).where(entry.type == kind.type)
    rows = connection.execute(query.order_by(entry.appended_at.desc(), entry.feed_id, entry.entry_index.desc()))
    return [_read(kind, *row) for row in rows]


def standing(connection: Connection, kind: type[B]) -> list[Published[B]]:
    """Return the newest of a kind on each feed that has one, the network's first, then by office."""
    entry = fleet.feed_entry.c
    newest = (
        select(entry.feed_id, func.max(entry.entry_index).label("entry_index"))
        .where(entry.type == kind.type)
        .group_by(entry.feed_id)
        .subquery()
    )
    rows = connection.execute(
        select(entry.feed_id, entry.data, entry.appended_at).join(
            newest, (entry.feed_id == newest.c.feed_id) & (entry.entry_index == newest.c.entry_index)
        )
    )
    found = [_read(kind, *row) for row in rows]
    return sorted(found, key=lambda one: (one.feed != NETWORK_FEED, one.feed))


def _read(kind: type[B], feed_id: FeedId, data: bytes, appended_at: datetime) -> Published[B]:
    entry = decode_entry(data)
    body = decode_body(entry.type, bytes(entry.body), FEED_BODIES)
    if not isinstance(body, kind):
        raise TypeError(f"{entry.type} is no {kind.type}")
    return Published(feed=feed_id, body=body, published_at=instant_text(appended_at))
