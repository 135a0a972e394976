"""What the offices' feeds have told of payments to other boxes, and how much of its feed a new journal reads first."""

from alembic import op

revision = "0011_elsewhere"
down_revision = "0011_debts"

_TABLES = """
CREATE TABLE told_payment (
    office_id text NOT NULL,
    payment_id text NOT NULL,
    state text NOT NULL,
    CONSTRAINT pk_told_payment PRIMARY KEY (office_id, payment_id)
);
ALTER TABLE journal ADD COLUMN feed_size bigint NOT NULL DEFAULT 0;
"""


def upgrade() -> None:
    """Make the table and the column."""
    op.execute(_TABLES)
