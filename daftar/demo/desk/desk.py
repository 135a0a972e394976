"""The desk itself: its things, started and stopped together, and everyone who watches them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from central.providers.sandbox_messages import Messages
from daftar.demo.desk.line import LineProxy
from daftar.demo.desk.settings import DeskSettings
from daftar.demo.desk.state import DeskState, Ports, phone_shown, printer_shown, terminal_shown
from edge.devices.virtual.printer import VirtualPrinter
from edge.devices.virtual.simulators import Simulator, make_simulator
from edge.devices.virtual.terminal_screen import Fault
from shared.clock import Clock
from shared.entropy import Entropy

FIRST_TERMINAL_NUMBER: Final = 21009543
HEARTBEAT_S: Final = 10
"""A watcher hears something at least this often, so that a dead stream is noticed."""
GATHER_S: Final = 0.05
"""Changes that come this close together are shown as one."""


class Desk:
    """Joins the devices and tells watchers of every change. All of it lives on one event loop."""

    def __init__(self, settings: DeskSettings, clock: Clock, entropy: Entropy) -> None:
        self.terminals: list[Simulator] = []
        for place in range(len(settings.terminal_ports)):
            memory = settings.folder / ("terminal.json" if place == 0 else f"terminal-{place + 1}.json")
            terminal = make_simulator(settings.terminal_model, clock, entropy, memory)
            terminal.terminal_number = str(FIRST_TERMINAL_NUMBER + place)
            terminal.on_change = lambda _: self.changed()
            self.terminals.append(terminal)
        self.terminal = self.terminals[0]
        self.printer = VirtualPrinter(
            host=settings.host,
            port=settings.printer_port,
            folder=settings.folder / "papers",
            on_change=self.changed,
        )
        self.line = LineProxy(
            host=settings.host,
            port=settings.line_port,
            target_host=settings.central_host,
            target_port=settings.central_port,
            on_change=self.changed,
        )
        self.messages = Messages(self.changed)
        self._settings = settings
        self._terminal_ports = settings.terminal_ports
        self._watchers: set[asyncio.Event] = set()
        self._closed = False

    async def start(self) -> None:
        """Start all three; when one cannot start, those before it are stopped. Raises OSError on a taken port."""
        try:
            self._terminal_ports = tuple(
                [
                    await terminal.start(self._settings.host, port)
                    for terminal, port in zip(self.terminals, self._settings.terminal_ports, strict=True)
                ]
            )
            await self.printer.start()
            await self.line.start()
        except OSError:
            await self.close()
            raise

    async def close(self) -> None:
        """End every watcher's stream and stop the three. What was charged and printed is kept."""
        self._closed = True
        self.changed()
        await self.line.close()
        await self.printer.close()
        for terminal in self.terminals:
            await terminal.stop()

    def changed(self) -> None:
        """Something on the desk changed: wake the watchers."""
        for watcher in self._watchers:
            watcher.set()

    async def give_terminal_a_day(self, terminal: Simulator, fault: Fault, late_ms: int | None = None) -> None:
        """Change how a terminal behaves; one that is off is switched on again by this."""
        terminal.set_fault(fault, late_ms=late_ms)
        if terminal.screen.phase == "off":
            await terminal.restart()

    def state(self) -> DeskState:
        """Return what stands on the desk now."""
        shown = tuple(terminal_shown(terminal) for terminal in self.terminals)
        return DeskState(
            terminal=shown[0],
            terminals=shown,
            printer=printer_shown(self.printer),
            phone=phone_shown(self.messages),
            line=self.line.state,
            ports=Ports(
                terminal=self._terminal_ports[0],
                terminals=self._terminal_ports,
                printer=self.printer.port,
                line=self.line.port,
            ),
        )

    async def watch(self) -> AsyncIterator[DeskState | None]:
        """Yield the state now and after every change, and None when nothing changed for a while; ends with the desk."""
        changed = asyncio.Event()
        self._watchers.add(changed)
        try:
            yield self.state()
            while not self._closed:
                try:
                    async with asyncio.timeout(HEARTBEAT_S):
                        await changed.wait()
                except TimeoutError:
                    yield None
                    continue
                await asyncio.sleep(GATHER_S)
                changed.clear()
                if not self._closed:
                    yield self.state()
        finally:
            self._watchers.discard(changed)
