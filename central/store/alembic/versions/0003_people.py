"""The people who sign in at central: verifiers, sessions, failed attempts."""

from alembic import op

revision = "0003_people"
down_revision = "0002_books"

_TABLES = """
CREATE TABLE person (
    username text NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    verifier text NOT NULL,
    added_at timestamptz NOT NULL,
    disabled_at timestamptz,
    CONSTRAINT pk_person PRIMARY KEY (username),
    CONSTRAINT ck_person_role_word CHECK (role IN ('finance', 'auditor'))
);
CREATE TABLE person_session (
    token_sha256 bytea NOT NULL,
    username text NOT NULL,
    opened_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT pk_person_session PRIMARY KEY (token_sha256),
    CONSTRAINT fk_person_session_username_person FOREIGN KEY (username) REFERENCES person (username),
    CONSTRAINT ck_person_session_token_size CHECK (octet_length(token_sha256) = 32)
);
CREATE INDEX ix_person_session_username ON person_session (username);
CREATE TABLE sign_in_failure (
    ordinal bigint GENERATED ALWAYS AS IDENTITY,
    username text NOT NULL,
    address text NOT NULL,
    failed_at timestamptz NOT NULL,
    CONSTRAINT pk_sign_in_failure PRIMARY KEY (ordinal)
);
CREATE INDEX ix_sign_in_failure_username_failed_at ON sign_in_failure (username, failed_at);
CREATE INDEX ix_sign_in_failure_address_failed_at ON sign_in_failure (address, failed_at);
"""


def upgrade() -> None:
    op.execute(_TABLES)
