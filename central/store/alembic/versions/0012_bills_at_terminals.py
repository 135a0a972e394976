"""Bills that a terminal paid by their ids."""

from alembic import op

revision = "0012_bills_at_terminals"
down_revision = "0011_elsewhere"


def upgrade() -> None:
    """Say of each payment whether its terminal paid the bill itself; none did before."""
    op.execute("ALTER TABLE office_payment ADD COLUMN pays_bill boolean NOT NULL DEFAULT false")
