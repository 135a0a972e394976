"""Tables of the office's ATMs: what `edge.store.atm_projections` keeps. Projections."""

from typing import Final

ATM_TABLES: Final = (
    """CREATE TABLE atm (
        atm_id TEXT PRIMARY KEY,
        bank TEXT NOT NULL,
        number TEXT NOT NULL,
        place TEXT NOT NULL,
        cassettes TEXT NOT NULL,
        state TEXT,
        state_note TEXT NOT NULL DEFAULT '',
        state_at TEXT,
        state_by TEXT,
        registered_at TEXT NOT NULL,
        registered_index INTEGER NOT NULL,
        removed_at TEXT
    ) STRICT""",
    """CREATE TABLE atm_holding (
        atm_id TEXT NOT NULL,
        cassette INTEGER NOT NULL,
        denomination_rial INTEGER NOT NULL,
        notes INTEGER NOT NULL,
        source TEXT NOT NULL CHECK (source IN ('reported', 'loaded', 'counted')),
        known_at TEXT NOT NULL,
        PRIMARY KEY (atm_id, cassette)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE atm_ticket (
        ticket_id TEXT PRIMARY KEY,
        ticket INTEGER NOT NULL UNIQUE,
        atm_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        detail TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('open', 'accepted', 'technician', 'resolved', 'declined', 'closed')),
        operator TEXT NOT NULL,
        opened_at TEXT NOT NULL,
        opened_index INTEGER NOT NULL UNIQUE,
        moved_at TEXT NOT NULL,
        bank_reference TEXT NOT NULL DEFAULT ''
    ) STRICT""",
    "CREATE INDEX atm_ticket_open ON atm_ticket (ticket) WHERE state <> 'closed'",
    "CREATE INDEX atm_ticket_of_atm ON atm_ticket (atm_id, ticket)",
    # Numbered as they came, the bank's answers among them: a rebuild numbers them alike.
    """CREATE TABLE atm_event (
        number INTEGER PRIMARY KEY,
        name TEXT,
        atm_id TEXT NOT NULL,
        ticket_id TEXT,
        type TEXT NOT NULL,
        at TEXT NOT NULL,
        entry_index INTEGER NOT NULL,
        leaf TEXT NOT NULL,
        body TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX atm_event_of_atm ON atm_event (atm_id, number)",
    "CREATE INDEX atm_event_of_ticket ON atm_event (ticket_id, number) WHERE ticket_id IS NOT NULL",
    "CREATE INDEX atm_event_named ON atm_event (name) WHERE name IS NOT NULL",
)

ATM_PROJECTIONS: Final[dict[str, tuple[str, ...]]] = {
    "atm": ("atm_id",),
    "atm_holding": ("atm_id", "cassette"),
    "atm_ticket": ("ticket_id",),
    "atm_event": ("number",),
}
"""Each table and its key."""
