"""What the books read of an entry that central accepted."""

from datetime import datetime
from typing import Protocol

from shared.events import Body
from shared.journal.entry import Entry


class AcceptedEntry(Protocol):
    """What the hook reads of an accepted entry; the receiver's struct has it."""

    @property
    def office(self) -> str:
        """Return the office's code."""

    @property
    def journal(self) -> str:
        """Return the journal's name."""

    @property
    def index(self) -> int:
        """Return the entry's place in the journal."""

    @property
    def leaf(self) -> bytes:
        """Return the leaf hash, 32 bytes."""

    @property
    def entry(self) -> Entry:
        """Return the envelope."""

    @property
    def body(self) -> Body | None:
        """Return the body, or None for a type of another release."""

    @property
    def received_at(self) -> datetime:
        """Return when central took it."""
