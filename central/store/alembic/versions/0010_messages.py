"""Finding a request by its name alone, and text messages to customers."""

from alembic import op

revision = "0010_messages"
down_revision = "0009_atms"

_TABLES = """
CREATE INDEX service_request_by_inquiry ON service_request (inquiry_id);
CREATE INDEX service_request_answered ON service_request (answered_at) WHERE outcome IS NOT NULL;
CREATE INDEX office_inquiry_by_inquiry ON office_inquiry (inquiry_id);

CREATE TABLE text_message (
    office_id text NOT NULL,
    message_id text NOT NULL,
    inquiry_id text NOT NULL,
    state text NOT NULL,
    reason text NOT NULL DEFAULT '',
    attempts integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL,
    asked_at timestamptz,
    reference text NOT NULL DEFAULT '',
    made_at timestamptz NOT NULL,
    finished_at timestamptz,
    CONSTRAINT pk_text_message PRIMARY KEY (office_id, message_id),
    CONSTRAINT ck_text_message_state_word
        CHECK (state IN ('waiting', 'asking', 'sent', 'uncertain', 'failed', 'not_wanted'))
);
CREATE INDEX text_message_due ON text_message (next_at) WHERE state IN ('waiting', 'asking');
"""


def upgrade() -> None:
    """Make the table and the indexes."""
    op.execute(_TABLES)
