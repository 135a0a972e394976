"""Writing the journal, or a range of it, out as one file that anybody can check with public keys.

The format is `shared.journal.export_format`'s. A file appears under its name whole and durable, or not at all.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from edge.journal.ports import JournalReader
from edge.journal.signer import Signer
from edge.journal.views import Identity
from shared.errors import DeviceError, OperatorError
from shared.journal.checkpoint import Checkpoint, checkpoint_text, parse_checkpoint
from shared.journal.export_format import FORMAT, VERSION, RangeHeader, write_export, write_range
from shared.journal.note import NoteKey, format_note, parse_note, sign_note
from shared.journal.tree import inclusion_proof, root

_BATCH: Final = 500
"""Entries read at once; bounds memory."""


class Exported(msgspec.Struct, frozen=True):
    """What is written: entries `first` up to, not including, `end` of a journal of `size`, as lines."""

    first: int
    end: int
    size: int
    lines: Iterator[str]


def sign_checkpoint(reader: JournalReader, identity: Identity, signer: Signer, size: int) -> str:
    """Return the signed note of the journal's first `size` entries."""
    checkpoint = Checkpoint(identity.journal_id, size, root(size, reader.node))
    key = NoteKey(identity.journal_id, signer.public_key)
    return format_note(sign_note(checkpoint_text(checkpoint), key, signer.sign))


def export_lines(
    reader: JournalReader,
    identity: Identity,
    signer: Signer,
    *,
    cosigned: str = "",
    first: int = 0,
    last: int | None = None,
) -> Exported:
    """Return the journal as of now, or its entries `first` to `last` (included), as lines to be written one by one.

    `cosigned` is the newest note that central cosigned, empty when there is none. Raises OperatorError
    `export.no_such_range`.
    """
    size = reader.size()
    end = size if last is None else last + 1
    if not 0 <= first < end <= size:
        raise OperatorError("export.no_such_range", first=first, last=end - 1, size=size)
    checkpoint = sign_checkpoint(reader, identity, signer, size)
    if first == 0 and end == size:
        lines = write_export(
            origin=identity.journal_id,
            size=size,
            checkpoint=checkpoint,
            entries=_entries(reader, 0, size),
            cosigned=cosigned or None,
        )
        return Exported(first, end, size, lines)
    header = RangeHeader(
        format=FORMAT,
        v=VERSION,
        origin=identity.journal_id,
        size=size,
        checkpoint=checkpoint,
        cosigned=cosigned or None,
        first=first,
        end=end,
    )
    around = [0, *(index for index in reader.rotations() if index < size)]
    lines = write_range(
        header=header,
        around=[(index, *pair) for index in around for pair in reader.entries(index, 1)],
        entries=_entries(reader, first, end),
        cosigned_size=parse_checkpoint(parse_note(cosigned)).size if cosigned else 0,
        prove=lambda index, of: inclusion_proof(index, of, reader.node),
    )
    return Exported(first, end, size, lines)


def export_journal(path: Path, reader: JournalReader, identity: Identity, signer: Signer, *, cosigned: str = "") -> int:
    """Write the journal as of now to `path`, whole or not at all; return its size in entries.

    A file under `path` is replaced. Raises DeviceError `export.not_written`.
    """
    exported = export_lines(reader, identity, signer, cosigned=cosigned)
    write_durably(path, (line.encode() for line in exported.lines))
    return exported.size


def write_durably(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file under another name, make it durable, and only then give it its own.

    Raises DeviceError `export.not_written`; what stood under `path` stands there still.
    """
    unfinished = path.with_name(path.name + ".writing")
    try:
        with unfinished.open("wb") as stream:
            stream.writelines(pieces)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise DeviceError("export.not_written", path=str(path), why=error.strerror or type(error).__name__) from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _entries(reader: JournalReader, first: int, end: int) -> Iterator[tuple[bytes, bytes]]:
    index = first
    while index < end:
        batch = reader.entries(index, min(_BATCH, end - index))
        yield from batch
        index += len(batch)
