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
_NEXT: Final = ".next"
"""What a rotation's new key is called beside the old one until it has taken its place."""
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
        _sync_folder(path)
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

    @classmethod
    def load_current(cls, path: Path, public_key: bytes) -> "FileSigner":
        """Read the key whose public half this is, also where a rotation was cut off before it took its place.

        Raises what `load` raises, IntegrityError `signer.other_key` when neither is it. Changes nothing.
        """
        signer = cls.load(path)
        unfinished = next_key_path(path)
        if signer.public_key != public_key and unfinished.exists():
            signer = cls.load(unfinished)
        if signer.public_key != public_key:
            raise IntegrityError("signer.other_key", wanted=public_key.hex(), found=cls.load(path).public_key.hex())
        return signer


def next_key_path(path: Path) -> Path:
    """Return where a rotation keeps its new key until it takes the place of the one at `path`."""
    return path.with_name(path.name + _NEXT)


def make_next(path: Path, entropy: Entropy) -> FileSigner:
    """Make the key that is to follow the one at `path`, durable when this returns. Undoes a rotation never journaled.

    Only for whoever holds the store's lock, after `settle_next`.
    """
    unfinished = next_key_path(path)
    unfinished.unlink(missing_ok=True)
    return FileSigner.create(unfinished, entropy)


def settle_next(path: Path, public_key: bytes) -> FileSigner:
    """Finish or undo a rotation that was cut off: return the signer of the journal's newest key, alone in its folder.

    Only for whoever holds the store's lock. Raises what `FileSigner.load_current` raises; changes nothing then.
    """
    signer = FileSigner.load_current(path, public_key)
    unfinished = next_key_path(path)
    if unfinished.exists():
        if FileSigner.load(path).public_key == public_key:
            unfinished.unlink()
        else:
            unfinished.replace(path)
        _sync_folder(path)
    return signer


def _sync_folder(path: Path) -> None:
    """Make the names beside `path` durable."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
