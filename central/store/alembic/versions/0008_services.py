"""Services of the catalogue: requests, orders, and questions to more than one provider."""

from alembic import op

revision = "0008_services"
down_revision = "0007_items"

_TABLES = """
CREATE TABLE service_request (
    office_id text NOT NULL,
    inquiry_id text NOT NULL,
    ordinal bigint GENERATED ALWAYS AS IDENTITY,
    journal_id text NOT NULL,
    entry_index bigint NOT NULL,
    ticket bigint NOT NULL,
    service text NOT NULL,
    catalogue_id text NOT NULL,
    fields_key_id text NOT NULL,
    fields_ciphertext text NOT NULL,
    applicant_tail text NOT NULL,
    fee_rial bigint NOT NULL,
    gate text NOT NULL,
    operator text NOT NULL,
    requested_claim text NOT NULL,
    received_at timestamptz NOT NULL,
    round integer NOT NULL DEFAULT 0,
    outcome text,
    reason text,
    provider text,
    track_id text,
    answered_at timestamptz,
    case_id text,
    CONSTRAINT pk_service_request PRIMARY KEY (office_id, inquiry_id),
    CONSTRAINT ck_service_request_gate_word CHECK (gate IN ('fee_first', 'answer_first')),
    CONSTRAINT ck_service_request_outcome_word
        CHECK (outcome IN ('done', 'nothing', 'wrong_parameter', 'refused'))
);
CREATE INDEX service_request_by_ordinal ON service_request (ordinal);
CREATE INDEX service_request_open ON service_request (ordinal) WHERE outcome IS NULL;

CREATE TABLE service_order (
    office_id text NOT NULL,
    order_id text NOT NULL,
    inquiry_id text NOT NULL,
    provider text NOT NULL,
    call text NOT NULL,
    product text NOT NULL,
    amount_rial bigint NOT NULL,
    expires_at timestamptz,
    made_at timestamptz NOT NULL,
    CONSTRAINT pk_service_order PRIMARY KEY (office_id, order_id),
    CONSTRAINT ck_service_order_amount_positive CHECK (amount_rial > 0)
);
CREATE INDEX service_order_of_inquiry ON service_order (office_id, inquiry_id);

ALTER TABLE provider_task ADD COLUMN route text NOT NULL DEFAULT 'billing';
ALTER TABLE provider_task DROP CONSTRAINT ck_provider_task_kind_word;
ALTER TABLE provider_task ADD CONSTRAINT ck_provider_task_kind_word
    CHECK (kind IN ('confirm', 'inquire', 'serve', 'image'));
DROP INDEX provider_task_due;
CREATE INDEX provider_task_due ON provider_task (route, next_at) WHERE state <> 'done';
CREATE INDEX feed_entry_catalogue ON feed_entry (feed_id, entry_index) WHERE type = 'catalogue.published';
"""


def upgrade() -> None:
    """Make the tables."""
    op.execute(_TABLES)
