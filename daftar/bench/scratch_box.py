"""A box of its own for a benchmark, in a temporary folder: real file, real writer, no devices, no central."""

from pathlib import Path
from typing import ClassVar, Final, Self

from edge.journal.signer import FileSigner
from edge.journal.views import Identity
from edge.journal.writer import JournalWriter
from edge.store.creation import create_box
from edge.store.journal_store import SqliteJournalStore
from edge.store.queries import Queries
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.events import AlarmRaised

BODY: Final = AlarmRaised(kind="bench", payment_id="p" + "a" * 20, detail="x" * 120)
"""An entry of middling size that makes a row of a projection."""
_TOGETHER: Final = 500


class ScratchBox:
    """The box of a folder, made there when there is none. Use as a context manager."""

    store_type: ClassVar[type[SqliteJournalStore]] = SqliteJournalStore
    writer_type: ClassVar[type[JournalWriter]] = JournalWriter

    def __init__(self, folder: Path) -> None:
        self.path = folder / "box.sqlite"
        self.clock, self.entropy = SystemClock(), SystemEntropy()
        key = folder / "box.key"
        self.signer = FileSigner.load(key) if key.exists() else FileSigner.create(key, self.entropy)
        self.identity = Identity(
            office="00000000", box="bench", journal_id="bench", public_key=self.signer.public_key.hex()
        )
        if not self.path.exists():
            create_box(
                self.path, self.identity, signer=self.signer, clock=self.clock, entropy=self.entropy, software="bench"
            )

    def __enter__(self) -> Self:
        self.store = self.store_type.open(self.path, self.clock, self.entropy)
        self.writer = self.writer_type(self.store, self.signer, self.clock, self.entropy)
        self.writer.start()
        self.queries = Queries(self.path)
        return self

    def __exit__(self, *_: object) -> None:
        self.queries.close()
        self.writer.close()
        self.store.close()


def fill(box: ScratchBox, size: int) -> None:
    """Grow the box's journal to so many entries at least, many in a transaction."""
    while box.queries.size() < size:
        box.writer.commit_blocking(lambda _: [BODY] * min(_TOGETHER, size))
