"""Tables of the offices' ATMs: machines, fault tickets, what was said of both. Times a box claims end in `_claim`."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Identity, Index, PrimaryKeyConstraint, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from central.store.metadata import METADATA

_INSTANT: Final = DateTime(timezone=True)

office_atm: Final = Table(
    "office_atm",
    METADATA,
    Column("office_id", Text, nullable=False),
    Column("atm_id", Text, nullable=False),
    Column("bank", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("cassettes", JSONB, nullable=False),
    Column("holdings", JSONB, nullable=False, server_default="{}"),
    Column("cash_claim", Text),
    Column("state", Text),
    Column("state_note", Text, nullable=False, server_default=""),
    Column("state_claim", Text),
    Column("removed", Boolean, nullable=False, server_default="false"),
    Column("changed_at", _INSTANT, nullable=False),
    PrimaryKeyConstraint("office_id", "atm_id"),
)
"""A machine as its office last described it; `holdings` is what should be in each cassette (`shared.atm.Holding`)."""

office_atm_ticket: Final = Table(
    "office_atm_ticket",
    METADATA,
    Column("office_id", Text, nullable=False),
    Column("ticket_id", Text, nullable=False),
    Column("ordinal", BigInteger, Identity(always=True), nullable=False),
    Column("ticket", BigInteger, nullable=False),
    Column("atm_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("operator", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("bank_reference", Text, nullable=False, server_default=""),
    Column("opened_claim", Text, nullable=False),
    Column("received_at", _INSTANT, nullable=False),
    Column("moved_at", _INSTANT, nullable=False),
    PrimaryKeyConstraint("office_id", "ticket_id"),
    Index("office_atm_ticket_open", "ordinal", postgresql_where=text("state <> 'closed'")),
    Index("office_atm_ticket_by_ordinal", "ordinal"),
)
"""A fault. Its state follows the order in which central heard and spoke, the box's the order in which the box did."""

office_atm_event: Final = Table(
    "office_atm_event",
    METADATA,
    Column("office_id", Text, nullable=False),
    Column("ordinal", BigInteger, Identity(always=True), nullable=False),
    Column("atm_id", Text, nullable=False),
    Column("ticket_id", Text),
    Column("type", Text, nullable=False),
    Column("at_claim", Text, nullable=False),
    Column("journal_id", Text),
    Column("entry_index", BigInteger),
    Column("received_at", _INSTANT, nullable=False),
    Column("body", JSONB, nullable=False),
    PrimaryKeyConstraint("office_id", "ordinal"),
    Index("office_atm_event_of_atm", "office_id", "atm_id", "ordinal"),
    Index("office_atm_event_of_ticket", "office_id", "ticket_id", "ordinal"),
)
"""What was said of a machine; the bank's answers, which central itself wrote, are of no journal."""
