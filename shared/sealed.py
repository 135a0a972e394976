"""Personal data at rest: sealed to a key, opened by whoever holds its private half.

HPKE base mode (RFC 9180) with X25519, HKDF-SHA256, ChaCha20-Poly1305: fast on a cheap ARM core without AES
instructions. The office's data key is made monthly on the box and its private half is wrapped to central; the box
forgets old ones, so a stolen card shows no national code older than its window.
"""

import base64

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from shared.errors import IntegrityError

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_INFO_PREFIX = b"daftar/sealed/v1|"


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """Sealed bytes and the name of the key they are sealed to."""

    key_id: str
    ciphertext: str
    """Base64 of HPKE `enc || ct`."""


def seal(plaintext: bytes, *, key_id: str, public_key: bytes, purpose: str) -> Sealed:
    """Return the plaintext sealed to a 32-byte X25519 public key. `purpose` must be named again to open it."""
    key = X25519PublicKey.from_public_bytes(public_key)
    ciphertext = _SUITE.encrypt(plaintext, key, _INFO_PREFIX + purpose.encode())
    return Sealed(key_id=key_id, ciphertext=base64.b64encode(ciphertext).decode())


def unseal(sealed: Sealed, *, private_key: bytes, purpose: str) -> bytes:
    """Return the plaintext. Raises IntegrityError `sealed.cannot_open` for a wrong key, purpose or altered bytes."""
    key = X25519PrivateKey.from_private_bytes(private_key)
    try:
        return _SUITE.decrypt(base64.b64decode(sealed.ciphertext), key, _INFO_PREFIX + purpose.encode())
    except (InvalidTag, ValueError) as error:
        raise IntegrityError("sealed.cannot_open", key_id=sealed.key_id) from error
