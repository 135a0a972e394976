"""One virtual terminal and the driver that works it, with the truth about what was charged: what trials are made on.

The profile's own times are replaced by short ones.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Literal, Self

import msgspec

from edge.devices.terminals.driver import StatusAnswer, TerminalDriver, TerminalOutcome
from edge.devices.terminals.session import TerminalBill
from edge.devices.virtual.lines import Cable, Caller
from edge.devices.virtual.simulators import Simulator, make_simulator
from firmware_profiles.addresses import Address, ListenAddress, SerialAddress, TcpAddress
from firmware_profiles.links import LinkKind, TcpLine
from firmware_profiles.profile import TerminalProfile, TerminalTimes
from shared.clock import SystemClock
from shared.entropy import SystemEntropy, random_digits

AMOUNT_RIAL: Final = 1_250_000
BILL: Final = TerminalBill(bill_id="2050327604613", payment_id="125070119")
"""A bill of that amount, by its two ids."""
REFERENCE_DIGITS: Final = 18
SETTLE_WITHIN_MS: Final = 15_000
PATIENT: Final = {
    "connect_timeout_ms": 20_000,
    "ready_timeout_ms": 20_000,
    "answer_timeout_ms": 30_000,
    "longest_ms": 40_000,
    "query_timeout_ms": 20_000,
    "frame_gap_ms": 5_000,
    "reconnect_first_ms": 20,
    "reconnect_longest_ms": 200,
    "heartbeat_every_ms": 600_000,
}
"""For trials in which everything is answered: a slow machine changes nothing."""
HURRIED: Final = {**PATIENT, "answer_timeout_ms": 1_000, "longest_ms": 2_500, "frame_gap_ms": 400}
"""For trials in which nothing is: the sale is in doubt soon."""
LATE_MS: Final = 1_500
"""Later than a hurried answer is waited for, sooner than the terminal counts as done."""


class NotSo(Exception):  # noqa: N818 - it is what was seen, not an error of the program
    """Something did not hold; the text says what was seen instead."""


def hold(held: object, seen: object) -> None:
    """Raise NotSo with what was seen, unless it held."""
    if not held:
        raise NotSo(str(seen))


def _with_times(profile: TerminalProfile, times: dict[str, int]) -> TerminalProfile:
    return msgspec.structs.replace(profile, times=msgspec.convert(times, TerminalTimes))


def _reachable(profile: TerminalProfile, link_kind: LinkKind) -> TerminalProfile:
    """Return the model, reachable over TCP too: what a protocol does is tried so, whatever line a model has."""
    if link_kind != "tcp" or profile.tcp is not None:
        return profile
    return msgspec.structs.replace(profile, tcp=TcpLine(port=1_024))


class Bench:
    """One virtual terminal and the driver that works it."""

    def __init__(self, profile: TerminalProfile, link_kind: LinkKind = "tcp", *, hurried: bool = False) -> None:
        self.profile = _with_times(_reachable(profile, link_kind), HURRIED if hurried else PATIENT)
        self.terminal: Simulator = make_simulator(self.profile, SystemClock(), SystemEntropy())
        self.late: asyncio.Queue[TerminalOutcome] = asyncio.Queue()
        self.reference = random_digits(
            SystemEntropy(), min(REFERENCE_DIGITS, profile.reference_digits_max or REFERENCE_DIGITS)
        )
        self._link_kind = link_kind
        self._ends: list[Callable[[], Awaitable[None]]] = []
        self.waiting = asyncio.Event()
        """Set once the terminal waits for a card."""
        self._baseline: str | None = None
        self._earlier = 0
        self._where: Address | None = None
        self._driver: TerminalDriver | None = None

    @property
    def driver(self) -> TerminalDriver:
        """Return the driver; there once the bench is open."""
        if self._driver is None:
            raise RuntimeError("the bench is not open")
        return self._driver

    async def __aenter__(self) -> Self:
        """Switch the terminal on and begin driving it."""
        self.terminal.on_change = lambda screen: self.waiting.set() if screen.waiting else None
        port = await self.terminal.start()
        self._ends.append(self.terminal.stop)
        self._where = await self._address(port)
        self._driver = self._make_driver(self.profile)
        self._driver.on_late_answer = lambda _, outcome: self.late.put_nowait(outcome)
        self._ends.append(self._driver.close)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Switch everything off."""
        for end in reversed(self._ends):
            await end()

    def _make_driver(self, profile: TerminalProfile) -> TerminalDriver:
        if self._where is None:
            raise RuntimeError("the bench is not open")
        clock, entropy = SystemClock(), SystemEntropy()
        return TerminalDriver(name="bench", profile=profile, address=self._where, clock=clock, entropy=entropy)

    async def _address(self, port: int) -> Address:
        if self._link_kind == "serial":
            newline = self.profile.serial is not None and self.profile.serial.newline_after_message
            cable = Cable("127.0.0.1", port, newline_after_message=newline)
            self._ends.append(cable.unplug)
            return SerialAddress(cable.plug_in())
        if self._link_kind == "listen":
            probe = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
            free: int = probe.sockets[0].getsockname()[1]
            probe.close()
            await probe.wait_closed()
            caller = Caller(("127.0.0.1", port), ("127.0.0.1", free))
            caller.start()
            self._ends.append(caller.stop)
            return ListenAddress("127.0.0.1", free)
        return TcpAddress("127.0.0.1", port)

    # --- steps of trials ---------------------------------------------------------------------------------------------

    async def sale(
        self, *, on_progress: Callable[[str], None] | None = None, bill: TerminalBill | None = None
    ) -> TerminalOutcome:
        """Prepare, and send the amount; with `bill` as the payment of that bill."""
        self._baseline = await self.driver.prepare()
        return await self.driver.sale(
            amount_rial=AMOUNT_RIAL,
            reference=self.reference,
            on_progress=on_progress,
            baseline_stan=self._baseline,
            bill=bill,
        )

    async def ask(self) -> StatusAnswer:
        """Ask what became of the sale."""
        return await self.driver.query(reference=self.reference, amount_rial=AMOUNT_RIAL, baseline_stan=self._baseline)

    @property
    def can_ask(self) -> bool:
        """Return whether the model has any way to ask."""
        return self.profile.capabilities.query_by_reference or self.profile.capabilities.query_last

    @property
    def charged(self) -> bool:
        """Return the truth about the sale of this bench."""
        return len(self.terminal.charges) > self._earlier

    async def sell_before(self) -> None:
        """Make an earlier sale, so that the terminal has a last transaction to tell of."""
        self.terminal.set_auto("approve")
        driver = self._make_driver(_with_times(self.profile, PATIENT))
        try:
            baseline = await driver.prepare()
            reference = self.reference[::-1]
            sold = await driver.sale(amount_rial=AMOUNT_RIAL, reference=reference, baseline_stan=baseline)
            said = sold.evidence
            hold(sold.kind == "approved" and said is not None, f"the sale before: {sold.kind} ({sold.reason})")
            if self.profile.capabilities.confirming and said is not None and said.stan is not None:
                await driver.acknowledge(amount_rial=AMOUNT_RIAL, stan=said.stan)
        finally:
            await driver.close()
        self._earlier = len(self.terminal.charges)

    async def settles(self, wanted: Literal["approved", "not_found"] | None) -> None:
        """Ask until the answer is the wanted one, or for a while where any true answer is good."""
        loop = asyncio.get_running_loop()
        end = loop.time() + SETTLE_WITHIN_MS / 1000
        answer = await self.ask()
        while True:
            hold(answer.kind != "approved" or self.charged, "the status says approved, nothing is charged")
            hold(answer.kind != "not_found" or not self.charged, "the status says not found, the card is charged")
            if wanted is None or answer.kind == wanted:
                return
            hold(loop.time() < end, f"asked for the sale: {answer.kind}, not {wanted}")
            await asyncio.sleep(self.profile.times.reconnect_first_ms / 1000)
            answer = await self.ask()
