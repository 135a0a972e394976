"""Every SELECT of what the office's other journals hold."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import apsw
import msgspec

from edge.journal.elsewhere import ElsewherePayment, HeardJournal
from edge.store.reading import Reading, marks
from edge.store.row_views import sound
from edge.store.schema.payment_tables import HOLDS_OBLIGATION

_COLUMNS: Final = ("payment_id", "journal", "state", "terminal", "requested_at", "stan", "rrn", "pan", "heard_at")
_ITEM_COLUMNS: Final = ("obligation", "amount_rial", "bill_id", "bill_payment_id", "confirmation")
_ELSEWHERE: Final = f"SELECT {', '.join(_COLUMNS)} FROM elsewhere JOIN heard_journal USING (journal) WHERE payment_id "  # noqa: S608
_HOLDER: Final = (
    f"= (SELECT payment_id FROM holding WHERE obligation = ? AND {HOLDS_OBLIGATION} "  # noqa: S608 - a constant of ours
    "AND payment_id IN (SELECT payment_id FROM elsewhere) ORDER BY doubled, requested_index LIMIT 1)"
)
_WHOLE: Final = (
    "= (SELECT payment_id FROM covered JOIN holding USING (payment_id) WHERE covered.obligation = ? "  # noqa: S608 - ours
    f"AND {HOLDS_OBLIGATION} AND confirmation <> 'refused' "
    "AND payment_id IN (SELECT payment_id FROM elsewhere) ORDER BY requested_index DESC, payment_id LIMIT 1)"
)
_BY_PAPER: Final = (
    "IN (SELECT payment_id FROM holding WHERE (bill_id IN ({0}) OR bill_payment_id IN ({0})) "  # noqa: S608 - ours
    f"AND {HOLDS_OBLIGATION}) ORDER BY requested_at DESC, payment_id LIMIT 20"
)
_ITEMS: Final = f"SELECT {', '.join(_ITEM_COLUMNS)} FROM holding WHERE payment_id = ? ORDER BY item"  # noqa: S608
_HEARD: Final = (
    "SELECT journal, journal IS (SELECT predecessor FROM beginning), heard_size, heard_at, "  # noqa: S608
    f"(SELECT count(*) FROM elsewhere WHERE elsewhere.journal = heard_journal.journal AND {HOLDS_OBLIGATION}) "
    "FROM heard_journal ORDER BY 2 DESC, journal"
)
_UNREAD: Final = (
    "SELECT 1 FROM beginning WHERE feed_size > "
    "(SELECT coalesce(max(entry_index) + 1, 0) FROM feed_entry WHERE feed_entry.feed = beginning.feed)"
)


class ElsewhereRows(Reading):
    """`edge.journal.elsewhere.OthersReader` over a connection, each answer under a lock that its owner gives."""

    def __init__(self, connection: apsw.Connection, lock: AbstractContextManager[Any]) -> None:
        super().__init__(connection)
        self._lock = lock

    def payment(self, payment_id: str) -> ElsewherePayment | None:
        """Return a payment of another journal."""
        with self._lock:
            return self._payment("= ?", payment_id)

    def holder_of(self, obligation: str) -> ElsewherePayment | None:
        """Return the payment of another journal that holds an obligation."""
        with self._lock:
            return self._payment(_HOLDER, obligation)

    def whole_of(self, obligation: str) -> ElsewherePayment | None:
        """Return the newest payment of a whole there that pays an obligation as a part, and was not refused."""
        with self._lock:
            return self._payment(_WHOLE, obligation)

    def payments_by_paper(self, digits: Sequence[str]) -> list[ElsewherePayment]:
        """Return payments of other journals that hold a bill with one of these numbers as bill id or payment id."""
        with self._lock:
            return self._payments(_BY_PAPER.format(marks(digits)), (*digits, *digits))

    def journals(self) -> list[HeardJournal]:
        """Return the office's other journals, as far as central told of them; the predecessor first."""
        with self._lock:
            rows = self._all(_HEARD)
        return [
            HeardJournal(journal=journal, is_predecessor=bool(first), heard_size=size, heard_at=at, held_count=count)
            for journal, first, size, at, count in rows
        ]

    def predecessor(self) -> str | None:
        """Return the journal that this one takes over from."""
        with self._lock:
            name: str | None = self._value("SELECT predecessor FROM beginning")
        return name

    def are_awaited(self) -> bool:
        """Return whether central has still to tell what the office's other journals held when this one began."""
        with self._lock:
            return self._one(_UNREAD) is not None

    def _payment(self, condition: str, value: str) -> ElsewherePayment | None:
        return next(iter(self._payments(condition, (value,))), None)

    def _payments(self, condition: str, values: Sequence[str]) -> list[ElsewherePayment]:
        return [self._made(row) for row in self._all(_ELSEWHERE + condition, values)]

    def _made(self, row: tuple[Any, ...]) -> ElsewherePayment:
        found = dict(zip(_COLUMNS, row, strict=True))
        rows = self._all(_ITEMS, (found["payment_id"],))
        items = [dict(zip(_ITEM_COLUMNS, item, strict=True)) for item in rows]
        return sound(lambda one: msgspec.convert(one, ElsewherePayment), found | {"items": items})
