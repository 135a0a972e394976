"""What goes wrong on a simulated day, and for how long: drawn from the day's seed, one thing after another."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Final

from daftar.lab.chance import Chance
from daftar.lab.simulation.devices import PRINTER_TROUBLES, OfficeTerminal
from daftar.lab.simulation.furnishing import FIRST_PORT
from daftar.lab.simulation.line import BAD_WEATHER
from daftar.lab.simulation.office import Moment, Office
from edge.devices.virtual.terminal import FAULTS

_MOMENTS: Final[tuple[Moment, ...]] = (
    "before_commit",
    *("after_commit",) * 4,
    "sale",
    "charge",
    "paper",
    "cosigned",
)
_CLOCKS: Final = (timedelta(days=-20_700), timedelta(days=366), timedelta(hours=-3), timedelta(minutes=7))
_TERMINAL_FAULTS: Final = tuple(fault for fault in FAULTS if fault != "none")


async def misfortunes(office: Office) -> None:
    """Trouble the office until cancelled."""
    chance = Chance("misfortunes", office.seed)
    trouble = _Trouble(office, chance)
    kinds: tuple[Callable[[], Coroutine[Any, Any, None]], ...] = (
        *(trouble.terminal_fault,) * 4,
        trouble.terminal_off,
        trouble.terminal_link,
        trouble.printer,
        *(trouble.line,) * 2,
        *(trouble.box,) * 3,
        trouble.clock,
        trouble.disk,
    )
    running = set()
    while True:
        await asyncio.sleep(5 + chance.below(110))
        task = asyncio.create_task(chance.pick(kinds)())
        running.add(task)
        task.add_done_callback(running.discard)


class _Trouble:
    """Each method is one misfortune, from its beginning to its end. Healing the office ends all of them."""

    def __init__(self, office: Office, chance: Chance) -> None:
        self._office = office
        self._chance = chance

    async def _last(self, least_s: int, most_s: int) -> bool:
        """Wait while it lasts; return whether the office is still open."""
        await asyncio.sleep(least_s + self._chance.below(most_s - least_s))
        return self._office.is_open

    async def terminal_fault(self) -> None:
        terminal = self._chance.pick(self._office.terminals)
        fault = self._chance.pick(_TERMINAL_FAULTS)
        terminal.set_fault(fault, late_ms=5_000 + self._chance.below(200_000))
        if not isinstance(terminal, OfficeTerminal) and self._chance.coin(0.6):
            terminal.be_odd(self._chance)
        await self._last(30, 240)
        terminal.calm()
        if terminal.screen.phase == "off":
            await self._last(5, 200)
            await terminal.restart()

    async def terminal_off(self) -> None:
        terminal = self._chance.pick(self._office.terminals)
        await terminal.stop()
        await self._last(5, 300)
        if terminal.screen.phase == "off":
            await terminal.restart()

    async def terminal_link(self) -> None:
        network, port = self._office.loop.network, FIRST_PORT + self._chance.below(len(self._office.terminals))
        match self._chance.below(4):
            case 0:
                network.cut_port(port)
            case 1:
                network.extra_delay_s[port] = 1 + self._chance.below(20)
                await self._last(10, 120)
                network.extra_delay_s.pop(port, None)
            case 2:
                network.down.add(port)
                network.cut_port(port)
                await self._last(5, 200)
                network.down.discard(port)
            case _:
                for _ in range(5):
                    await self._last(2, 30)
                    network.repeat(port)

    async def printer(self) -> None:
        self._office.printer.trouble = self._chance.pick(PRINTER_TROUBLES)
        await self._last(10, 600)
        self._office.printer.trouble = "none"

    async def line(self) -> None:
        self._office.line.turn(self._chance.pick(BAD_WEATHER))
        await self._last(20, 900)
        self._office.line.turn("good")

    async def box(self) -> None:
        """Kill the program at a moment, or cut the power at an I/O."""
        disk = self._office.disk
        if disk is not None and self._office.run is not None and self._chance.coin(0.6):
            disk.faults.cut_at = disk.count + 1 + self._chance.below(80)
            return
        self._office.kill_at(self._chance.pick(_MOMENTS), self._chance.below(4))

    async def clock(self) -> None:
        clock = self._office.clock
        clock.ahead, clock.trusted = self._chance.pick(_CLOCKS), self._chance.pick(("none", "ntp", "floor"))
        if await self._last(60, 1_200) and self._chance.coin(0.5):
            clock.ahead, clock.trusted = timedelta(), "ntp"

    async def disk(self) -> None:
        """Let the disk be full, or fail, for a while."""
        disk = self._office.disk
        if disk is None:
            return
        if self._chance.coin(0.5):
            disk.faults.full_from = disk.count + 1 + self._chance.below(30)
        else:
            disk.faults.fail_from = disk.count + 1 + self._chance.below(30)
            disk.faults.fail_count = 1 + self._chance.below(3)
        await self._last(5, 120)
        disk.heal()
