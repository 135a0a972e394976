"""What the tables say, as the structs of `edge.journal.views`: every SELECT of the box, over a connection it is given.

Used on the read-only connection by `Queries` and inside the write transaction by the store's view. No locks here: the
caller uses a connection from one thread at a time.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from edge.journal.refunds import AcquirerAnswer, RefundView
from edge.journal.standing import ClosedDay, Exposure, ExposurePolicy, Glance, OpenDay
from edge.journal.views import (
    AlarmView,
    BoxStatus,
    Identity,
    InquiryView,
    NoticeView,
    PrintJob,
    PrintState,
)
from edge.store import day_rows, exposure_rows, glance_rows, refund_rows, service_rows
from edge.store.payment_rows import PaymentRows
from edge.store.reading import marks
from edge.store.row_views import (
    ALARM,
    INQUIRY,
    JOB,
    alarm_of,
    identity_of,
    inquiry_of,
    print_job_of,
    sound,
)
from edge.store.service_reads import ServiceReads
from shared.errors import IntegrityError
from shared.journal.entry import GENESIS_PREV, leaf_hash
from shared.journal.tree import completed_by
from shared.payment import PaymentState

EXCHANGE_COLUMNS: Final = (
    "token",
    "cosigned_size",
    "cosigned_note",
    "next_index",
    "quarantined",
    "last_exchange_at",
    "last_error",
)
_END: Final = "SELECT entry_index + 1, substr(nodes, 1, 32) FROM entry ORDER BY entry_index DESC LIMIT 1"
_NODE: Final = "SELECT substr(nodes, ?, 32) FROM entry WHERE entry_index = ?"
_HASH_BYTES: Final = 32


def _is_hash(value: object) -> bool:
    return isinstance(value, bytes) and len(value) == _HASH_BYTES


class Rows(PaymentRows):
    """Reads of the box's tables."""

    # --- who, and the journal ---

    def identity(self) -> Identity:
        """Return who this box is. Raises IntegrityError `store.no_identity`."""
        text = self._value("SELECT value FROM setting WHERE name = 'identity'")
        if text is None:
            raise IntegrityError("store.no_identity")
        return identity_of(text)

    def size(self) -> int:
        """Return the number of entries."""
        return self._number("SELECT coalesce(max(entry_index) + 1, 0) FROM entry")

    def head_leaf(self) -> bytes | None:
        """Return the leaf hash of the last entry."""
        return self.end()[1]

    def end(self) -> tuple[int, bytes | None]:
        """Return the number of entries and the leaf hash of the last one. Raises IntegrityError `store.corrupt`."""
        size, leaf = self._one(_END) or (0, None)
        if not isinstance(size, int) or (size and not _is_hash(leaf)):
            raise IntegrityError("store.corrupt", why="no last entry")
        return size, leaf

    def entries(self, first: int, limit: int) -> list[tuple[bytes, bytes]]:
        """Return up to `limit` (data, signature) pairs from index `first` on."""
        rows = self._all(
            "SELECT data, signature FROM entry WHERE entry_index >= ? ORDER BY entry_index LIMIT ?", (first, limit)
        )
        if not all(isinstance(data, bytes) and isinstance(signature, bytes) for data, signature in rows):
            raise IntegrityError("store.corrupt", why=f"entries from {first} on are no bytes")
        return [(data, signature) for data, signature in rows]

    def node(self, level: int, position: int) -> bytes:
        """Return the hash of a complete subtree. Raises IntegrityError `journal.no_node`."""
        digest: bytes = self._value(_NODE, (1 + level * _HASH_BYTES, completed_by(level, position)))
        if not _is_hash(digest):
            raise IntegrityError("journal.no_node", level=level, position=position)
        return digest

    def nodes(self, first: int, limit: int) -> list[list[bytes]]:
        """Return the hashes that each of up to `limit` entries from `first` on completes, its own leaf first."""
        rows = self._all("SELECT nodes FROM entry WHERE entry_index >= ? ORDER BY entry_index LIMIT ?", (first, limit))
        if not all(isinstance(nodes, bytes) for (nodes,) in rows):
            raise IntegrityError("store.corrupt", why=f"nodes from {first} on are no bytes")
        return [[nodes[at : at + _HASH_BYTES] for at in range(0, len(nodes), _HASH_BYTES)] for (nodes,) in rows]

    def rotations(self) -> list[int]:
        """Return the indexes of all `key.rotated`, in order."""
        return [row[0] for row in self._all("SELECT entry_index FROM key_rotation ORDER BY entry_index")]

    def closed_at(self) -> str | None:
        """Return when the journal was closed, None while it is open."""
        at: str | None = self._value("SELECT closed_at FROM journal_end")
        return at

    # --- inquiries, notices, alarms ---

    def inquiry(self, inquiry_id: str) -> InquiryView | None:
        """Return an inquiry."""
        row = self._one(INQUIRY + "WHERE inquiry_id = ?", (inquiry_id,))
        return None if row is None else inquiry_of(row)

    def inquiries(self, before_index: int | None, limit: int) -> list[InquiryView]:
        """Return inquiries requested before an index, newest first."""
        rows = self._all(
            INQUIRY + "WHERE requested_index < ? ORDER BY requested_index DESC LIMIT ?",
            (2**62 if before_index is None else before_index, limit),
        )
        return [inquiry_of(row) for row in rows]

    @property
    def services(self) -> ServiceReads:
        """What customers asked for beyond bills, and the catalogues."""
        return ServiceReads(self._reading)

    def next_ticket(self) -> int:
        """Return the number of the next ticket."""
        return self._reading(service_rows.last_ticket) + 1

    def notices(self, limit: int) -> list[NoticeView]:
        """Return notices, newest first."""
        rows = self._all(
            "SELECT notice_id, title, text, received_at FROM notice ORDER BY received_index DESC, rowid DESC LIMIT ?",
            (limit,),
        )
        return [
            NoticeView(notice_id=notice_id, title=title, text=text, received_at=received_at)
            for notice_id, title, text, received_at in rows
        ]

    def alarms(self, limit: int) -> list[AlarmView]:
        """Return alarms, newest first."""
        return [alarm_of(row) for row in self._all(ALARM + "ORDER BY alarm_index DESC LIMIT ?", (limit,))]

    def alarms_about(self, payment_id: str) -> list[AlarmView]:
        """Return the alarms about a payment, oldest first."""
        return [alarm_of(row) for row in self._all(ALARM + "WHERE payment_id = ? ORDER BY alarm_index", (payment_id,))]

    # --- days and exposure ---

    def exposure_at(self, monotonic_ms: int) -> Exposure:
        """Return what central has not cosigned, at a reading of this run's monotonic clock."""
        return self._reading(exposure_rows.exposure, monotonic_ms)

    def exposure_policy(self) -> ExposurePolicy | None:
        """Return the policy in force, None where there is none."""
        return self._reading(exposure_rows.policy)

    def open_day(self) -> OpenDay:
        """Return the day that is not closed yet. Consistent only inside a transaction."""
        return self._reading(day_rows.open_day)

    def closed_day(self, close_id: str) -> ClosedDay | None:
        """Return a closed day."""
        return self._reading(day_rows.day_of, close_id)

    def closed_days(self, before_number: int | None, limit: int) -> list[ClosedDay]:
        """Return closed days, newest first, whose number is below `before_number`."""
        return self._reading(day_rows.days, before_number, limit)

    # --- what became of a charge afterwards ---

    def refund(self, refund_id: str) -> RefundView | None:
        """Return a request to give a payment back."""
        return self._reading(refund_rows.refund, refund_id)

    def refunds_of(self, payment_id: str) -> list[RefundView]:
        """Return a payment's requests to be given back, oldest first."""
        return self._reading(refund_rows.refunds_of, payment_id)

    def open_refunds(self) -> list[RefundView]:
        """Return the requests somebody has something to do about, oldest first."""
        return self._reading(refund_rows.open_refunds)

    def acquirer_answers(self, payment_id: str | None = None) -> list[AcquirerAnswer]:
        """Return what the acquirer's records said, of one payment or of all, in the order central told it."""
        return self._reading(refund_rows.acquirer_answers, payment_id)

    # --- keys ---

    def private_key(self, key_id: str) -> bytes | None:
        """Return the private half of a data key."""
        key: bytes | None = self._value("SELECT private_key FROM private_key WHERE key_id = ?", (key_id,))
        return key

    # --- exchange ---

    def cosigned_size(self) -> int:
        """Return the largest size central has cosigned."""
        return self._number("SELECT cosigned_size FROM exchange_state")

    def quarantined(self) -> bool:
        """Return whether central has set this box aside."""
        return bool(self._value("SELECT quarantined FROM exchange_state"))

    def exchange_pending(self) -> bytes | None:
        """Return the request that has no answer yet."""
        request: bytes | None = self._value("SELECT request FROM pending_exchange")
        return request

    def exchange_columns(self) -> dict[str, Any]:
        """Return the exchange state, by column."""
        row = self._one(f"SELECT {', '.join(EXCHANGE_COLUMNS)} FROM exchange_state")  # noqa: S608
        return sound(lambda found: dict(zip(EXCHANGE_COLUMNS, found, strict=True)), row or ())

    def feed_cursor(self, feed: str) -> tuple[int, str]:
        """Return the index of the feed's next entry and the leaf (hex) it must carry as `prev`."""
        row = self._one(
            "SELECT entry_index, data FROM feed_entry WHERE feed = ? ORDER BY entry_index DESC LIMIT 1", (feed,)
        )
        return (0, GENESIS_PREV) if row is None else (row[0] + 1, leaf_hash(row[1]).hex())

    def feed_next(self, feed: str) -> int:
        """Return the index of the feed's next entry."""
        return self.feed_cursor(feed)[0]

    def feed_entry(self, feed: str, index: int) -> bytes | None:
        """Return a stored feed entry's bytes."""
        data: bytes | None = self._value(
            "SELECT data FROM feed_entry WHERE feed = ? AND entry_index = ?", (feed, index)
        )
        return data

    # --- print spool ---

    def print_job(self, job_id: str) -> PrintJob | None:
        """Return a print job."""
        row = self._one(JOB + "WHERE job_id = ?", (job_id,))
        return None if row is None else print_job_of(row)

    def print_jobs_for(self, about: str) -> list[PrintJob]:
        """Return the print jobs about something, oldest first."""
        return [print_job_of(row) for row in self._all(JOB + "WHERE about = ? ORDER BY number", (about,))]

    def print_jobs_in(self, states: Sequence[PrintState]) -> list[PrintJob]:
        """Return the print jobs in these states, oldest first."""
        rows = self._all(JOB + f"WHERE state IN ({marks(states)}) ORDER BY number", states)
        return [print_job_of(row) for row in rows]

    # --- all together ---

    def glance(self, monotonic_ms: int) -> Glance:
        """Return what every page asks. Consistent only inside a transaction."""
        return self._reading(
            glance_rows.glance, partial(self.payments_in, glance_rows.UNSETTLED), self.exposure_at(monotonic_ms)
        )

    def status(self, alarms_max: int) -> BoxStatus:
        """Return how the box stands. Consistent only inside a transaction."""
        identity, exchange, size = self.identity(), self.exchange_columns(), self.size()
        unconfirmed_count, unconfirmed_rial = self._reading(day_rows.queued)
        doubts = (str(PaymentState.IN_DOUBT), str(PaymentState.REVERSAL_IN_DOUBT))
        return BoxStatus(
            office=identity.office,
            box=identity.box,
            journal_id=identity.journal_id,
            size=size,
            cosigned_size=exchange["cosigned_size"],
            unsent_count=size - exchange["cosigned_size"],
            unconfirmed_count=unconfirmed_count,
            unconfirmed_rial=unconfirmed_rial,
            in_doubt_count=self._value("SELECT count(*) FROM payment WHERE state IN (?, ?)", doubts),
            alarms=self.alarms(alarms_max),
            last_exchange_at=exchange["last_exchange_at"],
            last_exchange_error=exchange["last_error"],
            quarantined=bool(exchange["quarantined"]),
            closed_at=self.closed_at(),
        )
