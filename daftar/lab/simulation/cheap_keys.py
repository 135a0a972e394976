"""Signatures and seals that cost next to nothing and prove nothing: the simulation asks when, never how well.

With Ed25519 most of a simulated day would be curve arithmetic. `cheap_keys` puts a hash in its place, behind the same
calls: where the box's key is made and where signatures are checked. Who knows a public key can sign; nobody here does.
What is sealed for a service can be opened by whoever knows the public key, and is the same bytes each time.
"""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from daftar.lab import witness
from daftar.lab.box import IDENTITY
from daftar.lab.patching import patched
from edge.journal import signer
from edge.services.sales import open_answer, sell_service
from shared.errors import IntegrityError
from shared.journal import entry, note
from shared.sealed import Sealed

KEY_BYTES: Final = hashlib.sha256(b"daftar lab cheap box").digest()
"""What stands in the box's key file."""


class CheapPublicKey:
    """In the place of Ed25519PublicKey."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    @classmethod
    def from_public_bytes(cls, raw: bytes) -> "CheapPublicKey":
        """Take the 32 bytes of a key."""
        return cls(raw)

    def public_bytes(self, *_: object) -> bytes:
        """Return them."""
        return self._raw

    def public_bytes_raw(self) -> bytes:
        """Return them."""
        return self._raw

    def public_key(self) -> "CheapPublicKey":
        """Return itself: the lab's central signs with it too."""
        return self

    def sign(self, data: bytes) -> bytes:
        """Return 64 bytes."""
        return hashlib.sha512(self._raw + data).digest()

    def verify(self, signature: bytes, data: bytes) -> None:
        """Raise InvalidSignature when the bytes are not those of `sign`."""
        if signature != self.sign(data):
            raise InvalidSignature


class CheapPrivateKey:
    """In the place of Ed25519PrivateKey."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._public = CheapPublicKey(hashlib.sha256(raw).digest())

    @classmethod
    def from_private_bytes(cls, raw: bytes) -> "CheapPrivateKey":
        """Take the 32 bytes of a key."""
        return cls(raw)

    def private_bytes(self, *_: object) -> bytes:
        """Return them."""
        return self._raw

    def public_key(self) -> CheapPublicKey:
        """Return the key to check with."""
        return self._public

    def sign(self, data: bytes) -> bytes:
        """Return 64 bytes."""
        return self._public.sign(data)


PUBLIC_KEY: Final = CheapPrivateKey(KEY_BYTES).public_key().public_bytes_raw()
CHEAP_IDENTITY: Final = msgspec.structs.replace(IDENTITY, public_key=PUBLIC_KEY.hex())


_TAG_BYTES: Final = 8


def cheap_seal(plaintext: bytes, *, key_id: str, public_key: bytes, purpose: str) -> Sealed:
    """Do as `shared.sealed.seal`, for anybody to open who knows the public key."""
    return Sealed(key_id=key_id, ciphertext=base64.b64encode(_veiled(plaintext, public_key, purpose)).decode())


def cheap_open(sealed: Sealed, *, public_key: bytes, purpose: str) -> bytes:
    """Return the plaintext. Raises IntegrityError `sealed.cannot_open` for a wrong key, purpose or altered bytes."""
    data = base64.b64decode(sealed.ciphertext)
    plaintext = _veiled(data[_TAG_BYTES:], public_key, purpose)[_TAG_BYTES:]
    if _veiled(plaintext, public_key, purpose) != data:
        raise IntegrityError("sealed.cannot_open", key_id=sealed.key_id)
    return plaintext


def _cheap_unseal(sealed: Sealed, *, private_key: bytes, purpose: str) -> bytes:
    return cheap_open(sealed, public_key=_public_half(private_key), purpose=purpose)


def _veiled(text: bytes, public_key: bytes, purpose: str) -> bytes:
    """Return a tag of the key, purpose and size, and the text under a veil that the same call takes off again."""
    veil = hashlib.shake_128(public_key + purpose.encode()).digest(_TAG_BYTES + len(text))
    mixed = int.from_bytes(text, "big") ^ int.from_bytes(veil[_TAG_BYTES:], "big")
    return veil[:_TAG_BYTES] + mixed.to_bytes(len(text), "big")


@cache
def _public_half(private_key: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw()


@contextmanager
def cheap_keys() -> Iterator[None]:
    """Sign, check and seal cheaply, at the box and at the lab's central."""
    keys = {
        name: CheapPublicKey(key.public_key().public_bytes_raw())
        for name, key in witness._KEYS.items()  # noqa: SLF001 - the lab's own
    }
    with ExitStack() as stack:
        for owner, name, value in (
            (witness, "_KEYS", keys),
            (signer, "Ed25519PrivateKey", CheapPrivateKey),
            (entry, "_verifier", CheapPublicKey),
            (note, "Ed25519PublicKey", CheapPublicKey),
            (sell_service, "seal", cheap_seal),
            (open_answer, "unseal", _cheap_unseal),
        ):
            stack.enter_context(patched(owner, name, value))
        yield
