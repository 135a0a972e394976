"""What people decide: cases closed, files corrected, journals released; and answers about reversals."""

from alembic import op

revision = "0006_decisions"
down_revision = "0005_money_back"

_TABLES = """
ALTER TABLE money_case
    ADD COLUMN outcome text,
    ADD COLUMN closed_at timestamptz,
    ADD COLUMN closed_by text;
CREATE TABLE case_closing (
    closing_id bigint GENERATED ALWAYS AS IDENTITY,
    case_id text NOT NULL,
    outcome text NOT NULL,
    reason text NOT NULL,
    state text NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL,
    decided_by text,
    decided_at timestamptz,
    CONSTRAINT pk_case_closing PRIMARY KEY (closing_id),
    CONSTRAINT fk_case_closing_case_id_money_case FOREIGN KEY (case_id) REFERENCES money_case (case_id),
    CONSTRAINT ck_case_closing_state_word CHECK (state IN ('proposed', 'agreed', 'dropped')),
    CONSTRAINT ck_case_closing_two_people CHECK (state <> 'agreed' OR decided_by <> proposed_by)
);
CREATE UNIQUE INDEX case_closing_open ON case_closing (case_id) WHERE state = 'proposed';
CREATE INDEX case_closing_of_case ON case_closing (case_id, closing_id);

ALTER TABLE settlement_file DROP CONSTRAINT uq_settlement_file_sha256;
ALTER TABLE settlement_file ADD COLUMN copy integer NOT NULL DEFAULT 1;
ALTER TABLE settlement_file ADD CONSTRAINT uq_settlement_file_sha256_copy UNIQUE (sha256, copy);
CREATE TABLE settlement_correction (
    file_id text NOT NULL,
    by_file_id text NOT NULL,
    reason text NOT NULL,
    corrected_by text NOT NULL,
    corrected_at timestamptz NOT NULL,
    CONSTRAINT pk_settlement_correction PRIMARY KEY (file_id),
    CONSTRAINT fk_settlement_correction_file_id_settlement_file
        FOREIGN KEY (file_id) REFERENCES settlement_file (file_id),
    CONSTRAINT fk_settlement_correction_by_file_id_settlement_file
        FOREIGN KEY (by_file_id) REFERENCES settlement_file (file_id)
);
CREATE INDEX settlement_correction_by_file ON settlement_correction (by_file_id);

ALTER TABLE acquirer_answer ADD COLUMN refund_id text NOT NULL DEFAULT '';
ALTER TABLE acquirer_answer DROP CONSTRAINT pk_acquirer_answer;
ALTER TABLE acquirer_answer ADD CONSTRAINT pk_acquirer_answer PRIMARY KEY (office_id, payment_id, refund_id, charged);
CREATE TABLE answering_mark (
    only_one boolean NOT NULL,
    files_to bigint NOT NULL,
    payments_to timestamptz NOT NULL,
    CONSTRAINT pk_answering_mark PRIMARY KEY (only_one),
    CONSTRAINT ck_answering_mark_one_row CHECK (only_one)
);
CREATE INDEX payment_entry_alarm ON payment_entry (office_id, payment_id) WHERE type = 'alarm.raised';
CREATE INDEX office_payment_by_changed_at ON office_payment (changed_at);
CREATE INDEX acquirer_answer_by_file ON acquirer_answer (file_id);
ALTER TABLE acquirer_statement ADD COLUMN refund_id text NOT NULL DEFAULT '';

ALTER TABLE journal ADD COLUMN retired_at timestamptz;
CREATE TABLE quarantine_asker (
    office_id text NOT NULL,
    journal_id text NOT NULL,
    token bytea NOT NULL,
    size bigint NOT NULL,
    root bytea NOT NULL,
    goes_on boolean NOT NULL,
    boot text NOT NULL,
    asked_count bigint NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    CONSTRAINT pk_quarantine_asker PRIMARY KEY (office_id, journal_id, token),
    CONSTRAINT fk_quarantine_asker_office_id_journal
        FOREIGN KEY (office_id, journal_id) REFERENCES journal (office_id, journal_id)
);
CREATE TABLE quarantine_decision (
    decision_id bigint GENERATED ALWAYS AS IDENTITY,
    office_id text NOT NULL,
    journal_id text NOT NULL,
    kind text NOT NULL,
    token bytea,
    book_aside boolean NOT NULL,
    reason text NOT NULL,
    state text NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL,
    decided_by text,
    decided_at timestamptz,
    booked_count integer,
    unbooked_count integer,
    CONSTRAINT pk_quarantine_decision PRIMARY KEY (decision_id),
    CONSTRAINT fk_quarantine_decision_office_id_journal
        FOREIGN KEY (office_id, journal_id) REFERENCES journal (office_id, journal_id),
    CONSTRAINT ck_quarantine_decision_kind_word CHECK (kind IN ('go_on', 'retire')),
    CONSTRAINT ck_quarantine_decision_names_whom CHECK ((kind = 'go_on') = (token IS NOT NULL)),
    CONSTRAINT ck_quarantine_decision_state_word CHECK (state IN ('proposed', 'agreed', 'dropped')),
    CONSTRAINT ck_quarantine_decision_two_people CHECK (state <> 'agreed' OR decided_by <> proposed_by)
);
CREATE UNIQUE INDEX quarantine_decision_open ON quarantine_decision (office_id, journal_id) WHERE state = 'proposed';
CREATE INDEX quarantine_decision_of_journal ON quarantine_decision (journal_id, decision_id);

INSERT INTO ledger_account (code, kind, detail, side) VALUES
    ('losses', 'losses', '', 'debit'),
    ('paid_out', 'paid_out', '', 'credit')
ON CONFLICT DO NOTHING;
"""


def upgrade() -> None:
    """Make the tables and columns."""
    op.execute(_TABLES)
    op.execute(
        "CREATE TRIGGER settlement_correction_is_final BEFORE UPDATE OR DELETE ON settlement_correction"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER settlement_correction_is_kept BEFORE TRUNCATE ON settlement_correction"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    for table in ("case_closing", "quarantine_decision"):
        # A decision ends once; what was said is never taken out.
        op.execute(
            f"CREATE TRIGGER {table}_is_kept BEFORE DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
