"""Since when a question to a provider is out, however often it was asked."""

from alembic import op

revision = "0013_answers_awaited"
down_revision = "0012_bills_at_terminals"

_CHANGES = """
ALTER TABLE provider_task ADD COLUMN out_since timestamptz;
UPDATE provider_task SET out_since = asked_at WHERE state <> 'done' AND asked_at IS NOT NULL;
"""


def upgrade() -> None:
    """Add the column; what is out now counts from when it was asked last."""
    op.execute(_CHANGES)
