"""The books: payments, ledger, provider tasks, cases, settlement files, reconciliation runs."""

from alembic import op

revision = "0002_books"
down_revision = "0001_ingest"

_TABLES = """
CREATE TABLE ledger_account (
    code text NOT NULL,
    kind text NOT NULL,
    detail text NOT NULL,
    side text NOT NULL,
    CONSTRAINT pk_ledger_account PRIMARY KEY (code),
    CONSTRAINT ck_ledger_account_side_word CHECK (side IN ('debit', 'credit'))
);
CREATE TABLE money_case (
    case_id text NOT NULL,
    ordinal bigint GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL,
    state text NOT NULL,
    office_id text,
    payment_id text,
    amount_rial bigint NOT NULL,
    facts jsonb NOT NULL,
    opened_at timestamptz NOT NULL,
    opened_by text NOT NULL,
    assigned_to text,
    CONSTRAINT pk_money_case PRIMARY KEY (case_id),
    CONSTRAINT ck_money_case_state_word CHECK (state IN ('open', 'assigned', 'closed'))
);
CREATE INDEX money_case_by_ordinal ON money_case (ordinal);
CREATE INDEX money_case_by_payment ON money_case (office_id, payment_id);
CREATE TABLE office_data_key (
    office_id text NOT NULL,
    key_id text NOT NULL,
    journal_id text NOT NULL,
    month text NOT NULL,
    public_key text NOT NULL,
    wrapped text NOT NULL,
    CONSTRAINT pk_office_data_key PRIMARY KEY (office_id, key_id)
);
CREATE TABLE office_inquiry (
    office_id text NOT NULL,
    inquiry_id text NOT NULL,
    ordinal bigint GENERATED ALWAYS AS IDENTITY,
    journal_id text NOT NULL,
    entry_index bigint NOT NULL,
    ticket integer NOT NULL,
    service text NOT NULL,
    kind text NOT NULL,
    parameter_key_id text NOT NULL,
    parameter_ciphertext text NOT NULL,
    parameter_tail text NOT NULL,
    operator text NOT NULL,
    requested_claim text NOT NULL,
    received_at timestamptz NOT NULL,
    outcome text,
    reason text,
    amount_rial bigint,
    bill_id text,
    bill_payment_id text,
    due text,
    answered_at timestamptz,
    CONSTRAINT pk_office_inquiry PRIMARY KEY (office_id, inquiry_id)
);
CREATE INDEX office_inquiry_by_ordinal ON office_inquiry (ordinal);
CREATE TABLE office_payment (
    office_id text NOT NULL,
    payment_id text NOT NULL,
    ordinal bigint GENERATED ALWAYS AS IDENTITY,
    journal_id text NOT NULL,
    obligation text NOT NULL,
    purpose text NOT NULL,
    method text NOT NULL,
    amount_rial bigint NOT NULL,
    split jsonb NOT NULL,
    terminal text NOT NULL,
    reference text NOT NULL,
    operator text NOT NULL,
    bill_id text,
    bill_payment_id text,
    inquiry_id text,
    state text NOT NULL,
    terminal_number text,
    merchant_number text,
    stan text,
    rrn text,
    pan text,
    response_code text,
    terminal_time text,
    in_doubt_reason text,
    slip_number text,
    requested_index bigint NOT NULL,
    requested_claim text NOT NULL,
    sent_claim text,
    approved_claim text,
    local_date date NOT NULL,
    outcome_index bigint,
    outcome_leaf bytea,
    received_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    pending_transfer text,
    pending_account text,
    confirmation text DEFAULT 'none' NOT NULL,
    refusal_reason text,
    provider text,
    provider_reference text,
    confirmed_at timestamptz,
    settled_file text,
    settled_line integer,
    settled_run bigint,
    CONSTRAINT pk_office_payment PRIMARY KEY (office_id, payment_id),
    CONSTRAINT ck_office_payment_amount_positive CHECK (amount_rial > 0),
    CONSTRAINT ck_office_payment_confirmation_word CHECK (confirmation IN ('none', 'queued', 'confirmed', 'refused'))
);
CREATE INDEX office_payment_by_local_date ON office_payment (local_date);
CREATE INDEX office_payment_by_obligation ON office_payment (obligation);
CREATE INDEX office_payment_by_ordinal ON office_payment (ordinal);
CREATE INDEX office_payment_by_rrn ON office_payment (ltrim(terminal_number, '0'), ltrim(rrn, '0'));
CREATE INDEX office_payment_by_stan ON office_payment (ltrim(terminal_number, '0'), ltrim(stan, '0'));
CREATE UNIQUE INDEX office_payment_settled_once ON office_payment (settled_file, settled_line)
    WHERE settled_file IS NOT NULL;
CREATE INDEX office_payment_unsettled ON office_payment (local_date) WHERE settled_file IS NULL;
CREATE TABLE payment_entry (
    office_id text NOT NULL,
    payment_id text NOT NULL,
    journal_id text NOT NULL,
    leaf bytea NOT NULL,
    entry_index bigint NOT NULL,
    type text NOT NULL,
    at_claim text NOT NULL,
    clock text NOT NULL,
    received_at timestamptz NOT NULL,
    body jsonb NOT NULL,
    CONSTRAINT pk_payment_entry PRIMARY KEY (office_id, payment_id, journal_id, leaf)
);
CREATE INDEX ix_payment_entry_journal ON payment_entry (office_id, journal_id, entry_index);
CREATE TABLE posted_entry (
    office_id text NOT NULL,
    journal_id text NOT NULL,
    leaf bytea NOT NULL,
    entry_index bigint NOT NULL,
    disposition text NOT NULL,
    CONSTRAINT pk_posted_entry PRIMARY KEY (office_id, journal_id, leaf),
    CONSTRAINT ck_posted_entry_leaf_size CHECK (octet_length(leaf) = 32)
);
CREATE TABLE provider_task (
    office_id text NOT NULL,
    task_id text NOT NULL,
    ordinal bigint GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL,
    subject text NOT NULL,
    track_id text NOT NULL,
    state text NOT NULL,
    attempts integer DEFAULT '0' NOT NULL,
    asked_at timestamptz,
    next_at timestamptz NOT NULL,
    lease text,
    lease_until timestamptz,
    made_at timestamptz NOT NULL,
    finished_at timestamptz,
    last_problem text,
    provider text,
    outcome text,
    CONSTRAINT pk_provider_task PRIMARY KEY (office_id, task_id),
    CONSTRAINT uq_provider_task_office_id_kind_subject UNIQUE (office_id, kind, subject),
    CONSTRAINT ck_provider_task_kind_word CHECK (kind IN ('confirm', 'inquire')),
    CONSTRAINT ck_provider_task_state_word CHECK (state IN ('waiting', 'asking', 'done')),
    CONSTRAINT ck_provider_task_track_id_size CHECK (octet_length(track_id) <= 40),
    CONSTRAINT uq_provider_task_track_id UNIQUE (track_id)
);
CREATE INDEX provider_task_by_ordinal ON provider_task (ordinal);
CREATE INDEX provider_task_due ON provider_task (next_at) WHERE state <> 'done';
CREATE TABLE recon_run (
    run_id bigint GENERATED ALWAYS AS IDENTITY,
    started_at timestamptz NOT NULL,
    started_by text NOT NULL,
    scope jsonb NOT NULL,
    rules jsonb NOT NULL,
    payments_sha256 bytea NOT NULL,
    lines_sha256 bytea NOT NULL,
    result_sha256 bytea NOT NULL,
    payment_count integer NOT NULL,
    line_count integer NOT NULL,
    office_rial bigint NOT NULL,
    acquirer_rial bigint NOT NULL,
    break_count integer NOT NULL,
    settled_count integer NOT NULL,
    CONSTRAINT pk_recon_run PRIMARY KEY (run_id)
);
CREATE TABLE settlement_file (
    file_id text NOT NULL,
    ordinal bigint GENERATED ALWAYS AS IDENTITY,
    sha256 bytea NOT NULL,
    name text NOT NULL,
    size_bytes bigint NOT NULL,
    line_count integer NOT NULL,
    total_rial bigint NOT NULL,
    financial_from date NOT NULL,
    financial_to date NOT NULL,
    imported_at timestamptz NOT NULL,
    imported_by text NOT NULL,
    CONSTRAINT pk_settlement_file PRIMARY KEY (file_id),
    CONSTRAINT uq_settlement_file_sha256 UNIQUE (sha256)
);
CREATE TABLE ledger_transfer (
    office_id text NOT NULL,
    transfer_id text NOT NULL,
    ordinal bigint GENERATED ALWAYS AS IDENTITY,
    phase text NOT NULL,
    pending_id text,
    debit text NOT NULL,
    credit text NOT NULL,
    amount_rial bigint NOT NULL,
    reason text NOT NULL,
    payment_id text,
    source_kind text NOT NULL,
    source text NOT NULL,
    made_at timestamptz NOT NULL,
    CONSTRAINT pk_ledger_transfer PRIMARY KEY (office_id, transfer_id),
    CONSTRAINT fk_ledger_transfer_debit_ledger_account FOREIGN KEY(debit) REFERENCES ledger_account (code),
    CONSTRAINT fk_ledger_transfer_credit_ledger_account FOREIGN KEY(credit) REFERENCES ledger_account (code),
    CONSTRAINT fk_ledger_transfer_office_id_pending_id_ledger_transfer
        FOREIGN KEY(office_id, pending_id) REFERENCES ledger_transfer (office_id, transfer_id),
    CONSTRAINT ck_ledger_transfer_amount_positive CHECK (amount_rial > 0),
    CONSTRAINT ck_ledger_transfer_two_accounts CHECK (debit <> credit),
    CONSTRAINT ck_ledger_transfer_phase_word CHECK (phase IN ('pending', 'posted', 'post', 'void')),
    CONSTRAINT ck_ledger_transfer_ends_a_pending CHECK ((phase IN ('post', 'void')) = (pending_id IS NOT NULL)),
    CONSTRAINT uq_ledger_transfer_ends_once UNIQUE (office_id, pending_id)
);
CREATE INDEX ledger_transfer_by_credit ON ledger_transfer (credit, ordinal);
CREATE INDEX ledger_transfer_by_debit ON ledger_transfer (debit, ordinal);
CREATE INDEX ledger_transfer_by_payment ON ledger_transfer (office_id, payment_id);
CREATE TABLE money_case_note (
    case_id text NOT NULL,
    number integer NOT NULL,
    by text NOT NULL,
    at timestamptz NOT NULL,
    text text NOT NULL,
    CONSTRAINT pk_money_case_note PRIMARY KEY (case_id, number),
    CONSTRAINT fk_money_case_note_case_id_money_case FOREIGN KEY(case_id) REFERENCES money_case (case_id)
);
CREATE TABLE recon_bucket (
    run_id bigint NOT NULL,
    bucket text NOT NULL,
    decision_count integer NOT NULL,
    payment_count integer NOT NULL,
    line_count integer NOT NULL,
    office_rial bigint NOT NULL,
    acquirer_rial bigint NOT NULL,
    CONSTRAINT pk_recon_bucket PRIMARY KEY (run_id, bucket),
    CONSTRAINT fk_recon_bucket_run_id_recon_run FOREIGN KEY(run_id) REFERENCES recon_run (run_id)
);
CREATE TABLE recon_decision (
    run_id bigint NOT NULL,
    number integer NOT NULL,
    bucket text NOT NULL,
    rule text NOT NULL,
    is_break boolean NOT NULL,
    office_rial bigint NOT NULL,
    acquirer_rial bigint NOT NULL,
    break_key text NOT NULL,
    CONSTRAINT pk_recon_decision PRIMARY KEY (run_id, number),
    CONSTRAINT fk_recon_decision_run_id_recon_run FOREIGN KEY(run_id) REFERENCES recon_run (run_id)
);
CREATE INDEX recon_decision_by_break ON recon_decision (break_key);
CREATE INDEX recon_decision_by_bucket ON recon_decision (run_id, bucket, number);
CREATE TABLE settlement_line (
    file_id text NOT NULL,
    line_number integer NOT NULL,
    psp text NOT NULL,
    rrn text NOT NULL,
    stan text NOT NULL,
    terminal_id text NOT NULL,
    merchant_id text NOT NULL,
    pan_masked text NOT NULL,
    amount_rial bigint NOT NULL,
    local_date date NOT NULL,
    local_time text NOT NULL,
    financial_date date NOT NULL,
    cycle text NOT NULL,
    iban text NOT NULL,
    type text NOT NULL,
    status text NOT NULL,
    original_rrn text NOT NULL,
    service_code text NOT NULL,
    share_of text NOT NULL,
    row_no text NOT NULL,
    CONSTRAINT pk_settlement_line PRIMARY KEY (file_id, line_number),
    CONSTRAINT fk_settlement_line_file_id_settlement_file
        FOREIGN KEY(file_id) REFERENCES settlement_file (file_id),
    CONSTRAINT ck_settlement_line_amount_positive CHECK (amount_rial > 0)
);
CREATE INDEX settlement_line_by_financial_date ON settlement_line (financial_date);
CREATE INDEX settlement_line_by_original ON settlement_line (ltrim(terminal_id, '0'), ltrim(original_rrn, '0'));
CREATE INDEX settlement_line_by_rrn ON settlement_line (ltrim(terminal_id, '0'), ltrim(rrn, '0'));
CREATE INDEX settlement_line_by_share ON settlement_line (ltrim(terminal_id, '0'), ltrim(share_of, '0'));
CREATE INDEX settlement_line_by_stan ON settlement_line (ltrim(terminal_id, '0'), ltrim(stan, '0'));
CREATE TABLE recon_member (
    run_id bigint NOT NULL,
    number integer NOT NULL,
    place smallint NOT NULL,
    side text NOT NULL,
    office_id text,
    payment_id text,
    file_id text,
    line_number integer,
    value_rial bigint NOT NULL,
    CONSTRAINT pk_recon_member PRIMARY KEY (run_id, number, side, place),
    CONSTRAINT fk_recon_member_run_id_number_recon_decision
        FOREIGN KEY(run_id, number) REFERENCES recon_decision (run_id, number),
    CONSTRAINT ck_recon_member_side_word CHECK (side IN ('office', 'acquirer'))
);
CREATE INDEX recon_member_by_line ON recon_member (file_id, line_number);
CREATE INDEX recon_member_by_payment ON recon_member (office_id, payment_id);
CREATE UNIQUE INDEX recon_member_line_once ON recon_member (run_id, file_id, line_number) WHERE side = 'acquirer';
CREATE UNIQUE INDEX recon_member_payment_once ON recon_member (run_id, office_id, payment_id) WHERE side = 'office';
"""

_FINAL = (
    "payment_entry",
    "ledger_account",
    "ledger_transfer",
    "money_case_note",
    "settlement_file",
    "settlement_line",
    "recon_run",
    "recon_bucket",
    "recon_decision",
    "recon_member",
)
"""Books are corrected by adding: rows of these are never changed or deleted."""


_SHARED_ACCOUNTS = """
INSERT INTO ledger_account (code, kind, detail, side) VALUES
    ('settled', 'settled', '', 'debit'),
    ('doubtful', 'doubtful', '', 'debit'),
    ('unconfirmed', 'unconfirmed', '', 'credit'),
    ('fees', 'fees', '', 'credit'),
    ('refunds', 'refunds', '', 'credit'),
    ('biller:water', 'biller', 'water', 'credit'),
    ('biller:electricity', 'biller', 'electricity', 'credit'),
    ('biller:gas', 'biller', 'gas', 'credit'),
    ('biller:landline', 'biller', 'landline', 'credit'),
    ('biller:mobile', 'biller', 'mobile', 'credit'),
    ('biller:municipality', 'biller', 'municipality', 'credit'),
    ('biller:tax', 'biller', 'tax', 'credit'),
    ('biller:traffic_fine', 'biller', 'traffic_fine', 'credit'),
    ('biller:other', 'biller', 'other', 'credit');
"""
# Accounts that all offices share are made here, so that two journals never wait for one another over a new one.


def upgrade() -> None:
    """Make the tables, their guards and the shared accounts."""
    op.execute(_TABLES)
    op.execute(_SHARED_ACCOUNTS)
    for table in _FINAL:
        op.execute(
            f"CREATE TRIGGER {table}_is_final BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_is_kept BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
