"""Charges of several obligations: their items, each with its own question and cases; and whose a fee's shares are."""

from alembic import op

revision = "0007_items"
down_revision = "0006_decisions"

_TABLES = """
ALTER TABLE office_payment
    ADD COLUMN service text NOT NULL DEFAULT '',
    ADD COLUMN payable text NOT NULL DEFAULT '',
    ADD COLUMN group_id text NOT NULL DEFAULT '',
    ADD COLUMN item_count integer NOT NULL DEFAULT 0;
CREATE TABLE office_payment_item (
    office_id text NOT NULL,
    payment_id text NOT NULL,
    item integer NOT NULL,
    obligation text NOT NULL,
    amount_rial bigint NOT NULL,
    bill_id text,
    bill_payment_id text,
    confirmation text NOT NULL DEFAULT 'none',
    refusal_reason text,
    provider text,
    provider_reference text,
    confirmed_at timestamptz,
    CONSTRAINT pk_office_payment_item PRIMARY KEY (office_id, payment_id, item),
    CONSTRAINT ck_office_payment_item_amount_positive CHECK (amount_rial > 0),
    CONSTRAINT ck_office_payment_item_confirmation_word
        CHECK (confirmation IN ('none', 'queued', 'confirmed', 'refused'))
);
CREATE INDEX office_payment_item_by_obligation ON office_payment_item (obligation);
CREATE INDEX office_payment_item_by_bill_id ON office_payment_item (bill_id);
CREATE INDEX office_payment_item_by_bill_payment_id ON office_payment_item (bill_payment_id);

ALTER TABLE provider_task ADD COLUMN item integer;
ALTER TABLE provider_task DROP CONSTRAINT uq_provider_task_office_id_kind_subject;
ALTER TABLE provider_task ADD CONSTRAINT uq_provider_task_office_id_kind_subject_item
    UNIQUE NULLS NOT DISTINCT (office_id, kind, subject, item);
ALTER TABLE money_case ADD COLUMN item integer;

INSERT INTO ledger_account (code, kind, detail, side) VALUES
    ('company', 'company', '', 'credit'),
    ('office', 'office', '', 'credit'),
    ('vat', 'vat', '', 'credit')
ON CONFLICT DO NOTHING;
"""


def upgrade() -> None:
    """Make the table and columns."""
    op.execute(_TABLES)
