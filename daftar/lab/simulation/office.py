"""One simulated day of an office: its box with all that is round it, started, troubled, healed and judged.

The day has two parts. Until closing time customers come and things go wrong. Then the faults stop, and within a bounded
time everything must come to rest: that is judged too.
"""

import asyncio
import contextlib
import gc
import shutil
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import apsw

from daftar.lab.box import FILE
from daftar.lab.chance import Chance
from daftar.lab.disk import SURVIVALS, Medium
from daftar.lab.simulation.box_run import (
    SUPERVISOR,
    BoxRun,
    Killed,
    Unreachable,
    new_box,
    profiles,
)
from daftar.lab.simulation.cheap_keys import KEY_BYTES
from daftar.lab.simulation.counter_people import Person, bill_of
from daftar.lab.simulation.devices import OfficePrinter
from daftar.lab.simulation.furnishing import FIRST_PORT, AnyTerminal, furnished, placed
from daftar.lab.simulation.happened import Happened
from daftar.lab.simulation.line import OfficeLine
from daftar.lab.simulation.lives import LIFE, Life
from daftar.lab.simulation.movable_disk import MovableDisk, RunDisk
from daftar.lab.simulation.office_clock import LATE, MORNING, OfficeClock
from daftar.lab.simulation.supervisor import Supervisor
from daftar.lab.simulation.virtual_loop import VirtualLoop
from edge.services.counter import Counter
from edge.services.journal.rotate_key import rotate_key
from edge.settings import KEY_NAME
from shared.errors import DaftarError

T = TypeVar("T")
Part = Callable[["Office"], Coroutine[Any, Any, None]]
"""Something that goes on at an office."""

PAYMENTS: Final = 42
"""The office closes when so many have been begun."""
OPEN_AT_MOST_S: Final = 12 * 3_600
START_AFTER_S: Final = 5.0
"""How long after its end the service manager starts the box."""
LOOK_EVERY_S: Final = 30.0
"""How often the service manager looks at a box that runs."""

STARTS_IN_VAIN_MAX: Final = 30
STOPPED_AT_MOST_S: Final = 240.0
"""How long the service manager lets a box be that takes nothing: it may get well by itself."""
STOPPED_TIMES_MAX: Final = 12
QUIET_S: Final = 1_200

Moment = Literal["before_commit", "after_commit", "sale", "charge", "paper", "cosigned"]


_LATE: Final = 0.2
"""How many days begin late in the evening."""


class Office:
    """The day of a seed. Made, run once, and judged."""

    def __init__(self, seed: int, folder: Path, disks: MovableDisk) -> None:
        self.seed = seed
        self.loop = VirtualLoop()  # type: ignore[abstract]  # it has what the product asks of a loop
        self.chance = Chance("office", seed)
        self.clock = OfficeClock(self.loop, LATE if self.chance.coin(_LATE) else MORNING)
        self.truth = Happened()
        self.settings = furnished(self.chance)
        self.outside = Context()
        """Where what is not the box's runs."""
        self.is_open = True
        self._run: BoxRun | None = None
        self._went_down = asyncio.Event()
        self.past: list[BoxRun] = []
        self._folder = folder
        self._disks = disks
        self.on_slow_disk = self.chance.coin(0.34)
        """Whether the box's file lies on a disk that can be cut and fail, at every I/O."""
        self.disk: RunDisk | None = None
        self._keys = {KEY_NAME: KEY_BYTES}
        self._being_mended = False
        self._image = {FILE: new_box()}
        self._base = self._image
        self._bills = 0
        self.visits: list[str] = []
        """Requests for services that somebody will go on with."""
        self._awaited: dict[str, int] = {}
        self._starting: Path | None = None
        self._starts = 0
        profiles()

    @property
    def run(self) -> BoxRun | None:
        """The box while it runs."""
        return self._run

    @run.setter
    def run(self, run: BoxRun | None) -> None:
        self._run = run
        if run is None:
            self._went_down.set()

    # --- what people ask for -----------------------------------------------------------------------------------------

    async def ask(self, question: Callable[[Counter], Awaitable[T]]) -> T:
        """Ask the box as a page does. Raises what it raises, Unreachable while it is not there."""
        run = self.run
        if run is None:
            raise Unreachable
        return await run.ask(question)

    def look(self, read: Callable[[Counter], T]) -> T:
        """Read what the box shows. Raises what it raises, Unreachable while it is not there."""
        run = self.run
        if run is None:
            raise Unreachable
        return run.look(read)

    def next_bill(self) -> tuple[str, str]:
        """Return a bill that was not here before."""
        self._bills += 1
        return bill_of(self.seed % 900 * 1_000 + self._bills)

    def earlier_bill(self, chance: Chance) -> tuple[str, str]:
        """Return a bill that was, so that it is scanned again."""
        return bill_of(self.seed % 900 * 1_000 + 1 + chance.below(max(1, self._bills)))

    # --- the box's life ----------------------------------------------------------------------------------------------

    def start_box(self) -> None:
        """Start the program on what the disk holds. A start that fails is tried again by the service manager."""
        self._let_go()
        self._starts += 1
        folder = self._folder / f"run-{self._starts}"
        folder.mkdir()
        for name in self._keys:
            (folder / name).touch(mode=0o600)
        for name, data in (self._keys | self._image).items():
            (folder / name).write_bytes(data)
        self._base = self._image
        self.disk = None
        if self.on_slow_disk:
            self.disk = RunDisk(folder, Chance("disk", self.seed, self._starts))
            self.disk.on_cut = self._power_cut
        self._disks.move(self.disk)
        self._starting = folder
        try:
            run = BoxRun(self, folder, self._starts)
        except Killed:
            return
        except Exception as error:  # noqa: BLE001 - whatever stops a start, the service manager tries again
            self.truth.counts[f"start failed {getattr(error, 'code', type(error).__name__)}"] += 1
            if self.disk is None or self.disk.powered:
                self._keep_files(folder)
            shutil.rmtree(folder)
            # A real one would have ended, and its files with it.
            gc.collect()
            return
        finally:
            self._starting = None
        self.run = run
        self.past.append(run)
        self.truth.counts["start"] += 1
        self.truth.journal_stands(run.box.counter.queries.entries(0, 1_000_000))

    def _let_go(self) -> None:
        """Close the files of runs that have ended, and forget them."""
        if self.disk is not None:
            self.disk.forget()
        for run in self.past:
            run.discard()
            shutil.rmtree(run.folder)
        self.past.clear()

    def kill_box(self) -> None:
        """End the program here and now; the files stay as the system has them."""
        run, self.run = self.run, None
        if run is None:
            return
        self.truth.counts["kill"] += 1
        if self.disk is not None:
            self.disk.on_cut = lambda: None
        run.end()
        self._keep_files(run.folder)

    def _power_cut(self) -> None:
        """The power fails: the program ends, and the disk holds what it has synced and some of the rest."""
        self.truth.counts["power cut"] += 1
        if self.disk is not None:
            self._keep_keys(self.disk.folder)
        disk, run, self.run = self.disk, self.run, None
        if disk is None:
            return
        medium = Medium(self._base)
        for operation in disk.operations:
            medium.step(operation)
        self._image = medium.image(disk.chance, disk.chance.pick(SURVIVALS))
        if run is not None:
            run.end()

    async def rotate_key(self) -> None:
        """Stop the box, give it a new key, and let it be started again. It may be cut off at any point."""
        run = self.run
        if run is None or run.failed:
            return
        self._being_mended = True
        try:
            await run.stop()
            if self.run is run:
                self.run = None
                self._rotate(run.folder)
        finally:
            self._being_mended = False

    def _rotate(self, folder: Path) -> None:
        life = Life("rotation", self)
        self._starting = folder
        try:
            life.context.run(self._give_new_key, folder)
        except Killed:
            # Its files are those of that moment.
            self.truth.counts["kill in rotation"] += 1
            return
        except (DaftarError, apsw.Error) as error:
            self.truth.counts[f"rotation failed {getattr(error, 'code', type(error).__name__)}"] += 1
        finally:
            life.alive = False
            self._starting = None
        if self.disk is None or self.disk.powered:
            self._keep_files(folder)
        else:
            self._keep_keys(folder)

    def _give_new_key(self, folder: Path) -> None:
        chance = Chance("rotation", self.seed, self._starts)
        rotate_key(folder / FILE, folder / KEY_NAME, clock=self.clock, entropy=chance, operator=SUPERVISOR)
        self.truth.counts["rotation"] += 1

    def terminal_of(self, name: str) -> AnyTerminal:
        """Return the terminal of a name."""
        return self.terminals[int(name.rpartition("-")[2])]

    def _keep_keys(self, folder: Path) -> None:
        self._keys = {one.name: one.read_bytes() for one in folder.iterdir() if one.name.startswith(KEY_NAME)}

    def _keep_files(self, folder: Path) -> None:
        self._keep_keys(folder)
        self._image = {
            one.name: one.read_bytes()
            for one in folder.iterdir()
            if one.name in (FILE, f"{FILE}-wal", f"{FILE}-journal")
        }

    def passing(self, moment: Moment) -> None:
        """Come past a moment at which the box may be killed. Raises Killed on the box's own line."""
        left = self._awaited.get(moment)
        if left is None:
            return
        if left > 0:
            self._awaited[moment] = left - 1
            return
        del self._awaited[moment]
        mine = LIFE.get() is not None
        if self._starting is not None:
            self.truth.counts["kill at start"] += 1
            self._keep_files(self._starting)
        self.kill_box()
        if mine:
            raise Killed

    def kill_at(self, moment: Moment, after: int) -> None:
        """Kill the box when it comes past a moment for the so-manieth time."""
        self._awaited[moment] = after

    async def _look_after_box(self) -> None:
        """Do as a service manager: start what is down, and start anew what takes nothing any more."""
        in_vain, stopped_s = 0, 0.0
        while in_vain < STARTS_IN_VAIN_MAX:
            stopped_s = stopped_s + LOOK_EVERY_S if self.run is not None and self.run.failed else 0.0
            if stopped_s > STOPPED_AT_MOST_S:
                self.truth.counts["restart of a stopped journal"] += 1
                if self.truth.counts["restart of a stopped journal"] > STOPPED_TIMES_MAX:
                    break
                self.kill_box()
            if self.run is None and not self._being_mended:
                self.start_box()
            in_vain = in_vain + 1 if self.run is None and not self._being_mended else 0
            if self.run is None:
                await asyncio.sleep(START_AFTER_S * (1 + in_vain))
                continue
            self._went_down.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._went_down.wait()
                    await asyncio.sleep(START_AFTER_S)
        self.truth.wrong("the box does not start any more, or takes nothing whenever it does")

    # --- the day -----------------------------------------------------------------------------------------------------

    def day(self, misfortunes: Part, judge: Part) -> None:
        """Live through the day."""
        asyncio.set_event_loop(None)
        try:
            self.loop.run_until_complete(self._day(misfortunes, judge))
        finally:
            for run in self.past:
                run.end()
            self._let_go()
            self._disks.move(None)

    async def _day(self, misfortunes: Part, judge: Part) -> None:
        self.printer = OfficePrinter(self)
        self.line = OfficeLine(self)
        self.terminals = [placed(self, number, one) for number, one in enumerate(self.settings.terminals)]
        self.truth.is_in_hand = lambda wanted: self.terminal_of(wanted.terminal).has_in_hand(wanted)
        self.supervisor = Supervisor(self)
        for number, terminal in enumerate(self.terminals):
            await terminal.start(port=FIRST_PORT + number)
        manager = self.loop.create_task(self._look_after_box())
        people = [self.loop.create_task(Person(self, number).work()) for number in range(3 + self.chance.below(6))]
        people.append(self.loop.create_task(self.supervisor.work()))
        troubles = self.loop.create_task(misfortunes(self))
        while (  # noqa: ASYNC110 - many things may end a day; looking again suits all
            self.truth.counts["payment.requested"] < PAYMENTS
            and self.loop.time() < OPEN_AT_MOST_S
            and not manager.done()
        ):
            await asyncio.sleep(30)
        self.is_open = False
        troubles.cancel()
        await asyncio.gather(troubles, return_exceptions=True)
        self.heal()
        if self.chance.coin(0.3):
            # Nothing new happens any more, and only now does the line come back.
            self.line.turn("down")
            await asyncio.sleep(QUIET_S)
            self.line.turn("good")
        await judge(self)
        manager.cancel()
        for person in people:
            person.cancel()
        for ended in await asyncio.gather(manager, troubles, *people, return_exceptions=True):
            if isinstance(ended, Exception):
                self.truth.wrong(f"the simulation itself failed: {ended!r}")
        if self.run is not None:
            await self.run.stop()
        for terminal in self.terminals:
            await terminal.stop()

    def heal(self) -> None:
        """Let nothing be wrong any more."""
        self._awaited.clear()
        self.line.turn("good")
        self.printer.trouble = "none"
        self.loop.network.down.clear()
        self.loop.network.extra_delay_s.clear()
        if self.disk is not None:
            self.disk.heal()
            self.disk.faults.cut_at = None
        for terminal in self.terminals:
            terminal.calm()
            if terminal.screen.phase == "off":
                self.loop.create_task(terminal.restart())
