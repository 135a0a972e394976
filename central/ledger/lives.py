"""The entries that a payment's life is made of, kept beside the payment."""

import msgspec
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from central.ledger.accepted_entry import AcceptedEntry
from central.store.books import payment_entry


def note_entry(connection: Connection, accepted: AcceptedEntry, payment_id: str) -> None:
    """Put the entry into the payment's life."""
    connection.execute(
        insert(payment_entry)
        .values(
            office_id=accepted.office,
            payment_id=payment_id,
            journal_id=accepted.journal,
            leaf=accepted.leaf,
            entry_index=accepted.index,
            type=accepted.entry.type,
            at_claim=accepted.entry.at,
            clock=accepted.entry.clock,
            received_at=accepted.received_at,
            body=msgspec.json.decode(accepted.entry.body),
        )
        .on_conflict_do_nothing()
    )
