"""The money's way back, what acquirers say of payments in doubt, and what boxes say of themselves."""

from alembic import op

revision = "0005_money_back"
down_revision = "0004_lookups"

_TABLES = """
ALTER TABLE office_payment
    ADD COLUMN pending_credit text,
    ADD COLUMN confirming boolean NOT NULL DEFAULT false,
    ADD COLUMN unacknowledged boolean NOT NULL DEFAULT false,
    ADD COLUMN refunds jsonb NOT NULL DEFAULT '{}';
CREATE TABLE office_fact (
    office_id text NOT NULL,
    journal_id text NOT NULL,
    leaf bytea NOT NULL,
    ordinal bigint GENERATED ALWAYS AS IDENTITY,
    entry_index bigint NOT NULL,
    type text NOT NULL,
    at_claim text NOT NULL,
    clock text NOT NULL,
    received_at timestamptz NOT NULL,
    body jsonb NOT NULL,
    CONSTRAINT pk_office_fact PRIMARY KEY (office_id, journal_id, leaf)
);
CREATE INDEX office_fact_of_office ON office_fact (office_id, ordinal);
CREATE INDEX office_fact_of_type ON office_fact (office_id, type, ordinal);
CREATE TABLE acquirer_answer (
    office_id text NOT NULL,
    payment_id text NOT NULL,
    charged boolean NOT NULL,
    ordinal bigint GENERATED ALWAYS AS IDENTITY,
    source text NOT NULL,
    rule text NOT NULL,
    file_id text,
    line_number integer,
    feed_index bigint NOT NULL,
    told_at timestamptz NOT NULL,
    CONSTRAINT pk_acquirer_answer PRIMARY KEY (office_id, payment_id, charged),
    CONSTRAINT ck_acquirer_answer_source_word CHECK (source IN ('settlement', 'acquirer'))
);
CREATE TABLE acquirer_statement (
    statement_id bigint GENERATED ALWAYS AS IDENTITY,
    office_id text NOT NULL,
    payment_id text NOT NULL,
    charged boolean NOT NULL,
    rrn text NOT NULL,
    reason text NOT NULL,
    state text NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL,
    decided_by text,
    decided_at timestamptz,
    CONSTRAINT pk_acquirer_statement PRIMARY KEY (statement_id),
    CONSTRAINT ck_acquirer_statement_state_word CHECK (state IN ('proposed', 'agreed', 'dropped')),
    CONSTRAINT ck_acquirer_statement_two_people CHECK (state <> 'agreed' OR decided_by <> proposed_by)
);
CREATE UNIQUE INDEX acquirer_statement_open ON acquirer_statement (office_id, payment_id) WHERE state = 'proposed';
CREATE INDEX acquirer_statement_of_payment ON acquirer_statement (office_id, payment_id, statement_id);
"""


def upgrade() -> None:
    """Make the tables and columns."""
    op.execute(_TABLES)
