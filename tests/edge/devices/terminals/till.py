"""A virtual terminal of any family switched on, and a driver that owns it: over a socket, or over a serial cable."""

import asyncio
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

from edge.devices.terminals.driver import StatusAnswer, TerminalDriver, TerminalOutcome
from edge.devices.virtual.lines import Cable
from edge.devices.virtual.terminal_machine import TerminalMachine
from edge.devices.virtual.terminal_memory import Transaction
from firmware_profiles.addresses import Address, SerialAddress, TcpAddress
from firmware_profiles.profile import TerminalProfile
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.events import Evidence

AMOUNT = 125_000
REFERENCE = "100200300400500600"
PATIENT = {"answer_timeout_ms": 20_000, "longest_ms": 21_000, "query_timeout_ms": 20_000, "ready_timeout_ms": 10_000}

T = TypeVar("T", bound=TerminalMachine[Any])


class Till(Generic[T]):
    """What a box has at a counter."""

    def __init__(self, terminal: T, profile: TerminalProfile) -> None:
        self.terminal = terminal
        self.terminal.on_change = self.changed
        self._bundled = profile
        self._change = asyncio.Event()
        self._cable: Cable | None = None
        self._address: Address = TcpAddress("127.0.0.1", 0)
        self.late: asyncio.Queue[tuple[str, TerminalOutcome]] = asyncio.Queue()
        self.stray: asyncio.Queue[Evidence] = asyncio.Queue()
        self.baseline: str | None = None
        self.earlier = 0

    async def start(self, *, serial: bool = False, options: object = None, **times: int) -> None:
        port = await self.terminal.start()
        self._address = TcpAddress("127.0.0.1", port)
        if serial:
            self._cable = Cable("127.0.0.1", port)
            self._address = SerialAddress(self._cable.plug_in())
        self._drive(options, times)

    def _drive(self, options: object, times: dict[str, int]) -> None:
        """Begin driving, with times for tests: long where a thing should happen, short where not."""
        profile = msgspec.structs.replace(
            self._bundled, times=msgspec.structs.replace(self._bundled.times, **(PATIENT | times))
        )
        if options is not None:
            profile = msgspec.structs.replace(profile, **{profile.protocol: options})
        self.driver = TerminalDriver(
            name="counter",
            profile=profile,
            address=self._address,
            clock=SystemClock(),
            entropy=SystemEntropy(),
        )
        self.driver.on_late_answer = lambda reference, outcome: self.late.put_nowait((reference, outcome))
        self.driver.on_stray_answer = self.stray.put_nowait
        self.driver.on_change = self.changed

    async def drive_again(self, *, options: object = None, **times: int) -> None:
        """Let another run of the program take over, with other times: it remembers nothing."""
        await self.driver.close()
        self._drive(options, times)

    def share(self, other: "Till[T]") -> None:
        """Drive the terminal of another till too, as a second program would."""
        self._address = other._address
        self._drive(None, {})

    async def stop(self) -> None:
        await self.driver.close()
        if self._cable is not None:
            await self._cable.unplug()
        await self.terminal.stop()

    def changed(self, _: object) -> None:
        self._change.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():
                self._change.clear()
                await self._change.wait()

    async def rests(self) -> None:
        """Wait until the terminal cannot be working on a sale any more: nothing but time says so."""
        async with asyncio.timeout(60):
            while self.driver.state.unanswered_reference is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def sell(self, amount_rial: int = AMOUNT, reference: str = REFERENCE) -> TerminalOutcome:
        self.baseline = await self.driver.prepare()
        return await self.driver.sale(
            amount_rial=amount_rial,
            reference=reference,
            terminal_number=self.driver.state.terminal_number,
            baseline_stan=self.baseline,
        )

    async def ask(self) -> StatusAnswer:
        return await self.driver.query(
            reference=REFERENCE,
            amount_rial=AMOUNT,
            terminal_number=self.terminal.terminal_number,
            baseline_stan=self.baseline,
        )

    async def had_a_sale(self) -> None:
        """Let there have been an earlier sale: a terminal in use has a last transaction."""
        before = self.terminal.screen.auto
        self.terminal.set_auto("approve")
        assert (await self.sell(500, "111222333444555666")).kind == "approved"
        self.terminal.set_auto(before)
        self.earlier = len(self.terminal.charges)

    @property
    def charges(self) -> tuple[Transaction, ...]:
        """What was charged since."""
        return self.terminal.charges[self.earlier :]
