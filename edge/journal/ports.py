"""What the journal writer asks of a store, and what a decision may ask and write inside the transaction.

`edge.store` implements both; `edge.app` joins them. Nothing here knows of SQL.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

import msgspec

from edge.journal.atms import AtmReader
from edge.journal.elsewhere import OthersReader
from edge.journal.people import OperatorView
from edge.journal.refunds import AcquirerAnswer, RefundView
from edge.journal.services import ServiceImageView, ServiceRequestView
from edge.journal.standing import ClosedDay, Exposure, ExposurePolicy, OpenDay
from edge.journal.views import AlarmView, DataKeyView, Identity, InquiryView, PaymentView, PrintJob, PrintState
from shared.errors import DaftarError
from shared.events import Body, DataKeyMade, FeedReceived, ServiceAnswered
from shared.journal.entry import Entry
from shared.payment import PaymentState

Leaf = bytes
"""The 32-byte RFC 6962 leaf hash of an entry's bytes."""

ExchangeValue = bytes | int | str | None


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that stands in the journal. `body` is its decoded body."""

    index: int
    leaf: bytes
    entry: Entry
    body: Body


class Head(msgspec.Struct, frozen=True):
    """Where the journal ends: how many entries, and the leaf of the last one (None in an empty journal)."""

    size: int
    leaf: bytes | None


class JournalReader(Protocol):
    """Reading the journal. A size once seen stays readable: the journal only grows."""

    def size(self) -> int:
        """Return the number of committed entries."""

    def entries(self, first: int, limit: int) -> Sequence[tuple[bytes, bytes]]:
        """Return up to `limit` (data, signature) pairs from index `first` on."""

    def node(self, level: int, position: int) -> bytes:
        """Return the hash of a complete subtree. Raises IntegrityError `journal.no_node`."""

    def nodes(self, first: int, limit: int) -> Sequence[Sequence[bytes]]:
        """Return the hashes that each of up to `limit` entries from `first` on completes, its own leaf first."""

    def rotations(self) -> Sequence[int]:
        """Return the indexes of all `key.rotated`, in order."""


class ServiceReader(Protocol):
    """What the journal and the feed say of catalogue services."""

    def request(self, inquiry_id: str) -> ServiceRequestView | None:
        """Return a request for a service."""

    def requests_about(self, search_key: str, limit: int) -> list[ServiceRequestView]:
        """Return the newest answered requests about one applicant, by the search key of its month."""

    def answer(self, asked: ServiceRequestView) -> ServiceAnswered | None:
        """Return the answer that a request's row names."""

    def images(self, inquiry_id: str) -> list[ServiceImageView]:
        """Return the pictures that came of an answer's items, in order."""

    def images_asked(self, inquiry_id: str) -> frozenset[str]:
        """Return the keys of the items whose pictures were asked for."""

    def alarmed(self, kind: str, detail: str) -> bool:
        """Return whether an alarm was raised before in these very words."""

    def private_key(self, key_id: str) -> bytes | None:
        """Return the private half of a data key, None when it was forgotten."""


class StoreView(Protocol):
    """The box's state inside the write transaction. Valid only while the decision it was given to runs.

    What is read here cannot change before the entries that the decision returns are committed; what is written here is
    committed with them, or not at all when the decision raises.
    """

    def identity(self) -> Identity:
        """Return who this box is."""

    def size(self) -> int:
        """Return the number of entries, those of this transaction included."""

    def closed_at(self) -> str | None:
        """Return when the journal was closed: nothing can be added to it. None while it is open."""

    def node(self, level: int, position: int) -> bytes:
        """Return the hash of a complete subtree. Raises IntegrityError `journal.no_node`."""

    def head_leaf(self) -> bytes | None:
        """Return the last entry's leaf hash, None in an empty journal."""

    def cosigned_size(self) -> int:
        """Return the largest size central has cosigned."""

    def quarantined(self) -> bool:
        """Return whether central has set this box aside: no new payment may begin."""

    def payment(self, payment_id: str) -> PaymentView | None:
        """Return a payment."""

    def holder_of(self, obligation: str) -> PaymentView | None:
        """Return the payment that holds an obligation: the newest that is not certainly uncharged."""

    def whole_of(self, obligation: str) -> PaymentView | None:
        """Return the newest payment of a whole that pays an obligation as a part, and was not refused."""

    def wholes_of(self, obligation: str) -> list[PaymentView]:
        """Return all payments of a whole that an obligation is a part of, however they ended, oldest first."""

    def payments_of(self, obligation: str) -> list[PaymentView]:
        """Return all payments of an obligation, alone or among others, oldest first."""

    def payments_of_group(self, group_id: str) -> list[PaymentView]:
        """Return all payments of bills that were put together, oldest first."""

    def payments_in(self, states: Collection[PaymentState]) -> list[PaymentView]:
        """Return all payments in these states, oldest first."""

    def lock_of(self, terminal: str) -> str | None:
        """Return the payment that locks a terminal: one in doubt, or one it was not told to keep yet."""

    def is_anothers_trace(self, payment: PaymentView, stan: str, terminal_number: str | None) -> bool:
        """Return whether another payment, given a word since one was asked for, has this trace of this very device."""

    def unacknowledged(self) -> list[PaymentView]:
        """Return the approved payments whose terminal was not told yet to keep them, oldest first."""

    def alarms_about(self, payment_id: str) -> list[AlarmView]:
        """Return the alarms about a payment, oldest first."""

    def refund(self, refund_id: str) -> RefundView | None:
        """Return a request to give a payment back."""

    def refunds_of(self, payment_id: str) -> list[RefundView]:
        """Return a payment's requests to be given back, oldest first."""

    def acquirer_answers(self, payment_id: str | None = None) -> list[AcquirerAnswer]:
        """Return what the acquirer's records said, of one payment or of all, in the order central told it."""

    def exposure(self) -> Exposure:
        """Return what central has not cosigned, now."""

    def exposure_policy(self) -> ExposurePolicy | None:
        """Return the policy in force, None where there is none."""

    def open_day(self) -> OpenDay:
        """Return the day that is not closed yet."""

    def closed_day(self, close_id: str) -> ClosedDay | None:
        """Return a closed day."""

    def inquiry(self, inquiry_id: str) -> InquiryView | None:
        """Return an inquiry."""

    @property
    def atms(self) -> AtmReader:
        """The office's ATMs."""

    @property
    def others(self) -> OthersReader:
        """What the office's other journals hold."""

    @property
    def services(self) -> ServiceReader:
        """What customers asked for beyond bills, and the catalogues."""

    def next_ticket(self) -> int:
        """Return the number of the next customer's ticket; the first is 1."""

    def data_key_body(self) -> DataKeyMade | None:
        """Make this month's data key when there is none with its private half here; forget those past the window.

        Return the body that the decision must return before any that names the key, None when there was a key.
        Raises OperatorError `box.not_enrolled` where central's wrapping key is not known yet.
        """

    def data_key(self) -> DataKeyView:
        """Return this month's key. Raises BugError `data_key.none` when it was not made yet."""

    def forget_data_keys(self) -> int:
        """Forget the private halves of data keys past their window; return how many."""

    def store_feed_entries(self, feed: str, entries: Sequence[tuple[bytes, bytes]]) -> FeedReceived | None:
        """Verify and store (data, signature) pairs that follow what is stored of `feed`.

        Return the body that the decision must return so that their effects are projected, None when all were stored
        before. Raises IntegrityError `feed.unknown`, `feed.gap`, `feed.fork`, `feed.other_origin`,
        `journal.bad_entry` or `signature.wrong`; nothing is stored then.
        """

    def exchange_pending(self) -> bytes | None:
        """Return the wire bytes of the exchange request that has no answer yet."""

    def keep_exchange_pending(self, request: bytes | None) -> None:
        """Keep the wire bytes of a request, or none any more."""

    def update_exchange(self, **values: ExchangeValue) -> None:
        """Set columns of the exchange state.

        They are token, cosigned_size, cosigned_note, next_index, quarantined, last_exchange_at and last_error.
        Raises BugError `exchange.shrank` when `cosigned_size` would fall, `exchange.no_such_column`.
        """

    def feed_next(self, feed: str) -> int:
        """Return the index of the next entry of `feed` this box has not stored."""

    def person(self, username: str) -> OperatorView | None:
        """Return a person who works here."""

    def managers(self) -> frozenset[str]:
        """Return the user names of the managers who may sign in."""

    def permitted(self, person: str) -> tuple[frozenset[str], frozenset[str]] | None:
        """Return what was last allowed to a person and denied to them, None where nobody ever set it."""

    def keep_person(self, view: OperatorView, *, verifier: str | None = None) -> None:
        """Keep a person as the facts say them; without a verifier the known one stays."""

    def end_sessions_of(self, username: str, *, but: bytes = b"") -> None:
        """End the sign-ins of a person, all but one of a token's hash."""

    def take_person_changes(self) -> list[tuple[str, bytes]]:
        """Return (type, body) of what the command line changed of people, oldest first, and forget it."""

    def spool_print(self, job: PrintJob) -> None:
        """Put a paper into the print spool."""

    def print_job(self, job_id: str) -> PrintJob | None:
        """Return a print job."""

    def print_jobs_for(self, about: str) -> list[PrintJob]:
        """Return the print jobs about something, oldest first."""

    def mark_print(self, job_id: str, state: PrintState, *, last_status: str | None = None) -> None:
        """Move a print job on; each move to `printing` is an attempt. Raises BugError `print.no_such_job`."""


Decide = Callable[[StoreView], Sequence[Body]]
"""A decision: reads the view, returns the facts to be journaled (none is allowed), raises to write nothing."""


class JournalStore(Protocol):
    """Durable entries with their tree nodes and projections. Used by one thread at a time.

    A transaction holds any number of parts; a part is kept or undone as a whole.
    """

    @property
    def journal_id(self) -> str:
        """The journal's name."""

    def head(self) -> Head:
        """Return where the journal ends, parts of the open transaction included."""

    def begin(self) -> StoreView:
        """Begin a transaction that nobody else can write beside. Raises IntegrityError `journal.head_moved`."""

    def begin_part(self, *, alone: bool) -> None:
        """Begin a part of the transaction; `alone`: there will be no other."""

    def keep_part(self) -> None:
        """Keep the part that was begun last."""

    def undo_part(self) -> None:
        """Undo the part that was begun last."""

    def append(self, data: bytes, signature: bytes, recorded: Recorded) -> None:
        """Store an entry, the tree nodes it completes, and project it."""

    def commit(self) -> None:
        """Make the transaction durable: it has reached the medium when this returns."""

    def rollback(self) -> None:
        """Undo the transaction, if one is open. Raises nothing."""

    def mark(self) -> int | None:
        """Mark the open transaction on the file when it writes rows but no entry; None when its entries tell of it."""

    def found_mark(self) -> int:
        """Return the newest mark on the file."""

    def reopen(self, possible: Collection[Head]) -> None:
        """Open the file anew after a failure, believing nothing of what is in memory.

        `possible` are the heads of transactions whose commit failed. Raises IntegrityError `journal.head_moved` when
        the file ends neither at the last durable head nor at one of them; what the medium raises.
        """

    def holds(self, head: Head) -> bool:
        """Return whether the file's journal contains a head: has that entry at that place."""

    def in_words(self, error: BaseException) -> DaftarError:
        """Return what `error` is: IntegrityError where facts disagree or the file is damaged, else DeviceError."""

    def is_busy(self, error: Exception) -> bool:
        """Return whether `error` of `begin` says only that another program is writing to the file just now."""

    def is_storage_failure(self, error: Exception) -> bool:
        """Return whether `error` says that the medium or the file is at fault, not the one decision."""
