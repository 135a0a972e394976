"""Tables of the people at the counter. What they may do is a projection; passwords and sessions are in no journal."""

from typing import Final

PEOPLE_PROJECTED: Final = (
    # Both lists as JSON: they are set together, and read together.
    """CREATE TABLE person_permission (
        person TEXT PRIMARY KEY,
        allowed TEXT NOT NULL,
        denied TEXT NOT NULL
    ) STRICT""",
)

PEOPLE_OUTSIDE: Final = (
    """CREATE TABLE operator (
        username TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        verifier TEXT NOT NULL,
        role TEXT NOT NULL,
        disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
        must_change INTEGER NOT NULL DEFAULT 0 CHECK (must_change IN (0, 1))
    ) STRICT""",
    """CREATE TABLE session (
        token_sha256 BLOB PRIMARY KEY,
        username TEXT NOT NULL REFERENCES operator ON DELETE CASCADE,
        boot TEXT NOT NULL,
        opened_monotonic_ms INTEGER NOT NULL,
        opened_at TEXT NOT NULL DEFAULT '',
        address TEXT NOT NULL DEFAULT '',
        browser TEXT NOT NULL DEFAULT ''
    ) STRICT""",
    """CREATE TABLE sign_in (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        username TEXT NOT NULL REFERENCES operator ON DELETE CASCADE,
        at TEXT NOT NULL,
        address TEXT NOT NULL,
        browser TEXT NOT NULL,
        was_right INTEGER NOT NULL CHECK (was_right IN (0, 1))
    ) STRICT""",
    "CREATE INDEX sign_in_of ON sign_in (username, was_right, number)",
    # What the command line did beside a box that serves: the box journals it, and then forgets it here.
    """CREATE TABLE person_change (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        body TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE api_token (
        token_sha256 BLOB PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        scopes TEXT NOT NULL,
        person TEXT REFERENCES operator ON DELETE CASCADE
    ) STRICT""",
    """CREATE TABLE attempt (
        subject TEXT PRIMARY KEY,
        failed_count INTEGER NOT NULL,
        boot TEXT NOT NULL,
        failed_monotonic_ms INTEGER NOT NULL
    ) STRICT""",
)
