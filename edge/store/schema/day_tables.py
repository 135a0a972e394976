"""Tables of exposure and of days: what `edge.store.exposure_rows` and `edge.store.day_rows` keep. Projections."""

from typing import Final

from shared.payment import CHARGED


def _waits(row: str) -> str:
    """Return the SQL that says whether a row of `holding`, OLD or NEW, is charged and waits for its provider's word."""
    # Comparisons: see `holds_obligation`.
    charged = " OR ".join(f"{row}.state = '{state}'" for state in sorted(CHARGED))
    return f"({row}.confirmation = 'queued' AND ({charged}))"


DAY_TABLES: Final = (
    # Every page tells how much waits for a provider, and offline that may be very many payments.
    """CREATE TABLE queued_sum (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        count INTEGER NOT NULL,
        amount_rial INTEGER NOT NULL
    ) STRICT""",
    "INSERT INTO queued_sum VALUES (1, 0, 0)",
    f"""CREATE TRIGGER holding_waits AFTER UPDATE OF confirmation, state ON holding
        WHEN {_waits("OLD")} <> {_waits("NEW")}
        BEGIN UPDATE queued_sum SET count = count + {_waits("NEW")} - {_waits("OLD")},
            amount_rial = amount_rial + ({_waits("NEW")} - {_waits("OLD")}) * NEW.amount_rial; END""",  # noqa: S608
    """CREATE TABLE exposure_sum (
        bucket INTEGER PRIMARY KEY,
        charged_count INTEGER NOT NULL,
        charged_rial INTEGER NOT NULL,
        open_count INTEGER NOT NULL,
        open_rial INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE exposure_policy (
        feed TEXT PRIMARY KEY,
        policy_id TEXT NOT NULL,
        payment_max_rial INTEGER,
        total_max_rial INTEGER,
        count_max INTEGER,
        running_hours_max INTEGER,
        received_at TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE boot_time (
        first_index INTEGER PRIMARY KEY,
        first_monotonic_ms INTEGER NOT NULL,
        before_ms INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE day_total (
        day INTEGER NOT NULL,
        tally TEXT NOT NULL,
        method TEXT NOT NULL,
        purpose TEXT NOT NULL,
        terminal TEXT NOT NULL,
        count INTEGER NOT NULL,
        amount_rial INTEGER NOT NULL,
        PRIMARY KEY (day, tally, method, purpose, terminal)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE day_close (
        day INTEGER PRIMARY KEY,
        close_id TEXT NOT NULL UNIQUE,
        closed_index INTEGER NOT NULL UNIQUE,
        closed_leaf TEXT NOT NULL,
        closed_at TEXT NOT NULL,
        clock TEXT NOT NULL,
        body TEXT NOT NULL,
        printed INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
)
