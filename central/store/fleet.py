"""Tables of the fleet: offices, boxes, enrolment codes, and the feeds that central signs."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from central.store.metadata import METADATA

_INSTANT: Final = DateTime(timezone=True)

office: Final = Table(
    "office",
    METADATA,
    Column("office_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("added_at", _INSTANT, nullable=False),
)

box: Final = Table(
    "box",
    METADATA,
    Column("office_id", Text, ForeignKey("office.office_id"), nullable=False),
    Column("box_id", Text, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("software", Text, nullable=False),
    Column("enrolled_at", _INSTANT, nullable=False),
    PrimaryKeyConstraint("office_id", "box_id"),
    UniqueConstraint("public_key"),
    CheckConstraint("octet_length(public_key) = 32", name="key_size"),
)

enrolment_code: Final = Table(
    "enrolment_code",
    METADATA,
    Column("code_sha256", LargeBinary, primary_key=True),
    Column("office_id", Text, ForeignKey("office.office_id"), nullable=False),
    Column("replaces", Text),
    Column("issued_at", _INSTANT, nullable=False),
    Column("expires_at", _INSTANT, nullable=False),
    Column("used_at", _INSTANT),
    Column("public_key", LargeBinary),
    Column("journal_id", Text),
)
"""Single-use codes. Only their hash is kept; `public_key` is the one box that used it; `replaces` is the box whose next
journal the code is for, null for a new box."""

feed: Final = Table(
    "feed",
    METADATA,
    Column("feed_id", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("head", Text, nullable=False),
    Column("opened_at", _INSTANT, nullable=False),
)
"""`head` is the leaf hash (hex) of the last entry: the next one's `prev`."""

feed_entry: Final = Table(
    "feed_entry",
    METADATA,
    Column("feed_id", Text, ForeignKey("feed.feed_id"), nullable=False),
    Column("entry_index", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("appended_at", _INSTANT, nullable=False),
    PrimaryKeyConstraint("feed_id", "entry_index"),
    Index("ix_feed_entry_policy", "feed_id", "entry_index", postgresql_where=text("type = 'exposure_policy.set'")),
    Index("feed_entry_catalogue", "feed_id", "entry_index", postgresql_where=text("type = 'catalogue.published'")),
)
"""Never changed, never deleted (a trigger refuses)."""

alarm: Final = Table(
    "alarm",
    METADATA,
    Column("alarm_id", BigInteger, Identity(always=True), primary_key=True),
    Column("office_id", Text, nullable=False),
    Column("box_id", Text),
    Column("journal_id", Text),
    Column("kind", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("entry_index", BigInteger),
    Column("leaf", LargeBinary),
    Column("raised_at", _INSTANT, nullable=False),
    Column("closed_at", _INSTANT),
    Column("closed_by", Text),
    Index("ix_alarm_journal_id", "journal_id"),
    Index("ix_alarm_open", "office_id", postgresql_where=text("closed_at IS NULL")),
)
"""What a person must look at. `kind`: clone, state_loss, fork, rollback, bad_body, posting_failed, ..."""
