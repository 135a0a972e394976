"""The form in which every message travels: signed over its exact bytes, then compressed.

    wire      = zlib(envelope)
    envelope  = msgpack {payload: bytes, signature: bytes}
    signature = Ed25519 over DSSE PAE(payload type, payload)

The payload's bytes are made once and kept; nobody encodes again to verify. The message's identity is the SHA-256 of its
payload, so squeezing the same message differently does not make another message of it.
"""

import hashlib
import zlib
from collections.abc import Callable
from typing import Final

import msgspec

from shared.errors import IntegrityError, PeerError
from shared.journal.entry import check_signature, pre_authentication

EXCHANGE_REQUEST: Final = "application/vnd.daftar.exchange-request.v1+msgpack"
EXCHANGE_RESPONSE: Final = "application/vnd.daftar.exchange-response.v1+msgpack"
ENROLMENT_REQUEST: Final = "application/vnd.daftar.enrolment-request.v1+msgpack"
ENROLMENT_RESPONSE: Final = "application/vnd.daftar.enrolment-response.v1+msgpack"
"""Constant payload types: a signature over one kind of message is never one over another, nor over an entry."""

WIRE_MEDIA_TYPE: Final = "application/vnd.daftar.envelope.v1+zlib"
REQUEST_SIZE_MAX_BYTES: Final = 1024 * 1024
RESPONSE_SIZE_MAX_BYTES: Final = 2 * 1024 * 1024
"""Limits of a message both on the wire and unpacked."""

Sign = Callable[[bytes], bytes]

_ENCODER = msgspec.msgpack.Encoder(order="deterministic")

UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What a decoder raises on hostile bytes: another shape, another encoding, a nest too deep."""


class Envelope(msgspec.Struct, frozen=True):
    """A message's payload and the signature over it."""

    payload: bytes
    signature: bytes

    @property
    def sha256(self) -> bytes:
        """Return the message's identity."""
        return hashlib.sha256(self.payload).digest()


_DECODER = msgspec.msgpack.Decoder(Envelope)


def encode_payload(message: msgspec.Struct) -> bytes:
    """Return a message's deterministic msgpack."""
    return _ENCODER.encode(message)


def pack(payload_type: str, payload: bytes, sign: Sign) -> bytes:
    """Return the wire bytes of a signed payload."""
    envelope = Envelope(payload, sign(pre_authentication(payload_type, payload)))
    return zlib.compress(_ENCODER.encode(envelope))


def unpack(wire: bytes, *, size_max_bytes: int) -> Envelope:
    """Return the envelope of wire bytes; verifies nothing. Raises PeerError `exchange.too_large`, `exchange.malformed`.

    No more than the limit is ever unpacked, whatever the bytes promise.
    """
    if len(wire) > size_max_bytes:
        raise PeerError("exchange.too_large", size_bytes=len(wire), size_max_bytes=size_max_bytes)
    inflater = zlib.decompressobj()
    try:
        packed = inflater.decompress(wire, size_max_bytes + 1)
    except zlib.error as error:
        raise PeerError("exchange.malformed", why="not compressed") from error
    if len(packed) > size_max_bytes:
        raise PeerError("exchange.too_large", size_bytes=len(packed), size_max_bytes=size_max_bytes)
    if not inflater.eof or inflater.unused_data:
        raise PeerError("exchange.malformed", why="cut or followed by something")
    try:
        return _DECODER.decode(packed)
    except UNREADABLE as error:
        raise PeerError("exchange.malformed", why=str(error)) from error


def verify(envelope: Envelope, payload_type: str, public_key: bytes) -> None:
    """Check the envelope's signature. Raises PeerError `exchange.wrong_signature`."""
    try:
        check_signature(public_key, payload_type, envelope.payload, envelope.signature)
    except IntegrityError as error:
        raise PeerError("exchange.wrong_signature") from error
