"""A disk that is full or fails while the box works: it must refuse with a sentence, and go on once the disk is well.

Here nothing is cut: the workload runs on until the fault stops it, the disk is healed, the program is started again,
and what it finds is held against what was acknowledged.
"""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Literal

import msgspec

from daftar.lab.box import FILE, SIGNER, LabBox, repeatable
from daftar.lab.chance import Chance
from daftar.lab.disk import Disk
from daftar.lab.judging import Bench, Cut, judge_honest
from daftar.lab.patching import patched
from daftar.lab.recording import Recording, leaves_of, new_box, scratch, shape
from daftar.lab.truth import Truth
from daftar.lab.witness import Witness
from daftar.lab.workload import Workload
from edge.journal import writer as writer_module
from shared.errors import DaftarError

FaultKind = Literal["full", "failing", "failing_once"]
"""No room from some I/O on; every I/O fails from some on; one fails."""
_Judged = dict[tuple[bytes | None, str], tuple[str, ...]]
_FOR_GOOD = 1_000_000
_PAUSE_S = 0.001
"""Between the writer's attempts on a medium that failed; the product waits longer."""


class FaultCase(msgspec.Struct, frozen=True):
    """What came of one fault."""

    kind: FaultKind
    at: int
    refusal: str | None
    """The code of the box's refusal; None when it never came to notice."""
    faults: tuple[str, ...]


def operations_of(seed: object, decisions: int) -> int:
    """Return how many I/Os the workload makes on a disk that is well."""
    with _bench() as bench:
        _, disk, _ = _work(bench, seed, decisions, None, 0)
        return disk.count


def fault_cases(seed: object, decisions: int, kind: FaultKind, step: int = 1) -> Iterator[FaultCase]:
    """Let the disk fail at every I/O of a workload (or at every so many), each time from the beginning.

    Cases that leave a file in which SQLite finds the very same bytes, with the same things having happened, share one
    judgement.
    """
    judged: _Judged = {}
    for at in range(1, operations_of(seed, decisions) + 1, step):
        yield _fault_case(seed, decisions, kind, at, judged)


def _fault_case(seed: object, decisions: int, kind: FaultKind, at: int, judged: _Judged) -> FaultCase:
    """Let the disk fail at one I/O; heal it, start again, and judge."""
    with _bench() as bench:
        error, disk, recording = _work(bench, seed, decisions, kind, at)
        faults: list[str] = []
        if error is not None and not isinstance(error, DaftarError):
            faults.append(f"refuses without a sentence: {type(error).__name__} {error}")
        image = {
            one.name: one.read_bytes() for one in bench.folder.iterdir() if not one.name.endswith(("-shm", ".lock"))
        }
        bench.lay(image)
        state = bench.contents(), _happened(recording.truth, disk.count)
        if state[0] is None or state not in judged:
            recording = msgspec.structs.replace(recording, leaves=leaves_of(bench.path))
            judged[state] = judge_honest(bench, Cut(recording, disk.count, image)).violations
        faults += judged[state]
        return FaultCase(kind, at, getattr(error, "code", None), tuple(faults))


def _happened(truth: Truth, count: int) -> str:
    """Return all that had happened, in order; of central how much it holds."""
    happened = ((one.kind, one.key, one.value.size if one.kind == "witness" else one.value) for one in truth.all(count))
    return repr(tuple(happened))


@contextmanager
def _bench() -> Iterator[Bench]:
    with scratch() as folder, asyncio.Runner() as runner:
        yield Bench(folder, runner)


def _work(
    bench: Bench, seed: object, decisions: int, kind: FaultKind | None, at: int
) -> tuple[Exception | None, Disk, Recording]:
    """Run the workload into the fault; return what stopped it, the disk, and what had happened."""
    bench.lay({FILE: new_box()})
    disk, truth, witness = Disk(bench.folder, Chance("disk", seed)), Truth(), Witness(SIGNER.public_key)
    first = witness.copy()
    wal_pages, _ = shape(seed)
    if kind == "full":
        disk.faults.full_from = at
    elif kind is not None:
        disk.faults.fail_from = at
        disk.faults.fail_count = 1 if kind == "failing_once" else _FOR_GOOD
    stopped: Exception | None = None
    soon = patched(writer_module, "pause_s", lambda _: _PAUSE_S)
    with repeatable(wal_pages), soon, disk.in_use(), ExitStack() as stack:

        def boots() -> Iterator[LabBox]:
            boot = 0
            while True:
                stack.close()
                boot += 1
                yield stack.enter_context(bench.open(f"{seed}/{boot}"))

        try:
            Workload(seed, boots(), witness, truth, lambda: disk.count).run(decisions)
        except Exception as error:  # noqa: BLE001 - what comes out here is what a caller of the box would see
            stopped = error
        # Space returns, the medium is well again; the program is stopped and will be started.
        disk.faults.full_from = disk.faults.fail_from = None
    return stopped, disk, Recording(seed, {}, disk.operations, truth, [], wal_pages, first)
