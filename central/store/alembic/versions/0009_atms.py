"""The offices' ATMs: machines, fault tickets, what was said of both."""

from alembic import op

revision = "0009_atms"
down_revision = "0008_services"

_TABLES = """
CREATE TABLE office_atm (
    office_id text NOT NULL,
    atm_id text NOT NULL,
    bank text NOT NULL,
    number text NOT NULL,
    place text NOT NULL,
    cassettes jsonb NOT NULL,
    holdings jsonb NOT NULL DEFAULT '{}',
    cash_claim text,
    state text,
    state_note text NOT NULL DEFAULT '',
    state_claim text,
    removed boolean NOT NULL DEFAULT false,
    changed_at timestamptz NOT NULL,
    CONSTRAINT pk_office_atm PRIMARY KEY (office_id, atm_id)
);

CREATE TABLE office_atm_ticket (
    office_id text NOT NULL,
    ticket_id text NOT NULL,
    ordinal bigint GENERATED ALWAYS AS IDENTITY,
    ticket bigint NOT NULL,
    atm_id text NOT NULL,
    kind text NOT NULL,
    detail text NOT NULL,
    operator text NOT NULL,
    state text NOT NULL,
    bank_reference text NOT NULL DEFAULT '',
    opened_claim text NOT NULL,
    received_at timestamptz NOT NULL,
    moved_at timestamptz NOT NULL,
    CONSTRAINT pk_office_atm_ticket PRIMARY KEY (office_id, ticket_id)
);
CREATE INDEX office_atm_ticket_open ON office_atm_ticket (ordinal) WHERE state <> 'closed';
CREATE INDEX office_atm_ticket_by_ordinal ON office_atm_ticket (ordinal);

CREATE TABLE office_atm_event (
    office_id text NOT NULL,
    ordinal bigint GENERATED ALWAYS AS IDENTITY,
    atm_id text NOT NULL,
    ticket_id text,
    type text NOT NULL,
    at_claim text NOT NULL,
    journal_id text,
    entry_index bigint,
    received_at timestamptz NOT NULL,
    body jsonb NOT NULL,
    CONSTRAINT pk_office_atm_event PRIMARY KEY (office_id, ordinal)
);
CREATE INDEX office_atm_event_of_atm ON office_atm_event (office_id, atm_id, ordinal);
CREATE INDEX office_atm_event_of_ticket ON office_atm_event (office_id, ticket_id, ordinal);
"""


def upgrade() -> None:
    """Make the tables."""
    op.execute(_TABLES)
