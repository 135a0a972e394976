"""Making a box's file: schema, identity and the journal's first entry, whole or not at all."""

from pathlib import Path
from typing import Final

import msgspec

from edge.journal.signer import Signer
from edge.journal.views import Identity
from edge.journal.writer import JournalWriter
from edge.store.database import StoreLock, open_for_writing, sync_file, sync_folder
from edge.store.journal_store import SqliteJournalStore
from edge.store.upgrade import make_schema, remove_unfinished
from shared.clock import Clock
from shared.entropy import Entropy
from shared.errors import IntegrityError, OperatorError
from shared.events import JournalOpened

_OWNER_ONLY: Final = 0o600


def create_box(
    path: Path,
    identity: Identity,
    *,
    signer: Signer,
    clock: Clock,
    entropy: Entropy,
    software: str,
    token: bytes | None = None,
    predecessor: str | None = None,
    predecessor_cosigned_size: int | None = None,
    feed_size: int = 0,
) -> None:
    """Make the file of a new box with `journal.opened` as its first entry; durable when this returns.

    `token` is the first ratchet token, from the enrolment. Raises OperatorError `store.exists` or `store.in_use`,
    IntegrityError `signer.other_key`. A call that was cut off left nothing under `path`; it may be made again.
    """
    if identity.public_key != signer.public_key.hex():
        raise IntegrityError("signer.other_key", wanted=identity.public_key, found=signer.public_key.hex())
    with StoreLock(path):
        # What a former box left in a WAL may be entries that are nowhere else, and would be read into the new file.
        for there in (path, path.with_name(path.name + "-wal")):
            if there.exists():
                raise OperatorError("store.exists", path=str(there))
        unfinished = path.with_name(path.name + ".creating")
        remove_unfinished(unfinished)
        make_schema(unfinished)
        # Private data keys and password verifiers will stand in it; SQLite gives WAL and index the same mode.
        unfinished.chmod(_OWNER_ONLY)
        connection = open_for_writing(unfinished)
        connection.execute(
            "INSERT INTO setting (name, value) VALUES ('identity', ?)", (msgspec.json.encode(identity).decode(),)
        )
        connection.execute("UPDATE exchange_state SET token = ?", (token,))
        opened = JournalOpened(
            office=identity.office,
            box=identity.box,
            public_key=identity.public_key,
            signer="file",
            software=software,
            predecessor=predecessor,
            predecessor_cosigned_size=predecessor_cosigned_size,
            feed_size=feed_size,
        )
        with (
            SqliteJournalStore(connection, None, clock, entropy) as store,
            JournalWriter(store, signer, clock, entropy) as writer,
        ):
            writer.commit_blocking(lambda _: [opened])
        # The last connection is closed: SQLite has brought the WAL into the file and removed it.
        sync_file(unfinished)
        unfinished.replace(path)
        sync_folder(path.parent)
