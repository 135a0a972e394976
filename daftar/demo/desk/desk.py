"""The desk itself: its three things, started and stopped together, and everyone who watches them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from daftar.demo.desk.line import LineProxy
from daftar.demo.desk.settings import DeskSettings
from daftar.demo.desk.state import DeskState, Ports, printer_shown, terminal_shown
from edge.devices.virtual.pna_terminal import VirtualPnaTerminal
from edge.devices.virtual.printer import VirtualPrinter
from edge.devices.virtual.terminal import Fault, VirtualTerminal
from shared.clock import Clock
from shared.entropy import Entropy

HEARTBEAT_S: Final = 10
"""A watcher hears something at least this often, so that a dead stream is noticed."""
GATHER_S: Final = 0.05
"""Changes that come this close together are shown as one."""


class Desk:
    """Joins the devices and tells watchers of every change. All of it lives on one event loop."""

    def __init__(self, settings: DeskSettings, clock: Clock, entropy: Entropy) -> None:
        kind = VirtualPnaTerminal if settings.confirming else VirtualTerminal
        self.terminal: VirtualPnaTerminal | VirtualTerminal = kind(
            clock=clock,
            entropy=entropy,
            memory=settings.folder / "terminal.json",
            on_change=lambda _: self.changed(),
        )
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
        self._settings = settings
        self._terminal_port = settings.terminal_port
        self._watchers: set[asyncio.Event] = set()
        self._closed = False

    async def start(self) -> None:
        """Start all three; when one cannot start, those before it are stopped. Raises OSError on a taken port."""
        try:
            self._terminal_port = await self.terminal.start(self._settings.host, self._settings.terminal_port)
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
        await self.terminal.stop()

    def changed(self) -> None:
        """Something on the desk changed: wake the watchers."""
        for watcher in self._watchers:
            watcher.set()

    async def give_terminal_a_day(self, fault: Fault, late_ms: int | None = None) -> None:
        """Change how the terminal behaves; one that is off is switched on again by this."""
        self.terminal.set_fault(fault, late_ms=late_ms)
        if self.terminal.screen.phase == "off":
            await self.terminal.restart()

    def state(self) -> DeskState:
        """Return what stands on the desk now."""
        return DeskState(
            terminal=terminal_shown(self.terminal),
            printer=printer_shown(self.printer),
            line=self.line.state,
            ports=Ports(terminal=self._terminal_port, printer=self.printer.port, line=self.line.port),
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
