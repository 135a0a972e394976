"""Checking a journal on its own medium: every signature, every link, every node of the tree it should have made."""

from typing import Final

from edge.journal.ports import JournalReader
from shared.errors import IntegrityError
from shared.journal.entry import GENESIS_PREV, JOURNAL_PAYLOAD, check_signature, decode_entry, leaf_hash
from shared.journal.tree import grown

_BATCH: Final = 500
"""Entries read at once; bounds memory."""


def verify_journal(reader: JournalReader, journal_id: str, public_key: bytes, *, first: int = 0) -> int:
    """Check entries `first` to the end as of now; return the size. With `first` 0 nothing of it is taken on trust.

    Raises IntegrityError: `journal.bad_entry`, `journal.gap`, `journal.other_origin`, `journal.broken_chain`,
    `journal.wrong_signature`, `journal.wrong_tree`, `journal.no_node`.
    """
    size = reader.size()
    walk = _Walk(reader, journal_id, public_key, first)
    while walk.index < size:
        batch = reader.entries(walk.index, min(_BATCH, size - walk.index))
        if not batch:
            raise IntegrityError("journal.gap", index=walk.index)
        for data, signature in batch:
            walk.step(data, signature)
    return size


class _Walk:
    """Entries as they pass, each checked against the one before it."""

    def __init__(self, reader: JournalReader, journal_id: str, public_key: bytes, first: int) -> None:
        self._reader = reader
        self._journal_id = journal_id
        self._public_key = public_key
        self._prev = GENESIS_PREV if first == 0 else reader.node(0, first - 1).hex()
        self.index = first

    def step(self, data: bytes, signature: bytes) -> None:
        """Check one entry and the tree nodes it completes."""
        try:
            check_signature(self._public_key, JOURNAL_PAYLOAD, data, signature)
        except IntegrityError as error:
            raise IntegrityError("journal.wrong_signature", index=self.index) from error
        entry = decode_entry(data)
        if entry.journal != self._journal_id:
            raise IntegrityError("journal.other_origin", origin=entry.journal)
        if entry.index != self.index:
            raise IntegrityError("journal.gap", index=self.index)
        if entry.prev != self._prev:
            raise IntegrityError("journal.broken_chain", index=self.index)
        leaf = leaf_hash(data)
        for level, position, digest in grown(self.index, leaf, self._reader.node):
            if self._reader.node(level, position) != digest:
                raise IntegrityError("journal.wrong_tree", index=self.index)
        self._prev = leaf.hex()
        self.index += 1
