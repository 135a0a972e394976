"""The read side of the box: quick, consistent answers from the projections and the journal, for pages and for sync.

One read-only connection behind a lock; it sees every commit that was durable when the question was asked. Nothing here
can change the file.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from edge.journal.people import OperatorView
from edge.journal.refunds import AcquirerAnswer, RefundView
from edge.journal.standing import ClosedDay, Exposure, ExposurePolicy, Glance, OpenDay
from edge.journal.views import (
    AlarmView,
    BoxStatus,
    CentralLink,
    Confirmation,
    DataKeyView,
    Identity,
    InquiryView,
    NoticeView,
    PaymentView,
    PrintJob,
    PrintState,
    ProfileBundleView,
)
from edge.store import people_rows, profile_rows
from edge.store.atm_rows import AtmRows
from edge.store.database import open_read_only, transaction
from edge.store.elsewhere_rows import ElsewhereRows
from edge.store.history_reads import HistoryReads
from edge.store.people_rows import SessionView
from edge.store.reading import WholeCursor
from edge.store.receipt_rows import names_its_sale
from edge.store.rows import Rows
from edge.store.service_reads import ServiceReads
from shared.events import ProfileDocument
from shared.journal.proof import receipt_proof
from shared.payment import DOUBTFUL, PaymentState

__all__ = [
    "AlarmView",
    "BoxStatus",
    "CentralLink",
    "Confirmation",
    "DataKeyView",
    "Identity",
    "InquiryView",
    "NoticeView",
    "PaymentView",
    "PrintJob",
    "PrintState",
    "Queries",
]

ALARMS_MAX: Final = 20
T = TypeVar("T")


class Queries:
    """Answers from the box's file. Safe to share between threads; `close` it at the end."""

    def __init__(self, path: Path) -> None:
        self._connection = open_read_only(path)
        self._connection.cursor_factory = WholeCursor
        self._rows = Rows(self._connection)
        self._lock = threading.RLock()
        self.atms = AtmRows(self._connection, self._lock)
        self.others = ElsewhereRows(self._connection, self._lock)
        """What the office's other journals hold."""
        self.services = ServiceReads(self._locked)
        """What customers asked for beyond bills, and the catalogues."""
        self.history = HistoryReads(self._locked)
        """Payments, inquiries and acts, by what is looked for."""

    def _locked(self, read: Callable[..., T], *values: Any) -> T:
        with self._lock:
            return self._rows.services.reading(read, *values)

    @contextmanager
    def one_moment(self) -> Iterator[None]:
        """Have all that this thread asks meanwhile answered as of one commit. Others wait, so it is for a page at most.

        It is quicker, too: each question alone locks the file and looks whether anything was written.
        """
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            with transaction(self._connection, "DEFERRED"):
                yield

    def at_one_moment(self, read: Callable[[Rows], T]) -> T:
        """Return what a function reads, all of it as of one commit."""
        with self.one_moment():
            return read(self._rows)

    def exchange_pending(self) -> bytes | None:
        """Return the wire bytes of the request that has no answer yet."""
        with self._lock:
            return self._rows.exchange_pending()

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()

    def identity(self) -> Identity:
        """Return who this box is."""
        with self._lock:
            return self._rows.identity()

    def payment(self, payment_id: str) -> PaymentView | None:
        """Return a payment."""
        with self._lock:
            return self._rows.payment(payment_id)

    def payment_by_reference(self, reference: str) -> PaymentView | None:
        """Return the payment whose reference the terminal was given."""
        with self._lock:
            return self._rows.payment_by_reference(reference)

    def payment_by_obligation(self, obligation: str) -> PaymentView | None:
        """Return the payment that holds an obligation: the newest that is not certainly uncharged."""
        with self._lock:
            return self._rows.holder_of(obligation)

    def whole_of(self, obligation: str) -> PaymentView | None:
        """See `PaymentRows.whole_of`."""
        with self._lock:
            return self._rows.whole_of(obligation)

    def wholes_of(self, obligation: str) -> list[PaymentView]:
        """See `PaymentRows.wholes_of`."""
        with self._lock:
            return self._rows.wholes_of(obligation)

    def newest_traces(self, terminal: str, limit: int) -> list[str]:
        """See `PaymentRows.newest_traces`."""
        with self._lock:
            return self._rows.newest_traces(terminal, limit)

    def undone_since_trace(self, terminal: str, stan: str) -> bool:
        """See `PaymentRows.undone_since_trace`."""
        with self._lock:
            return self._rows.undone_since_trace(terminal, stan)

    def payments(
        self, before_index: int | None, limit: int, states: Collection[PaymentState] | None = None
    ) -> list[PaymentView]:
        """Return payments, newest first, whose `requested_index` is below `before_index` (None: from the newest)."""
        with self._lock:
            return self._rows.payments(before_index, limit, states)

    def in_doubt(self) -> list[PaymentView]:
        """Return the payments in doubt, oldest first."""
        with self._lock:
            return self._rows.payments_in(DOUBTFUL)

    def locked_terminals(self) -> frozenset[str]:
        """Return the terminals that a payment in doubt keeps to itself."""
        with self._lock:
            return self._rows.locked_terminals()

    def inquiry(self, inquiry_id: str) -> InquiryView | None:
        """Return an inquiry."""
        with self._lock:
            return self._rows.inquiry(inquiry_id)

    def inquiries(self, before_index: int | None, limit: int) -> list[InquiryView]:
        """Return inquiries, newest first, whose `requested_index` is below `before_index`."""
        with self._lock:
            return self._rows.inquiries(before_index, limit)

    def notices(self, limit: int) -> list[NoticeView]:
        """Return notices, newest first."""
        with self._lock:
            return self._rows.notices(limit)

    def profile_bundles(self) -> list[ProfileBundleView]:
        """Return the bundles of device profiles: the network's, then the office's, the newest of each feed first."""
        return self._locked(profile_rows.bundles)

    def profile_documents(self, bundle: ProfileBundleView) -> tuple[ProfileDocument, ...]:
        """Return the documents of a bundle."""
        return self._locked(profile_rows.documents, bundle.feed, bundle.feed_index)

    def session(self, token_sha256: bytes) -> SessionView | None:
        """See `People.session`: pages ask here, where what they read next is at hand."""
        return self._locked(people_rows.session, token_sha256)

    def operator(self, username: str) -> OperatorView | None:
        """Return a person of the office."""
        return self._locked(people_rows.person, username)

    def permitted(self, person: str) -> tuple[frozenset[str], frozenset[str]] | None:
        """Return what was last allowed to a person and denied to them, None where nobody ever set it."""
        return self._locked(people_rows.permitted, person)

    def exposure(self, monotonic_ms: int) -> tuple[ExposurePolicy | None, Exposure]:
        """Return the policy in force and what central has not cosigned, at a reading of the monotonic clock."""
        with self.one_moment():
            return self._rows.exposure_policy(), self._rows.exposure_at(monotonic_ms)

    def glance(self, monotonic_ms: int) -> Glance:
        """Return what every page asks, all members of one moment, at a reading of the monotonic clock."""
        with self.one_moment():
            return self._rows.glance(monotonic_ms)

    def open_day(self) -> OpenDay:
        """Return the day that is not closed yet, all members of one moment."""
        with self.one_moment():
            return self._rows.open_day()

    def closed_day(self, close_id: str) -> ClosedDay | None:
        """Return a closed day."""
        with self._lock:
            return self._rows.closed_day(close_id)

    def closed_days(self, before_number: int | None, limit: int) -> list[ClosedDay]:
        """Return closed days, newest first, whose number is below `before_number` (None: from the newest)."""
        with self._lock:
            return self._rows.closed_days(before_number, limit)

    def status(self) -> BoxStatus:
        """Return how the box stands, all members of one moment."""
        with self.one_moment():
            return self._rows.status(ALARMS_MAX)

    def payments_of(self, obligation: str) -> list[PaymentView]:
        """Return all payments of an obligation, oldest first."""
        with self._lock:
            return self._rows.payments_of(obligation)

    def payments_by_paper(self, digits: Sequence[str], before_index: int | None, limit: int) -> list[PaymentView]:
        """See `PaymentRows.payments_by_paper`."""
        with self._lock:
            return self._rows.payments_by_paper(digits, before_index, limit)

    def payments_of_group(self, group_id: str) -> list[PaymentView]:
        """Return all payments of bills that were put together, oldest first."""
        with self._lock:
            return self._rows.payments_of_group(group_id)

    def newer_at_terminal(self, terminal: str, index: int, *, charged: bool = False) -> bool:
        """See `Rows.newer_at_terminal`."""
        with self._lock:
            return self._rows.newer_at_terminal(terminal, index, charged=charged)

    def undone_at_terminal(self, terminal: str, index: int) -> bool:
        """See `PaymentRows.undone_at_terminal`."""
        with self._lock:
            return self._rows.undone_at_terminal(terminal, index)

    def receipt_names_sale(self, terminal: str, receipt_number: str, index: int) -> bool:
        """Return whether the receipt's number of a payment requested at that entry names no other sale by now."""
        with self.one_moment():
            return self._locked(partial(names_its_sale, terminal=terminal, receipt_number=receipt_number, index=index))

    def alarms_about(self, payment_id: str) -> list[AlarmView]:
        """Return the alarms about a payment, oldest first."""
        with self._lock:
            return self._rows.alarms_about(payment_id)

    def refund(self, refund_id: str) -> RefundView | None:
        """Return a request to give a payment back."""
        with self._lock:
            return self._rows.refund(refund_id)

    def refunds_of(self, payment_id: str) -> list[RefundView]:
        """Return a payment's requests to be given back, oldest first."""
        with self._lock:
            return self._rows.refunds_of(payment_id)

    def open_refunds(self) -> list[RefundView]:
        """Return the requests somebody has something to do about, oldest first."""
        with self._lock:
            return self._rows.open_refunds()

    def acquirer_answers(self, payment_id: str | None = None) -> list[AcquirerAnswer]:
        """Return what the acquirer's records said, of one payment or of all, in the order central told it."""
        with self._lock:
            return self._rows.acquirer_answers(payment_id)

    def last_exchange(self) -> tuple[str | None, str | None]:
        """Return when central last answered, and the code of what went wrong with the newest exchange."""
        with self._lock:
            exchange = self._rows.exchange_columns()
        return exchange["last_exchange_at"], exchange["last_error"]

    def cosigned_note(self) -> str:
        """Return the newest checkpoint that central cosigned, as a note; empty before the first."""
        with self._lock:
            return str(self._rows.exchange_columns()["cosigned_note"])

    def size(self) -> int:
        """Return the number of committed entries."""
        with self._lock:
            return self._rows.size()

    def entry(self, index: int) -> tuple[bytes, bytes] | None:
        """Return an entry's exact bytes and their signature."""
        with self._lock:
            return next(iter(self._rows.entries(index, 1)), None)

    def entries(self, first: int, limit: int) -> Sequence[tuple[bytes, bytes]]:
        """Return up to `limit` (data, signature) pairs from index `first` on."""
        with self._lock:
            return self._rows.entries(first, limit)

    def node(self, level: int, position: int) -> bytes:
        """Return the hash of a complete subtree (shared.journal.tree). Raises IntegrityError `journal.no_node`."""
        with self._lock:
            return self._rows.node(level, position)

    def nodes(self, first: int, limit: int) -> Sequence[Sequence[bytes]]:
        """Return the hashes that each of up to `limit` entries from `first` on completes, its own leaf first."""
        with self._lock:
            return self._rows.nodes(first, limit)

    def receipt_proof(self, index: int) -> str | None:
        """Return the proof that an entry stands in the log as central cosigned it; None while it does not.

        Raises IntegrityError `tree.not_included` when this journal is not the one that was cosigned.
        """
        with self.one_moment():
            note = str(self._rows.exchange_columns()["cosigned_note"])
            return receipt_proof(note, index, self._rows.node(0, index), self._rows.node)

    def rotations(self) -> Sequence[int]:
        """Return the indexes of all `key.rotated`, in order."""
        with self._lock:
            return self._rows.rotations()

    def closed_at(self) -> str | None:
        """Return when the journal was closed, None while it is open."""
        with self._lock:
            return self._rows.closed_at()

    def print_job(self, job_id: str) -> PrintJob | None:
        """Return a print job."""
        with self._lock:
            return self._rows.print_job(job_id)

    def print_jobs_for(self, about: str) -> list[PrintJob]:
        """Return the print jobs about a payment or inquiry, oldest first."""
        with self._lock:
            return self._rows.print_jobs_for(about)

    def print_jobs_in(self, states: Sequence[PrintState]) -> list[PrintJob]:
        """Return the print jobs in these states, oldest first."""
        with self._lock:
            return self._rows.print_jobs_in(states)

    def private_key(self, key_id: str) -> bytes | None:
        """Return the 32-byte private half of a data key, None when it was forgotten."""
        with self._lock:
            return self._rows.private_key(key_id)
