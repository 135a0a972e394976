"""The journal's head, signed, on a second medium: a card that lost its last writes is found without any line.

A folder that a person named, or any plugged-in medium with a file `daftar-head` at its top. The copy is a signed
checkpoint, written anew beside the marker whole or not at all. It never hinders: a medium that is missing, full or hung
is somebody else's thread.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import msgspec

from edge.journal.export import sign_checkpoint
from edge.journal.ports import JournalReader
from edge.journal.signer import Signer
from edge.journal.verify import key_chain
from edge.journal.views import Identity
from shared.errors import IntegrityError
from shared.journal.checkpoint import parse_checkpoint
from shared.journal.note import parse_note
from shared.journal.rotation import KeyChain
from shared.journal.tree import root

MARKER: Final = "daftar-head"
_PATTERNS: Final = ("/media/*", "/media/*/*", "/run/media/*/*", "/mnt/*")
_SIZE_MAX_BYTES: Final = 65_536


class FoundHead(msgspec.Struct, frozen=True):
    """A copy that was found: how many entries its journal had, and their root."""

    place: str
    size: int
    root: bytes


def plugged_in() -> list[Path]:
    """Return the tops of mounted media that carry the marker."""
    found = [top for pattern in _PATTERNS for top in Path("/").glob(pattern.removeprefix("/"))]
    return sorted(top for top in found if (top / MARKER).exists())


class HeadCopy:
    """The copies of one journal's head. Every call may raise OSError: the medium is a guest."""

    def __init__(
        self, folder: Path | None, identity: Identity, media: Callable[[], Iterable[Path]] = plugged_in
    ) -> None:
        """`folder` is the one a person named; None: any medium with the marker."""
        self._folder = folder
        self._identity = identity
        self._media = media
        self._name = f"{MARKER}.{identity.journal_id.replace('/', '_')}.note"

    def places(self) -> list[Path]:
        """Return the folders that take a copy now."""
        if self._folder is not None:
            return [self._folder] if self._folder.is_dir() else []
        return list(self._media())

    def write(self, reader: JournalReader, signer: Signer, size: int) -> list[Path]:
        """Write the head of `size` entries to every place, durable when this returns; return the places."""
        places = self.places()
        if places:
            note = sign_checkpoint(reader, self._identity, signer, size).encode()
            for place in places:
                _write_whole(place / self._name, note)
        return places

    def read(self, reader: JournalReader) -> list[FoundHead]:
        """Return the copies there are that one of this journal's keys signed; others are passed over."""
        chain = key_chain(reader, self._identity.journal_id, bytes.fromhex(self._identity.public_key))
        found = [self._read_one(place, chain) for place in self.places()]
        return [head for head in found if head is not None]

    def _read_one(self, place: Path, chain: KeyChain) -> FoundHead | None:
        try:
            with (place / self._name).open("rb") as stream:
                note = parse_note(stream.read(_SIZE_MAX_BYTES).decode())
            checkpoint = parse_checkpoint(note)
            chain.check_note(note)
        except (FileNotFoundError, UnicodeDecodeError, IntegrityError):
            return None
        if checkpoint.origin != self._identity.journal_id:
            return None
        return FoundHead(str(place), checkpoint.size, checkpoint.root)


def compare(reader: JournalReader, heads: Iterable[FoundHead]) -> None:
    """Hold the journal against copies of its head. Raises IntegrityError `journal.rollback`, `journal.fork`."""
    size = reader.size()
    for head in heads:
        if head.size > size:
            raise IntegrityError("journal.rollback", known=head.size, signed=size)
        if root(head.size, reader.node) != head.root:
            raise IntegrityError("journal.fork", known=head.size)


def _write_whole(path: Path, data: bytes) -> None:
    unfinished = path.with_name(path.name + ".writing")
    with unfinished.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
