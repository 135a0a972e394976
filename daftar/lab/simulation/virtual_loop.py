"""An event loop whose time is a number: nothing is waited for, and the same seed gives the same order of everything.

Connections are made inside the process (`daftar.lab.simulation.virtual_network`). What runs in the context of a `Life`
can be ended at one instant, as kill -9 or a power cut ends a process: no line of it runs any more, no clean-up either.

It is not built on asyncio's own loop: that one spends more on files, threads and debugging, of which there are none
here, than a day spends on its calls.
"""

import asyncio
import heapq
from asyncio import events
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any, TypeVar

from daftar.lab.simulation.lives import LIFE, Life
from daftar.lab.simulation.virtual_network import VirtualNetwork

T = TypeVar("T")


class VirtualHandle:
    """A call to come; with `at_s`, not before that time. In the place of asyncio.Handle and asyncio.TimerHandle."""

    __slots__ = ("_args", "_at_s", "_callback", "_cancelled", "_context")

    def __init__(
        self, callback: Callable[..., object], args: tuple[Any, ...], context: Context, at_s: float = 0.0
    ) -> None:
        self._callback = callback
        self._args = args
        self._context = context
        self._at_s = at_s
        self._cancelled = False

    def cancel(self) -> None:
        """Let it not come."""
        self._cancelled = True
        self._args = ()

    def cancelled(self) -> bool:
        """Return whether it was cancelled."""
        return self._cancelled

    def when(self) -> float:
        """Return when it is due."""
        return self._at_s


class VirtualLoop(asyncio.AbstractEventLoop):
    """The loop. `network` is what its connections go over."""

    def __init__(self) -> None:
        self._now_s = 0.0
        self._ready: deque[VirtualHandle] = deque()
        self._timers: list[tuple[float, int, VirtualHandle]] = []
        self._timer_count = 0
        self._stopping = False
        self.network = VirtualNetwork(self)
        self.troubles: list[str] = []
        """What was reported as unhandled."""

    def time(self) -> float:
        """Return virtual seconds."""
        return self._now_s

    # --- running -----------------------------------------------------------------------------------------------------

    def run_until_complete(self, future: Coroutine[Any, Any, T] | Awaitable[T]) -> T:  # type: ignore[override]  # as below
        """Run until a coroutine has ended; return what it returned."""
        task = asyncio.ensure_future(future, loop=self)
        task.add_done_callback(self._stop)
        before = events._get_running_loop()  # noqa: SLF001 - what a loop has to do
        events._set_running_loop(self)  # noqa: SLF001 - as above
        try:
            self._run()
        finally:
            events._set_running_loop(before)  # noqa: SLF001 - as above
        return task.result()

    def _stop(self, _: object) -> None:
        self._stopping = True

    def _run(self) -> None:
        ready, timers, pop = self._ready, self._timers, heapq.heappop
        self._stopping = False
        while not self._stopping:
            if ready:
                handle = ready.popleft()
            elif timers:
                at_s, _, handle = pop(timers)
                if handle._cancelled:  # noqa: SLF001 - a loop knows its handles
                    continue
                self._now_s = max(self._now_s, at_s)
            else:
                raise RuntimeError("nothing is going to happen any more")
            if handle._cancelled:  # noqa: SLF001 - as above
                continue
            context = handle._context  # noqa: SLF001 - as above
            life = context.get(LIFE)
            if life is not None and not life.alive:
                continue
            try:
                context.run(handle._callback, *handle._args)  # noqa: SLF001 - as above
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:  # noqa: BLE001 - a call's trouble is not the loop's
                self.troubles.append(str(error))

    def is_running(self) -> bool:
        """Return whether it runs."""
        return events._get_running_loop() is self  # noqa: SLF001 - what a loop has to do

    def is_closed(self) -> bool:
        """Return that it is not: what was broken off may still come to an end when the loop is over."""
        return False

    def close(self) -> None:
        """Let go of everything."""
        self._ready.clear()
        self._timers.clear()

    def get_debug(self) -> bool:
        """Return that nothing is debugged."""
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Note what nobody handled."""
        self.troubles.append(str(context.get("exception") or context))

    # --- calls, and what is made of them -----------------------------------------------------------------------------

    def call_soon(  # type: ignore[override]  # typeshed spells out the callback's arguments
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> VirtualHandle:
        """Schedule a call."""
        handle = VirtualHandle(callback, args, copy_context() if context is None else context)
        self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon  # type: ignore[assignment]  # there is one thread

    def call_at(  # type: ignore[override]  # as above
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> VirtualHandle:
        """Schedule a call for a time."""
        handle = VirtualHandle(callback, args, copy_context() if context is None else context, when)
        self._timer_count += 1
        heapq.heappush(self._timers, (when, self._timer_count, handle))
        return handle

    def call_later(  # type: ignore[override]  # as above
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> VirtualHandle:
        """Schedule a call for so many seconds from now."""
        return self.call_at(self._now_s + delay, callback, *args, context=context)

    def create_future(self) -> asyncio.Future[Any]:
        """Make a future."""
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]  # typeshed's is generic in its own way
        self, coro: Coroutine[Any, Any, T], *, name: object = None, context: Context | None = None
    ) -> asyncio.Task[T]:
        """Make a task; remember whose life it belongs to."""
        task = asyncio.Task(coro, loop=self, name=None if name is None else str(name), context=context)
        life = LIFE.get() if context is None else context.get(LIFE)
        if life is not None:
            life.tasks.append(task)
        return task

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

    def end(self, life: Life) -> None:
        """End a life now: nothing of it runs again, and its connections are cut."""
        life.alive = False
        for task in life.tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001 - it is meant to be pending
        self.network.cut(life)
