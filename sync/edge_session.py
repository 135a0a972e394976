"""The box's side of one exchange, without a wire: make a request, read the answer, believe nothing unchecked.

The driver (`edge.uplink.client`) stores a request before it is sent and sends those very bytes until a good answer has
come; it applies what `read_answer` returns in one transaction.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from shared.clock import Clock, instant_text
from shared.entropy import Entropy
from shared.errors import IntegrityError, PeerError
from shared.journal.checkpoint import Checkpoint, checkpoint_text, parse_checkpoint
from shared.journal.cosignature import check_cosignature
from shared.journal.entry import FEED_PAYLOAD, Signed, check_signature, decode_entry
from shared.journal.note import NoteKey, format_note, parse_note, sign_note
from shared.journal.tree import consistency_proof, root
from sync.enrolment import CentralTrust
from sync.envelope import (
    EXCHANGE_REQUEST,
    EXCHANGE_RESPONSE,
    REQUEST_SIZE_MAX_BYTES,
    RESPONSE_SIZE_MAX_BYTES,
    Sign,
    encode_payload,
    pack,
    unpack,
    verify,
)
from sync.messages import (
    NONCE_SIZE_BYTES,
    VERSION,
    WINDOW_ENTRIES_MAX,
    Request,
    Response,
    Status,
    decode_request,
    decode_response,
)
from sync.window import window


class JournalReader(Protocol):
    """The journal to be sent."""

    def size(self) -> int:
        """Return the number of committed entries."""

    def entries(self, first: int, limit: int) -> Sequence[tuple[bytes, bytes]]:
        """Return up to `limit` (data, signature) pairs from index `first` on."""

    def node(self, level: int, position: int) -> bytes:
        """Return the hash of a complete subtree."""

    def rotations(self) -> Sequence[int]:
        """Return the indexes of all `key.rotated`, in order."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where the conversation stands for the box that asks."""

    journal: str
    public_key: bytes
    boot: str
    token: bytes | None
    witnessed: str
    """The newest cosigned note, or empty."""
    next_index: int
    feeds: Mapping[str, int]
    """The next index of each feed."""


class FeedStanding(msgspec.Struct, frozen=True, kw_only=True):
    """Where one feed stands: the next index, and the leaf (hex) the entry there must name as `prev`."""

    next: int
    head: str


class FeedBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Verified new entries of one feed."""

    feed: str
    first: int
    entries: tuple[Signed, ...]
    head: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A verified answer. Nothing of it has been applied."""

    status: Status
    next_index: int
    token: bytes | None
    cosigned_size: int | None
    cosigned_note: str | None
    feeds: tuple[FeedBatch, ...]
    feed_faults: Mapping[str, str]
    """Feeds whose entries were not believed, with the code of the reason. They do not spoil the rest."""
    more: bool
    sent_count: int
    central_time: str
    successor: str | None
    """The journal that has taken over from ours."""


def make_request(standing: Standing, journal: JournalReader, *, clock: Clock, entropy: Entropy, sign: Sign) -> bytes:
    """Return the wire bytes of a request with the next window of entries. Two calls never return the same bytes."""
    size = journal.size()
    # Central may ask beyond our end only when we lost our tail; then our end is sent, and central sees it.
    first = min(standing.next_index, size)
    entries = window(journal.entries(first, min(WINDOW_ENTRIES_MAX, size - first)))
    end = first + len(entries)
    text = checkpoint_text(Checkpoint(standing.journal, end, root(end, journal.node)))
    note = sign_note(text, NoteKey(standing.journal, standing.public_key), sign)
    request = Request(
        v=VERSION,
        journal=standing.journal,
        boot=standing.boot,
        nonce=entropy.token_bytes(NONCE_SIZE_BYTES),
        token=standing.token,
        checkpoint=format_note(note),
        proof_from=first,
        proof=tuple(consistency_proof(first, end, journal.node)),
        witnessed=standing.witnessed,
        first=first,
        entries=entries,
        rotations=tuple(pair for index in journal.rotations() for pair in journal.entries(index, 1)),
        feeds=dict(standing.feeds),
        sent_at=instant_text(clock.now()),
    )
    return pack(EXCHANGE_REQUEST, encode_payload(request), sign)


def read_answer(
    wire: bytes,
    *,
    request_wire: bytes,
    cosigned_size: int,
    feeds: Mapping[str, FeedStanding],
    trust: CentralTrust,
) -> Answer:
    """Return central's verified answer to the request.

    Raises PeerError `exchange.malformed`, `exchange.too_large`, `exchange.wrong_signature`, `exchange.other_answer`:
    this is not central's answer to us, ask again. Raises IntegrityError `exchange.wrong_cosignature`: central signed
    the answer, but what it says of our journal is not what we sent.
    """
    request_envelope = unpack(request_wire, size_max_bytes=REQUEST_SIZE_MAX_BYTES)
    request = decode_request(request_envelope.payload)
    envelope = unpack(wire, size_max_bytes=RESPONSE_SIZE_MAX_BYTES)
    verify(envelope, EXCHANGE_RESPONSE, trust.exchange_key().public_key)
    response = decode_response(envelope.payload)
    if response.request_sha256 != request_envelope.sha256:
        raise PeerError("exchange.other_answer")
    cosigned = _read_cosignature(response, request, cosigned_size, trust) if response.status == "ok" else None
    batches, faults = _read_feeds(response, feeds, trust)
    return Answer(
        status=response.status,
        next_index=response.next,
        token=response.token,
        cosigned_size=None if cosigned is None else cosigned.size,
        cosigned_note=None if cosigned is None else response.checkpoint,
        feeds=batches,
        feed_faults=faults,
        more=response.more,
        sent_count=len(request.entries),
        central_time=response.central_time,
        successor=response.successor,
    )


def _read_cosignature(response: Response, request: Request, cosigned_size: int, trust: CentralTrust) -> Checkpoint:
    try:
        note = parse_note(response.checkpoint)
        check_cosignature(note, trust.witness_key())
        checkpoint = parse_checkpoint(note)
        ours = parse_note(request.checkpoint).text
    except IntegrityError as error:
        raise IntegrityError("exchange.wrong_cosignature", why=error.code) from error
    if note.text != ours or response.token is None or response.next != checkpoint.size:
        raise IntegrityError("exchange.wrong_cosignature", why="not what was sent")
    if checkpoint.size < cosigned_size:
        raise IntegrityError("exchange.wrong_cosignature", why="smaller than before")
    return checkpoint


def _read_feeds(
    response: Response, feeds: Mapping[str, FeedStanding], trust: CentralTrust
) -> tuple[tuple[FeedBatch, ...], dict[str, str]]:
    batches, faults = [], {}
    key = trust.feed_key().public_key
    for feed, pairs in response.feeds.items():
        standing = feeds.get(feed)
        if standing is None or not pairs:
            continue
        try:
            batches.append(check_feed(feed, standing, [Signed(*pair) for pair in pairs], public_key=key))
        except IntegrityError as error:
            faults[feed] = error.code
    return tuple(batches), faults


def check_feed(feed: str, standing: FeedStanding, entries: Sequence[Signed], *, public_key: bytes) -> FeedBatch:
    """Return the entries when each is signed, dense and chained to what stands here.

    Raises IntegrityError `signature.wrong`, `journal.bad_entry`, `feed.other_origin`, `feed.gap`, `feed.fork`. Nothing
    is asked of a body: an entry of another release is carried, not understood.
    """
    index, head = standing.next, standing.head
    for signed in entries:
        check_signature(public_key, FEED_PAYLOAD, signed.data, signed.signature)
        entry = decode_entry(signed.data)
        if entry.journal != feed:
            raise IntegrityError("feed.other_origin", feed=feed)
        if entry.index != index:
            raise IntegrityError("feed.gap", feed=feed, index=entry.index, expected=index)
        if entry.prev != head:
            raise IntegrityError("feed.fork", feed=feed, index=index)
        index, head = index + 1, signed.leaf.hex()
    return FeedBatch(feed=feed, first=standing.next, entries=tuple(entries), head=head)
