"""After which payment the next look at what is in doubt goes on."""

from alembic import op

revision = "0016_doubts_in_turn"
down_revision = "0015_undone_since"


def upgrade() -> None:
    """Add the column; the next look begins at the oldest."""
    op.execute("ALTER TABLE answering_mark ADD COLUMN doubts_after bigint NOT NULL DEFAULT 0")
