"""The desk itself: its three things, started and stopped together, and everyone who watches them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from daftar.demo.desk.line import LineProxy
from daftar.demo.desk.state import DeskState, Ports, PrinterOnDesk, TerminalOnDesk

HEARTBEAT_S: Final = 10
"""A watcher hears something at least this often, so that a dead stream is noticed."""
GATHER_S: Final = 0.05
"""Changes that come this close together are shown as one."""


class Desk:
    """Joins the devices and tells watchers of every change. All of it lives on one event loop."""

    def __init__(self) -> None:
        self._watchers: set[asyncio.Event] = set()
        self._closed = False
        self._parts: tuple[TerminalOnDesk, PrinterOnDesk, LineProxy] | None = None

    def put(self, terminal: TerminalOnDesk, printer: PrinterOnDesk, line: LineProxy) -> None:
        """Put the three things on the desk; they call `changed` from then on."""
        self._parts = (terminal, printer, line)

    @property
    def _things(self) -> tuple[TerminalOnDesk, PrinterOnDesk, LineProxy]:
        if self._parts is None:
            raise RuntimeError("nothing is on the desk yet")
        return self._parts

    @property
    def terminal(self) -> TerminalOnDesk:
        """The card terminal."""
        return self._things[0]

    @property
    def printer(self) -> PrinterOnDesk:
        """The receipt printer."""
        return self._things[1]

    @property
    def line(self) -> LineProxy:
        """The internet line."""
        return self._things[2]

    async def start(self) -> None:
        """Start all three; when one cannot start, those before it are stopped. Raises OSError on a taken port."""
        started: list[TerminalOnDesk | PrinterOnDesk | LineProxy] = []
        try:
            for thing in self._things:
                await thing.start()
                started.append(thing)
        except OSError:
            for thing in reversed(started):
                await thing.close()
            raise

    async def close(self) -> None:
        """End every watcher's stream and stop the three."""
        self._closed = True
        self.changed()
        for thing in reversed(self._things):
            await thing.close()

    def changed(self) -> None:
        """Something on the desk changed: wake the watchers."""
        for watcher in self._watchers:
            watcher.set()

    def state(self) -> DeskState:
        """Return what stands on the desk now."""
        return DeskState(
            terminal=self.terminal.shown(),
            printer=self.printer.shown(),
            line=self.line.state,
            ports=Ports(terminal=self.terminal.port, printer=self.printer.port, line=self.line.port),
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
