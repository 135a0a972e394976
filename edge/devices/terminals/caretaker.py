"""The one task that owns a terminal: it keeps the link, and asks now and then whether the terminal is there.

A fault here is told (`terminal.driver_failed`, and the log), and the task begins again: an office without its terminal
is worse off than one whose terminal had a bad second.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from edge.devices.terminals.exchange import Exchange
from shared.errors import DeviceError


class Caretaker:
    """Owner of one terminal's link."""

    def __init__(self, exchange: Exchange, probe: Callable[[], Awaitable[None]]) -> None:
        self._exchange = exchange
        self._probe = probe
        self._times = exchange.profile.times
        self._kept = exchange.profile.connection == "kept"
        self._link_is_new = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; more calls change nothing."""
        if self._task is None and not self._exchange.closed:
            self._task = asyncio.create_task(self._own(), name=f"terminal {self._exchange.name}")

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def link_opened(self) -> None:
        """Look at the terminal at once: on a new link, another may be there."""
        self._link_is_new.set()

    async def _own(self) -> None:
        while True:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._exchange.wire.run())
                    group.create_task(self._keep_alive())
            except* Exception:  # noqa: BLE001 - whatever it was, the terminal is owned again
                self._exchange.wire.failed()
            await asyncio.sleep(self._times.reconnect_first_ms / 1000)

    async def _keep_alive(self) -> None:
        """Ask an idle terminal, now and then and on each new link, whether it is there; never while it may work.

        Where each request has its own connection, whether one can be made is all that is asked unasked for.
        """
        while True:
            if not self._kept and self._exchange.at_rest:
                with contextlib.suppress(DeviceError):
                    await self._look()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._times.heartbeat_every_ms / 1000):
                    await self._link_is_new.wait()
            self._link_is_new.clear()
            if self._kept and self._exchange.wire.is_up and self._exchange.at_rest:
                with contextlib.suppress(DeviceError):
                    await self._probe()

    async def _look(self) -> None:
        due = self._exchange.now() + self._times.connect_timeout_ms
        await self._exchange.begin(None, due)
        try:
            await self._exchange.need_link(due)
        finally:
            self._exchange.finish()
