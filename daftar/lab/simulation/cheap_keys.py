"""Signatures that cost next to nothing and prove nothing: the simulation asks when something is signed, never how well.

With Ed25519 most of a simulated day would be curve arithmetic. `cheap_keys` puts a hash in its place, behind the same
calls: where the box's key is made and where signatures are checked. Who knows a public key can sign; nobody here does.
"""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature

from daftar.lab import witness
from daftar.lab.box import IDENTITY
from daftar.lab.patching import patched
from edge.journal import signer
from shared.journal import entry, note

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


@contextmanager
def cheap_keys() -> Iterator[None]:
    """Sign and check cheaply, at the box and at the lab's central."""
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
        ):
            stack.enter_context(patched(owner, name, value))
        yield
