"""Closing the journal for good: when the box is replaced, retired, or was restored from an image. The box is stopped.

What the last run left open is settled first, as at any start; then `journal.closed` is the last entry and names the
payments in doubt, which are finance's from now on. The closed box still hands over what central lacks.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from edge.journal.ports import StoreView
from edge.journal.recovery import Recovery, Start
from edge.journal.signer import settle_next
from edge.journal.verify import current_key
from edge.journal.writer import JournalWriter
from edge.store.journal_store import SqliteJournalStore
from edge.store.queries import Queries
from shared.clock import Clock
from shared.entropy import Entropy
from shared.errors import OperatorError
from shared.events import Body, JournalClosed
from shared.payment import DOUBTFUL

Reason = Literal["replaced", "retired", "restored"]


def close_journal(
    store_path: Path, key_path: Path, *, reason: Reason, operator: str, software: str, clock: Clock, entropy: Entropy
) -> tuple[int, tuple[str, ...]]:
    """Write the journal's last entry; return its size then and the payments left in doubt.

    Raises OperatorError `store.in_use` while the box runs, `journal.is_closed`, and what recovery raises.
    """
    queries = Queries(store_path)
    left: list[tuple[str, ...]] = []

    def decide(view: StoreView) -> Sequence[Body]:
        left.append(tuple(payment.payment_id for payment in view.payments_in(DOUBTFUL)))
        return [JournalClosed(reason=reason, operator=operator, in_doubt=left[-1])]

    try:
        with SqliteJournalStore.open(store_path, clock, entropy) as store:
            if queries.closed_at() is not None:
                raise OperatorError("journal.is_closed")
            identity = queries.identity()
            signer = settle_next(key_path, current_key(queries, identity))
            with JournalWriter(store, signer, clock, entropy) as writer:
                Recovery(queries, identity, Start(software=software)).run(writer, signer.public_key)
                writer.commit_blocking(decide)
        return queries.size(), left[-1]
    finally:
        queries.close()
