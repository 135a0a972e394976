"""Keeping what a customer asked for: a bill's debt, or a service of the catalogue. Each is known by its name, once."""

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects.postgresql import insert

from central.ledger.accepted_entry import AcceptedEntry
from central.ledger.booking import NotPostable
from shared.events import InquiryRequested, ServiceRequested


def keep_asked(
    connection: Connection, table: Table, accepted: AcceptedEntry, body: InquiryRequested | ServiceRequested, **own: Any
) -> None:
    """Keep a request; `own` are the columns that its table has alone. Raises NotPostable for one known already."""
    new = connection.execute(
        insert(table)
        .values(
            office_id=accepted.office,
            inquiry_id=body.inquiry_id,
            journal_id=accepted.journal,
            entry_index=accepted.index,
            ticket=body.ticket,
            service=body.service,
            operator=body.operator,
            requested_claim=accepted.entry.at,
            received_at=accepted.received_at,
            **own,
        )
        .on_conflict_do_nothing()
        .returning(table.c.inquiry_id)
    ).one_or_none()
    if new is None:
        raise NotPostable("books.inquiry_known_already", inquiry_id=body.inquiry_id)
