"""What is known of a terminal's profile without the terminal: its model driven against a virtual one.

Each trial has a virtual terminal and a driver of its own and holds the driver's word against the truth that the virtual
terminal keeps: what was charged. The profile's own times are replaced by short ones. What only hardware can prove is
said beside it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Literal, Self

import msgspec

from edge.devices.findings import Finding, Findings
from edge.devices.terminals.driver import StatusAnswer, TerminalDriver, TerminalOutcome
from edge.devices.virtual.lines import Cable, Caller
from edge.devices.virtual.simulators import SIMULATORS, Simulator, make_simulator
from edge.devices.virtual.terminal_screen import Fault, Key
from firmware_profiles.addresses import Address, ListenAddress, SerialAddress, TcpAddress
from firmware_profiles.links import LinkKind, TcpLine
from firmware_profiles.profile import TerminalProfile
from shared.clock import SystemClock
from shared.entropy import SystemEntropy, random_digits

AMOUNT_RIAL: Final = 1_250_000
REFERENCE_DIGITS: Final = 18
TRIAL_TIMEOUT_S: Final = 60
SETTLE_WITHIN_MS: Final = 15_000
QUICK: Final = {
    "connect_timeout_ms": 5_000,
    "ready_timeout_ms": 5_000,
    "answer_timeout_ms": 2_500,
    "longest_ms": 3_500,
    "query_timeout_ms": 3_000,
    "frame_gap_ms": 400,
    "reconnect_first_ms": 50,
    "reconnect_longest_ms": 200,
    "heartbeat_every_ms": 600_000,
}
LATE_MS: Final = 3_000
"""Later than the answer is waited for, sooner than the terminal counts as done."""

HARDWARE_ONLY: Final = (
    "that this model speaks this protocol in this version, on this port or at this speed",
    "that its codes mean what the table says, above all those that say nothing was charged",
    "that it gives an answer within the profile's times, with a slow centre and a slow customer",
    "what it does when the line breaks between card and answer, and what it then tells when asked",
    "what stands on its slip, and in which calendar its dates are",
)


class NotSo(Exception):  # noqa: N818 - it is what was seen, not an error of the program
    """Something did not hold; the text says what was seen instead."""


def _hold(held: object, seen: object) -> None:
    if not held:
        raise NotSo(str(seen))


class Bench:
    """One virtual terminal and the driver that works it."""

    def __init__(self, profile: TerminalProfile, link_kind: LinkKind = "tcp") -> None:
        times = msgspec.convert({**msgspec.structs.asdict(profile.times), **QUICK}, type(profile.times))
        self.profile = msgspec.structs.replace(profile, times=times)
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
        address = await self._address(port)
        self._driver = TerminalDriver(
            name="bench", profile=self._reachable(), address=address, clock=SystemClock(), entropy=SystemEntropy()
        )
        self._driver.on_late_answer = lambda _, outcome: self.late.put_nowait(outcome)
        self._ends.append(self._driver.close)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Switch everything off."""
        for end in reversed(self._ends):
            await end()

    def _reachable(self) -> TerminalProfile:
        """Return the model, reachable over TCP too: what a protocol does is tried so, whatever line a model has."""
        if self._link_kind != "tcp" or self.profile.tcp is not None:
            return self.profile
        return msgspec.structs.replace(self.profile, tcp=TcpLine(port=1_024))

    async def _address(self, port: int) -> Address:
        if self._link_kind == "serial":
            cable = Cable("127.0.0.1", port)
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

    async def sale(self, *, on_progress: Callable[[str], None] | None = None) -> TerminalOutcome:
        """Prepare, and send the amount."""
        self._baseline = await self.driver.prepare()
        return await self.driver.sale(
            amount_rial=AMOUNT_RIAL, reference=self.reference, on_progress=on_progress, baseline_stan=self._baseline
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
        baseline = await self.driver.prepare()
        reference = self.reference[::-1]
        sold = await self.driver.sale(amount_rial=AMOUNT_RIAL, reference=reference, baseline_stan=baseline)
        said = sold.evidence
        _hold(sold.kind == "approved" and said is not None, f"the sale before: {sold.kind} ({sold.reason})")
        if self.profile.capabilities.confirming and said is not None and said.stan is not None:
            await self.driver.acknowledge(amount_rial=AMOUNT_RIAL, stan=said.stan)
        self._earlier = len(self.terminal.charges)

    async def settles(self, wanted: Literal["approved", "not_found"] | None) -> None:
        """Ask until the answer is the wanted one, or for a while where any true answer is good."""
        loop = asyncio.get_running_loop()
        end = loop.time() + SETTLE_WITHIN_MS / 1000
        answer = await self.ask()
        while True:
            _hold(answer.kind != "approved" or self.charged, "the status says approved, nothing is charged")
            _hold(answer.kind != "not_found" or not self.charged, "the status says not found, the card is charged")
            if wanted is None or answer.kind == wanted:
                return
            _hold(loop.time() < end, f"asked for the sale: {answer.kind}, not {wanted}")
            await asyncio.sleep(self.profile.times.reconnect_first_ms / 1000)
            answer = await self.ask()


# --- the trials ------------------------------------------------------------------------------------------------------


async def _key(bench: Bench, key: Key, wanted: str) -> None:
    bench.terminal.set_auto(key)
    outcome = await bench.sale()
    _hold(outcome.kind == wanted, f"{outcome.kind} ({outcome.reason or 'no reason'})")
    _hold(bench.charged == (wanted == "approved"), f"{outcome.kind}, and charged: {bench.charged}")
    if wanted == "approved":
        said = outcome.evidence
        _hold(said is not None and said.amount_rial == AMOUNT_RIAL, "the evidence does not carry the amount")


async def _approve(bench: Bench) -> None:
    await _key(bench, "approve", "approved")


async def _decline(bench: Bench) -> None:
    await _key(bench, "decline", "declined")


async def _cancel_there(bench: Bench) -> None:
    told_apart = any(meaning.outcome == "cancelled" for meaning in bench.profile.codes.values())
    await _key(bench, "cancel", "cancelled" if told_apart else "declined")


async def _cancel_here(bench: Bench) -> None:
    cancelling: list[asyncio.Task[None]] = []

    def cancel(word: str) -> None:
        if word == "waiting_card":
            cancelling.append(asyncio.create_task(_cancel_when_waiting(bench)))

    outcome = await bench.sale(on_progress=cancel)
    await asyncio.gather(*cancelling)
    _hold(outcome.kind in {"cancelled", "declined"}, f"{outcome.kind} ({outcome.reason})")
    _hold(not bench.charged, "the card is charged")


async def _cancel_when_waiting(bench: Bench) -> None:
    async with asyncio.timeout(SETTLE_WITHIN_MS / 1000):
        await bench.waiting.wait()
    await bench.driver.cancel()


async def _fault(bench: Bench, fault: Fault) -> TerminalOutcome:
    bench.terminal.set_auto("approve")
    bench.terminal.set_fault(fault, late_ms=LATE_MS)
    return await bench.sale()


async def _silent(bench: Bench) -> None:
    outcome = await _fault(bench, "go_silent")
    _hold(outcome.kind == "in_doubt", outcome.kind)
    bench.terminal.set_fault("none")
    if bench.can_ask:
        await bench.settles(None)


async def _no_centre(bench: Bench) -> None:
    outcome = await _fault(bench, "no_link_to_centre")
    _hold(outcome.kind != "approved" and not bench.charged, outcome.kind)
    _hold(bench.driver.state.centre_link is not True, "the terminal's own line is shown as working")


async def _dies(bench: Bench) -> None:
    await bench.sell_before()
    outcome = await _fault(bench, "die_after_charging")
    _hold(outcome.kind == "in_doubt", outcome.kind)
    bench.terminal.set_fault("none")
    await bench.terminal.restart()
    if bench.can_ask:
        await bench.settles("approved" if bench.charged else "not_found")


async def _late(bench: Bench) -> None:
    await bench.sell_before()
    outcome = await _fault(bench, "answer_late")
    _hold(outcome.kind == "in_doubt", outcome.kind)
    if bench.can_ask:
        asking = asyncio.create_task(bench.settles("approved"))
        told = asyncio.create_task(bench.late.get())
        await asyncio.wait({asking, told}, return_when=asyncio.FIRST_COMPLETED)
        if told.done():
            asking.cancel()
            _hold(told.result().kind == "approved", f"the late answer was taken as {told.result().kind}")
        else:
            told.cancel()
            asking.result()
        await asyncio.gather(asking, told, return_exceptions=True)


async def _wrong_amount(bench: Bench) -> None:
    outcome = await _fault(bench, "wrong_amount")
    _hold(outcome.kind == "in_doubt", f"{outcome.kind} for an answer of another amount")


async def _bad_bytes(bench: Bench) -> None:
    outcome = await _fault(bench, "bad_crc")
    _hold(outcome.kind == "in_doubt" or bench.charged, f"{outcome.kind}, and nothing is charged")


async def _split(bench: Bench) -> None:
    outcome = await _fault(bench, "split_segments")
    _hold(outcome.kind == "approved", f"{outcome.kind} ({outcome.reason})")


async def _heartbeat(bench: Bench) -> None:
    for _ in range(3):
        await bench.driver.probe()
    _hold(not bench.terminal.screen.waiting and not bench.charged, "asking whether it is there began a sale")


async def _acknowledge(bench: Bench) -> None:
    bench.terminal.set_auto("approve")
    outcome = await bench.sale()
    said = outcome.evidence
    if said is None or said.stan is None:
        raise NotSo(f"{outcome.kind}, without a trace")
    answer = await bench.driver.acknowledge(amount_rial=AMOUNT_RIAL, stan=said.stan)
    _hold(answer.kind == "done", f"{answer.kind} ({answer.reason})")
    _hold(bench.charged, "the sale is gone")


async def _reverse(bench: Bench) -> None:
    bench.terminal.set_auto("approve")
    outcome = await bench.sale()
    said = outcome.evidence
    if said is None or said.stan is None:
        raise NotSo(f"{outcome.kind}, without a trace")
    if bench.profile.capabilities.confirming:
        # What it was not told to keep it takes back by itself.
        await bench.driver.acknowledge(amount_rial=AMOUNT_RIAL, stan=said.stan)
    answer = await bench.driver.reverse(amount_rial=AMOUNT_RIAL, stan=said.stan)
    _hold(answer.kind == "done", f"{answer.kind} ({answer.reason})")
    _hold(not bench.charged, "the sale stands")


Trial = tuple[str, Callable[[Bench], Awaitable[None]], LinkKind]


def trials(profile: TerminalProfile) -> list[Trial]:
    """Return what is tried of a model."""
    can = profile.capabilities
    every: list[tuple[str, Callable[[Bench], Awaitable[None]], bool]] = [
        ("approved: charged once, with the amount as evidence", _approve, True),
        ("declined: nothing charged", _decline, True),
        ("cancelled at the terminal: nothing charged", _cancel_there, True),
        ("cancelled from the box: nothing charged", _cancel_here, can.cancel_while_waiting),
        ("no link to its centre: not taken for ours, nothing charged", _no_centre, True),
        ("silent: in doubt", _silent, True),
        ("charged and dead: in doubt, and told when it is back" if profile_asks(profile) else
         "charged and dead: in doubt", _dies, True),
        ("a late answer is not lost", _late, True),
        ("an answer of another amount: in doubt", _wrong_amount, True),
        ("an answer that was damaged is not believed", _bad_bytes, True),
        ("an answer in pieces of one byte is one answer", _split, True),
        ("asking whether it is there makes no transaction", _heartbeat, True),
        ("told to keep a sale, it keeps it", _acknowledge, can.confirming),
        ("told to undo its newest sale, it undoes it", _reverse, can.reverse),
    ]  # fmt: skip
    wanted: list[Trial] = [(what, trial, "tcp") for what, trial, can_it in every if can_it]
    others: tuple[tuple[LinkKind, str], ...] = (
        ("serial", "approved over a serial line"),
        ("listen", "approved when it connects to the box"),
    )
    return wanted + [(what, _approve, kind) for kind, what in others if kind in profile.link_kinds]


def profile_asks(profile: TerminalProfile) -> bool:
    """Return whether a model can be asked what became of a sale."""
    return profile.capabilities.query_by_reference or profile.capabilities.query_last


async def _try(profile: TerminalProfile, trial: Trial) -> Finding:
    what, run, link_kind = trial
    try:
        async with asyncio.timeout(TRIAL_TIMEOUT_S), Bench(profile, link_kind) as bench:
            await run(bench)
    except NotSo as seen:
        return Finding(what=what, held=False, seen=str(seen))
    except Exception as error:  # noqa: BLE001 - a trial that fails in any way is a finding, the others go on
        return Finding(what=what, held=False, seen=repr(error))
    return Finding(what=what, held=True)


async def check_terminal(profile: TerminalProfile) -> Findings:
    """Drive a model against a virtual terminal of its protocol, every trial at the same time."""
    if profile.protocol not in SIMULATORS:
        nobody = Finding(what=f"there is a virtual terminal of {profile.protocol}", held=False, seen="there is none")
        return Findings(profile=profile.name, findings=(nobody,), hardware_only=HARDWARE_ONLY)
    findings = await asyncio.gather(*(_try(profile, trial) for trial in trials(profile)))
    return Findings(profile=profile.name, findings=tuple(findings), hardware_only=HARDWARE_ONLY)
