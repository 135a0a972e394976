"""The two messages of an exchange. Their meaning is in `docs/spec/exchange.md`; their envelope in `sync.envelope`."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from shared.errors import PeerError
from shared.journal.entry import ENTRY_SIZE_MAX_BYTES
from shared.journal.note import NOTE_SIZE_MAX_BYTES
from shared.journal.rotation import ROTATIONS_MAX
from sync.envelope import UNREADABLE

VERSION: Final = 1
TOKEN_SIZE_BYTES: Final = 32
NONCE_SIZE_BYTES: Final = 16
WINDOW_ENTRIES_MAX: Final = 256
WINDOW_SIZE_MAX_BYTES: Final = 512 * 1024
"""A window is full at whichever comes first: entries, or bytes of data and signatures."""
PROOF_HASHES_MAX: Final = 64
FEEDS_MAX: Final = 8

Status = Literal["ok", "resume", "quarantined", "stale"]
"""What became of a request.

`ok`           all of it is stored and cosigned.
`resume`       central holds less than the request starts at; send again from `next`. Nothing was stored.
`quarantined`  what was new is stored aside; nothing is cosigned until a person has decided.
`stale`        these very bytes were answered so long ago that the answer is gone: the asker was restored from an image.
"""

_Hash = Annotated[bytes, Meta(min_length=32, max_length=32)]
_Token = Annotated[bytes, Meta(min_length=TOKEN_SIZE_BYTES, max_length=TOKEN_SIZE_BYTES)]
_Index = Annotated[int, Meta(ge=0, le=2**53)]
_Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
_Note = Annotated[str, Meta(max_length=NOTE_SIZE_MAX_BYTES, pattern=r"^[^\x00]*$")]
SignedPair = tuple[Annotated[bytes, Meta(max_length=ENTRY_SIZE_MAX_BYTES)], Annotated[bytes, Meta(max_length=128)]]
"""An entry's exact bytes and its signature."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a box sends: the window of entries after `first`, and where it stands in its feeds."""

    v: int
    journal: _Name
    boot: _Name
    nonce: Annotated[bytes, Meta(min_length=NONCE_SIZE_BYTES, max_length=NONCE_SIZE_BYTES)]
    """Random: two copies of one box never make the same bytes."""
    token: _Token | None
    """The ratchet token of the last answer; none on a stick."""
    checkpoint: _Note
    """A note signed by the journal's key, of the size at the window's end."""
    proof_from: _Index
    proof: Annotated[tuple[_Hash, ...], Meta(max_length=PROOF_HASHES_MAX)]
    """Consistency proof from the tree of `proof_from` to the checkpoint's."""
    witnessed: _Note
    """The newest note that central cosigned, empty before the first: proof against a central that lost its state."""
    first: _Index
    entries: Annotated[tuple[SignedPair, ...], Meta(max_length=WINDOW_ENTRIES_MAX)]
    rotations: Annotated[tuple[SignedPair, ...], Meta(max_length=ROTATIONS_MAX)] = ()
    """Every `key.rotated` of the journal, in order: who signs, also where central has not seen them yet."""
    feeds: Annotated[dict[_Name, _Index], Meta(max_length=FEEDS_MAX)]
    """The index the box needs next of each feed."""
    sent_at: _Name


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """What central answers."""

    v: int
    request_sha256: _Hash
    """Which request this answers: SHA-256 of its payload."""
    status: Status
    next: _Index
    """The entry central wants next."""
    checkpoint: _Note
    """The request's checkpoint with central's cosignature; empty unless `ok`."""
    token: _Token | None
    """What the next request must carry; none keeps the old one."""
    feeds: Annotated[dict[_Name, tuple[SignedPair, ...]], Meta(max_length=FEEDS_MAX)]
    more: bool
    """Whether a feed holds more than fitted."""
    central_time: _Name
    successor: _Name | None = None
    """The journal that has taken over from this one: its box takes no money any more, whatever it still sends."""


_REQUEST = msgspec.msgpack.Decoder(Request)
_RESPONSE = msgspec.msgpack.Decoder(Response)


def decode_request(payload: bytes) -> Request:
    """Return the request of a payload. Raises PeerError `exchange.malformed`, `exchange.other_version`."""
    try:
        request = _REQUEST.decode(payload)
    except UNREADABLE as error:
        raise PeerError("exchange.malformed", why=str(error)) from error
    if request.v != VERSION:
        raise PeerError("exchange.other_version", version=request.v)
    return request


def decode_response(payload: bytes) -> Response:
    """Return the response of a payload. Raises PeerError `exchange.malformed`, `exchange.other_version`."""
    try:
        response = _RESPONSE.decode(payload)
    except UNREADABLE as error:
        raise PeerError("exchange.malformed", why=str(error)) from error
    if response.v != VERSION:
        raise PeerError("exchange.other_version", version=response.v)
    return response
