"""The product's journal writer without its thread: what was handed in is written by the loop, a moment later."""

import asyncio
import queue
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, Literal

from daftar.lab.simulation.lives import LIFE
from edge.journal.ports import Decide
from edge.journal.writer import JournalWriter, Recorded

if TYPE_CHECKING:
    from daftar.lab.simulation.office import Office
    from daftar.lab.simulation.virtual_loop import VirtualHandle

COMMIT_S: Final = 0.005
"""How long decisions wait for others to share a commit with; about what an SD card takes for one."""


class _Idle(Exception):  # noqa: N818 - not an error: there is nothing to write
    """The writer would wait here; None is for ever."""

    def __init__(self, timeout_s: float | None) -> None:
        super().__init__()
        self.timeout_s = timeout_s


class _InlineQueue(deque[Any]):
    """What was handed in. Waiting for more is said, not done."""

    timed_out = False
    gathering = False

    def put(self, request: Any) -> None:
        self.append(request)

    def get_nowait(self) -> Any:
        if not self:
            raise queue.Empty
        return self.popleft()

    def get(self, timeout: float | None = None) -> Any:
        if self:
            return self.popleft()
        if self.timed_out or self.gathering:
            self.timed_out = False
            raise queue.Empty
        raise _Idle(timeout)

    def empty(self) -> bool:
        return not self


class InlineAnswer:
    """In the place of `concurrent.futures.Future`, for one thread: what became of a decision."""

    __slots__ = ("_callbacks", "_error", "_heard", "_state")

    def __init__(self) -> None:
        self._state: Literal["waits", "runs", "done", "cancelled"] = "waits"
        self._heard: Any = None
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[Any], object]] = []

    def cancel(self) -> bool:
        """Give it up, if nobody works on it yet."""
        if self._state == "waits":
            self._end("cancelled")
        return self._state == "cancelled"

    def cancelled(self) -> bool:
        """Return whether it was given up."""
        return self._state == "cancelled"

    def done(self) -> bool:
        """Return whether anything became of it."""
        return self._state in ("done", "cancelled")

    def set_running_or_notify_cancel(self) -> bool:
        """Begin; return False when it was given up."""
        if self._state != "cancelled":
            self._state = "runs"
        return self._state == "runs"

    def set_result(self, heard: Any) -> None:
        """Say what was written."""
        self._heard = heard
        self._end("done")

    def set_exception(self, error: BaseException) -> None:
        """Say why nothing was."""
        self._error = error
        self._end("done")

    def result(self, _: float | None = None) -> Any:
        """Return what was written. Raises why nothing was."""
        if self._error is not None:
            raise self._error
        return self._heard

    def exception(self, _: float | None = None) -> BaseException | None:
        """Return why nothing was written."""
        return self._error

    def add_done_callback(self, heard: Callable[[Any], object]) -> None:
        """Tell somebody when it is over."""
        self._callbacks.append(heard)

    def _end(self, state: Literal["done", "cancelled"]) -> None:
        self._state = state
        for heard in self._callbacks:
            heard(self)


class InlineWriter(JournalWriter):
    """The product's writer without its thread: what was handed in is written by the loop, a moment later."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        life = LIFE.get()
        if life is None:
            raise RuntimeError("only a box of the simulation has a writer here")
        self._life = life
        self._office: Office = life.world
        self._inline = _InlineQueue()
        self._queue = self._inline  # type: ignore[assignment]  # it is asked for no more than this
        self._due: VirtualHandle | None = None

    def start(self) -> None:
        """Do nothing: the loop works."""

    def close(self) -> None:
        """Finish what was handed in."""
        super().close()
        self._work()

    async def commit(self, decide: Decide) -> list[Recorded]:
        """Do as the product's, without going from thread to thread."""
        answer = self._hand_in(decide)
        future: asyncio.Future[list[Recorded]] = self._office.loop.create_future()

        def hand_on(_: object) -> None:
            if future.done() or answer.cancelled():
                return
            error = answer.exception()
            if error is None:
                future.set_result(answer.result())
            else:
                future.set_exception(error)

        answer.add_done_callback(hand_on)
        try:
            return await future
        except asyncio.CancelledError:
            answer.cancel()
            raise

    def _hand_in(self, decide: Decide) -> "Future[list[Recorded]]":
        answer = super()._hand_in(decide)
        answer.add_done_callback(self._answered)
        self._work_in(COMMIT_S)
        return answer

    def try_again(self) -> None:
        """Do as the product's; the loop does it."""
        super().try_again()
        self._work_in(COMMIT_S)

    def commit_blocking(self, decide: Decide) -> list[Recorded]:
        """Write at once."""
        answer = self._hand_in(decide)
        self._work()
        return answer.result(0)

    def _work_in(self, wait_s: float, *, timed_out: bool = False) -> None:
        loop = self._office.loop
        if self._due is not None and not self._due.cancelled():
            if self._due.when() <= loop.time() + wait_s:
                return
            self._due.cancel()
        self._due = loop.call_later(wait_s, self._work, timed_out, context=self._life.context.copy())

    def _work(self, timed_out: bool = False) -> None:  # noqa: FBT001, FBT002 - a timer's argument
        self._due = None
        if not self._life.alive:
            return
        self._inline.timed_out = timed_out
        try:
            self._take_groups()
        except _Idle as idle:
            if idle.timeout_s is not None:
                self._work_in(idle.timeout_s, timed_out=True)

    def _drain(self, first: Any) -> Any:
        self._inline.gathering = True
        try:
            return super()._drain(first)
        finally:
            self._inline.gathering = False

    def _commit_group(self, group: list[Any]) -> None:
        self._office.passing("before_commit")
        super()._commit_group(group)
        self._office.passing("after_commit")

    def _answered(self, answer: "Future[list[Recorded]]") -> None:
        if not answer.cancelled() and answer.exception() is None:
            self._office.truth.acknowledged(answer.result())

    def _notify(self, records: Sequence[Recorded]) -> None:
        # What turned out to stand after its caller was told that nobody can say: a fact from now on.
        known = self._office.truth.leaves
        self._office.truth.acknowledged([record for record in records if known.get(record.index) != record.leaf])
        super()._notify(records)
