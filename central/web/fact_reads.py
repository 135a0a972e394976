"""What an office's page shows of what its boxes said of themselves: days closed, starts, journals verified, keys."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, Text, case, cast, select

from central.store.books import office_fact
from shared.events import AlarmRaised


class OfficeFact(msgspec.Struct, frozen=True, kw_only=True):
    """One such entry. `body` is its JSON."""

    journal_id: str
    entry_index: int
    type: str
    at_claim: str
    received_at: datetime
    body: str
    alarm: str | None
    """The kind of an alarm that the box raised."""


def office_facts(connection: Connection, office_id: str, *, limit: int = 30) -> tuple[OfficeFact, ...]:
    """Return the newest facts of an office, newest first."""
    table = office_fact.c
    query = (
        select(
            table.journal_id,
            table.entry_index,
            table.type,
            table.at_claim,
            table.received_at,
            cast(table.body, Text).label("body"),
            case((table.type == AlarmRaised.type, table.body["kind"].astext)).label("alarm"),
        )
        .where(table.office_id == office_id)
        .order_by(table.ordinal.desc())
        .limit(limit)
    )
    return tuple(OfficeFact(**row) for row in connection.execute(query).mappings())
