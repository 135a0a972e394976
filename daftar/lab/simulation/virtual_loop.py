"""An event loop whose time is a number: nothing is waited for, and the same seed gives the same order of everything.

Connections are made inside the process (`daftar.lab.simulation.virtual_network`). What runs in the context of a `Life`
can be ended at one instant, as kill -9 or a power cut ends a process: no line of it runs any more, no clean-up either.
"""

import asyncio
import selectors
from asyncio import base_events
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, Final, TypeVar

from daftar.lab.simulation.lives import LIFE, Life
from daftar.lab.simulation.virtual_network import VirtualNetwork

T = TypeVar("T")

_RESOLUTION_S: Final = 1e-6


class _Time(selectors.BaseSelector):
    """Waits by going forward."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("nothing is going to happen any more")
        self.now_s += timeout
        return []

    def register(self, *_: object) -> Any:
        raise NotImplementedError

    def unregister(self, *_: object) -> Any:
        raise NotImplementedError

    def get_map(self) -> Any:
        return {}


class VirtualLoop(base_events.BaseEventLoop):
    """The loop. `network` is what its connections go over."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = self._virtual_time = _Time()
        self._clock_resolution = _RESOLUTION_S
        self.network = VirtualNetwork(self)
        self.troubles: list[str] = []
        """What was reported as unhandled."""
        self.set_exception_handler(lambda _, context: self.troubles.append(str(context.get("exception") or context)))

    def time(self) -> float:
        """Return virtual seconds."""
        return self._virtual_time.now_s

    # --- what the base class asks for --------------------------------------------------------------------------------

    def _check_closed(self) -> None:
        """Do nothing: what was broken off may still come to an end when the loop is over, and is not heard."""

    def _process_events(self, event_list: object) -> None:
        """Do nothing: there are no files to watch."""

    def _write_to_self(self) -> None:
        """Do nothing: nobody calls from another thread."""

    def call_soon_threadsafe(  # type: ignore[override]  # typeshed spells out the callback's arguments
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Do as `call_soon`: there is one thread."""
        return self.call_soon(callback, *args, context=context)

    def run_in_executor(  # type: ignore[override]  # as above
        self, _: object, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Do it here and now."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - it belongs to whoever awaits
            future.set_exception(error)
        return future

    async def create_connection(
        self, protocol_factory: Callable[[], Any], host: str | None = None, port: int | None = None, **_: Any
    ) -> tuple[asyncio.Transport, Any]:
        """Connect over the virtual network."""
        return await self.network.connect(protocol_factory, str(host), int(port or 0))

    async def create_server(  # type: ignore[override]  # only what the product uses
        self, protocol_factory: Callable[[], Any], host: str | None = None, port: int | None = None, **_: Any
    ) -> Any:
        """Listen on the virtual network."""
        return self.network.listen(protocol_factory, str(host), int(port or 0))

    # --- lives -------------------------------------------------------------------------------------------------------

    def create_task(  # type: ignore[override]  # typeshed's is generic in its own way
        self, coro: Coroutine[Any, Any, T], *, name: object = None, context: Context | None = None
    ) -> asyncio.Task[T]:
        """Make a task; remember whose life it belongs to."""
        task = asyncio.Task(coro, loop=self, name=None if name is None else str(name), context=context)
        life = LIFE.get() if context is None else context.get(LIFE)
        if life is not None:
            life.tasks.append(task)
        return task

    def call_soon(  # type: ignore[override]  # as above
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Schedule a call, unless the life it belongs to has ended."""
        handle = super().call_soon(callback, *args, context=context)
        life = LIFE.get() if context is None else context.get(LIFE)
        if life is not None and not life.alive:
            handle.cancel()
        return handle

    def call_at(  # type: ignore[override]  # as above
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Schedule a call, unless the life it belongs to has ended."""
        timer = super().call_at(when, callback, *args, context=context)
        life = LIFE.get() if context is None else context.get(LIFE)
        if life is not None and not life.alive:
            timer.cancel()
        return timer

    def end(self, life: Life) -> None:
        """End a life now: nothing of it runs again, and its connections are cut."""
        life.alive = False
        for handle in (*self._ready, *self._scheduled):  # type: ignore[attr-defined]  # the base class has them
            if handle._context.get(LIFE) is life:  # noqa: SLF001 - a loop knows its handles
                handle.cancel()
        for task in life.tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001 - it is meant to be pending
        self.network.cut(life)
