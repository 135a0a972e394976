"""Tables of what acquirers say of payments: what offices were told of it, and what people of finance heard."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
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

acquirer_answer: Final = Table(
    "acquirer_answer",
    METADATA,
    Column("office_id", Text, nullable=False),
    Column("payment_id", Text, nullable=False),
    Column("charged", Boolean, nullable=False),
    Column("ordinal", BigInteger, Identity(always=True), nullable=False),
    Column("source", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("file_id", Text),
    Column("line_number", Integer),
    Column("feed_index", BigInteger, nullable=False),
    Column("told_at", _INSTANT, nullable=False),
    Column("refund_id", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("office_id", "payment_id", "refund_id", "charged"),
    CheckConstraint("source IN ('settlement', 'acquirer')", name="source_word"),
    Index("acquirer_answer_by_file", "file_id"),
)
"""What an office was told of a payment, each answer once. `rule` names why; a person's word is `by_hand`. `refund_id`
is empty for an answer about the sale, else that of the reversal it is about."""

answering_mark: Final = Table(
    "answering_mark",
    METADATA,
    Column("only_one", Boolean, primary_key=True),
    Column("files_to", BigInteger, nullable=False),
    Column("payments_to", _INSTANT, nullable=False),
    Column("doubts_after", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("only_one", name="one_row"),
)
"""How far files (by ordinal) and payments (by change) were looked through for charges that offices count as none; and
after which payment (by ordinal) the next look at doubts goes on."""

acquirer_statement: Final = Table(
    "acquirer_statement",
    METADATA,
    Column("statement_id", BigInteger, Identity(always=True), primary_key=True),
    Column("office_id", Text, nullable=False),
    Column("payment_id", Text, nullable=False),
    Column("charged", Boolean, nullable=False),
    Column("rrn", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", _INSTANT, nullable=False),
    Column("decided_by", Text),
    Column("decided_at", _INSTANT),
    Column("refund_id", Text, nullable=False, server_default=""),
    CheckConstraint("state IN ('proposed', 'agreed', 'dropped')", name="state_word"),
    CheckConstraint("state <> 'agreed' OR decided_by <> proposed_by", name="two_people"),
    # One proposal at a time about a payment.
    Index(
        "acquirer_statement_open",
        "office_id",
        "payment_id",
        unique=True,
        postgresql_where=text("state = 'proposed'"),
    ),
    Index("acquirer_statement_of_payment", "office_id", "payment_id", "statement_id"),
)
"""What a person of finance heard from an acquirer about a payment; told to the office when a second one agrees."""
