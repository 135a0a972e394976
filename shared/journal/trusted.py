"""What one believes of a log that another keeps: a size and a root that only move forward.

Both of its users hold one: central for every box's journal, an auditor for an export. It does no I/O; whoever uses it
stores `size` and `root` in the same transaction as what it lets them accept.
"""

from collections.abc import Sequence

from shared.errors import IntegrityError
from shared.journal.checkpoint import Checkpoint, parse_checkpoint
from shared.journal.note import Note, NoteKey, check_note
from shared.journal.tree import EMPTY_ROOT, check_consistency


class TrustedJournal:
    """The newest state of one log that was proved to have grown from all states before it."""

    def __init__(self, key: NoteKey, *, size: int = 0, root: bytes = EMPTY_ROOT) -> None:
        self._key = key
        self.size = size
        self.root = root

    @property
    def origin(self) -> str:
        """Return the log's name; its checkpoints are signed under the same name."""
        return self._key.name

    def advance(self, note: Note, proof: Sequence[bytes]) -> Checkpoint:
        """Accept a checkpoint that is signed by the log and consistent with all that was accepted; return it.

        Raises IntegrityError:
            `note.unsigned`, `signature.wrong`, `checkpoint.malformed`: not this log's word; nothing is known.
            `journal.other_origin`: the log signed another log's name.
            `journal.rollback`: signed, but smaller than what it signed before.
            `journal.fork`: signed, and not a continuation of what it signed before.
        """
        check_note(note, self._key)
        seen = parse_checkpoint(note)
        if seen.origin != self.origin:
            raise IntegrityError("journal.other_origin", origin=seen.origin)
        if seen.size < self.size:
            raise IntegrityError("journal.rollback", known=self.size, signed=seen.size)
        try:
            check_consistency(self.size, self.root, seen.size, seen.root, proof)
        except IntegrityError as error:
            raise IntegrityError("journal.fork", known=self.size, signed=seen.size) from error
        self.size, self.root = seen.size, seen.root
        return seen
