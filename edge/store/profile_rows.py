"""Rows of device profiles that central published: which bundle stands where. Documents stay in the feed's rows."""

from typing import Final

import apsw

from edge.journal.ports import Recorded
from edge.journal.views import ProfileBundleView
from shared.events import FEED_BODIES, Body, ProfileBundlePublished, ProfileDocument, decode_body
from shared.ids import NETWORK_FEED
from shared.journal.entry import decode_entry

_VIEW: Final = "SELECT feed, feed_index, bundle_id, withdrawn, note, published_at, received_at FROM profile_bundle "


def published(connection: apsw.Connection, at: Recorded, feed: str, feed_index: int, body: Body) -> None:
    """Note a bundle that came down a feed; nothing for other bodies."""
    if isinstance(body, ProfileBundlePublished):
        (data,) = next(
            connection.execute("SELECT data FROM feed_entry WHERE feed = ? AND entry_index = ?", (feed, feed_index))
        )
        connection.execute(
            "INSERT INTO profile_bundle VALUES (?, ?, ?, ?, ?, ?, ?)",
            (feed, feed_index, body.bundle_id, body.withdrawn, body.note, decode_entry(data).at, at.entry.at),
        )


def bundles(connection: apsw.Connection) -> list[ProfileBundleView]:
    """Return all bundles ever received: the network's first, then the office's; of each feed the newest first."""
    rows = connection.execute(_VIEW + "ORDER BY feed = ? DESC, feed, feed_index DESC", (NETWORK_FEED,))
    return [
        ProfileBundleView(
            feed=feed,
            feed_index=feed_index,
            bundle_id=bundle_id,
            withdrawn=bool(withdrawn),
            note=note,
            published_at=published_at,
            received_at=received_at,
        )
        for feed, feed_index, bundle_id, withdrawn, note, published_at, received_at in rows
    ]


def documents(connection: apsw.Connection, feed: str, feed_index: int) -> tuple[ProfileDocument, ...]:
    """Return the documents of a bundle, by its place in its feed."""
    (data,) = next(
        connection.execute("SELECT data FROM feed_entry WHERE feed = ? AND entry_index = ?", (feed, feed_index))
    )
    entry = decode_entry(data)
    body = decode_body(entry.type, bytes(entry.body), FEED_BODIES)
    return body.documents if isinstance(body, ProfileBundlePublished) else ()
