"""A medium that fails in mid-run and comes back: the box must go on by itself, and every answer it gave must be true.

A short run of commits meets a fault at one I/O. While it lasts, whoever asks is refused in words; when it is over the
writer recovers without a restart. Then the power is cut: what was acknowledged must stand on the medium, and what a
caller was told was *not written* must not, whatever of the unsynced a disk kept.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Literal

import msgspec

from daftar.lab.box import FILE, LabBox, repeatable
from daftar.lab.chance import Chance
from daftar.lab.disk import Disk, Medium, Survival
from daftar.lab.judging import Bench
from daftar.lab.patching import patched
from daftar.lab.recording import new_box, scratch
from daftar.lab.witness import JOURNAL
from edge.journal import writer as writer_module
from edge.journal.ports import StoreView
from edge.journal.verify import verify_journal
from edge.store.rebuild import rebuild_projections
from shared.errors import DaftarError
from shared.events import AlarmRaised, Body

Passing = Literal["full", "failing", "failing_once", "unreadable", "unreadable_once", "gone"]
"""No room; every write and sync fails; one does; every read fails; one does; nothing opens either. Each from some I/O
on (`gone`: from some commit on), for a while."""

WRITES: Final = 4
"""Commits while the medium may be failing."""
_PAUSE_S: Final = 0.001
_WAIT_S: Final = 30.0
_REFUSALS: Final = frozenset({"journal.not_written", "journal.uncertain", "journal.stopped", "store.not_kept"})
_SURVIVALS: Final[tuple[Survival, ...]] = ("none", "all", "sectors")
_MANY: Final = 1_000_000
_Judged = dict[tuple[bytes | None, tuple[str, ...], tuple[str, ...]], tuple[str, ...]]


class Healing(msgspec.Struct, frozen=True):
    """What came of one fault that passed."""

    kind: Passing
    at: int
    refusals: tuple[str, ...]
    faults: tuple[str, ...]


class _Told(msgspec.Struct):
    """What callers heard, by what they asked for."""

    written: list[str] = []
    not_written: list[str] = []
    refusals: list[str] = []
    faults: list[str] = []


def operations_of(*, reads: bool) -> int:
    """Return how many I/Os the run makes on a medium that is well."""
    with scratch() as folder, asyncio.Runner() as runner:
        disk, _ = _run(Bench(folder, runner), None, 0)
        return disk.read_count if reads else disk.count


def places_of(kind: Passing) -> int:
    """Return from how many places on a fault of this kind may come."""
    return WRITES if kind == "gone" else operations_of(reads=kind.startswith("unreadable"))


def healings(kind: Passing, step: int = 1) -> Iterator[Healing]:
    """Let the medium fail for a while from every I/O of the run on, or from every so many.

    What leaves a file in which SQLite finds the very same bytes, and callers who heard the same, shares one judgement.
    """
    judged: _Judged = {}
    for at in range(1, places_of(kind) + 1, 1 if kind == "gone" else step):
        yield _healing(kind, at, judged)


def _healing(kind: Passing, at: int, judged: _Judged) -> Healing:
    """Let the medium fail from one I/O on; have it come back; judge."""
    with scratch() as folder, asyncio.Runner() as runner:
        bench = Bench(folder, runner)
        disk, told = _run(bench, kind, at)
        faults = [*told.faults, *_judgement(bench, told, judged)]
        medium = Medium({FILE: new_box()})
        for operation in disk.operations:
            medium.step(operation)
        for survival in _SURVIVALS:
            bench.lay(medium.image(Chance("healing", kind, at, survival), survival))
            faults += [f"after a cut ({survival}): {fault}" for fault in _judgement(bench, told, judged)]
        return Healing(kind, at, tuple(told.refusals), tuple(faults))


def _run(bench: Bench, kind: Passing | None, at: int) -> tuple[Disk, _Told]:
    bench.lay({FILE: new_box()})
    disk, told = Disk(bench.folder, Chance("healing disk")), _Told()
    with (
        repeatable(64),
        disk.in_use(),
        patched(writer_module, "pause_s", lambda _: _PAUSE_S),
        bench.open("heals") as box,
    ):
        box.recover()
        # The fault comes somewhere from here on; a start on a failing medium is another matter.
        _break(disk, kind, at)
        for number in range(WRITES):
            disk.faults.gone = kind == "gone" and number + 1 >= at
            _ask(told, f"entry {number}", lambda name: box.write(AlarmRaised(kind="lab", detail=name)))
            _ask(told, f"person {number}", lambda name: _add_person(box, name), kept=False)
            _ask(told, f"row {number}", lambda name: _write_row(box, name), kept=False)
        _mend(disk)
        _wait_until_well(box, told)
        _ask(told, "afterwards", lambda name: box.write(AlarmRaised(kind="lab", detail=name)))
        if "afterwards" not in told.written:
            told.faults.append("does not go on once the medium is well")
    return disk, told


def _break(disk: Disk, kind: Passing | None, at: int) -> None:
    faults = disk.faults
    if kind == "full":
        faults.full_from = disk.count + at
    elif kind in ("failing", "failing_once"):
        faults.fail_from, faults.fail_count = disk.count + at, 1 if kind == "failing_once" else _MANY
    elif kind in ("unreadable", "unreadable_once"):
        faults.fail_read_from = disk.read_count + at
        faults.fail_read_count = 1 if kind == "unreadable_once" else _MANY


def _mend(disk: Disk) -> None:
    disk.faults.full_from = disk.faults.fail_from = disk.faults.fail_read_from = None
    disk.faults.gone = False


def _ask(told: _Told, name: str, act: Callable[[str], object], *, kept: bool = True) -> None:
    """Do something under a name; note what its caller hears. `kept`: it shows in the journal."""
    try:
        act(name)
    except DaftarError as error:
        told.refusals.append(error.code)
        if error.code not in _REFUSALS:
            told.faults.append(f"{name} is refused with {error.code}")
        if kept and error.code in ("journal.not_written", "journal.stopped"):
            told.not_written.append(name)
    except Exception as error:  # noqa: BLE001 - what comes out here is what a caller of the box would see
        told.faults.append(f"{name} is refused without a sentence: {type(error).__name__} {error}")
    else:
        if kept:
            told.written.append(name)


def _add_person(box: LabBox, name: str) -> None:
    box.people.save_operator(name, name=name, verifier="v", role="operator")


def _write_row(box: LabBox, name: str) -> None:
    """Write rows beside the journal and no entry: what an exchange and the print spool do."""

    def decide(view: StoreView) -> Sequence[Body]:
        view.update_exchange(last_error=name)
        return []

    box.writer.commit_blocking(decide)


def _wait_until_well(box: LabBox, told: _Told) -> None:
    box.writer.try_again()
    well = threading.Event()
    until = threading.Timer(_WAIT_S, well.set)
    until.start()
    try:
        while box.writer.failure is not None and not well.wait(_PAUSE_S):
            pass
    finally:
        until.cancel()
    if box.writer.failure is not None:
        told.faults.append(f"does not recover: {box.writer.failure}")


def _judgement(bench: Bench, told: _Told, judged: _Judged) -> tuple[str, ...]:
    contents = bench.contents()
    state = contents, tuple(told.written), tuple(told.not_written)
    if contents is None or state not in judged:
        judged[state] = tuple(_judge(bench, told))
    return judged[state]


def _judge(bench: Bench, told: _Told) -> Iterator[str]:
    """Hold what stands on the file against what callers were told."""
    try:
        with bench.open("judge") as box:
            box.recover()
            entries = b"\n".join(data for data, _ in box.queries.entries(0, _MANY))
            yield from (f"{name} is gone" for name in told.written if f'"{name}"'.encode() not in entries)
            yield from (
                f"{name} stands although its caller heard that it does not"
                for name in told.not_written
                if f'"{name}"'.encode() in entries
            )
            verify_journal(box.queries, JOURNAL, bytes.fromhex(box.queries.identity().public_key))
        yield from (f"{one.table} {one.key} is not what the journal says" for one in rebuild_projections(bench.path))
    except Exception as error:  # noqa: BLE001 - whatever stops a box here is what we look for
        yield f"does not start again: {type(error).__name__} {error}"
