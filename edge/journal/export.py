"""Writing the journal out as one file that anybody can check with public keys (format: shared.journal.export)."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edge.journal.ports import JournalReader
from edge.journal.signer import Signer
from edge.journal.views import Identity
from shared.journal.checkpoint import Checkpoint, checkpoint_text
from shared.journal.export_format import write_export
from shared.journal.note import NoteKey, format_note, sign_note
from shared.journal.tree import root

_BATCH: Final = 500
"""Entries read at once; bounds memory."""


def sign_checkpoint(reader: JournalReader, identity: Identity, signer: Signer, size: int) -> str:
    """Return the signed note of the journal's first `size` entries."""
    checkpoint = Checkpoint(identity.journal_id, size, root(size, reader.node))
    key = NoteKey(identity.journal_id, signer.public_key)
    return format_note(sign_note(checkpoint_text(checkpoint), key, signer.sign))


def export_journal(path: Path, reader: JournalReader, identity: Identity, signer: Signer, *, cosigned: str = "") -> int:
    """Write the journal as of now to `path`, whole or not at all; return its size in entries.

    `cosigned` is the newest note that central cosigned, empty when there is none. A file under `path` is replaced.
    """
    size = reader.size()
    lines = write_export(
        origin=identity.journal_id,
        size=size,
        checkpoint=sign_checkpoint(reader, identity, signer, size),
        entries=_entries(reader, size),
        cosigned=cosigned or None,
    )
    unfinished = path.with_name(path.name + ".writing")
    with unfinished.open("w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(lines)
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.replace(path)
    return size


def _entries(reader: JournalReader, size: int) -> Iterator[tuple[bytes, bytes]]:
    index = 0
    while index < size:
        batch = reader.entries(index, min(_BATCH, size - index))
        yield from batch
        index += len(batch)
