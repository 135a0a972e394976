"""C2SP tlog-checkpoint v1.0.0: origin, tree size and root hash as the text of a signed note."""

import base64
import binascii
from typing import Final

import msgspec

from shared.errors import IntegrityError
from shared.journal.note import Note
from shared.text import is_digits

_ROOT_SIZE_BYTES: Final = 32
_LINES_MIN: Final = 3
_SIZE_MAX: Final = 2**63 - 1
"""A tree larger than this is nobody's: sizes are kept in signed 64-bit columns."""


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
    if len(size) > len(str(_SIZE_MAX)) or not is_digits(size) or (size != "0" and size.startswith("0")):
        raise malformed
    try:
        root = base64.b64decode(lines[2], validate=True)
    except (ValueError, binascii.Error) as error:
        raise malformed from error
    if len(root) != _ROOT_SIZE_BYTES or int(size) > _SIZE_MAX:
        raise malformed
    return Checkpoint(lines[0], int(size), root)
