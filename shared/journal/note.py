"""C2SP signed note v1.0.0: a text, and lines that sign it.

    <text, each line ended by a newline>
    <empty line>
    — <key name> <base64(4-byte key id || signature)>

Only Ed25519 (type 0x01) notes are *made* here; lines of unknown keys are kept and ignored, as the specification asks.
Parsing takes hostile text: every refusal is an IntegrityError with a code, nothing else escapes.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.errors import IntegrityError

ED25519: Final = 0x01
COSIGNATURE_V1: Final = 0x04
NOTE_SIZE_MAX_BYTES: Final = 16 * 1024
SIGNATURES_MAX: Final = 100
_KEY_ID_SIZE_BYTES: Final = 4

_PUBLIC_KEY_SIZE_BYTES: Final = 32
_NOT_TEXT: Final = re.compile("[\x00-\x09\x0b-\x1f\ud800-\udfff]")

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


def _is_key_name(name: str) -> bool:
    """Return whether the text can name a key: not empty, no white space, no plus sign, and UTF-8 can hold it."""
    return bool(name) and "+" not in name and not any(map(str.isspace, name)) and _is_text(name)


def _is_text(text: str) -> bool:
    """Return whether the text has no control characters but newlines, and UTF-8 can hold it."""
    return _NOT_TEXT.search(text) is None


def parse_key(text: str) -> NoteKey:
    """Return the key of a `name+hash+key` text. Raises IntegrityError `note.bad_key`."""
    try:
        name, digest, encoded = text.strip().split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise IntegrityError("note.bad_key") from error
    if len(raw) != 1 + _PUBLIC_KEY_SIZE_BYTES or not _is_key_name(name):
        raise IntegrityError("note.bad_key")
    key = NoteKey(name, raw[1:], raw[0])
    if key.key_id.hex() != digest or key.text() != text.strip():
        raise IntegrityError("note.bad_key")
    return key


def signature_line(key: NoteKey, signature: bytes) -> SignatureLine:
    """Return the line by which `key` signs."""
    return SignatureLine(key.name, key.key_id, signature)


def sign_note(text: str, key: NoteKey, sign: Sign) -> Note:
    """Return the text signed by one key. The text must end with a newline and hold no control characters."""
    if not text.endswith("\n") or not _is_text(text) or not _is_key_name(key.name):
        raise ValueError("a note's text ends with a newline and has no other control characters; a name has no spaces")
    return Note(text, (signature_line(key, sign(text.encode())),))


def format_note(note: Note) -> str:
    """Return the note as it is stored and sent."""
    lines = [f"— {line.name} {base64.b64encode(line.key_id + line.signature).decode()}\n" for line in note.signatures]
    return note.text + "\n" + "".join(lines)


def parse_note(text: str) -> Note:
    """Return the parts of a formatted note. Raises IntegrityError `note.malformed`. Verifies nothing."""
    malformed = IntegrityError("note.malformed")
    if not _is_text(text) or len(text.encode()) > NOTE_SIZE_MAX_BYTES or not text.endswith("\n"):
        raise malformed
    # Signature lines are not empty, so the last empty line is the one before them.
    signed, empty, signatures = text.rpartition("\n\n")
    lines = signatures.removesuffix("\n").split("\n")
    if not empty or not signatures or len(lines) > SIGNATURES_MAX:
        raise malformed
    return Note(signed + "\n", tuple(_parse_signature_line(line) for line in lines))


def _parse_signature_line(line: str) -> SignatureLine:
    """Return the parts of one signature line. Raises IntegrityError `note.malformed`."""
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise IntegrityError("note.malformed") from error
    if dash != "—" or not _is_key_name(name) or len(raw) <= _KEY_ID_SIZE_BYTES:
        raise IntegrityError("note.malformed")
    return SignatureLine(name, raw[:_KEY_ID_SIZE_BYTES], raw[_KEY_ID_SIZE_BYTES:])


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
