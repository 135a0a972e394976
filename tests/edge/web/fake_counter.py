"""The counter's port in memory: what pages are shown and asked, set by a test. No rule of a use case is repeated."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime

import msgspec

from edge.devices.scan import settings_lines
from edge.journal.atms import AtmReader
from edge.journal.elsewhere import ElsewherePayment, HeardJournal
from edge.journal.health_view import HealthView
from edge.journal.people import NOWHERE, OperatorView, Place
from edge.journal.refunds import AcquirerAnswer, RefundMeans, RefundView
from edge.journal.standing import ClosedDay, Exposure, ExposurePolicy, OpenDay
from edge.journal.views import AlarmView, BoxStatus, InquiryView, NoticeView, PaymentView, PrintJob, ProfilesView
from edge.services.atms import Atms
from edge.services.devices.find_devices import Search
from edge.services.devices.try_devices import DeviceTest
from edge.services.events import BoxEvent
from edge.services.health.support import Archive
from edge.services.journal.export_journal import JournalCopy
from edge.services.payments.disagreement import disputed
from edge.services.payments.exposure import ExposureView, exposure_view
from edge.services.payments.judge_outcome import charge_spoken_of
from edge.services.payments.override_payment import Decision, ReversalWord, check_decision, check_reversal, words_taken
from edge.services.payments.statement import checked_reason
from edge.services.people.two_people import check_two
from edge.store.people import ApiCaller
from edge.web.ports.counter import LineState, TerminalState
from edge.web.ports.groups import Groups
from shared.clock import ClockQuality
from shared.day import DayTotals
from shared.errors import OperatorError
from shared.events import BillKind, DayClosed, TerminalBatch
from shared.identifiers import Bill, check_subscriber, read_bill
from shared.ids import NETWORK_FEED, bill_obligation
from shared.payment import CERTAINLY_UNCHARGED, PaymentState
from shared.sealed import Sealed
from tests.edge.web.fake_history import FakeHistory
from tests.edge.web.fake_people import FakePeople
from tests.edge.web.fake_services import FakeServiceReads, FakeServices

NOW = datetime(2026, 11, 22, 10, 47, 30, tzinfo=UTC)
AT = "2026-11-22T10:41:05.000Z"
PASSWORD = "let the operator in"
MANAGERS = ("mina", "reza")
OPEN_REFUND = ("proposed", "agreed", "sent", "in_doubt")
SCOPES = frozenset(
    {
        "payments:write",
        "payments:read",
        "payments:decide",
        "refunds:write",
        "refunds:decide",
        "inquiries:write",
        "status:read",
    }
)
TOKENS = {
    "all": SCOPES,
    "all/sara": SCOPES,
    "all/mina": SCOPES,
    "payments-decide": frozenset({"payments:decide"}),
    "refunds-write": frozenset({"refunds:write"}),
    "refunds-decide": frozenset({"refunds:decide"}),
    "payments-write": frozenset({"payments:write"}),
    "payments-read": frozenset({"payments:read"}),
    "inquiries-write": frozenset({"inquiries:write"}),
    "status-read": frozenset({"status:read"}),
}


class FakeClock:
    def __init__(self) -> None:
        self.at = NOW
        self.believed: ClockQuality = "central"

    def now(self) -> datetime:
        return self.at

    def monotonic_ms(self) -> int:
        return 0

    def quality(self) -> ClockQuality:
        return self.believed


class FakeEntropy:
    """Different bytes at each call, the same ones in each run."""

    def __init__(self) -> None:
        self.calls = 0

    def token_bytes(self, size_bytes: int) -> bytes:
        self.calls += 1
        return (self.calls.to_bytes(4, "big") * size_bytes)[:size_bytes]


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    bill: Bill
    amount_rial: int
    earlier: PaymentView | None
    elsewhere: ElsewherePayment | None = None


class FakeOthers:
    """What central told of the office's other journals."""

    def __init__(self) -> None:
        self.payments: dict[str, ElsewherePayment] = {}
        self.heard: list[HeardJournal] = []
        self.awaited = False

    def payment(self, payment_id: str) -> ElsewherePayment | None:
        return self.payments.get(payment_id)

    def holder_of(self, obligation: str) -> ElsewherePayment | None:
        held = (one for one in self.payments.values() if one.state not in CERTAINLY_UNCHARGED)
        return next((one for one in held if any(item.obligation == obligation for item in one.items)), None)

    def whole_of(self, obligation: str) -> ElsewherePayment | None:
        del obligation
        return None

    def payments_by_paper(self, digits: Sequence[str]) -> list[ElsewherePayment]:
        return [
            one
            for one in self.payments.values()
            if any(item.bill_id in digits or item.bill_payment_id in digits for item in one.items)
        ]

    def journals(self) -> list[HeardJournal]:
        return self.heard

    def predecessor(self) -> str | None:
        return next((one.journal for one in self.heard if one.is_predecessor), None)

    def are_awaited(self) -> bool:
        return self.awaited


class Terminal(msgspec.Struct, frozen=True, kw_only=True):
    name: str = "counter-1"
    state: TerminalState = "idle"
    payment_id: str | None = None
    queue: tuple[str, ...] = ()
    connected: bool = True
    terminal_number: str | None = "73000002"
    address: str = "10.100.38.104:1024"
    profile: str = "behpardakht/s90"
    version: str = "behpardakht 1.0"
    last_seen_at: str | None = AT
    last_error: str | None = None
    locked_by: str | None = None
    centre_link: bool | None = True


class Printer(msgspec.Struct, frozen=True, kw_only=True):
    state: str = "ok"
    last_error: str | None = None
    waiting_jobs: int = 0


class Line(msgspec.Struct, frozen=True, kw_only=True):
    state: LineState = "good"
    last_exchange_at: str | None = AT
    last_error: str | None = None


class FakeQueries:
    atms: AtmReader
    """Given by the tests of these pages, over a real file."""

    def __init__(self) -> None:
        self.services = FakeServiceReads()
        self.others = FakeOthers()
        self.all_payments: dict[str, PaymentView] = {}
        self.all_inquiries: dict[str, InquiryView] = {}
        self.all_notices: list[NoticeView] = []
        self.alarms: list[AlarmView] = []
        self.answers: list[AcquirerAnswer] = []
        self.all_refunds: dict[str, RefundView] = {}
        self.jobs: list[PrintJob] = []
        self.quarantined = False
        self.day = OpenDay(
            first=0,
            size=412,
            totals=DayTotals(),
            in_doubt_count=0,
            in_doubt_rial=0,
            under_way_count=0,
            unsent_count=0,
            unsent_rial=0,
            unconfirmed_count=0,
            unconfirmed_rial=0,
        )
        self.days: list[ClosedDay] = []
        self.unsent_count = 0

    def receipt_proof(self, index: int) -> str | None:
        return f"c2sp.org/tlog-proof@v1\nindex {index}\n" if index < 412 - self.unsent_count else None

    def one_moment(self) -> AbstractContextManager[None]:
        return nullcontext()

    def payment(self, payment_id: str) -> PaymentView | None:
        return self.all_payments.get(payment_id)

    def payments(
        self, before_index: int | None, limit: int, states: Collection[PaymentState] | None = None
    ) -> list[PaymentView]:
        rows = sorted(self.all_payments.values(), key=lambda row: row.requested_index, reverse=True)
        before = [row for row in rows if before_index is None or row.requested_index < before_index]
        return [row for row in before if states is None or row.state in states][:limit]

    def payments_by_paper(self, digits: Sequence[str], before_index: int | None, limit: int) -> list[PaymentView]:
        found = [row for row in self.payments(before_index, limit) if {row.bill_id, row.bill_payment_id} & set(digits)]
        return found[:limit]

    def wholes_of(self, obligation: str) -> list[PaymentView]:
        del obligation
        return []

    def payments_of(self, obligation: str) -> list[PaymentView]:
        return [row for row in self.all_payments.values() if row.obligation == obligation]

    def alarms_about(self, payment_id: str) -> list[AlarmView]:
        return [alarm for alarm in self.alarms if alarm.payment_id == payment_id]

    def acquirer_answers(self, payment_id: str | None = None) -> list[AcquirerAnswer]:
        return [answer for answer in self.answers if payment_id in (None, answer.payment_id)]

    def refund(self, refund_id: str) -> RefundView | None:
        return self.all_refunds.get(refund_id)

    def refunds_of(self, payment_id: str) -> list[RefundView]:
        return [refund for refund in self.all_refunds.values() if refund.payment_id == payment_id]

    def open_refunds(self) -> list[RefundView]:
        return [refund for refund in self.all_refunds.values() if refund.state in OPEN_REFUND]

    def in_doubt(self) -> list[PaymentView]:
        return self.payments(None, 100, {PaymentState.IN_DOUBT})

    def inquiry(self, inquiry_id: str) -> InquiryView | None:
        return self.all_inquiries.get(inquiry_id)

    def inquiries(self, before_index: int | None, limit: int) -> list[InquiryView]:
        rows = sorted(self.all_inquiries.values(), key=lambda row: row.requested_index, reverse=True)
        return [row for row in rows if before_index is None or row.requested_index < before_index][:limit]

    def notices(self, limit: int) -> list[NoticeView]:
        return self.all_notices[:limit]

    def print_jobs_for(self, about: str) -> list[PrintJob]:
        return [job for job in self.jobs if job.about == about]

    def open_day(self) -> OpenDay:
        return self.day

    def closed_day(self, close_id: str) -> ClosedDay | None:
        return next((day for day in self.days if day.body.close_id == close_id), None)

    def closed_days(self, before_number: int | None, limit: int) -> list[ClosedDay]:
        rows = sorted(self.days, key=lambda day: day.number, reverse=True)
        return [row for row in rows if before_number is None or row.number < before_number][:limit]

    def status(self) -> BoxStatus:
        queued = [row for row in self.all_payments.values() if row.confirmation == "queued"]
        return BoxStatus(
            office="72101001",
            box="b1",
            journal_id="daftar.journal/72101001/b1/1",
            size=412,
            cosigned_size=412 - self.unsent_count,
            unsent_count=self.unsent_count,
            unconfirmed_count=len(queued),
            unconfirmed_rial=sum(row.amount_rial for row in queued),
            in_doubt_count=len(self.in_doubt()),
            alarms=self.alarms,
            last_exchange_at=AT,
            last_exchange_error=None,
            quarantined=self.quarantined,
        )


class Header(msgspec.Struct, frozen=True, kw_only=True):
    office: str
    terminals: tuple[Terminal, ...]
    printer: Printer
    line: Line
    exposure: ExposureView
    in_doubt: tuple[PaymentView, ...]
    is_under_way: bool
    unconfirmed_count: int
    unconfirmed_rial: int
    unsent_count: int


class FakeFinding:
    def __init__(self, asked: list[tuple[str, str]]) -> None:
        self.terminal_models = ["pna/pcpos", "sadad/pax"]
        self.printer_models = ["generic/escpos_80mm"]
        self.asked = asked
        self.search = Search()
        self.tests: dict[str, DeviceTest] = {}

    def networks(self) -> list[str]:
        return ["192.168.1.0/24"]

    def test_of(self, address: str) -> DeviceTest | None:
        return self.tests.get(address)

    def lines(self, address: str) -> str:
        (found,) = [one for one in self.search.found if one.address == address]
        return settings_lines(found, name="terminal-2")

    def is_in_use(self, address: str) -> bool:
        return address == "tcp://192.168.1.20:1024"

    async def start(self, *, network: bool) -> None:
        self.asked.append(("search", "network" if network else "ports"))

    async def try_found(self, address: str, model: str) -> None:
        if address not in [found.address for found in self.search.found]:
            raise OperatorError("device.not_found", address=address)
        self.asked.append(("try", f"{address} {model}"))


class FakeSupport:
    def __init__(self) -> None:
        self.stick: str | None = None

    def archive(self) -> Archive:
        return Archive("diagnosis.zip", iter([b"all ", b"of it"]))

    async def to_stick(self) -> str:
        if self.stick is None:
            raise OperatorError("export.no_stick")
        return f"{self.stick}/diagnosis.zip"


class FakeCounter(FakeServices):
    atms: Atms
    groups: Groups
    """Given by the tests of these pages, over a real box."""

    def __init__(self) -> None:
        self.queries = FakeQueries()
        self.history = FakeHistory(self.queries)
        self.terminal_view = Terminal()
        self.tests: dict[str, DeviceTest] = {}
        self.more_terminals: list[Terminal] = []
        self.last_terminal: str | None = None
        self.printer_view = Printer()
        self.line_view = Line()
        self.progress_words: dict[str, str] = {}
        self.sessions: dict[str, OperatorView] = {}
        self.answers: dict[tuple[str, str], tuple[bytes, bytes]] = {}
        self.asked: list[tuple[str, str]] = []
        """Calls that change something: (name, about)."""
        self.people = FakePeople(self.sessions, self.asked, PASSWORD)
        self.permissions = self.people.permissions
        self.service_views = {}
        self.pictures = {}
        self.finding = FakeFinding(self.asked)
        self.support = FakeSupport()
        self.means: tuple[RefundMeans, ...] = ("reversal", "central")
        self.troubles: dict[str, str] = {}
        self.fails_with: Exception | None = None
        self.policy: ExposurePolicy | None = None
        self.exposed = Exposure()
        self.journal_stopped_by: str | None = None
        self.health_now = HealthView(clock="central")
        """Raised by every call of `pay_bill`, to see what its page says."""
        self._listeners: set[asyncio.Queue[BoxEvent]] = set()
        self._index = 100

    # --- what tests set -------------------------------------------------------------------------------------------

    def next_index(self) -> int:
        self._index += 1
        return self._index

    def add_payment(self, bill: str, state: PaymentState, **members: object) -> PaymentView:
        """Put a payment of a bill's barcode into the history."""
        read = read_bill(bill)
        index = self.next_index()
        view = PaymentView(
            payment_id=f"p{index}",
            obligation=bill_obligation(read.bill_id, read.payment_id),
            purpose="bill",
            amount_rial=read.amount_rial,
            state=state,
            method="pcpos",
            terminal="counter-1",
            reference="100200300400500600",
            operator="reza",
            bill_id=read.bill_id,
            bill_payment_id=read.payment_id,
            requested_at=AT,
            requested_index=index,
        )
        view = msgspec.structs.replace(view, **members)
        self.queries.all_payments[view.payment_id] = view
        return view

    def change_payment(self, payment_id: str, **members: object) -> None:
        found = self.queries.all_payments[payment_id]
        self.queries.all_payments[payment_id] = msgspec.structs.replace(found, **members)
        self.publish("payment", payment_id)

    def add_inquiry(self, kind: BillKind, **members: object) -> InquiryView:
        index = self.next_index()
        view = InquiryView(
            inquiry_id=f"q{index}",
            ticket=len(self.queries.all_inquiries) + 1,
            service="bill_inquiry",
            kind=kind,
            parameter=Sealed(key_id="1405-09", ciphertext=""),
            parameter_tail="124",
            operator="reza",
            requested_at=AT,
            requested_index=index,
        )
        view = msgspec.structs.replace(view, **members)
        self.queries.all_inquiries[view.inquiry_id] = view
        return view

    def publish(self, kind: str, about: str | None = None) -> None:
        for queue in self._listeners:
            queue.put_nowait(BoxEvent(kind, about))  # type: ignore[arg-type]  # tests name kinds as text

    @property
    def listener_count(self) -> int:
        return len(self._listeners)

    # --- the port ---------------------------------------------------------------------------------------------------

    def read_bill(self, bill: str, payment: str | None = None) -> Reading:
        found = read_bill(bill, payment)
        obligation = bill_obligation(found.bill_id, found.payment_id)
        holders = [
            row
            for row in self.queries.payments(None, 1000)
            if row.obligation == obligation and row.state not in CERTAINLY_UNCHARGED
        ]
        return Reading(
            bill=found,
            amount_rial=found.amount_rial,
            earlier=holders[0] if holders else None,
            elsewhere=self.queries.others.holder_of(bill_obligation(found.bill_id, found.payment_id)),
        )

    async def pay_bill(
        self,
        bill_id: str,
        payment_id: str,
        *,
        operator: str,
        inquiry_id: str | None = None,
        terminal: str | None = None,
        name: str | None = None,  # noqa: ARG002 - the port's
    ) -> str:
        if self.fails_with is not None:
            raise self.fails_with
        reading = self.read_bill(bill_id, payment_id)
        if reading.earlier:
            raise OperatorError("payment.obligation_held", payment_id=reading.earlier.payment_id)
        there = {one.name: one for one in self.terminals()}
        given = there[terminal or self.terminal_for(operator)]
        if given.locked_by:
            raise OperatorError("payment.terminal_locked", payment_id=given.locked_by)
        self.last_terminal = given.name
        view = self.add_payment(
            reading.bill.barcode,
            PaymentState.REQUESTED,
            operator=operator,
            inquiry_id=inquiry_id,
            terminal=given.name,
        )
        self.asked.append(("pay", view.payment_id))
        return view.payment_id

    async def check_payment(self, payment_id: str, *, operator: str) -> PaymentView:  # noqa: ARG002 - the port's
        self.asked.append(("check", payment_id))
        return self.queries.all_payments[payment_id]

    def _manager(self, username: str, password: str) -> None:
        if password != PASSWORD:
            raise OperatorError("auth.wrong", field="password")
        if username not in MANAGERS:
            raise OperatorError("auth.manager_needed")

    def decision(self, payment_id: str, *, charged: bool, slip_number: str, reason: str) -> Decision:
        check_decision(self.queries.all_payments[payment_id], self.queries.alarms_about(payment_id), charged=charged)
        return Decision.checked(charged=charged, slip_number=slip_number, reason=reason)

    async def override_payment(
        self, payment_id: str, *, charged: bool, slip_number: str, reason: str, username: str, password: str
    ) -> None:
        decision = self.decision(payment_id, charged=charged, slip_number=slip_number, reason=reason)
        self._manager(username, password)
        self.asked.append(("charged" if charged else "not charged", payment_id))
        state = PaymentState.OVERRIDDEN_CHARGED if charged else PaymentState.OVERRIDDEN_NOT_CHARGED
        stated: dict[str, object] = {
            "stated_by": username,
            "stated_slip": decision.slip_number,
            "stated_reason": decision.reason,
        }
        if charged or self.queries.all_payments[payment_id].state is PaymentState.IN_DOUBT:
            stated["state"] = state
        self.change_payment(payment_id, ruled_out_index=None if charged else self.next_index(), **stated)

    def words_taken(self, payment: PaymentView) -> tuple[bool, ...]:
        return words_taken(payment, self.queries.alarms_about(payment.payment_id))

    def disputed(self, obligation: str) -> PaymentView | None:
        return disputed(self.queries, obligation)

    def reversal_word(self, payment_id: str, *, undone: bool, slip_number: str, reason: str) -> ReversalWord:
        check_reversal(self.queries.all_payments[payment_id])
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
        self.reversal_word(payment_id, undone=undone, slip_number=slip_number, reason=reason)
        self._manager(username, password)
        check_two(operator, username, payment_id=payment_id)
        self.asked.append(("undone" if undone else "stands", payment_id))
        self.change_payment(payment_id, state=PaymentState.REVERSED if undone else PaymentState.APPROVED)

    def charge_spoken_of(self, payment_id: str) -> bool:
        return charge_spoken_of(self.queries.alarms_about(payment_id))

    def refund_means(self, payment: PaymentView) -> tuple[RefundMeans, ...]:
        return self.means if payment.state in (PaymentState.APPROVED, PaymentState.OVERRIDDEN_CHARGED) else ()

    def refund_trouble(self, refund_id: str) -> str | None:
        return self.troubles.get(refund_id)

    def add_refund(self, payment_id: str, **members: object) -> RefundView:
        index = self.next_index()
        view = RefundView(
            refund_id=f"r{index}",
            payment_id=payment_id,
            means="reversal",
            amount_rial=self.queries.all_payments[payment_id].amount_rial,
            operator="reza",
            reason="قبض",
            state="proposed",
            proposed_at=AT,
            proposed_index=index,
            proposed_leaf="ab" * 32,
        )
        view = msgspec.structs.replace(view, **members)
        self.queries.all_refunds[view.refund_id] = view
        return view

    def change_refund(self, refund_id: str, **members: object) -> None:
        found = self.queries.all_refunds[refund_id]
        self.queries.all_refunds[refund_id] = msgspec.structs.replace(found, **members)

    async def propose_refund(
        self,
        payment_id: str,
        *,
        means: RefundMeans,
        reason: str,
        operator: str,
        name: str | None = None,  # noqa: ARG002 - the port's
    ) -> str:
        words = checked_reason(reason)
        if means not in self.refund_means(self.queries.all_payments[payment_id]):
            raise OperatorError("refund.means_not_offered", payment_id=payment_id, means=means)
        self.asked.append(("refund", payment_id))
        return self.add_refund(payment_id, means=means, reason=words, operator=operator).refund_id

    async def agree_refund(self, refund_id: str, *, username: str, password: str) -> None:
        self._manager(username, password)
        check_two(self.queries.all_refunds[refund_id].operator, username, refund_id=refund_id)
        self.asked.append(("agree", refund_id))
        self.change_refund(refund_id, state="agreed", decided_by=username, decided_at=AT)

    async def drop_refund(self, refund_id: str, *, operator: str, reason: str) -> None:
        words = checked_reason(reason)
        self.asked.append(("drop", refund_id))
        self.change_refund(refund_id, state="dropped", decided_by=operator, decided_at=AT, outcome_reason=words)

    async def retry_refund(self, refund_id: str) -> None:
        self.asked.append(("retry", refund_id))

    async def print_cash_slip(self, report_id: str) -> str:
        self.asked.append(("print_cash_slip", report_id))
        return "j1"

    async def print_refund_slip(self, refund_id: str) -> str:
        self.asked.append(("slip", refund_id))
        return "j4"

    async def cancel_payment(self, payment_id: str, *, operator: str) -> None:  # noqa: ARG002 - the port's
        if payment_id not in self.progress_words:
            raise OperatorError("payment.not_waiting", payment_id=payment_id)
        self.asked.append(("cancel", payment_id))

    async def print_receipt(self, payment_id: str, *, operator: str, item: int | None = None) -> str:  # noqa: ARG002 - the port's
        self.asked.append(("print", payment_id if item is None else f"{payment_id}/{item}"))
        return "j1"

    async def print_ticket(self, inquiry_id: str, *, operator: str) -> str:  # noqa: ARG002 - the port's
        self.asked.append(("ticket", inquiry_id))
        return "j2"

    async def ask_inquiry(
        self,
        kind: BillKind,
        parameter: str,
        *,
        operator: str,
        name: str | None = None,  # noqa: ARG002 - the port's
    ) -> str:
        number = check_subscriber(kind, parameter)
        view = self.add_inquiry(kind, parameter_tail=number[-3:], operator=operator)
        self.asked.append(("inquire", view.inquiry_id))
        return view.inquiry_id

    def exposure(self) -> ExposureView:
        return exposure_view(self.policy, self.exposed, NETWORK_FEED)

    async def export_journal(self, first: int, last: int | None, *, username: str, password: str) -> JournalCopy:
        self._manager(username, password)
        if first >= 100 or (last or 0) >= 100:
            raise OperatorError("export.no_such_range", first=first, last=last, size=100)
        self.asked.append(("export", f"{first}-{last}"))
        return JournalCopy(name="journal.zip", pieces=iter([b"a whole ", b"journal"]))

    async def close_day(self, *, operator: str, name: str | None = None, reports: Sequence[TerminalBatch] = ()) -> str:
        self.asked.append(("close_day", operator))
        day, close_id = self.queries.day, f"d{name}"
        members = {member: getattr(day, member) for member in day.__struct_fields__}
        members |= {member: getattr(day.totals, member) for member in day.totals.__struct_fields__}
        del members["under_way_count"]
        body = DayClosed(
            **members,
            close_id=close_id,
            root="5c" * 32,
            batches=tuple(reports) or (TerminalBatch(terminal="counter-1"),),
            operator=operator,
        )
        number = len(self.queries.days) + 1
        self.queries.days.append(
            ClosedDay(number=number, index=412, leaf="3f" * 32, closed_at=AT, clock="ntp", body=body)
        )
        return close_id

    async def print_slip(self, close_id: str) -> str:
        self.asked.append(("print_slip", close_id))
        return "j1"

    async def sign_in(self, username: str, password: str, place: Place = NOWHERE) -> str:  # noqa: ARG002 - the port's
        if password != PASSWORD:
            raise OperatorError("auth.wrong")
        token = f"session-{len(self.sessions) + 1}"
        self.sessions[token] = OperatorView(username=username, name="رضا کریمی", role="operator")
        return token

    async def sign_out(self, token: str) -> None:
        self.sessions.pop(token, None)

    def operator_of_api_token(self, token: str) -> ApiCaller | None:
        if token not in TOKENS:
            return None
        name, _, person = token.partition("/")
        return ApiCaller(name=name, scopes=TOKENS[token], person=person or None)

    def progress(self, payment_id: str) -> str | None:
        return self.progress_words.get(payment_id)

    def queue_place(self, payment_id: str) -> int | None:
        for terminal in self.terminals():
            line = (*([terminal.payment_id] if terminal.payment_id else []), *terminal.queue)
            if payment_id in line:
                return line.index(payment_id)
        return None

    def terminal_for(self, operator: str) -> str:  # noqa: ARG002 - the port's
        return self.last_terminal or self.terminal_view.name

    def header(self) -> Header:
        status = self.queries.status()
        return Header(
            office=status.office,
            terminals=tuple(self.terminals()),
            printer=self.printer_view,
            line=self.line_view,
            exposure=self.exposure(),
            in_doubt=tuple(self.queries.in_doubt()),
            is_under_way=bool(self.queries.payments(None, 1, {PaymentState.REQUESTED, PaymentState.SENT})),
            unconfirmed_count=status.unconfirmed_count,
            unconfirmed_rial=status.unconfirmed_rial,
            unsent_count=status.unsent_count,
        )

    def terminals(self) -> list[Terminal]:
        return [self.terminal_view, *self.more_terminals]

    def printer(self) -> Printer:
        return self.printer_view

    def line(self) -> Line:
        return self.line_view

    def terminal_test(self, name: str) -> DeviceTest | None:
        return self.tests.get(name)

    def printer_test(self) -> DeviceTest | None:
        return self.tests.get("the printer")

    async def test_terminal(self, name: str) -> None:
        if name not in [terminal.name for terminal in self.terminals()]:
            raise OperatorError("payment.unknown_terminal", terminal=name)
        self.asked.append(("test", name))

    async def test_printer(self, *, page: bool) -> None:
        self.asked.append(("test page" if page else "test", "printer"))

    def profiles(self) -> ProfilesView:
        return ProfilesView(wanted="newest")

    def health(self) -> HealthView:
        return self.health_now

    def journal_failure(self) -> str | None:
        return self.journal_stopped_by

    async def subscribe(self) -> AsyncIterator[BoxEvent]:
        queue: asyncio.Queue[BoxEvent] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._listeners.discard(queue)

    async def idempotent(
        self, key: str, request_sha256: bytes, caller: str, work: Callable[[str], Awaitable[bytes]]
    ) -> bytes:
        kept = self.answers.get((caller, key))
        if kept is not None:
            if kept[0] != request_sha256:
                raise OperatorError("api.idempotency_conflict", key=key)
            return kept[1]
        answer = await work(hashlib.sha256(f"{caller} {key}".encode()).hexdigest()[:20])
        self.answers[caller, key] = (request_sha256, answer)
        return answer
