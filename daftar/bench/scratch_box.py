"""A box of its own for a benchmark, in a temporary folder: real file, real writer, no devices, no central."""

from pathlib import Path
from typing import Self

from edge.journal.signer import FileSigner
from edge.journal.views import Identity
from edge.journal.writer import JournalWriter
from edge.store.creation import create_box
from edge.store.journal_store import SqliteJournalStore
from edge.store.queries import Queries
from shared.clock import SystemClock
from shared.entropy import SystemEntropy


class ScratchBox:
    """Use as a context manager."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "box.sqlite"
        self.clock, self.entropy = SystemClock(), SystemEntropy()
        self.signer = FileSigner.create(folder / "box.key", self.entropy)
        self.identity = Identity(
            office="00000000", box="bench", journal_id="bench", public_key=self.signer.public_key.hex()
        )
        create_box(
            self.path, self.identity, signer=self.signer, clock=self.clock, entropy=self.entropy, software="bench"
        )

    def __enter__(self) -> Self:
        self.store = SqliteJournalStore.open(self.path, self.clock, self.entropy)
        self.writer = JournalWriter(self.store, self.signer, self.clock, self.entropy)
        self.writer.start()
        self.queries = Queries(self.path)
        return self

    def __exit__(self, *_: object) -> None:
        self.queries.close()
        self.writer.close()
        self.store.close()
