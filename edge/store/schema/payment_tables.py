"""Tables of payments: each charge, and what each holds. Projections.

A payment pays one obligation, or several as its items. Whichever it is, each obligation has a row in `holding`, and one
partial unique index over all of them lets one charge hold an obligation: a payment of its own and an item of another
keep each other out. A row's state is always its payment's; its provider's word is its own.
"""

from typing import Final

from shared.payment import CERTAINLY_UNCHARGED


def holds_obligation(row: str = "") -> str:
    """Return the SQL condition that a payment, `row` with a dot, keeps its obligations from being paid again.

    Comparisons, not a list: SQLite makes a table of each list, anew for each row that a guard or an index looks at.
    """
    return "(" + " AND ".join(f"{row}state <> '{state}'" for state in sorted(CERTAINLY_UNCHARGED)) + ")"


HOLDS_OBLIGATION: Final = holds_obligation()

PAYMENT_TABLES: Final = (
    """CREATE TABLE payment (
        requested_index INTEGER PRIMARY KEY,
        payment_id TEXT NOT NULL UNIQUE,
        obligation TEXT NOT NULL,
        purpose TEXT NOT NULL,
        amount_rial INTEGER NOT NULL CHECK (amount_rial > 0),
        state TEXT NOT NULL,
        method TEXT NOT NULL,
        terminal TEXT NOT NULL,
        reference TEXT NOT NULL UNIQUE,
        operator TEXT NOT NULL,
        bill_id TEXT,
        bill_payment_id TEXT,
        inquiry_id TEXT,
        service TEXT NOT NULL DEFAULT '',
        payable TEXT NOT NULL DEFAULT '',
        group_id TEXT NOT NULL DEFAULT '',
        requested_at TEXT NOT NULL,
        outcome_index INTEGER,
        outcome_leaf TEXT,
        outcome_at TEXT,
        terminal_time TEXT,
        stan TEXT,
        rrn TEXT,
        pan TEXT,
        terminal_number TEXT,
        merchant_number TEXT,
        receipt_number TEXT,
        response_code TEXT,
        not_sent_reason TEXT,
        in_doubt_reason TEXT,
        confirmation TEXT NOT NULL DEFAULT 'none',
        refusal_reason TEXT,
        case_id TEXT,
        provider_reference TEXT,
        printed INTEGER NOT NULL DEFAULT 0,
        asked_count INTEGER NOT NULL DEFAULT 0,
        last_answer TEXT,
        last_answer_code TEXT,
        last_asked_at TEXT,
        not_charged_by TEXT,
        stated_by TEXT,
        stated_slip TEXT,
        stated_reason TEXT,
        counting_not_found INTEGER NOT NULL DEFAULT 0,
        late INTEGER NOT NULL DEFAULT 0 CHECK (late IN (0, 1)),
        doubled INTEGER NOT NULL DEFAULT 0 CHECK (doubled IN (0, 1)),
        moved_index INTEGER NOT NULL DEFAULT 0,
        baseline_stan TEXT,
        confirming INTEGER NOT NULL DEFAULT 0 CHECK (confirming IN (0, 1)),
        pays_bill INTEGER NOT NULL DEFAULT 0 CHECK (pays_bill IN (0, 1)),
        unacknowledged INTEGER NOT NULL DEFAULT 0 CHECK (unacknowledged IN (0, 1)),
        ruled_out_index INTEGER,
        item_count INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
    "CREATE INDEX payment_state ON payment (state)",
    "CREATE INDEX payment_queued ON payment (requested_index) WHERE confirmation = 'queued'",
    "CREATE INDEX payment_moved ON payment (moved_index)",
    # Only terminals that undo a sale by its receipt's number give one.
    "CREATE INDEX payment_receipt ON payment (terminal, receipt_number) WHERE receipt_number IS NOT NULL",
    "CREATE INDEX payment_unacknowledged ON payment (requested_index) WHERE unacknowledged = 1",
    "CREATE INDEX payment_group ON payment (group_id) WHERE group_id <> ''",
    """CREATE TABLE holding (
        payment_id TEXT NOT NULL,
        item INTEGER NOT NULL,
        obligation TEXT NOT NULL,
        amount_rial INTEGER NOT NULL CHECK (amount_rial > 0),
        bill_id TEXT,
        bill_payment_id TEXT,
        requested_index INTEGER NOT NULL,
        state TEXT NOT NULL,
        doubled INTEGER NOT NULL DEFAULT 0 CHECK (doubled IN (0, 1)),
        confirmation TEXT NOT NULL DEFAULT 'none',
        refusal_reason TEXT,
        case_id TEXT,
        provider_reference TEXT,
        printed INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (payment_id, item)
    ) STRICT, WITHOUT ROWID""",
    # What the whole of an answer pays beside its own bill: each is held by it as long as the whole is.
    """CREATE TABLE covered (
        obligation TEXT NOT NULL,
        payment_id TEXT NOT NULL,
        PRIMARY KEY (obligation, payment_id)
    ) STRICT, WITHOUT ROWID""",
    # A second charge that a terminal proves afterwards is a fact and must fit: it is marked, and a case. All else is
    # refused here even where every rule above failed.
    f"CREATE UNIQUE INDEX holding_one_charge ON holding (obligation) WHERE {HOLDS_OBLIGATION} AND doubled = 0",
    "CREATE INDEX holding_obligation ON holding (obligation)",
    # Followed up by what stands on the paper.
    "CREATE INDEX holding_bill ON holding (bill_id) WHERE bill_id IS NOT NULL",
    "CREATE INDEX holding_bill_payment ON holding (bill_payment_id) WHERE bill_payment_id IS NOT NULL",
    """CREATE TRIGGER payment_moves AFTER UPDATE OF state ON payment WHEN OLD.state <> NEW.state
        BEGIN UPDATE holding SET state = NEW.state WHERE payment_id = NEW.payment_id; END""",
)
