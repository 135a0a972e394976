"""Text messages to customers: what is due, and what became of it. Neither number nor words stand here."""

from typing import Final

from sqlalchemy import CheckConstraint, Column, DateTime, Index, Integer, PrimaryKeyConstraint, Table, Text, text

from central.store.metadata import METADATA

_INSTANT: Final = DateTime(timezone=True)

text_message: Final = Table(
    "text_message",
    METADATA,
    Column("office_id", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("inquiry_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_at", _INSTANT, nullable=False),
    Column("asked_at", _INSTANT),
    Column("reference", Text, nullable=False, server_default=""),
    Column("made_at", _INSTANT, nullable=False),
    Column("finished_at", _INSTANT),
    PrimaryKeyConstraint("office_id", "message_id"),
    CheckConstraint("state IN ('waiting', 'asking', 'sent', 'uncertain', 'failed', 'not_wanted')", name="state_word"),
    Index("text_message_due", "next_at", postgresql_where=text("state IN ('waiting', 'asking')")),
)
"""One row an event, ever: that is what keeps a second message from being sent. The number is opened anew each time
from the request's sealed fields."""
