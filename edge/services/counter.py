"""All that pages and programs may ask of the box, in one place. Each call is one use case of this folder."""

from collections.abc import AsyncIterator, Sequence

import msgspec

from edge.journal.health_view import HealthView
from edge.journal.people import NOWHERE, Place
from edge.journal.refunds import RefundMeans
from edge.journal.views import PaymentView, ProfilesView
from edge.journal.writer import JournalWriter
from edge.services.atms import Atms
from edge.services.bills.ask_inquiry import AskInquiry
from edge.services.bills.pay_group import PayGroup
from edge.services.bills.read_bill import BillReading, read_bill
from edge.services.close_day import CloseDay
from edge.services.counter_services import ServiceCounter, ServiceParts
from edge.services.devices.device_profiles import ProfilesInUse
from edge.services.devices.find_devices import FindDevices
from edge.services.devices.try_devices import DeviceTest, TryDevices
from edge.services.events import BoxEvent, EventHub
from edge.services.header import HeaderView, PrinterView, TerminalView, printer_view, terminal_views
from edge.services.health.box_health import BoxHealth
from edge.services.health.support import Support
from edge.services.history import History
from edge.services.idempotent import Idempotent, Work
from edge.services.journal.export_journal import ExportJournal, JournalCopy
from edge.services.line import Line, LineView
from edge.services.papers.print_documents import PrintDocuments
from edge.services.payments.ask_on_demand import AskOnDemand
from edge.services.payments.disagreement import disputed
from edge.services.payments.exposure import ExposureView, exposure_view
from edge.services.payments.give_back import GiveBack
from edge.services.payments.judge_outcome import charge_spoken_of
from edge.services.payments.override_payment import (
    Decision,
    OverridePayment,
    ReversalWord,
    check_decision,
    check_reversal,
    words_taken,
)
from edge.services.payments.take_payment import TakePayment
from edge.services.payments.wanted import bill_wanted
from edge.services.people.people_desk import PeopleDesk
from edge.services.people.permissions import Permissions
from edge.services.people.sign_in import SignIn
from edge.store.people import ApiCaller
from edge.store.queries import Queries
from shared.clock import Clock
from shared.errors import OperatorError
from shared.events import BillKind, TerminalBatch
from shared.identifiers import parse_bill
from shared.ids import NETWORK_FEED
from shared.payment import CERTAINLY_UNCHARGED


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """The use cases that the counter offers, joined by `edge.app`."""

    queries: Queries
    payments: TakePayment
    asking: AskOnDemand
    override: OverridePayment
    exporting: ExportJournal
    give_back: GiveBack
    documents: PrintDocuments
    closing: CloseDay
    inquiries: AskInquiry
    sign_in: SignIn
    permissions: Permissions
    people: PeopleDesk
    idempotent: Idempotent
    line: Line
    hub: EventHub
    journal: JournalWriter
    clock: Clock
    health: BoxHealth
    profiles: ProfilesInUse
    trials: TryDevices
    finding: FindDevices
    support: Support
    atms: Atms
    services: ServiceParts


class Counter(ServiceCounter):
    """The box as its pages and its API see it."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.services)
        self._parts = parts
        self.history = History(parts.queries, parts.services.catalogues)
        """What was done, by what is looked for."""
        self.groups = PayGroup(
            queries=parts.queries,
            payments=parts.payments,
            documents=parts.documents,
            may_begin=lambda operator: self._may_begin(operator, "group_bills"),
        )
        """Bills that are paid together."""

    @property
    def queries(self) -> Queries:
        """Return the read side."""
        return self._parts.queries

    @property
    def permissions(self) -> Permissions:
        """Return who may do what."""
        return self._parts.permissions

    @property
    def people(self) -> PeopleDesk:
        """Return who works here, and who is at a page."""
        return self._parts.people

    def read_bill(self, bill: str, payment: str | None = None) -> BillReading:
        """See `edge.services.bills.read_bill`."""
        return read_bill(self._parts.queries, bill, payment)

    def _may_begin(self, operator: str, act: str) -> None:
        self._parts.permissions.check(operator, act)
        self._parts.health.check_room()

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
        """See `TakePayment.request`; raises also what reading the bill raises. `name` is that of `Idempotent.run`."""
        self._may_begin(operator, "bills")
        bill = parse_bill(bill_id, payment_id)
        return await self._parts.payments.request(
            bill_wanted(bill, inquiry_id=inquiry_id),
            operator=operator,
            terminal=terminal,
            payment_id=name and f"p{name}",
        )

    async def check_payment(self, payment_id: str, *, operator: str) -> PaymentView:
        """See `AskOnDemand.ask`."""
        return await self._parts.asking.ask(payment_id, operator=operator)

    def _known(self, payment_id: str) -> PaymentView:
        payment = self._parts.queries.payment(payment_id)
        if payment is None:
            raise OperatorError("payment.unknown", payment_id=payment_id)
        return payment

    def decision(self, payment_id: str, *, charged: bool, slip_number: str, reason: str) -> Decision:
        """Return a supervisor's decision in good words. Raises what `check_decision` and `Decision.checked` raise."""
        check_decision(self._known(payment_id), self._parts.queries.alarms_about(payment_id), charged=charged)
        return Decision.checked(charged=charged, slip_number=slip_number, reason=reason)

    async def override_payment(
        self, payment_id: str, *, charged: bool, slip_number: str, reason: str, username: str, password: str
    ) -> None:
        """See `OverridePayment.override`."""
        decision = self.decision(payment_id, charged=charged, slip_number=slip_number, reason=reason)
        await self._parts.override.override(payment_id, decision, username=username, password=password)

    def words_taken(self, payment: PaymentView) -> tuple[bool, ...]:
        """See `edge.services.payments.override_payment.words_taken`."""
        asks = payment.state in CERTAINLY_UNCHARGED
        return words_taken(payment, self._parts.queries.alarms_about(payment.payment_id) if asks else ())

    def reversal_word(self, payment_id: str, *, undone: bool, slip_number: str, reason: str) -> ReversalWord:
        """Return a word about an undoing in doubt. Raises what `check_reversal` and `ReversalWord.checked` raise."""
        check_reversal(self._known(payment_id))
        return ReversalWord.checked(undone=undone, slip_number=slip_number, reason=reason)

    async def decide_reversal(
        self,
        payment_id: str,
        *,
        undone: bool,
        slip_number: str,
        reason: str,
        operator: str,
        username: str,
        password: str,
    ) -> None:
        """See `OverridePayment.decide_reversal`."""
        word = self.reversal_word(payment_id, undone=undone, slip_number=slip_number, reason=reason)
        await self._parts.override.decide_reversal(
            payment_id, word, operator=operator, username=username, password=password
        )

    def charge_spoken_of(self, payment_id: str) -> bool:
        """See `edge.services.payments.judge_outcome.charge_spoken_of`."""
        return charge_spoken_of(self._parts.queries.alarms_about(payment_id))

    def disputed(self, obligation: str) -> PaymentView | None:
        """See `edge.services.payments.disagreement.disputed`."""
        return disputed(self._parts.queries, obligation)

    def refund_means(self, payment: PaymentView) -> tuple[RefundMeans, ...]:
        """See `GiveBack.means_of`."""
        return self._parts.give_back.means_of(payment)

    def refund_trouble(self, refund_id: str) -> str | None:
        """See `GiveBack.trouble`."""
        return self._parts.give_back.trouble(refund_id)

    async def propose_refund(
        self, payment_id: str, *, means: RefundMeans, reason: str, operator: str, name: str | None = None
    ) -> str:
        """See `GiveBack.propose`. `name` is that of `Idempotent.run`."""
        self._parts.permissions.check(operator, "refunds")
        return await self._parts.give_back.propose(
            payment_id, means=means, reason=reason, operator=operator, refund_id=name and f"r{name}"
        )

    async def agree_refund(self, refund_id: str, *, username: str, password: str) -> None:
        """See `GiveBack.agree`."""
        await self._parts.give_back.agree(refund_id, username=username, password=password)

    async def drop_refund(self, refund_id: str, *, operator: str, reason: str) -> None:
        """See `GiveBack.drop`."""
        await self._parts.give_back.drop(refund_id, operator=operator, reason=reason)

    async def retry_refund(self, refund_id: str) -> None:
        """See `GiveBack.tell_terminal`."""
        await self._parts.give_back.tell_terminal(refund_id)

    async def print_refund_slip(self, refund_id: str) -> str:
        """See `PrintDocuments.request_refund_slip`."""
        return await self._parts.documents.request_refund_slip(refund_id)

    async def cancel_payment(self, payment_id: str, *, operator: str) -> None:  # noqa: ARG002 - the answer names nobody
        """See `TakePayment.cancel`."""
        await self._parts.payments.cancel(payment_id)

    async def print_receipt(self, payment_id: str, *, operator: str, item: int | None = None) -> str:  # noqa: ARG002
        """See `PrintDocuments.request_receipt`. Papers name the seller, not who asked."""
        return await self._parts.documents.request_receipt(payment_id, item)

    async def print_ticket(self, inquiry_id: str, *, operator: str) -> str:  # noqa: ARG002 - papers name the seller
        """See `PrintDocuments.request_ticket`."""
        return await self._parts.documents.request_ticket(inquiry_id)

    async def ask_inquiry(self, kind: BillKind, parameter: str, *, operator: str, name: str | None = None) -> str:
        """See `AskInquiry.request`. `name` is that of `Idempotent.run`."""
        self._parts.permissions.check(operator, "bill_inquiry")
        self._parts.health.check_room()
        inquiry_id = await self._parts.inquiries.request(
            kind, parameter, operator=operator, inquiry_id=name and f"q{name}"
        )
        self._parts.documents.wake()
        return inquiry_id

    async def close_day(self, *, operator: str, name: str | None = None, reports: Sequence[TerminalBatch] = ()) -> str:
        """See `CloseDay.close`. `name` is that of `Idempotent.run`."""
        self._parts.permissions.check(operator, "day_close")
        close_id = await self._parts.closing.close(operator=operator, close_id=name and f"d{name}", reports=reports)
        self._parts.documents.wake()
        return close_id

    async def print_slip(self, close_id: str) -> str:
        """See `PrintDocuments.request_slip`."""
        return await self._parts.documents.request_slip(close_id)

    async def export_journal(self, first: int, last: int | None, *, username: str, password: str) -> JournalCopy:
        """See `ExportJournal.export`."""
        return await self._parts.exporting.export(first, last, username=username, password=password)

    def exposure(self) -> ExposureView:
        """Return what central has not seen, and how much more may be taken without it."""
        policy, now = self._parts.queries.exposure(self._parts.clock.monotonic_ms())
        return exposure_view(policy, now, NETWORK_FEED)

    async def sign_in(self, username: str, password: str, place: Place = NOWHERE) -> str:
        """See `SignIn.sign_in`."""
        return await self._parts.sign_in.sign_in(username, password, place)

    async def sign_out(self, token: str) -> None:
        """See `SignIn.sign_out`."""
        await self._parts.sign_in.sign_out(token)

    def operator_of_api_token(self, token: str) -> ApiCaller | None:
        """See `SignIn.operator_of_api_token`."""
        return self._parts.sign_in.operator_of_api_token(token)

    def progress(self, payment_id: str) -> str | None:
        """See `TakePayment.progress`, `GiveBack.progress` and `AskOnDemand.progress`."""
        parts = (self._parts.payments, self._parts.give_back, self._parts.asking)
        return next((word for part in parts if (word := part.progress(payment_id))), None)

    def queue_place(self, payment_id: str) -> int | None:
        """See `TakePayment.queue_place`."""
        return self._parts.payments.queue_place(payment_id)

    def terminal_for(self, operator: str) -> str:
        """Return the name of the terminal to offer an operator first: their own last one, else the best there is."""
        choosing = self._parts.payments.choosing
        return choosing.last_of(operator) or choosing.best(operator).name

    def header(self) -> HeaderView:
        """Return what the header of a page says now."""
        parts = self._parts
        glance = parts.queries.glance(parts.clock.monotonic_ms())
        return HeaderView(
            office=glance.office,
            terminals=tuple(terminal_views(parts.payments.workers, glance.in_doubt)),
            printer=printer_view(parts.documents.state, glance.waiting_papers),
            line=LineView(
                state=parts.line.state, last_exchange_at=glance.last_exchange_at, last_error=glance.last_exchange_error
            ),
            exposure=exposure_view(glance.policy, glance.exposure, NETWORK_FEED),
            in_doubt=glance.in_doubt,
            is_under_way=glance.is_under_way,
            unconfirmed_count=glance.unconfirmed_count,
            unconfirmed_rial=glance.unconfirmed_rial,
            unsent_count=glance.unsent_count,
        )

    def terminals(self) -> list[TerminalView]:
        """Return how each terminal stands now, in the order of the settings.

        Then those that are set up no longer and still have a payment in doubt: nothing else can settle it by asking.
        """
        return terminal_views(self._parts.payments.workers, self._parts.queries.in_doubt())

    def printer(self) -> PrinterView:
        """Return how the printer stands now."""
        view = self._parts.documents.view()
        return printer_view(view.state, view.waiting_count)

    def line(self) -> LineView:
        """Return how the line stands, by the newest exchange."""
        last_exchange_at, last_error = self._parts.queries.last_exchange()
        return LineView(state=self._parts.line.state, last_exchange_at=last_exchange_at, last_error=last_error)

    def journal_failure(self) -> str | None:
        """Return the code of what stopped the journal, None while it takes entries."""
        failure = self._parts.journal.failure
        return None if failure is None else failure.code

    def health(self) -> HealthView:
        """See `BoxHealth.view`."""
        return self._parts.health.view()

    def profiles(self) -> ProfilesView:
        """Return central's bundles of device profiles: in use, waiting, refused."""
        return self._parts.profiles.view(self._parts.queries)

    @property
    def finding(self) -> FindDevices:
        """Return the search for devices that are not set up."""
        return self._parts.finding

    @property
    def atms(self) -> Atms:
        """Return what is done with the office's ATMs."""
        return self._parts.atms

    async def print_cash_slip(self, report_id: str) -> str:
        """See `PrintDocuments.request_cash_slip`."""
        return await self._parts.documents.request_cash_slip(report_id)

    @property
    def support(self) -> Support:
        """Return what makes an archive for support."""
        return self._parts.support

    def terminal_test(self, name: str) -> DeviceTest | None:
        """See `TryDevices.terminal_test`."""
        return self._parts.trials.terminal_test(name)

    def printer_test(self) -> DeviceTest | None:
        """See `TryDevices.printer_test`."""
        return self._parts.trials.printer_test

    async def test_terminal(self, name: str) -> None:
        """See `TryDevices.test_terminal`."""
        await self._parts.trials.test_terminal(name)

    async def test_printer(self, *, page: bool) -> None:
        """See `TryDevices.test_printer`."""
        await self._parts.trials.test_printer(page=page)

    def subscribe(self) -> AsyncIterator[BoxEvent]:
        """See `EventHub.subscribe`."""
        return self._parts.hub.subscribe()

    async def idempotent(self, key: str, request_sha256: bytes, caller: str, work: Work) -> bytes:
        """See `Idempotent.run`."""
        return await self._parts.idempotent.run(key, request_sha256, caller, work)
