"""Tables of the boxes' journals as central mirrors them: entries, tree nodes, and the state of each conversation."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from central.store.metadata import METADATA

_INSTANT: Final = DateTime(timezone=True)

journal: Final = Table(
    "journal",
    METADATA,
    Column("office_id", Text, nullable=False),
    Column("journal_id", Text, nullable=False),
    Column("box_id", Text, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("token", LargeBinary, nullable=False),
    Column("spent_token", LargeBinary),
    Column("first_token", LargeBinary, nullable=False),
    Column("cosigned_size", BigInteger, nullable=False),
    Column("cosigned_at_s", BigInteger, nullable=False),
    Column("cosigned_note", Text, nullable=False),
    Column("opened_at", _INSTANT, nullable=False),
    Column("last_exchange_at", _INSTANT),
    Column("quarantined_at", _INSTANT),
    Column("predecessor", Text),
    Column("predecessor_cosigned_size", BigInteger),
    Column("closed_at", _INSTANT),
    Column("closed_reason", Text),
    Column("retired_at", _INSTANT),
    Column("feed_size", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("office_id", "journal_id"),
    UniqueConstraint("journal_id"),
    ForeignKeyConstraint(["office_id", "box_id"], ["box.office_id", "box.box_id"]),
    CheckConstraint("octet_length(root) = 32", name="root_size"),
    CheckConstraint("cosigned_size <= size", name="cosigned_is_held"),
)
"""One row a journal; locked (FOR UPDATE) while an exchange of that journal is worked on.

`token` is what the next request must carry, `spent_token` the one before it, `first_token` the one the enrolment gave.
`cosigned_at_s` are seconds since 1970 of the newest cosignature. `predecessor` is the journal that this one took over
from, when its box was replaced or restored; `closed_at` is when its `journal.closed` was received.
`retired_at` is when two people decided that this journal never goes on. `feed_size` is how much of the office's feed
there was when it began, what the office's other journals hold included.
"""

journal_entry: Final = Table(
    "journal_entry",
    METADATA,
    Column("office_id", Text, nullable=False),
    Column("journal_id", Text, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("entry_index", BigInteger, nullable=False),
    Column("on_main", Boolean, nullable=False),
    Column("disposition", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("received_at", _INSTANT, nullable=False),
    PrimaryKeyConstraint("office_id", "journal_id", "leaf"),
    ForeignKeyConstraint(["office_id", "journal_id"], ["journal.office_id", "journal.journal_id"]),
    Index(
        "uq_journal_entry_main",
        "office_id",
        "journal_id",
        "entry_index",
        unique=True,
        postgresql_where=text("on_main"),
    ),
    Index("ix_journal_entry_index", "journal_id", "entry_index"),
    Index("ix_journal_entry_aside", "office_id", "journal_id", postgresql_where=text("NOT on_main")),
    Index(
        "ix_journal_entry_not_booked",
        "office_id",
        "journal_id",
        "entry_index",
        postgresql_where=text("disposition IN ('posting_failed', 'unknown_type')"),
    ),
    CheckConstraint("octet_length(leaf) = 32", name="leaf_size"),
)
"""Every well-signed entry, keyed by its leaf so that branches of a fork fit side by side. Never changed but in its
disposition, never deleted (a trigger refuses). `disposition` is a `central.ingest.receiver` word."""

journal_key: Final = Table(
    "journal_key",
    METADATA,
    Column("office_id", Text, nullable=False),
    Column("journal_id", Text, nullable=False),
    Column("entry_index", BigInteger, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    PrimaryKeyConstraint("office_id", "journal_id", "entry_index"),
    ForeignKeyConstraint(["office_id", "journal_id"], ["journal.office_id", "journal.journal_id"]),
    CheckConstraint("octet_length(public_key) = 32", name="key_size"),
)
"""Rotations of the main branch: what stands after `entry_index` is signed by `public_key`. The key a journal was opened
with stands in its own row."""

journal_node: Final = Table(
    "journal_node",
    METADATA,
    Column("office_id", Text, nullable=False),
    Column("journal_id", Text, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("office_id", "journal_id", "level", "position"),
)
"""Complete subtrees of the main branch (see `shared.journal.tree`)."""

exchange: Final = Table(
    "exchange",
    METADATA,
    Column("office_id", Text, nullable=False),
    Column("journal_id", Text, nullable=False),
    Column("request_sha256", LargeBinary, nullable=False),
    Column("ordinal", BigInteger, Identity(always=True), nullable=False),
    Column("status", Text, nullable=False),
    Column("response", LargeBinary),
    Column("answered_at", _INSTANT, nullable=False),
    PrimaryKeyConstraint("office_id", "journal_id", "request_sha256"),
    ForeignKeyConstraint(["office_id", "journal_id"], ["journal.office_id", "journal.journal_id"]),
    Index("ix_exchange_ordinal", "office_id", "journal_id", "ordinal"),
)
"""Each answered request. The answer's bytes are kept for the newest ones only; the hash stays for ever."""

quarantine_asker: Final = Table(
    "quarantine_asker",
    METADATA,
    Column("office_id", Text, nullable=False),
    Column("journal_id", Text, nullable=False),
    Column("token", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("goes_on", Boolean, nullable=False),
    Column("boot", Text, nullable=False),
    Column("asked_count", BigInteger, nullable=False),
    Column("first_at", _INSTANT, nullable=False),
    Column("last_at", _INSTANT, nullable=False),
    PrimaryKeyConstraint("office_id", "journal_id", "token"),
    ForeignKeyConstraint(["office_id", "journal_id"], ["journal.office_id", "journal.journal_id"]),
)
"""Who asks in the name of a journal in quarantine: a box has one token, so a copy of it shows as a second asker.

`goes_on`: the log it showed last goes on from the main branch. `size` and `root` are that log's."""

quarantine_decision: Final = Table(
    "quarantine_decision",
    METADATA,
    Column("decision_id", BigInteger, Identity(always=True), primary_key=True),
    Column("office_id", Text, nullable=False),
    Column("journal_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("token", LargeBinary),
    Column("book_aside", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", _INSTANT, nullable=False),
    Column("decided_by", Text),
    Column("decided_at", _INSTANT),
    Column("booked_count", Integer),
    Column("unbooked_count", Integer),
    ForeignKeyConstraint(["office_id", "journal_id"], ["journal.office_id", "journal.journal_id"]),
    CheckConstraint("kind IN ('go_on', 'retire')", name="kind_word"),
    CheckConstraint("(kind = 'go_on') = (token IS NOT NULL)", name="names_whom"),
    CheckConstraint("state IN ('proposed', 'agreed', 'dropped')", name="state_word"),
    CheckConstraint("state <> 'agreed' OR decided_by <> proposed_by", name="two_people"),
    Index(
        "quarantine_decision_open",
        "office_id",
        "journal_id",
        unique=True,
        postgresql_where=text("state = 'proposed'"),
    ),
    Index("quarantine_decision_of_journal", "journal_id", "decision_id"),
)
"""What becomes of a journal in quarantine: one person proposes, another agrees. Never deleted."""
