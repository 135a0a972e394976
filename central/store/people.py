"""Tables of the people who sign in at central: verifiers, sessions, failed attempts. No password is ever stored."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Table,
    Text,
)

from central.store.metadata import METADATA

_INSTANT: Final = DateTime(timezone=True)

person: Final = Table(
    "person",
    METADATA,
    Column("username", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("verifier", Text, nullable=False),
    Column("added_at", _INSTANT, nullable=False),
    Column("disabled_at", _INSTANT),
    CheckConstraint("role IN ('finance', 'auditor')", name="role_word"),
)
"""`verifier` is an Argon2id string. `finance` may change things, `auditor` may see all and change nothing."""

person_session: Final = Table(
    "person_session",
    METADATA,
    Column("token_sha256", LargeBinary, primary_key=True),
    Column("username", Text, ForeignKey("person.username"), nullable=False),
    Column("opened_at", _INSTANT, nullable=False),
    Column("expires_at", _INSTANT, nullable=False),
    Index("ix_person_session_username", "username"),
    CheckConstraint("octet_length(token_sha256) = 32", name="token_size"),
)
"""Who is signed in. Only the hash of a token is kept: who reads the table cannot use it."""

sign_in_failure: Final = Table(
    "sign_in_failure",
    METADATA,
    Column("ordinal", BigInteger, Identity(always=True), primary_key=True),
    Column("username", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("failed_at", _INSTANT, nullable=False),
    Index("ix_sign_in_failure_username_failed_at", "username", "failed_at"),
    Index("ix_sign_in_failure_address_failed_at", "address", "failed_at"),
)
"""Wrong passwords of late, so that all nodes count together."""
