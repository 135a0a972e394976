"""Projections of catalogue services: catalogues that were published, what customers asked for, and what was answered.

Sealed answers, pictures and what was bought stay in the feed's own rows; here stands where.
"""

from typing import Final

SERVICE_PROJECTED: Final = (
    """CREATE TABLE catalogue (
        feed TEXT NOT NULL,
        feed_index INTEGER NOT NULL,
        catalogue_id TEXT NOT NULL,
        withdrawn INTEGER NOT NULL CHECK (withdrawn IN (0, 1)),
        received_index INTEGER NOT NULL,
        PRIMARY KEY (feed, feed_index)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX catalogue_name ON catalogue (catalogue_id)",
    """CREATE TABLE service_request (
        inquiry_id TEXT PRIMARY KEY,
        ticket INTEGER NOT NULL,
        service TEXT NOT NULL,
        catalogue_id TEXT NOT NULL,
        fields TEXT NOT NULL,
        applicant_tail TEXT NOT NULL,
        search_key TEXT NOT NULL,
        fee_rial INTEGER NOT NULL CHECK (fee_rial >= 0),
        gate TEXT NOT NULL CHECK (gate IN ('fee_first', 'answer_first')),
        print_first INTEGER NOT NULL CHECK (print_first IN (0, 1)),
        rules_accepted INTEGER NOT NULL CHECK (rules_accepted IN (0, 1)),
        operator TEXT NOT NULL,
        requested_at TEXT NOT NULL,
        requested_index INTEGER NOT NULL UNIQUE,
        retried INTEGER NOT NULL DEFAULT 0,
        released_by TEXT,
        released_reason TEXT,
        shown_at TEXT,
        outcome TEXT CHECK (outcome IN ('done', 'nothing', 'wrong_parameter', 'refused')),
        provider TEXT,
        track_id TEXT,
        reason TEXT,
        case_id TEXT,
        answered_at TEXT,
        answer_feed TEXT,
        answer_index INTEGER,
        printed INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
    # Few wait at a time, and each page of an operator asks whether any does.
    "CREATE INDEX service_request_waits ON service_request (requested_index) WHERE outcome IS NULL",
    "CREATE INDEX service_request_about ON service_request (search_key, requested_index) WHERE outcome = 'done'",
    """CREATE TABLE service_image_ask (
        inquiry_id TEXT NOT NULL,
        item TEXT NOT NULL,
        asked_at TEXT NOT NULL,
        PRIMARY KEY (inquiry_id, item)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE service_image (
        inquiry_id TEXT NOT NULL,
        item TEXT NOT NULL,
        number INTEGER NOT NULL,
        label TEXT NOT NULL,
        there INTEGER NOT NULL CHECK (there IN (0, 1)),
        feed TEXT NOT NULL,
        feed_index INTEGER NOT NULL,
        PRIMARY KEY (inquiry_id, item, number)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE fulfilment (
        payment_id TEXT PRIMARY KEY,
        feed TEXT NOT NULL,
        feed_index INTEGER NOT NULL
    ) STRICT""",
)
