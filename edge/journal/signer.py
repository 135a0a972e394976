"""The box's signing key behind a port. The one built: a file only its owner may read.

The key never leaves the box and is in no backup. A chip that signs, or a file sealed by the machine, fits the port too.
"""

import os
import stat
from pathlib import Path
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from shared.entropy import Entropy
from shared.errors import IntegrityError, OperatorError

KEY_SIZE_BYTES: Final = 32
_OWNER_ONLY: Final = 0o600


class Signer(Protocol):
    """Whoever signs for the box."""

    @property
    def public_key(self) -> bytes:
        """The 32-byte Ed25519 public key."""

    def sign(self, data: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature over exactly these bytes."""


class FileSigner:
    """Signs with a key kept in a file of 32 raw bytes, mode 0600."""

    def __init__(self, private_key: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(private_key)
        self._public_key = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def public_key(self) -> bytes:
        """The 32-byte Ed25519 public key."""
        return self._public_key

    def sign(self, data: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature."""
        return self._key.sign(data)

    def __repr__(self) -> str:
        """Return the public key only; a private key must never reach a log."""
        return f"FileSigner({self._public_key.hex()})"

    @classmethod
    def create(cls, path: Path, entropy: Entropy) -> "FileSigner":
        """Make a key and its file, durable when this returns. Raises OperatorError `signer.exists`."""
        key = Ed25519PrivateKey.from_private_bytes(entropy.token_bytes(KEY_SIZE_BYTES))
        raw = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        except FileExistsError as error:
            raise OperatorError("signer.exists", path=str(path)) from error
        with os.fdopen(file, "wb") as stream:
            stream.write(raw)
            stream.flush()
            os.fsync(stream.fileno())
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return cls(raw)

    @classmethod
    def load(cls, path: Path) -> "FileSigner":
        """Read the key. Raises OperatorError `signer.missing`, IntegrityError `signer.unsafe` or `signer.malformed`."""
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
            raw = path.read_bytes()
        except FileNotFoundError as error:
            raise OperatorError("signer.missing", path=str(path)) from error
        if mode & ~_OWNER_ONLY:
            raise IntegrityError("signer.unsafe", path=str(path), mode=oct(mode))
        if len(raw) != KEY_SIZE_BYTES:
            raise IntegrityError("signer.malformed", path=str(path))
        return cls(raw)
