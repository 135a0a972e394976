"""What pages and the API ask of the box. `edge.services` provides it, `edge.app` joins the two.

Views are protocols of read-only members, so that this layer names what it shows and nothing more.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from edge.journal.elsewhere import ElsewherePayment, OthersReader
from edge.journal.health_view import HealthView
from edge.journal.people import NOWHERE, Place
from edge.journal.people import OperatorView as Operator
from edge.journal.refunds import RefundMeans, RefundView
from edge.journal.standing import ClosedDay, OpenDay
from edge.journal.views import (
    AlarmView,
    BoxStatus,
    Confirmation,
    InquiryOutcome,
    InquiryView,
    NoticeView,
    PaymentView,
    PrintJob,
    PrintState,
    ProfilesView,
)
from edge.web.ports.atms import AtmCounter, AtmQueries
from edge.web.ports.devices import DevicesCounter
from edge.web.ports.groups import BillQueries, Groups
from edge.web.ports.header import ExposureView, Header, LimitView, Line, LineState, Printer, Terminal, TerminalState
from edge.web.ports.history import HistoryCounter
from edge.web.ports.money import MANAGER, MoneyCounter, MoneyQueries
from edge.web.ports.people import PeopleDesk, Permissions, Permitted
from edge.web.ports.services import ServiceQueries, ServicesCounter
from shared.events import BillKind, TerminalBatch
from shared.identifiers import Bill
from shared.payment import PaymentState

__all__ = [
    "MANAGER",
    "AlarmView",
    "BoxEvent",
    "BoxStatus",
    "Caller",
    "ClosedDay",
    "Confirmation",
    "Counter",
    "ElsewherePayment",
    "ExposureView",
    "Header",
    "HealthView",
    "InquiryOutcome",
    "InquiryView",
    "LimitView",
    "Line",
    "LineState",
    "NoticeView",
    "OpenDay",
    "Operator",
    "PaymentView",
    "PeopleDesk",
    "Permissions",
    "Permitted",
    "Place",
    "PrintJob",
    "PrintState",
    "Printer",
    "Queries",
    "Reading",
    "RefundMeans",
    "RefundView",
    "Terminal",
    "TerminalState",
]


class Caller(Protocol):
    """A program with a token."""

    @property
    def name(self) -> str:
        """The name the token was given."""

    @property
    def scopes(self) -> frozenset[str]:
        """What it may do."""

    @property
    def operator(self) -> str:
        """The name its entries carry, that of the person it asks for included."""


class Reading(Protocol):
    """A bill that was read, and the payment that holds it, if any."""

    @property
    def bill(self) -> Bill:
        """What the ids say."""

    @property
    def amount_rial(self) -> int:
        """What is to be paid."""

    @property
    def earlier(self) -> PaymentView | None:
        """The payment because of which this bill cannot be paid again."""

    @property
    def elsewhere(self) -> ElsewherePayment | None:
        """Such a payment of another box of the office, by central's word."""


class BoxEvent(Protocol):
    """Something of `kind` changed: payment, inquiry, printer, terminal, line or notice."""

    @property
    def kind(self) -> str:
        """What changed."""

    @property
    def id(self) -> str | None:
        """Which one; None means any."""


class Queries(BillQueries, MoneyQueries, AtmQueries, ServiceQueries, Protocol):
    """What the journal says. Each answer is quick enough for the event loop."""

    @property
    def others(self) -> OthersReader:
        """What the office's other journals hold."""

    def receipt_proof(self, index: int) -> str | None:
        """Return the proof that an entry stands in the log as central cosigned it; None while it does not."""

    def one_moment(self) -> AbstractContextManager[None]:
        """Have all that is asked within answered as of one commit."""

    def payment(self, payment_id: str) -> PaymentView | None:
        """Return a payment."""

    def payments(
        self, before_index: int | None, limit: int, states: Collection[PaymentState] | None = None
    ) -> list[PaymentView]:
        """Return payments, newest first, requested before an index."""

    def in_doubt(self) -> list[PaymentView]:
        """Return payments in doubt."""

    def inquiry(self, inquiry_id: str) -> InquiryView | None:
        """Return an inquiry."""

    def inquiries(self, before_index: int | None, limit: int) -> list[InquiryView]:
        """Return inquiries, newest first, requested before an index."""

    def notices(self, limit: int) -> list[NoticeView]:
        """Return notices, newest first."""

    def open_day(self) -> OpenDay:
        """Return the day that is not closed yet."""

    def closed_day(self, close_id: str) -> ClosedDay | None:
        """Return a closed day."""

    def closed_days(self, before_number: int | None, limit: int) -> list[ClosedDay]:
        """Return closed days, newest first."""

    def status(self) -> BoxStatus:
        """Return how the box stands."""

    def print_jobs_for(self, about: str) -> list[PrintJob]:
        """Return papers about a payment or an inquiry, oldest first."""


class JournalCopy(Protocol):
    """A copy of the journal on its way out."""

    @property
    def name(self) -> str:
        """The file's name."""

    @property
    def pieces(self) -> Iterator[bytes]:
        """The file. Reading it blocks."""


class Counter(MoneyCounter, DevicesCounter, AtmCounter, ServicesCounter, HistoryCounter, Protocol):
    """The use cases of the counter. All raise DaftarError; `field` names the input an OperatorError is about."""

    @property
    def queries(self) -> Queries:
        """The read side."""

    @property
    def permissions(self) -> Permissions:
        """Who may do what."""

    @property
    def people(self) -> PeopleDesk:
        """Who works here, and who is at a page."""

    def read_bill(self, bill: str, payment: str | None = None) -> Reading:
        """Return what a bill says; `bill` alone may be the 26 digits of its barcode."""

    async def pay_bill(
        self,
        bill_id: str,
        payment_id: str,
        *,
        operator: str,
        inquiry_id: str | None = None,
        terminal: str | None = None,
        name: str | None = None,
    ) -> str:
        """Begin a payment, at the terminal named or at the one that suits best.

        Return the payment's name, which follows from `name` when that is given.
        """

    async def check_payment(self, payment_id: str, *, operator: str) -> PaymentView:
        """Ask the terminal what became of a payment in doubt."""

    async def cancel_payment(self, payment_id: str, *, operator: str) -> None:
        """Drop a payment that waits for its terminal, or ask the terminal to while it waits for the card."""

    async def print_receipt(self, payment_id: str, *, operator: str, item: int | None = None) -> str:
        """Queue a receipt, or that of one item; a second one says that it is a copy. Return the print job."""

    @property
    def groups(self) -> Groups:
        """Return bills that are paid together."""

    async def print_ticket(self, inquiry_id: str, *, operator: str) -> str:
        """Queue an inquiry's ticket; return the print job."""

    async def ask_inquiry(self, kind: BillKind, parameter: str, *, operator: str, name: str | None = None) -> str:
        """Ask what a subscriber owes; return the inquiry's name, which follows from `name` when that is given."""

    async def close_day(self, *, operator: str, name: str | None = None, reports: Sequence[TerminalBatch] = ()) -> str:
        """Close the day and print its slip; return the close's name, which follows from `name` when that is given.

        `reports` is what terminals say of themselves. Raises OperatorError `payment.unknown_terminal`.
        """

    async def print_slip(self, close_id: str) -> str:
        """Queue a closed day's slip; a second one says that it is a copy. Return the print job."""

    def exposure(self) -> ExposureView:
        """Return what central has not seen, and what limits there are."""

    async def export_journal(self, first: int, last: int | None, *, username: str, password: str) -> JournalCopy:
        """Give a manager a copy of the entries `first` to `last` (None: the newest), for an auditor."""

    async def sign_in(self, username: str, password: str, place: Place = NOWHERE) -> str:
        """Return a session token; `place` is where somebody sits."""

    async def sign_out(self, token: str) -> None:
        """End a session."""

    def operator_of_api_token(self, token: str) -> Caller | None:
        """Return whose token this is."""

    def progress(self, payment_id: str) -> str | None:
        """Return what is happening with a payment this moment."""

    def queue_place(self, payment_id: str) -> int | None:
        """Return how many payments are ahead of one at its terminal, 0 when it is its turn, None when it is through."""

    def terminal_for(self, operator: str) -> str:
        """Return the name of the terminal to offer an operator first."""

    def header(self) -> Header:
        """Return what the header of a page says now."""

    def terminals(self) -> Sequence[Terminal]:
        """Return how each terminal stands, in the order of the settings."""

    def printer(self) -> Printer:
        """Return how the printer stands."""

    def line(self) -> Line:
        """Return how the line stands."""

    def journal_failure(self) -> str | None:
        """Return the code of what stopped the journal, None while it takes entries."""

    def health(self) -> HealthView:
        """Return how the box itself is: storage, clock, journal, last start."""

    def profiles(self) -> ProfilesView:
        """Return central's bundles of device profiles: in use, waiting, refused."""

    def subscribe(self) -> AsyncIterator[BoxEvent]:
        """Yield changes from now on."""

    async def idempotent(
        self, key: str, request_sha256: bytes, caller: str, work: Callable[[str], Awaitable[bytes]]
    ) -> bytes:
        """Work once for a key; the same key later gets the same answer, with another body `api.idempotency_conflict`.

        The work is given a name for what it makes, the same one whenever the same request comes.
        """
