"""Enrolment: a single-use code binds a box's key to an office. Messages, and what the box trusts from then on.

The request is signed by the box's new key: proof that it holds it. A code serves one key, for ever: the same key may
ask again with the same code and gets the same binding, so a lost reply costs nothing; another key is refused.
"""

import re
from collections.abc import Callable
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from shared.entropy import Entropy
from shared.errors import IntegrityError, PeerError
from shared.journal.note import COSIGNATURE_V1, ED25519, NoteKey, parse_key
from sync.envelope import (
    ENROLMENT_REQUEST,
    ENROLMENT_RESPONSE,
    RESPONSE_SIZE_MAX_BYTES,
    UNREADABLE,
    encode_payload,
    pack,
    unpack,
    verify,
)

VERSION: Final = 1
CODE_LETTERS: Final = 12
_NONCE_SIZE_BYTES: Final = 16
_KEY_SIZE_BYTES: Final = 32
_Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class CentralTrust(msgspec.Struct, frozen=True, kw_only=True):
    """Central's public keys: note keys as `name+hash+key` texts, the wrapping key as 64 hex digits (X25519)."""

    witness: str
    feed: str
    exchange: str
    wrapping: str

    def witness_key(self) -> NoteKey:
        """Return the key that cosigns. Raises IntegrityError `note.bad_key`."""
        return _key(self.witness, COSIGNATURE_V1)

    def feed_key(self) -> NoteKey:
        """Return the key that signs feed entries. Raises IntegrityError `note.bad_key`."""
        return _key(self.feed, ED25519)

    def exchange_key(self) -> NoteKey:
        """Return the key that signs answers. Raises IntegrityError `note.bad_key`."""
        return _key(self.exchange, ED25519)

    def wrapping_key(self) -> bytes:
        """Return the X25519 public key that data keys are wrapped to. Raises IntegrityError `note.bad_key`."""
        try:
            raw = bytes.fromhex(self.wrapping)
        except ValueError as error:
            raise IntegrityError("note.bad_key") from error
        if len(raw) != _KEY_SIZE_BYTES:
            raise IntegrityError("note.bad_key")
        return raw


def _key(text: str, algorithm: int) -> NoteKey:
    key = parse_key(text)
    if key.algorithm != algorithm:
        raise IntegrityError("note.bad_key")
    return key


class EnrolmentRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A box asks to belong to the office that the code was issued for."""

    v: int
    code: _Name
    public_key: Annotated[bytes, Meta(min_length=_KEY_SIZE_BYTES, max_length=_KEY_SIZE_BYTES)]
    software: _Name
    nonce: Annotated[bytes, Meta(min_length=_NONCE_SIZE_BYTES, max_length=_NONCE_SIZE_BYTES)]


class Enrolment(msgspec.Struct, frozen=True, kw_only=True):
    """What the box is from now on, and whom it believes."""

    v: int
    request_sha256: bytes
    office: str
    office_name: str
    box: str
    journal: str
    token: bytes
    """The first ratchet token."""
    feeds: tuple[str, ...]
    """The feeds this box reads."""
    trust: CentralTrust
    predecessor: str | None = None
    """The journal that this one takes over from, when the code was to replace a box."""
    predecessor_cosigned_size: Annotated[int, Meta(ge=0)] | None = None
    """How much of it central had cosigned by then."""
    feed_size: Annotated[int, Meta(ge=0)] = 0
    """Entries of the office's feed that the box reads before it takes money: what the office's other journals hold."""


_REQUEST = msgspec.msgpack.Decoder(EnrolmentRequest)
_ENROLMENT = msgspec.msgpack.Decoder(Enrolment)


def normal_code(code: str) -> str:
    """Return a code as it was issued, however a person typed it. Raises PeerError `enrolment.code_unknown`."""
    letters = re.sub(r"[\s-]", "", code).lower()
    if not re.fullmatch(rf"[a-z2-9]{{{CODE_LETTERS}}}", letters):
        raise PeerError("enrolment.code_unknown")
    return "-".join(letters[start : start + 4] for start in range(0, CODE_LETTERS, 4))


def enrolment_request(
    *, code: str, public_key: bytes, software: str, entropy: Entropy, sign: Callable[[bytes], bytes]
) -> bytes:
    """Return the wire bytes of a request."""
    request = EnrolmentRequest(
        v=VERSION,
        code=normal_code(code),
        public_key=public_key,
        software=software,
        nonce=entropy.token_bytes(_NONCE_SIZE_BYTES),
    )
    return pack(ENROLMENT_REQUEST, encode_payload(request), sign)


def decode_enrolment_request(payload: bytes) -> EnrolmentRequest:
    """Return the request, unverified. Raises PeerError `exchange.malformed`, `exchange.other_version`."""
    try:
        request = _REQUEST.decode(payload)
    except UNREADABLE as error:
        raise PeerError("exchange.malformed", why=str(error)) from error
    if request.v != VERSION:
        raise PeerError("exchange.other_version", version=request.v)
    return request


def read_enrolment(wire: bytes, *, request_wire: bytes) -> Enrolment:
    """Return central's answer to our request.

    The answer is signed by the key it names as central's: the box has no older word to check it by. That the code
    reached its issuer is what the address it was sent to vouches for, once. Raises PeerError `exchange.malformed`,
    `exchange.too_large`, `exchange.wrong_signature`, `exchange.other_answer`; IntegrityError `note.bad_key`.
    """
    envelope = unpack(wire, size_max_bytes=RESPONSE_SIZE_MAX_BYTES)
    try:
        enrolment = _ENROLMENT.decode(envelope.payload)
    except UNREADABLE as error:
        raise PeerError("exchange.malformed", why=str(error)) from error
    verify(envelope, ENROLMENT_RESPONSE, enrolment.trust.exchange_key().public_key)
    for key in (enrolment.trust.witness_key, enrolment.trust.feed_key, enrolment.trust.wrapping_key):
        key()
    if enrolment.v != VERSION:
        raise PeerError("exchange.other_version", version=enrolment.v)
    if enrolment.request_sha256 != unpack(request_wire, size_max_bytes=RESPONSE_SIZE_MAX_BYTES).sha256:
        raise PeerError("exchange.other_answer")
    return enrolment
