"""What is owed once though several answers name it, which catalogues boxes heard of, and the payments of a request."""

from alembic import op

revision = "0011_debts"
down_revision = "0010_messages"

_TABLES = """
CREATE INDEX office_payment_of_request ON office_payment (office_id, inquiry_id) WHERE inquiry_id IS NOT NULL;

CREATE TABLE service_debt (
    office_id text NOT NULL,
    inquiry_id text NOT NULL,
    obligation text NOT NULL,
    name text NOT NULL,
    CONSTRAINT pk_service_debt PRIMARY KEY (office_id, inquiry_id, obligation, name)
);
CREATE INDEX service_debt_by_obligation ON service_debt (obligation);
CREATE INDEX service_debt_by_name ON service_debt (name);

CREATE TABLE catalogue_heard (
    office_id text NOT NULL,
    journal_id text NOT NULL,
    entry_index bigint NOT NULL,
    feed_id text NOT NULL,
    feed_index bigint NOT NULL,
    catalogue_id text NOT NULL,
    CONSTRAINT pk_catalogue_heard PRIMARY KEY (office_id, journal_id, feed_id, feed_index)
);
"""


def upgrade() -> None:
    """Make the tables and the index."""
    op.execute(_TABLES)
