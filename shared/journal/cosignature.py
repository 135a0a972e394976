r"""C2SP tlog-cosignature, cosignature/v1: a witness's statement that it saw this checkpoint, at this time.

Signed message: `cosignature/v1\ntime <seconds>\n` + the checkpoint's text. The line's signature bytes are the time
as 8 bytes big-endian followed by 64 bytes of Ed25519.
"""

from typing import Final

from shared.errors import IntegrityError
from shared.journal.note import COSIGNATURE_V1, Note, NoteKey, Sign, find_signature, signature_line, verify_ed25519

_TIME_SIZE_BYTES: Final = 8
_SIGNATURE_SIZE_BYTES: Final = 64


def _message(text: str, time_s: int) -> bytes:
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def witness_key(name: str, public_key: bytes) -> NoteKey:
    """Return the key by which a witness cosigns."""
    return NoteKey(name, public_key, COSIGNATURE_V1)


def cosign(note: Note, key: NoteKey, sign: Sign, *, time_s: int) -> Note:
    """Return the note with one more line: `key` saw it at `time_s` (seconds since 1970)."""
    signature = time_s.to_bytes(_TIME_SIZE_BYTES, "big") + sign(_message(note.text, time_s))
    return Note(note.text, (*note.signatures, signature_line(key, signature)))


def check_cosignature(note: Note, key: NoteKey) -> int:
    """Return the time of a right cosignature. Raises IntegrityError `note.unsigned` or `signature.wrong`."""
    line = find_signature(note, key)
    if line is None:
        raise IntegrityError("note.unsigned", name=key.name)
    if len(line.signature) != _TIME_SIZE_BYTES + _SIGNATURE_SIZE_BYTES:
        raise IntegrityError("signature.wrong", payload_type="cosignature")
    time_s = int.from_bytes(line.signature[:_TIME_SIZE_BYTES], "big")
    verify_ed25519(key.public_key, line.signature[_TIME_SIZE_BYTES:], _message(note.text, time_s))
    return time_s
