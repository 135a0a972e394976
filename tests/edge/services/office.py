"""A counter with everything real but the customer: journal, terminal and printer over sockets on this machine."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from edge.devices.catalogue import load_catalogue
from edge.devices.printers.driver import PrinterDriver
from edge.devices.printers.links import TcpPlace
from edge.devices.terminals.driver import TerminalDriver
from edge.devices.virtual.asan_pardakht_terminal import VirtualAsanPardakhtTerminal
from edge.devices.virtual.pna_terminal import VirtualPnaTerminal
from edge.devices.virtual.printer import VirtualPrinter
from edge.devices.virtual.sadad_terminal import VirtualSadadTerminal
from edge.devices.virtual.telium_e_terminal import VirtualTeliumETerminal
from edge.devices.virtual.terminal import VirtualTerminal
from edge.devices.virtual.terminal_machine import TerminalMachine
from edge.devices.virtual.zvt_terminal import VirtualZvtTerminal
from edge.journal.recovery import Recovery, Start
from edge.journal.views import PaymentView
from edge.journal.writer import StoreView
from edge.services.bills.ask_inquiry import AskInquiry
from edge.services.events import EventHub
from edge.services.papers.documents import Letterhead
from edge.services.papers.print_documents import PrintDocuments
from edge.services.payments.resolve_in_doubt import ResolveInDoubt
from edge.services.payments.take_payment import TakePayment
from edge.services.payments.wanted import bill_wanted
from firmware_profiles.addresses import TcpAddress
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.events import Body, Evidence
from shared.identifiers import Bill, parse_bill
from shared.payment import PaymentState
from tests.edge.store.boxes import Box

DEADLINE_S = 60
WATER = parse_bill("2050327604613", "1070189")
POWER = parse_bill("9174639504124", "12908190")
MODELS: Final[dict[type[TerminalMachine[Any]], str]] = {
    VirtualTerminal: "daftar/virtual",
    VirtualPnaTerminal: "daftar/virtual_pna",
    VirtualSadadTerminal: "daftar/virtual_sadad",
    VirtualAsanPardakhtTerminal: "daftar/virtual_asan_pardakht",
    VirtualZvtTerminal: "daftar/virtual_zvt",
    VirtualTeliumETerminal: "daftar/virtual_telium_e",
}


class Office:
    """Use as an async context manager. A second one on the same folder is the box after a restart."""

    def __init__(self, folder: Path, terminal: TerminalMachine[Any], *more: tuple[str, int], **times: int) -> None:
        """Give it a terminal, and where more of them are: `terminal-2` and so on."""
        self.folder = folder
        self.virtual = terminal
        self.more = more
        self.bill_terminals: tuple[str, ...] = ()
        profile = load_catalogue().terminal(MODELS[type(terminal)])
        quick = {"answer_timeout_ms": 2_000, "longest_ms": 2_000, "query_timeout_ms": 1_000, "ready_timeout_ms": 1_000}
        self.profile = msgspec.structs.replace(
            profile, times=msgspec.structs.replace(profile.times, **(quick | {"reconnect_first_ms": 20} | times))
        )

    async def __aenter__(self) -> Self:
        clock, entropy = SystemClock(), SystemEntropy()
        self.box = Box(self.folder)
        self.box.clock = clock  # type: ignore[assignment] # waits are real here
        self.box.entropy = entropy  # type: ignore[assignment] # two offices in a test must not make the same names
        self.box.__enter__()
        recovery = Recovery(self.box.queries, self.box.identity, Start(software="test"))
        self.recovered = recovery.run(self.box.writer, self.box.signer.public_key)
        self.hub = EventHub()
        self.hub.open()
        self.box.writer.subscribe(self.hub.committed)
        assert self.virtual._address is not None
        self.terminals = [
            TerminalDriver(
                name=f"terminal-{place}",
                profile=self.profile,
                address=TcpAddress(host, port),
                clock=clock,
                entropy=entropy,
            )
            for place, (host, port) in enumerate([self.virtual._address, *self.more], start=1)
        ]
        self.terminal = self.terminals[0]
        self.payments = TakePayment(
            writer=self.box.writer,
            queries=self.box.queries,
            terminals=self.terminals,
            clock=clock,
            entropy=entropy,
            on_progress=lambda _: None,
            bill_terminals=self.bill_terminals,
        )
        # As the box joins them: what somebody works on, a disk that gets well does not settle.
        recovery.under_way = lambda payment_id: self.payments.progress(payment_id) is not None
        self.worker = self.payments.workers["terminal-1"]
        self.resolve = ResolveInDoubt(
            writer=self.box.writer,
            queries=self.box.queries,
            payments=self.payments,
            clock=clock,
            entropy=entropy,
            unasked_every_s=1,
        )
        self.inquiries = AskInquiry(self.box.writer, entropy)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.payments.finish()
        await asyncio.gather(*(terminal.close() for terminal in self.terminals))
        self.box.__exit__()

    def printing(self, printer: VirtualPrinter) -> PrintDocuments:
        """Return the owner of a printer; start its `run` as a task."""
        profile = load_catalogue().printer("daftar/virtual_80mm")
        return PrintDocuments(
            writer=self.box.writer,
            queries=self.box.queries,
            printer=PrinterDriver(place=TcpPlace("127.0.0.1", printer.port), profile=profile),
            profile=profile,
            head=Letterhead(
                office_name="دفتر آزمون",
                office_code="72101001",
                journal_id=self.box.identity.journal_id,
                verify_base="http://127.0.0.1:1",
                demo=True,
            ),
            hub=self.hub,
            entropy=SystemEntropy(),
        )

    def payment(self, payment_id: str) -> PaymentView:
        """Return a payment as the journal has it now."""
        payment = self.box.queries.payment(payment_id)
        assert payment is not None
        return payment

    async def pay(self, bill: Bill = WATER, *, terminal: str | None = None, operator: str = "sara") -> str:
        """Press pay; return our payment id."""
        return await self.payments.request(bill_wanted(bill), operator=operator, terminal=terminal)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something to hold, looking at each change; fail after a deadline."""
        async with asyncio.timeout(DEADLINE_S):
            while not holds():  # noqa: ASYNC110 - journal and devices tell different listeners; looking again suits all
                await asyncio.sleep(0.005)

    async def ends(self, payment_id: str) -> PaymentState:
        """Wait until nothing of a payment is under way; return its state."""
        await self.until(lambda: self.payments.progress(payment_id) is None)
        return self.payment(payment_id).state

    async def card_asked_for(self) -> None:
        """Wait until the terminal waits for a card."""
        await self.until(lambda: self.virtual.screen.phase == "waiting_card")

    def kinds(self) -> list[str]:
        """Return the types of all entries."""
        entries = self.box.queries.entries(0, 1_000)
        return [msgspec.json.decode(data)["type"] for data, _ in entries]

    def charge_of(self, payment_id: str, **other: object) -> Evidence:
        """Return what the terminal says of a charge of this payment; `other` is what it says otherwise."""
        payment = self.payment(payment_id)
        said = Evidence(
            source="late_answer",
            response_code="00",
            amount_rial=payment.amount_rial,
            reference=payment.reference,
            stan="000777",
            rrn="000000000777",
            terminal_number=payment.terminal_number,
        )
        return msgspec.structs.replace(said, **other)

    def alarms(self) -> list[tuple[str, str | None]]:
        """Return kind and payment of all alarms, newest first."""
        return [(alarm.kind, alarm.payment_id) for alarm in self.box.queries.status().alarms]

    @contextmanager
    def slow_medium(self) -> Iterator[None]:
        """Have the writer stand in one long write: what is handed in meanwhile waits."""
        go_on = threading.Event()
        begun = threading.Event()

        def decide(_: StoreView) -> list[Body]:
            begun.set()
            go_on.wait(DEADLINE_S)
            return []

        handed = self.box.writer._hand_in(decide)
        begun.wait(DEADLINE_S)
        try:
            yield
        finally:
            go_on.set()
            handed.result(DEADLINE_S)
