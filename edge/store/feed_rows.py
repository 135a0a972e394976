"""Feed entries on the box: verified before they are stored, stored once, never changed."""

from collections.abc import Sequence

import apsw

from edge.store.rows import Rows
from shared.errors import IntegrityError
from shared.events import FeedReceived
from shared.journal.entry import Signed, decode_entry
from sync.edge_session import FeedStanding, check_feed


def store_feed_entries(
    connection: apsw.Connection, feed: str, entries: Sequence[tuple[bytes, bytes]], public_key: bytes
) -> FeedReceived | None:
    """Verify and store what follows; return the body to be journaled, None when all of it was stored before.

    Raises IntegrityError `feed.fork` (also for an entry that came again with other bytes) or what
    `sync.edge_session.check_feed` raises, before anything is stored.
    """
    rows = Rows(connection)
    next_index, head = rows.feed_cursor(feed)
    fresh = [Signed(*pair) for pair in entries]
    while fresh and (index := decode_entry(fresh[0].data).index) < next_index:
        if rows.feed_entry(feed, index) != fresh.pop(0).data:
            raise IntegrityError("feed.fork", feed=feed, index=index)
    if not fresh:
        return None
    batch = check_feed(feed, FeedStanding(next=next_index, head=head), fresh, public_key=public_key)
    connection.executemany(
        "INSERT INTO feed_entry (feed, entry_index, data, signature) VALUES (?, ?, ?, ?)",
        [(feed, index, entry.data, entry.signature) for index, entry in enumerate(batch.entries, batch.first)],
    )
    return FeedReceived(feed=feed, first=batch.first, last=batch.first + len(fresh) - 1, head=batch.head)
