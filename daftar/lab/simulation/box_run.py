"""One run of the box's program inside the simulation: the product's own `edge.app.Box`, joined as it joins itself.

Replaced are: the writer's thread (its work is done on the loop), the socket to central, the printer's driver, the
picture of a paper, the hash of passwords and, with `cheap_keys`, signatures. Terminals are spoken to by the product's
own driver, over connections of the virtual network.
"""

import asyncio
import contextlib
import queue
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

import edge.app
from daftar.lab.box import FILE, SOFTWARE, repeatable
from daftar.lab.chance import Chance, LabClock
from daftar.lab.patching import patched
from daftar.lab.recording import scratch
from daftar.lab.simulation.cheap_keys import CHEAP_IDENTITY, KEY_BYTES, cheap_keys
from daftar.lab.simulation.lives import LIFE, Life
from daftar.lab.witness import FIRST_TOKEN
from edge.devices.catalogue import load_catalogue
from edge.devices.printers.driver import PrintResult
from edge.devices.printers.status import PrinterStatus
from edge.journal.ports import Decide
from edge.journal.signer import FileSigner
from edge.journal.writer import JournalWriter, Recorded
from edge.services import print_documents, sign_in
from edge.services.box_health import BoxHealth
from edge.services.counter import Counter
from edge.store import creation
from edge.store.reserve import Reserve, Usage
from edge.uplink.client import Uplink, UplinkSettings
from edge.uplink.line_watch import LineWatch
from firmware_profiles.registry import ProfileRegistry
from shared import receipt

if TYPE_CHECKING:
    from daftar.lab.simulation.office import Office

T = TypeVar("T")

EXPECTING_MS: Final = 60_000
"""How often central is asked for an answer that is awaited: the product asks every two seconds."""
_RESERVE_BYTES: Final = 4_096
_ROOMY: Final = Usage(used_bytes=1_000_000_000, free_bytes=9_000_000_000)
COMMIT_S: Final = 0.005
"""How long decisions wait for others to share a commit with; about what an SD card takes for one."""


class Killed(BaseException):
    """The program was ended at this very line."""


class Unreachable(Exception):  # noqa: N818 - what a page sees when the box is gone
    """The box does not answer: it is not running, or it ended before it had answered."""


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
        self._due: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Do nothing: the loop works."""

    def close(self) -> None:
        """Finish what was handed in."""
        super().close()
        self._work()

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


def _office() -> "Office":
    life = LIFE.get()
    if life is None:
        raise RuntimeError("only a box of the simulation asks for its office")
    office: Office = life.world
    return office


class _Hasher:
    """Passwords at no cost: nobody guesses them here."""

    def hash(self, password: str | bytes) -> str:
        return f"plain {password!r}"

    def verify(self, verifier: str, password: bytes) -> bool:
        return verifier == self.hash(password)

    def check_needs_rehash(self, _: str) -> bool:
        return False


class _PrinterOnALine:
    """The printer's driver: what it says comes from the office's printer."""

    def __init__(self, **_: Any) -> None:
        self._printer = _office().printer

    async def status(self) -> PrinterStatus:
        return await self._printer.status()

    async def print(self, data: bytes) -> PrintResult:
        return await self._printer.print(data)


async def _post(_: Uplink, request: bytes) -> bytes:
    return await _office().line.post(request)


async def _reachable_again(_: LineWatch, *, seen_down: bool) -> bool:
    return await _office().line.back(seen_down=seen_down)


@cache
def profiles() -> ProfileRegistry:
    """Return the product's profiles; terminals are asked less often whether they are there."""
    registry = load_catalogue()
    terminal = registry.terminal("behpardakht/pos_pc_viii")
    times = msgspec.structs.replace(terminal.times, heartbeat_every_ms=600_000)
    quiet = msgspec.structs.replace(terminal, times=times)
    terminals = {one.name: one for one in registry.terminals} | {quiet.name: quiet}
    return ProfileRegistry(terminals, {one.name: one for one in registry.printers})


@contextmanager
def simulated() -> Iterator[None]:
    """Put the simulation's parts in the place of the world's, for boxes made meanwhile."""
    with ExitStack() as stack:
        for owner, name, value in (
            (edge.app, "JournalWriter", InlineWriter),
            (edge.app, "PrinterDriver", _PrinterOnALine),
            (edge.app, "UplinkSettings", partial(UplinkSettings, expecting_ms=EXPECTING_MS)),
            (edge.app, "Reserve", partial(Reserve, size_bytes=_RESERVE_BYTES)),
            (edge.app, "usage_of", lambda _: _ROOMY),
            (edge.app, "read_in_time", lambda *_: []),
            (BoxHealth, "start", lambda _: None),
            (edge.app, "load_settings", lambda _: _office().settings),
            (edge.app, "load_catalogue", lambda _: profiles()),
            (sign_in, "PasswordHasher", _Hasher),
            (print_documents, "render", lambda paper, _: receipt.encode(paper)),
            (Uplink, "_post", _post),
            (LineWatch, "reachable_again", _reachable_again),
        ):
            stack.enter_context(patched(owner, name, value))
        stack.enter_context(repeatable(1000))
        stack.enter_context(cheap_keys())
        yield


@cache
def new_box() -> bytes:
    """Return the bytes of a box's file that has just been made, signed cheaply. Only inside `simulated`."""
    with scratch() as folder:
        creation.create_box(
            folder / FILE,
            CHEAP_IDENTITY,
            signer=FileSigner(KEY_BYTES),
            clock=LabClock(),
            entropy=Chance("create"),
            software=SOFTWARE,
            token=FIRST_TOKEN,
        )
        return (folder / FILE).read_bytes()


class BoxRun:
    """The box from its start to its end. Raises what the box's start raises, Killed where the power went."""

    def __init__(self, office: "Office", folder: Path, number: int) -> None:
        self.office = office
        self.folder = folder
        self.life = Life(f"box {number}", office)
        self.ended: asyncio.Future[None] = office.loop.create_future()
        entropy = Chance("box", office.seed, number)
        self.box: edge.app.Box = self.life.context.run(edge.app.Box, folder, office.clock, entropy)
        self._task = self._spawn(self._live())

    @property
    def counter(self) -> Counter:
        """Return what pages see of the box."""
        return self.box.counter

    @property
    def failed(self) -> bool:
        """Return whether its journal takes nothing any more."""
        return self.box.counter.journal_failure() is not None

    def _spawn(self, work: Any) -> asyncio.Task[Any]:
        return self.office.loop.create_task(work, context=self.life.context.copy())

    async def _live(self) -> None:
        async with self.box.running():
            await asyncio.get_running_loop().create_future()

    async def ask(self, question: Callable[[Counter], Awaitable[T]]) -> T:
        """Ask as a page does. Raises what the box raises, Unreachable when it ended first."""

        async def answer() -> T:
            return await question(self.counter)

        task = self._spawn(answer())
        await asyncio.wait({task, self.ended}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Unreachable
        result: T = task.result()
        return result

    def end(self) -> None:
        """End it as a kill does."""
        self.office.loop.end(self.life)
        if not self.ended.done():
            self.ended.set_result(None)

    async def stop(self) -> None:
        """Stop it as a service manager does: in order."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self.box.close()
        self.end()

    def discard(self) -> None:
        """Let go of one that was ended: its files, and what it was in the middle of."""
        for task in self.life.tasks:
            with contextlib.suppress(Exception):
                # It may want to clean up after itself, which needs a loop that goes on: that is broken off too.
                task.get_coro().close()
        self.life.tasks.clear()
        with contextlib.suppress(Exception):
            self.box.close()
