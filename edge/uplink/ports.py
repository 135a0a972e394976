"""What the uplink needs of the box's store and signer. The store implements these; `edge.app` joins them.

Reads are synchronous and quick enough for the event loop. Writes are coroutines that return after a durable commit.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from shared.events import AlarmRaised
from shared.journal.entry import Signed


class Signer(Protocol):
    """The box's Ed25519 key, wherever it lives."""

    @property
    def public_key(self) -> bytes:
        """Return the 32-byte public key."""

    def sign(self, data: bytes) -> bytes:
        """Return the 64-byte signature over the bytes as they are."""


class FeedCursor(msgspec.Struct, frozen=True, kw_only=True):
    """How far a feed is stored here. A feed that was never received has `next` 0 and 64 zeros as `head`."""

    feed: str
    next: int
    head: str
    """Leaf hash (hex) of entry `next - 1`: the `prev` that the next entry must carry."""


class ExchangeState(msgspec.Struct, frozen=True, kw_only=True):
    """All that the box keeps of the conversation, apart from the pending request. Outside the journal."""

    token: bytes | None = None
    """The ratchet token that the next request must carry; the first one comes with the enrolment."""
    cosigned_size: int = 0
    """Size of the newest checkpoint that central cosigned; never falls."""
    cosigned_note: str = ""
    """That checkpoint as a note with central's cosignature; empty before the first."""
    next_index: int = 0
    """The entry that central asks for next. Equals `cosigned_size` but after a `resume` or in quarantine."""
    quarantined: bool = False
    feeds: tuple[FeedCursor, ...] = ()
    """The feeds this box reads, named by the enrolment, with their cursors."""
    last_exchange_at: str | None = None
    last_error: str | None = None
    """Code of the newest failure; None after a good exchange."""


class FeedPiece(msgspec.Struct, frozen=True, kw_only=True):
    """Verified, dense entries of one feed, `first` being the cursor's `next`."""

    feed: str
    first: int
    entries: tuple[Signed, ...]
    head: str
    """Leaf hash (hex) of the last entry."""


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """What one verified answer of central changes here. All of it in one transaction, or none."""

    token: bytes | None
    """New token; None keeps the one there is (a quarantined or stale answer gives none)."""
    cosigned_size: int | None
    cosigned_note: str | None
    """New cosignature; None keeps the one there is."""
    next_index: int
    quarantined: bool
    feeds: tuple[FeedPiece, ...]
    """Each becomes feed rows and one `feed.received` entry."""
    alarms: tuple[AlarmRaised, ...]
    """Each becomes an `alarm.raised` entry."""
    answered_at: str


class ExchangeStore(Protocol):
    """The state of the conversation, durable."""

    def load(self) -> ExchangeState:
        """Return the state as of the newest commit."""

    def pending(self) -> bytes | None:
        """Return the wire bytes of the request that has no answer yet."""

    async def save_pending(self, request: bytes) -> None:
        """Store the wire bytes; durable when it returns. There is at most one; a second raises BugError."""

    async def settle(self, settlement: Settlement) -> None:
        """Apply the settlement and delete the pending request in one transaction; clears `last_error`."""

    async def note_failure(self, code: str) -> None:
        """Store the code of a failed attempt for the operator's eyes. The pending request stays."""


class JournalView(Protocol):
    """Reading the journal. A size once seen stays readable: the journal only grows."""

    def size(self) -> int:
        """Return the number of committed entries."""

    def entries(self, first: int, limit: int) -> Sequence[tuple[bytes, bytes]]:
        """Return up to `limit` (data, signature) pairs from index `first` on."""

    def node(self, level: int, position: int) -> bytes:
        """Return the hash of a complete subtree (see `shared.journal.tree`)."""

    def rotations(self) -> Sequence[int]:
        """Return the indexes of all `key.rotated`, in order."""
