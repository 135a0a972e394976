"""Central's own keys: one folder (0700) of files (0600), each 64 hex digits of a 32-byte private key.

    witness.key    Ed25519   cosigns the journals' checkpoints
    feed.key       Ed25519   signs the feeds' entries, and nothing else
    exchange.key   Ed25519   signs answers: exchanges and enrolments
    wrapping.key   X25519    the offices' monthly data keys are wrapped to it

Keys are never in the database: a copy of it lets nobody sign as central, nor read personal data.
"""

import contextlib
import os
import stat
import tempfile
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from shared.entropy import Entropy
from shared.errors import IntegrityError
from shared.journal.cosignature import witness_key
from shared.journal.note import NoteKey
from sync.enrolment import CentralTrust

DEFAULT_NAME: Final = "daftar.central"
"""Name of central in its keys' names: `daftar.central/witness` and so on."""
_KEY_SIZE_BYTES: Final = 32
_OWNER_ONLY: Final = 0o600


class SigningKey:
    """An Ed25519 private key with the name it signs under."""

    def __init__(self, key: NoteKey, private: Ed25519PrivateKey) -> None:
        self.key = key
        self._private = private

    @property
    def public_key(self) -> bytes:
        """Return the 32-byte public key."""
        return self.key.public_key

    def sign(self, data: bytes) -> bytes:
        """Return the 64-byte signature over the bytes as they are."""
        return self._private.sign(data)


class CentralKeys(msgspec.Struct, frozen=True):
    """Everything central signs and opens with."""

    witness: SigningKey
    feed: SigningKey
    exchange: SigningKey
    wrapping_private: bytes
    """X25519, 32 bytes."""

    @property
    def wrapping_public(self) -> bytes:
        """Return the X25519 public key, 32 bytes."""
        return X25519PrivateKey.from_private_bytes(self.wrapping_private).public_key().public_bytes_raw()

    def trust(self) -> CentralTrust:
        """Return the public halves, as boxes get them at enrolment."""
        return CentralTrust(
            witness=self.witness.key.text(),
            feed=self.feed.key.text(),
            exchange=self.exchange.key.text(),
            wrapping=self.wrapping_public.hex(),
        )


def open_keys(folder: Path, entropy: Entropy, *, name: str = DEFAULT_NAME) -> CentralKeys:
    """Return the keys of a folder, making those that are missing.

    Raises IntegrityError `central.bad_key_file`, and `signer.unsafe` for a key that others may read: it may be theirs.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def signing(role: str, *, cosigns: bool = False) -> SigningKey:
        private = Ed25519PrivateKey.from_private_bytes(_private_bytes(folder / f"{role}.key", entropy))
        public = private.public_key().public_bytes_raw()
        full_name = f"{name}/{role}"
        return SigningKey(witness_key(full_name, public) if cosigns else NoteKey(full_name, public), private)

    return CentralKeys(
        witness=signing("witness", cosigns=True),
        feed=signing("feed"),
        exchange=signing("exchange"),
        wrapping_private=_private_bytes(folder / "wrapping.key", entropy),
    )


def _private_bytes(path: Path, entropy: Entropy) -> bytes:
    if not path.exists():
        _write_new(path, entropy.token_bytes(_KEY_SIZE_BYTES).hex())
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & ~_OWNER_ONLY:
        raise IntegrityError("signer.unsafe", path=str(path), mode=oct(mode))
    try:
        raw = bytes.fromhex(path.read_text().strip())
    except ValueError as error:
        raise IntegrityError("central.bad_key_file", path=str(path)) from error
    if len(raw) != _KEY_SIZE_BYTES:
        raise IntegrityError("central.bad_key_file", path=str(path))
    return raw


def _write_new(path: Path, text: str) -> None:
    """Write a file that appears whole or not at all, readable by us only; of two writers the first wins."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    half_made = Path(name)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(half_made)
    finally:
        half_made.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
