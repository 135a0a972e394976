"""Tables of catalogue services: what offices asked for, and orders that providers hold until they are paid."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from central.store.metadata import METADATA

_INSTANT: Final = DateTime(timezone=True)

service_request: Final = Table(
    "service_request",
    METADATA,
    Column("office_id", Text, nullable=False),
    Column("inquiry_id", Text, nullable=False),
    Column("ordinal", BigInteger, Identity(always=True), nullable=False),
    Column("journal_id", Text, nullable=False),
    Column("entry_index", BigInteger, nullable=False),
    Column("ticket", BigInteger, nullable=False),
    Column("service", Text, nullable=False),
    Column("catalogue_id", Text, nullable=False),
    Column("fields_key_id", Text, nullable=False),
    Column("fields_ciphertext", Text, nullable=False),
    Column("applicant_tail", Text, nullable=False),
    Column("fee_rial", BigInteger, nullable=False),
    Column("gate", Text, nullable=False),
    Column("operator", Text, nullable=False),
    Column("requested_claim", Text, nullable=False),
    Column("received_at", _INSTANT, nullable=False),
    Column("round", Integer, nullable=False, server_default="0"),
    Column("outcome", Text),
    Column("reason", Text),
    Column("provider", Text),
    Column("track_id", Text),
    Column("answered_at", _INSTANT),
    Column("case_id", Text),
    PrimaryKeyConstraint("office_id", "inquiry_id"),
    CheckConstraint("gate IN ('fee_first', 'answer_first')", name="gate_word"),
    CheckConstraint("outcome IN ('done', 'nothing', 'wrong_parameter', 'refused')", name="outcome_word"),
    Index("service_request_by_ordinal", "ordinal"),
    Index("service_request_by_inquiry", "inquiry_id"),
    Index("service_request_answered", "answered_at", postgresql_where=text("outcome IS NOT NULL")),
    Index("service_request_open", "ordinal", postgresql_where=text("outcome IS NULL")),
)
"""Central's projection of requests for services; fields stay sealed. `round` counts how often it was asked anew."""

service_order: Final = Table(
    "service_order",
    METADATA,
    Column("office_id", Text, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("inquiry_id", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("call", Text, nullable=False),
    Column("product", Text, nullable=False),
    Column("amount_rial", BigInteger, nullable=False),
    Column("expires_at", _INSTANT),
    Column("made_at", _INSTANT, nullable=False),
    PrimaryKeyConstraint("office_id", "order_id"),
    CheckConstraint("amount_rial > 0", name="amount_positive"),
    Index("service_order_of_inquiry", "office_id", "inquiry_id"),
)
"""Orders that a provider holds until they are paid: what has to be approved, and for how much."""

service_debt: Final = Table(
    "service_debt",
    METADATA,
    Column("office_id", Text, nullable=False),
    Column("inquiry_id", Text, nullable=False),
    Column("obligation", Text, nullable=False),
    Column("name", Text, nullable=False),
    PrimaryKeyConstraint("office_id", "inquiry_id", "obligation", "name"),
    Index("service_debt_by_obligation", "obligation"),
    Index("service_debt_by_name", "name"),
)
"""What an answer's payables stand for, name by name: two obligations that share a name are paid once."""

catalogue_heard: Final = Table(
    "catalogue_heard",
    METADATA,
    Column("office_id", Text, nullable=False),
    Column("journal_id", Text, nullable=False),
    Column("entry_index", BigInteger, nullable=False),
    Column("feed_id", Text, nullable=False),
    Column("feed_index", BigInteger, nullable=False),
    Column("catalogue_id", Text, nullable=False),
    PrimaryKeyConstraint("office_id", "journal_id", "feed_id", "feed_index"),
)
"""From which entry of a journal on its box knew a catalogue of a feed."""
