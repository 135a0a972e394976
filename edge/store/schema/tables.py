"""The tables of the box's file, as SQL statements: what a first migration makes and what a rebuild makes anew.

Three kinds. *Facts* (entry, feed_entry): only ever added to, by triggers. *Projections* (PROJECTIONS): what
the facts say, rebuilt from them identically. All else is outside the journal, by name: keys, people, sessions, attempt
counters, exchange state, print spool.
"""

from typing import Final

from edge.store.schema.atm_tables import ATM_PROJECTIONS, ATM_TABLES
from edge.store.schema.day_tables import DAY_TABLES
from edge.store.schema.elsewhere_tables import ELSEWHERE_PROJECTIONS, ELSEWHERE_TABLES
from edge.store.schema.finding_tables import FINDING_PROJECTED
from edge.store.schema.payment_tables import PAYMENT_TABLES
from edge.store.schema.people_tables import PEOPLE_OUTSIDE, PEOPLE_PROJECTED
from edge.store.schema.refund_tables import REFUND_PROJECTED
from edge.store.schema.service_tables import SERVICE_PROJECTED

PAGE_SIZE_BYTES: Final = 2048
"""A commit writes whole pages to the WAL, of which each fact changes a few bytes: with half of SQLite's own size a
payment writes two thirds as much to the flash and is durable sooner, and a file is a tenth longer. A file keeps the
size that it was made with."""

FACTS: Final = (
    # `nodes` are the hashes of the complete subtrees that end with this entry, its own leaf first: what one entry adds
    # lies together. They stand before its bytes, which may be long.
    """CREATE TABLE entry (
        entry_index INTEGER PRIMARY KEY,
        nodes BLOB NOT NULL CHECK (length(nodes) >= 32 AND length(nodes) % 32 = 0),
        signature BLOB NOT NULL CHECK (length(signature) = 64),
        data BLOB NOT NULL
    ) STRICT""",
    """CREATE TABLE feed_entry (
        feed TEXT NOT NULL,
        entry_index INTEGER NOT NULL,
        data BLOB NOT NULL,
        signature BLOB NOT NULL CHECK (length(signature) = 64),
        PRIMARY KEY (feed, entry_index)
    ) STRICT, WITHOUT ROWID""",
)

GUARDS: Final = (
    *(
        f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for table in ("entry", "feed_entry")
        for verb in ("update", "delete")
    ),
    """CREATE TRIGGER entry_dense BEFORE INSERT ON entry
        WHEN NEW.entry_index IS NOT (SELECT coalesce(max(entry_index) + 1, 0) FROM entry)
        BEGIN SELECT RAISE(ABORT, 'entry is dense'); END""",
    """CREATE TRIGGER feed_entry_dense BEFORE INSERT ON feed_entry
        WHEN NEW.entry_index IS NOT
            (SELECT coalesce(max(entry_index) + 1, 0) FROM feed_entry WHERE feed = NEW.feed)
        BEGIN SELECT RAISE(ABORT, 'feed_entry is dense'); END""",
)

PROJECTED: Final = (
    *REFUND_PROJECTED,
    *PEOPLE_PROJECTED,
    *SERVICE_PROJECTED,
    *FINDING_PROJECTED,
    *PAYMENT_TABLES,
    *ELSEWHERE_TABLES,
    """CREATE TABLE inquiry (
        inquiry_id TEXT PRIMARY KEY,
        ticket INTEGER NOT NULL,
        service TEXT NOT NULL,
        kind TEXT NOT NULL,
        parameter TEXT NOT NULL,
        parameter_tail TEXT NOT NULL,
        operator TEXT NOT NULL,
        requested_at TEXT NOT NULL,
        requested_index INTEGER NOT NULL UNIQUE,
        outcome TEXT,
        amount_rial INTEGER NOT NULL DEFAULT 0,
        bill_id TEXT,
        bill_payment_id TEXT,
        obligation TEXT,
        due TEXT,
        customer TEXT,
        provider TEXT,
        reason TEXT,
        answered_at TEXT,
        printed INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
    """CREATE TABLE profile_bundle (
        feed TEXT NOT NULL,
        feed_index INTEGER NOT NULL,
        bundle_id TEXT NOT NULL,
        withdrawn INTEGER NOT NULL,
        note TEXT NOT NULL,
        published_at TEXT NOT NULL,
        received_at TEXT NOT NULL,
        PRIMARY KEY (feed, feed_index)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE notice (
        notice_id TEXT PRIMARY KEY,
        title TEXT NOT NULL,
        text TEXT NOT NULL,
        received_at TEXT NOT NULL,
        received_index INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE alarm (
        alarm_index INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        payment_id TEXT,
        detail TEXT NOT NULL,
        raised_at TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX alarm_payment ON alarm (payment_id) WHERE payment_id IS NOT NULL",
    """CREATE TABLE data_key (
        key_id TEXT PRIMARY KEY,
        month TEXT NOT NULL,
        public_key TEXT NOT NULL,
        made_index INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE key_rotation (
        entry_index INTEGER PRIMARY KEY,
        public_key TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE journal_end (
        entry_index INTEGER PRIMARY KEY,
        reason TEXT NOT NULL,
        closed_at TEXT NOT NULL
    ) STRICT""",
    *DAY_TABLES,
    *ATM_TABLES,
)

OUTSIDE: Final = (
    "CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    """CREATE TABLE private_key (
        key_id TEXT PRIMARY KEY,
        month TEXT NOT NULL,
        private_key BLOB NOT NULL CHECK (length(private_key) = 32)
    ) STRICT""",
    """CREATE TABLE exchange_state (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        token BLOB,
        cosigned_size INTEGER NOT NULL DEFAULT 0,
        cosigned_note TEXT NOT NULL DEFAULT '',
        cosigned_running_ms INTEGER NOT NULL DEFAULT 0,
        cosigned_boot INTEGER NOT NULL DEFAULT 0,
        next_index INTEGER NOT NULL DEFAULT 0,
        quarantined INTEGER NOT NULL DEFAULT 0 CHECK (quarantined IN (0, 1)),
        last_exchange_at TEXT,
        last_error TEXT
    ) STRICT""",
    "INSERT INTO exchange_state (only) VALUES (1)",
    """CREATE TABLE pending_exchange (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        request BLOB NOT NULL
    ) STRICT""",
    """CREATE TABLE print_job (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        job_id TEXT NOT NULL UNIQUE,
        document TEXT NOT NULL,
        about TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('waiting', 'printing', 'printed', 'uncertain', 'failed')),
        copy INTEGER NOT NULL CHECK (copy IN (0, 1)),
        attempts INTEGER NOT NULL,
        last_status TEXT
    ) STRICT""",
    "CREATE INDEX print_job_about ON print_job (about)",
    # Jobs are kept; every page counts those that wait.
    "CREATE INDEX print_job_state ON print_job (state)",
    *PEOPLE_OUTSIDE,
    """CREATE TABLE idempotency (
        caller TEXT NOT NULL,
        idempotency_key TEXT NOT NULL,
        request_sha256 BLOB NOT NULL,
        response BLOB,
        PRIMARY KEY (caller, idempotency_key)
    ) STRICT, WITHOUT ROWID""",
)

PROJECTIONS: Final[dict[str, tuple[str, ...]]] = {
    "payment": ("payment_id",),
    "holding": ("payment_id", "item"),
    "covered": ("obligation", "payment_id"),
    "inquiry": ("inquiry_id",),
    "notice": ("notice_id",),
    "alarm": ("alarm_index",),
    "data_key": ("key_id",),
    "acquirer_answer": ("number",),
    "refund": ("refund_id",),
    "key_rotation": ("entry_index",),
    "journal_end": ("entry_index",),
    "queued_sum": ("only",),
    "exposure_sum": ("bucket",),
    "exposure_policy": ("feed",),
    "person_permission": ("person",),
    "profile_bundle": ("feed", "feed_index"),
    "catalogue": ("feed", "feed_index"),
    "service_request": ("inquiry_id",),
    "service_image_ask": ("inquiry_id", "item"),
    "service_image": ("inquiry_id", "item", "number"),
    "fulfilment": ("payment_id",),
    "boot_time": ("first_index",),
    "day_total": ("day", "tally", "method", "purpose", "terminal"),
    "day_close": ("day",),
    **ELSEWHERE_PROJECTIONS,
    **ATM_PROJECTIONS,
}
"""Each projection's table and its key: what must come out of the facts identically."""

VERSION_1: Final = (*FACTS, *GUARDS, *PROJECTED, *OUTSIDE)
