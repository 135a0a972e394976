"""Going on with a new box key, inside the same journal. The box is stopped meanwhile.

    1. the new private key is durable beside the old one
    2. `key.rotated`, signed by the old key and proved by the new one, is durable in the journal
    3. the new key takes the old one's place

Cut off before 2 ended, the old key is still the journal's and the new one is thrown away; after it, the new one is,
wherever it lies: `edge.journal.signer.settle_next` asks the journal at the next start and finishes either way.
"""

from collections.abc import Sequence
from pathlib import Path

from edge.journal.ports import JournalReader, StoreView
from edge.journal.signer import FileSigner, make_next, settle_next
from edge.journal.verify import current_key
from edge.journal.views import Identity
from edge.journal.writer import JournalWriter
from edge.store.journal_store import SqliteJournalStore
from edge.store.queries import Queries
from shared.clock import Clock
from shared.entropy import Entropy
from shared.errors import IntegrityError, OperatorError
from shared.events import Body
from shared.journal.rotation import ROTATIONS_MAX, rotated


def open_signer(key_path: Path, reader: JournalReader, identity: Identity) -> FileSigner:
    """Return the signer of the journal's newest key; finish or undo a rotation that was cut off.

    Where the journal itself is damaged, or neither key is its own, nothing is changed and the key that lies there is
    returned: recovery finds the same, says so and lets nothing be written. Raises what `FileSigner.load` raises.
    """
    try:
        return settle_next(key_path, current_key(reader, identity))
    except IntegrityError as error:
        if error.code in ("signer.unsafe", "signer.malformed"):
            raise
        return FileSigner.load(key_path)


def rotate_key(store_path: Path, key_path: Path, *, clock: Clock, entropy: Entropy, operator: str = "") -> bytes:
    """Give the box a new key; return its public half. May be called again after it was cut off at any point.

    Raises OperatorError `store.in_use` while the box runs, `signer.too_many_rotations`, and what opening and writing
    the store raise.
    """
    queries = Queries(store_path)
    try:
        with SqliteJournalStore.open(store_path, clock, entropy) as store:
            identity = queries.identity()
            old = settle_next(key_path, current_key(queries, identity))
            if len(queries.rotations()) >= ROTATIONS_MAX:
                raise OperatorError("signer.too_many_rotations", count=ROTATIONS_MAX)
            new = make_next(key_path, entropy)

            def decide(view: StoreView) -> Sequence[Body]:
                body = rotated(
                    identity.journal_id,
                    view.size(),
                    old_key=old.public_key,
                    new_key=new.public_key,
                    sign=new.sign,
                    operator=operator,
                )
                return [body]

            # The old key's last signature: this writer ends with it.
            with JournalWriter(store, old, clock, entropy) as writer:
                writer.commit_blocking(decide)
            settle_next(key_path, new.public_key)
            return new.public_key
    finally:
        queries.close()
