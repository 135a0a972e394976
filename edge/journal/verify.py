"""Checking a journal on its own medium: every signature, every link, every node of the tree it should have made.

Signatures are followed from the key the journal was opened with through every rotation (`shared.journal.rotation`).
"""

from collections.abc import Callable, Sequence
from typing import Final

from edge.journal.ports import JournalReader
from edge.journal.views import Identity
from shared.errors import IntegrityError
from shared.journal.entry import GENESIS_PREV, JOURNAL_PAYLOAD, Entry, check_signature, decode_entry, leaf_hash
from shared.journal.rotation import KeyChain
from shared.journal.tree import Frontier, completed_at

_BATCH: Final = 500
"""Entries read at once; bounds memory."""


def verify_journal(
    reader: JournalReader,
    journal_id: str,
    public_key: bytes,
    *,
    first: int = 0,
    until: int | None = None,
    after_batch: Callable[[int, int], None] = lambda _, __: None,
) -> int:
    """Check entries `first` to the end as of now; return the size. With `first` 0 nothing of it is taken on trust.

    With `until`, the entries from there on are left out: parts that follow each other are a check of the whole.
    `public_key` is the one the journal was opened with; rotations before `first` are checked too. `after_batch` hears
    how many entries were passed and how many there are; what it raises ends the check.
    Raises IntegrityError: `journal.bad_rotation`, `journal.bad_entry`, `journal.gap`, `journal.other_origin`,
    `journal.broken_chain`, `journal.wrong_signature`, `journal.wrong_tree`, `journal.no_node`.
    """
    size = reader.size() if until is None else until
    walk = _Walk(reader, journal_id, key_chain(reader, journal_id, public_key, before=first), first)
    while walk.index < size:
        batch = reader.entries(walk.index, min(_BATCH, size - walk.index))
        if not batch:
            raise IntegrityError("journal.gap", index=walk.index)
        nodes = reader.nodes(walk.index, len(batch))
        for place, (data, signature) in enumerate(batch):
            walk.step(data, signature, nodes[place] if place < len(nodes) else ())
        after_batch(walk.index, size)
    return size


def key_chain(reader: JournalReader, journal_id: str, public_key: bytes, *, before: int | None = None) -> KeyChain:
    """Return who signs the journal, by its rotations (those below `before`), each of them checked.

    `public_key` is the one it was opened with. Raises IntegrityError `journal.wrong_signature`,
    `journal.bad_rotation`, `journal.bad_entry`, `journal.gap`.
    """
    chain = KeyChain(journal_id, public_key)
    for index in reader.rotations():
        if before is not None and index >= before:
            break
        found = reader.entries(index, 1)
        if not found:
            raise IntegrityError("journal.gap", index=index)
        data, signature = found[0]
        chain.follow(_signed_entry(chain, index, data, signature), index, leaf_hash(data))
    return chain


def current_key(reader: JournalReader, identity: Identity) -> bytes:
    """Return the public key that signs the journal's next entry. Raises what `key_chain` raises."""
    return key_chain(reader, identity.journal_id, bytes.fromhex(identity.public_key)).current


def _signed_entry(chain: KeyChain, index: int, data: bytes, signature: bytes) -> Entry:
    """Return an entry that the chain's newest key has signed."""
    try:
        check_signature(chain.current, JOURNAL_PAYLOAD, data, signature)
    except IntegrityError as error:
        raise IntegrityError("journal.wrong_signature", index=index) from error
    return decode_entry(data)


class _Walk:
    """Entries as they pass, each checked against the one before it."""

    def __init__(self, reader: JournalReader, journal_id: str, chain: KeyChain, first: int) -> None:
        self._journal_id = journal_id
        self._chain = chain
        self._frontier = Frontier.of(first, reader.node)
        self._prev = GENESIS_PREV if first == 0 else reader.node(0, first - 1).hex()
        self.index = first

    def step(self, data: bytes, signature: bytes, stored: Sequence[bytes]) -> None:
        """Check one entry, and that the hashes it completes are those that are stored."""
        entry = _signed_entry(self._chain, self.index, data, signature)
        if entry.journal != self._journal_id:
            raise IntegrityError("journal.other_origin", origin=entry.journal)
        if entry.index != self.index:
            raise IntegrityError("journal.gap", index=self.index)
        if entry.prev != self._prev:
            raise IntegrityError("journal.broken_chain", index=self.index)
        leaf = leaf_hash(data)
        completed = self._frontier.append(leaf)
        if completed != list(stored):
            if len(stored) < len(completed):
                level = len(stored)
                raise IntegrityError("journal.no_node", level=level, position=completed_at(self.index, level))
            raise IntegrityError("journal.wrong_tree", index=self.index)
        self._chain.follow(entry, self.index, leaf)
        self._prev = leaf.hex()
        self.index += 1
