"""One run of the box's program inside the simulation: the product's own `edge.app.Box`, joined as it joins itself.

Replaced are: the writer's thread (its work is done on the loop), the socket to central, the printer's driver, the
picture of a paper, the hash of passwords and, with `cheap_keys`, signatures. Terminals are spoken to by the product's
own driver, over connections of the virtual network.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import apsw
import msgspec

import edge.app
import edge.box_line
from daftar.lab.box import FILE, SOFTWARE, repeatable
from daftar.lab.chance import Chance, LabClock
from daftar.lab.patching import patched
from daftar.lab.recording import scratch
from daftar.lab.simulation.cheap_keys import CHEAP_IDENTITY, KEY_BYTES, cheap_keys
from daftar.lab.simulation.inline_writer import InlineAnswer, InlineWriter
from daftar.lab.simulation.lives import LIFE, Life
from daftar.lab.witness import FIRST_TOKEN
from edge.devices.catalogue import load_catalogue
from edge.devices.printers.driver import PrinterDriver, PrintResult
from edge.devices.printers.status import PrinterStatus
from edge.journal import writer
from edge.journal.signer import FileSigner
from edge.services.counter import Counter
from edge.services.devices import device_profiles
from edge.services.health.box_health import BoxHealth
from edge.services.journal import rotate_key
from edge.services.papers import print_documents
from edge.services.people import sign_in
from edge.services.people.password_rule import folded_password
from edge.store import creation
from edge.store.people import MANAGER, People
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
_LOOK_AT_HEALTH_EVERY_S: Final = 120.0
"""How often the box looks at its medium: there is always room, or the disk itself refuses."""
KNOWS_REFERENCES: Final = "behpardakht/pos_pc_viii"
CONFIRMS: Final = "pna/pcpos"
REPORTS: Final = "ingenico/desk_3500"
"""The profiles of the office's terminals: one that can be asked by reference, and two that take back what is not kept:
one is told so later, of the other its report is answered."""
SUPERVISOR: Final = "supervisor"
PASSWORD: Final = "a password of the lab"  # noqa: S105 - nobody's
_RESERVE_BYTES: Final = 4_096
_ROOMY: Final = Usage(used_bytes=1_000_000_000, free_bytes=9_000_000_000)


class Killed(BaseException):
    """The program was ended at this very line."""


class Unreachable(Exception):  # noqa: N818 - what a page sees when the box is gone
    """The box does not answer: it is not running, or it ended before it had answered."""


def _office() -> "Office":
    life = LIFE.get()
    if life is None:
        raise RuntimeError("only a box of the simulation asks for its office")
    office: Office = life.world
    return office


class _Hasher:
    """Passwords at no cost: nobody guesses them here."""

    time_cost = memory_cost = parallelism = salt_len = hash_len = 1

    def hash(self, password: str | bytes) -> str:
        return f"plain {password!r}"

    def verify(self, verifier: str, password: bytes) -> bool:
        return verifier == self.hash(password)

    def check_needs_rehash(self, _: str) -> bool:
        return False


async def _printer_status(_: PrinterDriver) -> PrinterStatus:
    return await _office().printer.status()


async def _print(_: PrinterDriver, data: bytes) -> PrintResult:
    return await _office().printer.print(data)


async def _post(_: Uplink, request: bytes) -> bytes:
    return await _office().line.post(request)


async def _reachable_again(_: LineWatch, *, seen_down: bool) -> bool:
    return await _office().line.back(seen_down=seen_down)


@cache
def profiles() -> ProfileRegistry:
    """Return the product's profiles; terminals are asked less often whether they are there."""
    registry = load_catalogue()
    terminals = {one.name: one for one in registry.terminals}
    for name in (KNOWS_REFERENCES, CONFIRMS, REPORTS):
        times = msgspec.structs.replace(terminals[name].times, heartbeat_every_ms=600_000)
        terminals[name] = msgspec.structs.replace(terminals[name], times=times)
    return ProfileRegistry(terminals, {one.name: one for one in registry.printers})


@contextmanager
def simulated() -> Iterator[None]:
    """Put the simulation's parts in the place of the world's, for boxes made meanwhile."""
    with ExitStack() as stack:
        for owner, name, value in (
            (edge.app, "JournalWriter", InlineWriter),
            (rotate_key, "JournalWriter", InlineWriter),
            (writer, "Future", InlineAnswer),
            (PrinterDriver, "status", _printer_status),
            (PrinterDriver, "print", _print),
            (edge.box_line, "UplinkSettings", partial(UplinkSettings, expecting_ms=EXPECTING_MS)),
            (edge.app, "Reserve", partial(Reserve, size_bytes=_RESERVE_BYTES)),
            (edge.app, "usage_of", lambda _: _ROOMY),
            (edge.app, "read_in_time", lambda *_: []),
            (edge.app, "LOOK_EVERY_S", _LOOK_AT_HEALTH_EVERY_S),
            (BoxHealth, "start", lambda _: None),
            (edge.app, "load_settings", lambda _: _office().settings),
            (device_profiles, "load_catalogue", lambda *_: profiles()),
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
        people = People(folder / FILE)
        verifier = _Hasher().hash(folded_password(PASSWORD))
        people.save_operator(SUPERVISOR, name=SUPERVISOR, verifier=verifier, role=MANAGER)
        people.close()
        return (folder / FILE).read_bytes()


class BoxRun:
    """The box from its start to its end. Raises what the box's start raises, Killed where the power went."""

    def __init__(self, office: "Office", folder: Path, number: int) -> None:
        self.office = office
        self.folder = folder
        self.life = Life(f"box {number}", office)
        self._asked: dict[asyncio.Future[Any], None] = {}
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
        if not self.life.alive:
            raise Unreachable
        answer: asyncio.Future[T] = self.office.loop.create_future()
        self._asked[answer] = None
        self._spawn(self._answer(question, answer))
        try:
            return await answer
        finally:
            del self._asked[answer]

    async def _answer(self, question: Callable[[Counter], Awaitable[T]], answer: asyncio.Future[T]) -> None:
        try:
            said = await question(self.counter)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - it belongs to whoever asked
            if not answer.done():
                answer.set_exception(Unreachable() if isinstance(error, asyncio.CancelledError) else error)
        else:
            if not answer.done():
                answer.set_result(said)

    def look(self, read: Callable[[Counter], T]) -> T:
        """Look at something that takes no time. Raises what the box raises, Unreachable when it has ended."""
        if not self.life.alive:
            raise Unreachable
        return self.life.context.run(read, self.counter)

    def end(self) -> None:
        """End it as a kill does."""
        self.office.loop.end(self.life)
        for answer in self._asked:
            if not answer.done():
                answer.set_exception(Unreachable())

    async def stop(self) -> None:
        """Stop it as a service manager does: in order."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        try:
            self.box.close()
        except apsw.Error as error:
            # A file that cannot be tidied up on a sick disk ends the program with an error, and ends it all the same.
            self.office.truth.counts[f"stopped with {type(error).__name__}"] += 1
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
