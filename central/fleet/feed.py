"""Feeds: central's answers, ordered, chained and signed; one for each office and one for the whole network.

A feed has the form of a journal: the same entry envelope under another payload type, signed by central's feed key.
Appending locks the feed's row, so that indexes are dense whatever runs beside. It commits with the caller's
transaction: what an answer says and the answer itself become true together.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Protocol

from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from central.store import fleet
from shared.clock import Clock, instant_text
from shared.errors import BugError
from shared.events import Body, FeedOpened
from shared.ids import NETWORK_FEED, FeedId, OfficeId, office_feed
from shared.journal.entry import (
    ENTRY_SIZE_MAX_BYTES,
    FEED_PAYLOAD,
    GENESIS_PREV,
    VERSION,
    Entry,
    Signed,
    encode_body,
    encode_entry,
    leaf_hash,
    pre_authentication,
)
from sync.messages import WINDOW_ENTRIES_MAX, WINDOW_SIZE_MAX_BYTES, SignedPair
from sync.window import window

BOOT: Final = "central"
"""Feeds have no boots: many nodes append to one feed."""


class FeedSigner(Protocol):
    """Central's feed key."""

    @property
    def public_key(self) -> bytes:
        """Return the 32-byte public key."""

    def sign(self, data: bytes) -> bytes:
        """Return the signature over the bytes as they are."""


def append(connection: Connection, feed_id: FeedId, body: Body, *, clock: Clock, signer: FeedSigner) -> int:
    """Append a fact to a feed, opening the feed when it is new. Return the entry's index. Does not commit.

    Raises BugError `journal.entry_too_large` for more than ENTRY_SIZE_MAX_BYTES: boxes could never get past it.
    """
    now = clock.now()
    opened = connection.execute(
        upsert(fleet.feed)
        .values(feed_id=feed_id, size=0, head=GENESIS_PREV, opened_at=now)
        .on_conflict_do_nothing()
        .returning(fleet.feed.c.feed_id)
    ).one_or_none()
    size, head = connection.execute(
        select(fleet.feed.c.size, fleet.feed.c.head).where(fleet.feed.c.feed_id == feed_id).with_for_update()
    ).one()
    bodies = [FeedOpened(public_key=signer.public_key.hex()), body] if opened is not None else [body]
    for fact in bodies:
        head = _insert(connection, feed_id, size, head, fact, now=now, monotonic_ms=clock.monotonic_ms(), signer=signer)
        size += 1
    connection.execute(update(fleet.feed).where(fleet.feed.c.feed_id == feed_id).values(size=size, head=head))
    return int(size) - 1


def _insert(
    connection: Connection,
    feed_id: FeedId,
    index: int,
    prev: str,
    body: Body,
    *,
    now: datetime,
    monotonic_ms: int,
    signer: FeedSigner,
) -> str:
    """Insert one entry; return its leaf hash in hex."""
    data = encode_entry(
        Entry(
            v=VERSION,
            journal=feed_id,
            index=index,
            prev=prev,
            boot=BOOT,
            at=instant_text(now),
            monotonic_ms=monotonic_ms,
            clock="central",
            type=body.type,
            body=encode_body(body),
        )
    )
    if len(data) > ENTRY_SIZE_MAX_BYTES:
        raise BugError("journal.entry_too_large", type=body.type, size_bytes=len(data))
    connection.execute(
        insert(fleet.feed_entry).values(
            feed_id=feed_id,
            entry_index=index,
            type=body.type,
            data=data,
            signature=signer.sign(pre_authentication(FEED_PAYLOAD, data)),
            appended_at=now,
        )
    )
    return leaf_hash(data).hex()


def read(connection: Connection, feed_id: FeedId, first: int, limit: int) -> list[Signed]:
    """Return up to `limit` entries from index `first` on, in order; none for a feed that was never opened."""
    rows = connection.execute(
        select(fleet.feed_entry.c.data, fleet.feed_entry.c.signature)
        .where(fleet.feed_entry.c.feed_id == feed_id, fleet.feed_entry.c.entry_index >= first)
        .order_by(fleet.feed_entry.c.entry_index)
        .limit(limit)
    )
    return [Signed(data, signature) for data, signature in rows]


def windows(
    connection: Connection, office: str, cursors: Mapping[str, int]
) -> tuple[Mapping[str, tuple[SignedPair, ...]], bool]:
    """Return the next entries of the feeds an office asks for by cursor, and whether there are more.

    All together fit one window. A feed that is not this office's is passed over in silence.
    """
    taken: dict[str, tuple[SignedPair, ...]] = {}
    more, left_bytes, left_entries = False, WINDOW_SIZE_MAX_BYTES, WINDOW_ENTRIES_MAX
    for feed_id in feeds_of(OfficeId(office)):
        if feed_id not in cursors:
            continue
        if left_entries <= 0 or left_bytes <= 0:
            more = True
            break
        # One more than fits tells whether there are more.
        waiting = read(connection, feed_id, cursors[feed_id], left_entries + 1)
        pairs = window(
            [(signed.data, signed.signature) for signed in waiting],
            entries_max=left_entries,
            size_max_bytes=left_bytes,
        )
        if pairs:
            taken[feed_id] = pairs
        more = more or len(pairs) < len(waiting)
        left_entries -= len(pairs)
        left_bytes -= sum(len(data) + len(signature) for data, signature in pairs)
    return taken, more


def feeds_of(office: OfficeId) -> tuple[FeedId, FeedId]:
    """Return the feeds a box of this office may read."""
    return office_feed(office), NETWORK_FEED


def append_now(engine: Engine, feed_id: FeedId, body: Body, *, clock: Clock, signer: FeedSigner) -> int:
    """Append a fact in a transaction of its own. Return its index."""
    with engine.begin() as connection:
        return append(connection, feed_id, body, clock=clock, signer=signer)
