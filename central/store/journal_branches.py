"""Looking up what is stored of one journal, for the judgement of a request: few queries, whatever the request holds."""

from sqlalchemy import Connection, select, tuple_

from central.store.journals import journal_entry, journal_node
from shared.errors import IntegrityError


class StoredBranches:
    """The branches of one journal, as of the open transaction; the journal's row must be locked."""

    def __init__(self, connection: Connection, *, office: str, journal: str, size: int, first: int, end: int) -> None:
        """Read what judging the window [first, end) of a tree of `size` will need."""
        self._connection = connection
        self._office = office
        self._journal = journal
        self._leaves = self._read_leaves(max(0, min(first, size) - 1), min(end, size))
        self._nodes = self._read_nodes(_peaks(size))

    def leaf(self, index: int) -> bytes | None:
        """Return the main branch's leaf hash at an index, None beyond its end."""
        if index not in self._leaves:
            self._leaves |= self._read_leaves(index, index + 1)
        return self._leaves.get(index)

    def node(self, level: int, position: int) -> bytes:
        """Return a complete subtree. Raises IntegrityError `journal.node_missing`: the mirror itself is damaged."""
        if (level, position) not in self._nodes:
            self._nodes |= self._read_nodes([(level, position)])
        try:
            return self._nodes[level, position]
        except KeyError as error:
            raise IntegrityError(
                "journal.node_missing", journal=self._journal, level=level, position=position
            ) from error

    def is_known(self, leaf: bytes) -> bool:
        """Return whether an entry with this leaf is stored, in any branch."""
        query = select(journal_entry.c.leaf).where(
            journal_entry.c.office_id == self._office,
            journal_entry.c.journal_id == self._journal,
            journal_entry.c.leaf == leaf,
        )
        return self._connection.execute(query).first() is not None

    def _read_leaves(self, first: int, end: int) -> dict[int, bytes]:
        query = select(journal_entry.c.entry_index, journal_entry.c.leaf).where(
            journal_entry.c.office_id == self._office,
            journal_entry.c.journal_id == self._journal,
            journal_entry.c.on_main,
            journal_entry.c.entry_index >= first,
            journal_entry.c.entry_index < end,
        )
        return {row.entry_index: row.leaf for row in self._connection.execute(query)}

    def _read_nodes(self, places: list[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
        query = select(journal_node.c.level, journal_node.c.position, journal_node.c.hash).where(
            journal_node.c.office_id == self._office,
            journal_node.c.journal_id == self._journal,
            tuple_(journal_node.c.level, journal_node.c.position).in_(places),
        )
        return {(level, position): digest for level, position, digest in self._connection.execute(query)}


def _peaks(size: int) -> list[tuple[int, int]]:
    """Return the places of the complete subtrees that a tree of `size` is made of: one for each bit of the size."""
    return [(level, (size >> level) - 1) for level in range(size.bit_length()) if size >> level & 1]
