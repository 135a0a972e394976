"""C2SP signed note v1.0.0: a text, and lines that sign it.

    <text, each line ended by a newline>
    <empty line>
    — <key name> <base64(4-byte key id || signature)>

Only Ed25519 (type 0x01) notes are *made* here; lines of unknown keys are kept and ignored, as the specification asks.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.errors import IntegrityError

ED25519: Final = 0x01
COSIGNATURE_V1: Final = 0x04
NOTE_SIZE_MAX_BYTES: Final = 16 * 1024
_KEY_ID_SIZE_BYTES: Final = 4

Sign = Callable[[bytes], bytes]
"""Make an Ed25519 signature over the bytes."""


class SignatureLine(msgspec.Struct, frozen=True):
    """One signature line: key name, key id, and the signature's bytes."""

    name: str
    key_id: bytes
    signature: bytes


class Note(msgspec.Struct, frozen=True):
    """A parsed note. `text` includes its last newline."""

    text: str
    signatures: tuple[SignatureLine, ...]


class NoteKey(msgspec.Struct, frozen=True):
    """A key that signs notes: its name, its algorithm byte and its 32-byte public key."""

    name: str
    public_key: bytes
    algorithm: int = ED25519

    @property
    def key_id(self) -> bytes:
        """Return SHA-256(name || 0x0A || algorithm || public key)[:4]."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public_key).digest()[
            :_KEY_ID_SIZE_BYTES
        ]

    def text(self) -> str:
        """Return the verifier key `name+hash+key`, the form that is handed to people."""
        encoded = base64.b64encode(bytes([self.algorithm]) + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"


def parse_key(text: str) -> NoteKey:
    """Return the key of a `name+hash+key` text. Raises IntegrityError `note.bad_key`."""
    try:
        name, digest, encoded = text.strip().split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise IntegrityError("note.bad_key") from error
    if len(raw) != 33 or not name:  # noqa: PLR2004 - one algorithm byte and 32 of key
        raise IntegrityError("note.bad_key")
    key = NoteKey(name, raw[1:], raw[0])
    if key.key_id.hex() != digest:
        raise IntegrityError("note.bad_key")
    return key


def signature_line(key: NoteKey, signature: bytes) -> SignatureLine:
    """Return the line by which `key` signs."""
    return SignatureLine(key.name, key.key_id, signature)


def sign_note(text: str, key: NoteKey, sign: Sign) -> Note:
    """Return the text signed by one key. The text must end with a newline and hold no control characters."""
    if not text.endswith("\n") or any(ord(letter) < ord(" ") and letter != "\n" for letter in text):
        raise ValueError("a note's text ends with a newline and has no other control characters")
    return Note(text, (signature_line(key, sign(text.encode())),))


def format_note(note: Note) -> str:
    """Return the note as it is stored and sent."""
    lines = [f"— {line.name} {base64.b64encode(line.key_id + line.signature).decode()}\n" for line in note.signatures]
    return note.text + "\n" + "".join(lines)


def parse_note(text: str) -> Note:
    """Return the parts of a formatted note. Raises IntegrityError `note.malformed`. Verifies nothing."""
    malformed = IntegrityError("note.malformed")
    if len(text.encode()) > NOTE_SIZE_MAX_BYTES or not text.endswith("\n"):
        raise malformed
    split = text.rfind("\n\n")
    if split < 0:
        raise malformed
    lines = []
    for line in text[split + 2 :].splitlines():
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error) as error:
            raise malformed from error
        if dash != "—" or not name or len(raw) <= _KEY_ID_SIZE_BYTES:
            raise malformed
        lines.append(SignatureLine(name, raw[:_KEY_ID_SIZE_BYTES], raw[_KEY_ID_SIZE_BYTES:]))
    if not lines:
        raise malformed
    return Note(text[: split + 1], tuple(lines))


def find_signature(note: Note, key: NoteKey) -> SignatureLine | None:
    """Return the line that claims to be by `key`, or None."""
    for line in note.signatures:
        if line.name == key.name and line.key_id == key.key_id:
            return line
    return None


def verify_ed25519(public_key: bytes, signature: bytes, message: bytes) -> None:
    """Check an Ed25519 signature. Raises IntegrityError `signature.wrong`."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise IntegrityError("signature.wrong", payload_type="note") from error


def check_note(note: Note, key: NoteKey) -> None:
    """Check that `key` signed the note. Raises IntegrityError `note.unsigned` or `signature.wrong`."""
    line = find_signature(note, key)
    if line is None:
        raise IntegrityError("note.unsigned", name=key.name)
    verify_ed25519(key.public_key, line.signature, note.text.encode())
