"""The box's state inside the write transaction: what a decision reads, and the rows it may write beside its facts."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, Final

import apsw

from edge.journal.data_keys import KEYS_KEPT_MAX, make_data_key, window_start
from edge.journal.people import OperatorView
from edge.journal.ports import ExchangeValue
from edge.journal.standing import Exposure
from edge.journal.views import DataKeyView, PrintJob, PrintState
from edge.store import people_rows, print_spool
from edge.store.atm_rows import AtmRows
from edge.store.elsewhere_rows import ElsewhereRows
from edge.store.exposure_rows import note_cosigned
from edge.store.feed_rows import store_feed_entries
from edge.store.rows import EXCHANGE_COLUMNS, Rows
from shared.calendar import jalali_month
from shared.clock import Clock
from shared.entropy import Entropy
from shared.errors import BugError, IntegrityError, OperatorError
from shared.events import DataKeyMade, FeedReceived

_USABLE_KEY: Final = (
    "SELECT data_key.key_id, data_key.month, public_key FROM data_key JOIN private_key USING (key_id) "
    "WHERE data_key.month = ? ORDER BY made_index DESC LIMIT 1"
)

_FORGET: Final = (
    # A month that is not here yet was named by a wrong clock. Waiting for it to pass would keep its key for years; but
    # answers may still be on their way to it, so it goes with a key that was made after it.
    "DELETE FROM private_key WHERE month < ? OR (month > ? AND EXISTS (SELECT 1 FROM data_key AS later "
    "WHERE later.month <= ? AND later.made_index > "
    "(SELECT made_index FROM data_key WHERE data_key.key_id = private_key.key_id)))"
)


class SqliteStoreView(Rows):
    """`edge.journal.ports.StoreView` over the write connection. Used on the writer's thread only."""

    def __init__(self, connection: apsw.Connection, clock: Clock, entropy: Entropy) -> None:
        super().__init__(connection)
        self._clock = clock
        self._entropy = entropy
        self.atms = AtmRows(connection, nullcontext())
        self.others = ElsewhereRows(connection, nullcontext())

    # --- keys for personal data ---

    def data_key_body(self) -> DataKeyMade | None:
        """Make this month's data key when there is none; forget those past the window."""
        self.forget_data_keys()
        month = jalali_month(self._clock.now())
        if self._one(_USABLE_KEY, (month,)) is not None:
            return None
        central = self.identity().central
        if central is None:
            raise OperatorError("box.not_enrolled")
        body, private = make_data_key(month, wrapping_key=central.trust.wrapping_key(), entropy=self._entropy)
        self._connection.execute(
            "INSERT INTO private_key (key_id, month, private_key) VALUES (?, ?, ?)", (body.key_id, month, private)
        )
        return body

    def data_key(self) -> DataKeyView:
        """Return this month's key. Raises BugError `data_key.none`."""
        month = jalali_month(self._clock.now())
        row = self._one(_USABLE_KEY, (month,))
        if row is None:
            raise BugError("data_key.none", month=month)
        return DataKeyView(key_id=row[0], month=row[1], public_key=row[2])

    def forget_data_keys(self) -> int:
        """Forget the private halves of the keys past their window; return how many.

        A clock nobody vouches for may stand anywhere: then the newest made are kept, whatever their months are called.
        """
        if self._clock.quality() in ("none", "floor"):
            self._connection.execute(
                "DELETE FROM private_key WHERE key_id NOT IN "
                "(SELECT key_id FROM data_key ORDER BY made_index DESC LIMIT ?)",
                (KEYS_KEPT_MAX,),
            )
            return self._connection.changes()
        month = jalali_month(self._clock.now())
        start = window_start(month)
        self._connection.execute(_FORGET, (start, month, start))
        return self._connection.changes()

    # --- feed and exchange ---

    def store_feed_entries(self, feed: str, entries: Sequence[tuple[bytes, bytes]]) -> FeedReceived | None:
        """Verify and store feed entries; return the body the decision must return."""
        central = self.identity().central
        if central is None or feed not in central.feeds:
            raise IntegrityError("feed.unknown", feed=feed)
        return store_feed_entries(self._connection, feed, entries, central.trust.feed_key().public_key)

    def keep_exchange_pending(self, request: bytes | None) -> None:
        """Keep the wire bytes of a request, or none any more."""
        self._connection.execute("DELETE FROM pending_exchange")
        if request is not None:
            self._connection.execute("INSERT INTO pending_exchange (only, request) VALUES (1, ?)", (request,))

    def update_exchange(self, **values: ExchangeValue) -> None:
        """Set columns of the exchange state."""
        unknown = values.keys() - set(EXCHANGE_COLUMNS)
        if unknown or not values:
            raise BugError("exchange.no_such_column", names=sorted(unknown))
        size = values.get("cosigned_size")
        if isinstance(size, int) and size < self.cosigned_size():
            raise BugError("exchange.shrank", known=self.cosigned_size(), given=size)
        pairs = ", ".join(f"{column} = ?" for column in values)
        bindings: tuple[Any, ...] = tuple(values.values())
        self._connection.execute(f"UPDATE exchange_state SET {pairs}", bindings)  # noqa: S608 - checked names
        if size is not None:
            note_cosigned(self._connection, self._clock.monotonic_ms())

    def exposure(self) -> Exposure:
        """Return what central has not cosigned, now."""
        return self.exposure_at(self._clock.monotonic_ms())

    # --- people ---

    def person(self, username: str) -> OperatorView | None:
        """Return a person."""
        return people_rows.person(self._connection, username)

    def managers(self) -> frozenset[str]:
        """Return the user names of the managers who may sign in."""
        return people_rows.managers(self._connection)

    def permitted(self, person: str) -> tuple[frozenset[str], frozenset[str]] | None:
        """Return what was last allowed to a person and denied to them."""
        return people_rows.permitted(self._connection, person)

    def keep_person(self, view: OperatorView, *, verifier: str | None = None) -> None:
        """Keep a person."""
        people_rows.keep_person(self._connection, view, verifier)

    def end_sessions_of(self, username: str, *, but: bytes = b"") -> None:
        """End a person's sign-ins."""
        people_rows.end_sessions_of(self._connection, username, but=but)

    def take_person_changes(self) -> list[tuple[str, bytes]]:
        """Return what the command line changed, oldest first, and forget it."""
        return people_rows.take_changes(self._connection)

    # --- print spool ---

    def spool_print(self, job: PrintJob) -> None:
        """Put a paper into the print spool."""
        print_spool.add(self._connection, job)

    def mark_print(self, job_id: str, state: PrintState, *, last_status: str | None = None) -> None:
        """Move a print job on."""
        print_spool.mark(self._connection, job_id, state, last_status)
