"""The proof of a receipt, read from the mirror: that its entry stands in the tree that was cosigned."""

from sqlalchemy import Connection, select

from central.store.journal_branches import StoredBranches
from central.store.journals import journal
from central.web.office_reads import ReceiptFound
from shared.journal.proof import receipt_proof


def proof_of(connection: Connection, found: ReceiptFound) -> str | None:
    """Return the proof's text, None while no cosigned checkpoint covers the entry.

    Raises IntegrityError where mirror and cosignature do not agree.
    """
    row = connection.execute(
        select(journal.c.size, journal.c.cosigned_note).where(
            journal.c.office_id == found.office_id, journal.c.journal_id == found.journal_id
        )
    ).one()
    branches = StoredBranches(
        connection,
        office=found.office_id,
        journal=found.journal_id,
        size=row.size,
        first=found.entry_index,
        end=found.entry_index + 1,
    )
    return receipt_proof(row.cosigned_note, found.entry_index, found.leaf, branches.node)
