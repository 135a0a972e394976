"""Payments that were settled and do not stand as approved any more: few, and looked for by each run."""

from alembic import op

revision = "0015_undone_since"
down_revision = "0014_acquirers_reach"


def upgrade() -> None:
    """Make the index."""
    op.execute(
        "CREATE INDEX office_payment_undone_since ON office_payment (state) "
        "WHERE settled_file IS NOT NULL AND state NOT IN ('approved', 'acknowledged')"
    )
