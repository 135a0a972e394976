"""An entry: the envelope around one fact, its exact bytes, its leaf hash and its signature.

Bytes are deterministic JSON, made once by the writer; whoever verifies uses the bytes as they are and never encodes
again. `leaf = SHA-256(0x00 || bytes)` (RFC 6962, 2.1). The Ed25519 signature lies outside the leaf, over the DSSE
pre-authentication encoding (DSSE 1.0.2, protocol.md) with a constant type, so it can never be mistaken for a signature
over anything else.
"""

import hashlib
from functools import lru_cache
from typing import Annotated, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.clock import ClockQuality
from shared.errors import IntegrityError
from shared.events import Body, Count

VERSION: Final = 1
GENESIS_PREV: Final = "0" * 64
JOURNAL_PAYLOAD: Final = "application/vnd.daftar.entry.v1+json"
FEED_PAYLOAD: Final = "application/vnd.daftar.feed.v1+json"
ENTRY_SIZE_MAX_BYTES: Final = 64 * 1024


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry. `prev` is the leaf hash (hex) of the entry before, so a head commits to all the past."""

    v: int
    journal: str
    index: Count
    prev: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
    boot: str
    at: str
    monotonic_ms: Count
    clock: ClockQuality
    type: str
    body: msgspec.Raw


class Signed(msgspec.Struct, frozen=True):
    """An entry's exact bytes and the signature over them."""

    data: bytes
    signature: bytes

    @property
    def leaf(self) -> bytes:
        """Return the RFC 6962 leaf hash of the bytes."""
        return leaf_hash(self.data)


_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER = msgspec.json.Decoder(Entry)


def encode_body(body: Body) -> msgspec.Raw:
    """Return a body's deterministic JSON."""
    return msgspec.Raw(_ENCODER.encode(body))


def encode_entry(entry: Entry) -> bytes:
    """Return the entry's exact bytes: members in the order of `Entry`, nothing optional, UTF-8, no white space."""
    return _ENCODER.encode(entry)


def decode_entry(data: bytes) -> Entry:
    """Return the envelope of well-formed bytes, signed or not. Raises IntegrityError `journal.bad_entry`, nothing else.

    Unknown members and types are carried: the bytes are what counts, and a later release may say more.
    """
    if len(data) > ENTRY_SIZE_MAX_BYTES:
        raise IntegrityError("journal.bad_entry", why="too large", size_bytes=len(data))
    try:
        # The body is not read here, so nothing below would see bytes in it that are no text.
        data.decode()
        entry = _DECODER.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise IntegrityError("journal.bad_entry", why=str(error)) from error
    if entry.v != VERSION:
        raise IntegrityError("journal.bad_entry", why=f"version {entry.v}")
    if not bytes(entry.body).startswith(b"{"):
        raise IntegrityError("journal.bad_entry", why="the body is not an object")
    return entry


def leaf_hash(data: bytes) -> bytes:
    """Return SHA-256(0x00 || data), RFC 6962 section 2.1."""
    return hashlib.sha256(b"\x00" + data).digest()


def pre_authentication(payload_type: str, data: bytes) -> bytes:
    """Return the bytes that are signed: DSSE PAE(type, data)."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(data), data)


@lru_cache(maxsize=64)
def _verifier(public_key: bytes) -> Ed25519PublicKey:
    """Return the key ready for use: making it costs about as much as one check, and a journal has one key."""
    return Ed25519PublicKey.from_public_bytes(public_key)


def check_signature(public_key: bytes, payload_type: str, data: bytes, signature: bytes) -> None:
    """Check an Ed25519 signature over PAE. Raises IntegrityError `signature.wrong`."""
    try:
        _verifier(public_key).verify(signature, pre_authentication(payload_type, data))
    except (InvalidSignature, ValueError) as error:
        raise IntegrityError("signature.wrong", payload_type=payload_type) from error
