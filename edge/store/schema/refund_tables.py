"""Projections of what a charge's doubts and its way back leave behind: the acquirer's word, requests to give back."""

from typing import Final

REFUND_PROJECTED: Final = (
    # Numbered as they came: the newest of a payment stands, and a rebuild numbers them alike.
    """CREATE TABLE acquirer_answer (
        number INTEGER PRIMARY KEY,
        payment_id TEXT NOT NULL,
        charged INTEGER NOT NULL CHECK (charged IN (0, 1)),
        about TEXT NOT NULL CHECK (about IN ('sale', 'reversal')),
        refund_id TEXT,
        source TEXT NOT NULL,
        acquirer TEXT NOT NULL,
        amount_rial INTEGER,
        rrn TEXT,
        stan TEXT,
        terminal_number TEXT,
        file_sha256 TEXT,
        file_row INTEGER,
        received_index INTEGER NOT NULL
    ) STRICT""",
    "CREATE INDEX acquirer_answer_payment ON acquirer_answer (payment_id)",
    """CREATE TABLE refund (
        refund_id TEXT PRIMARY KEY,
        payment_id TEXT NOT NULL,
        means TEXT NOT NULL,
        amount_rial INTEGER NOT NULL CHECK (amount_rial > 0),
        operator TEXT NOT NULL,
        reason TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('proposed', 'agreed', 'dropped', 'sent', 'in_doubt', 'done', 'refused')),
        proposed_at TEXT NOT NULL,
        proposed_index INTEGER NOT NULL UNIQUE,
        proposed_leaf TEXT NOT NULL,
        decided_by TEXT,
        decided_at TEXT,
        outcome_reason TEXT NOT NULL DEFAULT ''
    ) STRICT""",
    # A charge is given back once: whatever the rules above it say, a second request does not stand beside it.
    "CREATE UNIQUE INDEX refund_one ON refund (payment_id) WHERE state NOT IN ('dropped', 'refused')",
)
