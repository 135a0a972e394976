"""The fleet, its feeds, and the mirrors of the boxes' journals."""

from alembic import op

revision = "0001_ingest"
down_revision = None

_TABLES = """
CREATE TABLE office (
    office_id text NOT NULL,
    name text NOT NULL,
    added_at timestamptz NOT NULL,
    CONSTRAINT pk_office PRIMARY KEY (office_id)
);
CREATE TABLE box (
    office_id text NOT NULL,
    box_id text NOT NULL,
    public_key bytea NOT NULL,
    software text NOT NULL,
    enrolled_at timestamptz NOT NULL,
    CONSTRAINT pk_box PRIMARY KEY (office_id, box_id),
    CONSTRAINT fk_box_office_id_office FOREIGN KEY (office_id) REFERENCES office (office_id),
    CONSTRAINT uq_box_public_key UNIQUE (public_key),
    CONSTRAINT ck_box_key_size CHECK (octet_length(public_key) = 32)
);
CREATE TABLE enrolment_code (
    code_sha256 bytea NOT NULL,
    office_id text NOT NULL,
    replaces text,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    public_key bytea,
    journal_id text,
    CONSTRAINT pk_enrolment_code PRIMARY KEY (code_sha256),
    CONSTRAINT fk_enrolment_code_office_id_office FOREIGN KEY (office_id) REFERENCES office (office_id)
);
CREATE TABLE feed (
    feed_id text NOT NULL,
    size bigint NOT NULL,
    head text NOT NULL,
    opened_at timestamptz NOT NULL,
    CONSTRAINT pk_feed PRIMARY KEY (feed_id)
);
CREATE TABLE feed_entry (
    feed_id text NOT NULL,
    entry_index bigint NOT NULL,
    type text NOT NULL,
    data bytea NOT NULL,
    signature bytea NOT NULL,
    appended_at timestamptz NOT NULL,
    CONSTRAINT pk_feed_entry PRIMARY KEY (feed_id, entry_index),
    CONSTRAINT fk_feed_entry_feed_id_feed FOREIGN KEY (feed_id) REFERENCES feed (feed_id)
);
CREATE INDEX ix_feed_entry_policy ON feed_entry (feed_id, entry_index) WHERE type = 'exposure_policy.set';
CREATE TABLE alarm (
    alarm_id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    office_id text NOT NULL,
    box_id text,
    journal_id text,
    kind text NOT NULL,
    detail text NOT NULL,
    entry_index bigint,
    leaf bytea,
    raised_at timestamptz NOT NULL,
    closed_at timestamptz,
    closed_by text,
    CONSTRAINT pk_alarm PRIMARY KEY (alarm_id)
);
CREATE INDEX ix_alarm_open ON alarm (office_id) WHERE closed_at IS NULL;
CREATE TABLE journal (
    office_id text NOT NULL,
    journal_id text NOT NULL,
    box_id text NOT NULL,
    public_key bytea NOT NULL,
    size bigint NOT NULL,
    root bytea NOT NULL,
    token bytea NOT NULL,
    spent_token bytea,
    first_token bytea NOT NULL,
    cosigned_size bigint NOT NULL,
    cosigned_at_s bigint NOT NULL,
    cosigned_note text NOT NULL,
    opened_at timestamptz NOT NULL,
    last_exchange_at timestamptz,
    quarantined_at timestamptz,
    predecessor text,
    predecessor_cosigned_size bigint,
    closed_at timestamptz,
    closed_reason text,
    CONSTRAINT pk_journal PRIMARY KEY (office_id, journal_id),
    CONSTRAINT uq_journal_journal_id UNIQUE (journal_id),
    CONSTRAINT fk_journal_office_id_box FOREIGN KEY (office_id, box_id) REFERENCES box (office_id, box_id),
    CONSTRAINT ck_journal_root_size CHECK (octet_length(root) = 32),
    CONSTRAINT ck_journal_cosigned_is_held CHECK (cosigned_size <= size)
);
CREATE TABLE journal_entry (
    office_id text NOT NULL,
    journal_id text NOT NULL,
    leaf bytea NOT NULL,
    entry_index bigint NOT NULL,
    on_main boolean NOT NULL,
    disposition text NOT NULL,
    type text NOT NULL,
    data bytea NOT NULL,
    signature bytea NOT NULL,
    received_at timestamptz NOT NULL,
    CONSTRAINT pk_journal_entry PRIMARY KEY (office_id, journal_id, leaf),
    CONSTRAINT fk_journal_entry_office_id_journal
        FOREIGN KEY (office_id, journal_id) REFERENCES journal (office_id, journal_id),
    CONSTRAINT ck_journal_entry_leaf_size CHECK (octet_length(leaf) = 32)
);
CREATE UNIQUE INDEX uq_journal_entry_main ON journal_entry (office_id, journal_id, entry_index) WHERE on_main;
CREATE TABLE journal_key (
    office_id text NOT NULL,
    journal_id text NOT NULL,
    entry_index bigint NOT NULL,
    leaf bytea NOT NULL,
    public_key bytea NOT NULL,
    CONSTRAINT pk_journal_key PRIMARY KEY (office_id, journal_id, entry_index),
    CONSTRAINT fk_journal_key_office_id_journal
        FOREIGN KEY (office_id, journal_id) REFERENCES journal (office_id, journal_id),
    CONSTRAINT ck_journal_key_key_size CHECK (octet_length(public_key) = 32)
);
CREATE TABLE journal_node (
    office_id text NOT NULL,
    journal_id text NOT NULL,
    level smallint NOT NULL,
    position bigint NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT pk_journal_node PRIMARY KEY (office_id, journal_id, level, position)
);
CREATE TABLE exchange (
    office_id text NOT NULL,
    journal_id text NOT NULL,
    request_sha256 bytea NOT NULL,
    ordinal bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    status text NOT NULL,
    response bytea,
    answered_at timestamptz NOT NULL,
    CONSTRAINT pk_exchange PRIMARY KEY (office_id, journal_id, request_sha256),
    CONSTRAINT fk_exchange_office_id_journal
        FOREIGN KEY (office_id, journal_id) REFERENCES journal (office_id, journal_id)
);
CREATE INDEX ix_exchange_ordinal ON exchange (office_id, journal_id, ordinal);
"""

_GUARDS = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME;
END $$;
CREATE TRIGGER feed_entry_is_final BEFORE UPDATE OR DELETE ON feed_entry
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER feed_entry_is_kept BEFORE TRUNCATE ON feed_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER journal_entry_is_kept BEFORE DELETE ON journal_entry
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER journal_entry_stays BEFORE TRUNCATE ON journal_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER journal_entry_is_final
    BEFORE UPDATE OF office_id, journal_id, leaf, entry_index, type, data, signature, received_at
    ON journal_entry FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    op.execute(_TABLES)
    op.execute(_GUARDS)
