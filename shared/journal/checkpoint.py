"""C2SP tlog-checkpoint v1.0.0: origin, tree size and root hash as the text of a signed note."""

import base64
import binascii
from typing import Final

import msgspec

from shared.errors import IntegrityError
from shared.journal.note import Note

_ROOT_SIZE_BYTES: Final = 32
_LINES_MIN: Final = 3


class Checkpoint(msgspec.Struct, frozen=True):
    """What a log claims: that its first `size` entries have this root."""

    origin: str
    size: int
    root: bytes


def checkpoint_text(checkpoint: Checkpoint) -> str:
    """Return the note text: three lines."""
    return f"{checkpoint.origin}\n{checkpoint.size}\n{base64.b64encode(checkpoint.root).decode()}\n"


def parse_checkpoint(note: Note) -> Checkpoint:
    """Return the checkpoint a note carries. Raises IntegrityError `checkpoint.malformed`."""
    malformed = IntegrityError("checkpoint.malformed")
    lines = note.text.split("\n")
    if len(lines) <= _LINES_MIN or not lines[0]:
        raise malformed
    size = lines[1]
    if not size.isascii() or not size.isdecimal() or (size != "0" and size.startswith("0")):
        raise malformed
    try:
        root = base64.b64decode(lines[2], validate=True)
    except (ValueError, binascii.Error) as error:
        raise malformed from error
    if len(root) != _ROOT_SIZE_BYTES:
        raise malformed
    return Checkpoint(lines[0], int(size), root)
