"""Tables of what the office's other journals hold, by central's word: the predecessor's, or another box's.

Their payments hold obligations in `holding` like the box's own, under the same partial unique index. Projections.
"""

from typing import Final

ELSEWHERE_TABLES: Final = (
    """CREATE TABLE elsewhere (
        payment_id TEXT PRIMARY KEY,
        journal TEXT NOT NULL,
        told_state TEXT NOT NULL,
        state TEXT NOT NULL,
        terminal TEXT NOT NULL,
        requested_at TEXT NOT NULL,
        stan TEXT,
        rrn TEXT,
        pan TEXT,
        item_count INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TRIGGER elsewhere_moves AFTER UPDATE OF state ON elsewhere WHEN OLD.state <> NEW.state
        BEGIN UPDATE holding SET state = NEW.state WHERE payment_id = NEW.payment_id; END""",
    """CREATE TABLE heard_journal (
        journal TEXT PRIMARY KEY,
        heard_size INTEGER NOT NULL,
        heard_at TEXT
    ) STRICT, WITHOUT ROWID""",
    # One row: how the journal began. Whom it follows, and how much of which feed is read before money is taken.
    """CREATE TABLE beginning (
        only INTEGER PRIMARY KEY CHECK (only = 0),
        predecessor TEXT,
        feed TEXT NOT NULL,
        feed_size INTEGER NOT NULL
    ) STRICT""",
)
ELSEWHERE_PROJECTIONS: Final[dict[str, tuple[str, ...]]] = {
    "elsewhere": ("payment_id",),
    "heard_journal": ("journal",),
    "beginning": ("only",),
}
