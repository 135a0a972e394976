"""Cutting the power under the real write path, again and again, and judging what comes back.

A seed gives a workload, its disk, and for each cut what of the unsynced the disk still held: the same seed and place
give the same cut again. Some cuts are followed by a second one, while the box recovers from the first.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Literal

import msgspec

from daftar.lab.box import repeatable
from daftar.lab.chance import Chance
from daftar.lab.disk import SURVIVALS, Disk, Medium
from daftar.lab.judging import Bench, Cut, Judgement, entries_of, judge_honest, judge_lying, remembered_signatures
from daftar.lab.recording import Recording, record, scratch
from daftar.lab.truth import Truth
from daftar.lab.workload import Habits
from edge.journal.writer import Recorded
from shared.events import AlarmRaised

DiskKind = Literal["honest", "lying", "deaf"]
"""Keeps its word; lies on one sync in ten; never syncs at all."""
LIES: Final[dict[DiskKind, float]] = {"honest": 0.0, "lying": 0.1, "deaf": 1.0}
CUTS_A_RUN: Final = 25
_SECOND_CUTS: Final = 0.02
"""Share of cuts that are followed by another one during recovery."""
_IN_FULL_ANYWAY: Final = 0.02
"""Share of cuts that are judged in full whatever was judged before."""


class Violation(msgspec.Struct, frozen=True):
    """A rule that a cut broke, and how to see it again."""

    seed: int
    at: int
    what: str


class Tally(msgspec.Struct):
    """What was done and found."""

    runs: int = 0
    operations: int = 0
    crash_points: int = 0
    in_full: int = 0
    """Of the crash points, those whose box was started and judged in full; the others gave a file of the same bytes."""
    second_cuts: int = 0
    """Of the crash points, those during a recovery."""
    entries_max: int = 0
    violations: list[Violation] = msgspec.field(default_factory=list)
    found: Counter[str] = msgspec.field(default_factory=Counter)
    """Of disks that lie: who noticed."""
    unworded: int = 0
    on_paper: int = 0

    def add(self, seed: int, at: int, judgement: Judgement) -> None:
        """Count a cut."""
        self.crash_points += 1
        self.violations += [Violation(seed, at, what) for what in judgement.violations]
        self.found[judgement.found] += 1
        self.unworded += judgement.unworded
        self.on_paper += judgement.on_paper

    def as_json(self) -> bytes:
        """Return the figures in one line."""
        return msgspec.json.encode(
            {
                "runs": self.runs,
                "operations": self.operations,
                "crash_points": self.crash_points,
                "in_full": self.in_full,
                "second_cuts": self.second_cuts,
                "entries_max": self.entries_max,
                "violations": len(self.violations),
                "lying": {**self.found, "unworded": self.unworded, "unseen_on_paper": self.on_paper},
            }
        )


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Which cuts to make."""

    runs: int
    seed: int
    disk: DiskKind = "honest"
    every_io: bool = False
    at: int | None = None
    """Only the cut after so many I/Os."""
    habits: Habits = Habits()
    stop_at_first: bool = False
    share: bool = True
    """Let cuts that give the same file share a judgement."""


def crash(plan: Plan, progress: Callable[[Tally], None] = lambda _: None) -> Tally:
    """Make the cuts of a plan. `progress` hears after each run."""
    tally = Tally()
    with scratch() as folder, asyncio.Runner() as runner, remembered_signatures():
        bench = Bench(folder, runner)
        # Who breaks off a long run wants the figures so far.
        with contextlib.suppress(KeyboardInterrupt):
            for seed in range(plan.seed, plan.seed + plan.runs):
                _run(bench, plan, seed, tally)
                progress(tally)
                if plan.stop_at_first and tally.violations:
                    break
    return tally


def _run(bench: Bench, plan: Plan, seed: int, tally: Tally) -> None:
    tally.runs += 1
    try:
        recording = record(seed, habits=plan.habits)
    except Exception as error:  # noqa: BLE001 - on an honest disk whose power holds, nothing may stop a day's work
        tally.violations.append(Violation(seed, 0, f"the day stops: {type(error).__name__} {error}"))
        return
    tally.operations += len(recording.operations)
    tally.entries_max = max(tally.entries_max, len(recording.leaves))
    judge = judge_honest if plan.disk == "honest" else judge_lying
    judged: dict[object, Judgement] = {}
    for cut in _cuts(recording, _places(plan, seed, len(recording.operations)), plan.disk):
        chance = Chance("again", seed, cut.at)
        bench.lay(cut.image)
        # What follows a start depends on what SQLite finds in the files, and must respect what had happened.
        contents = bench.contents() if plan.share and not chance.coin(_IN_FULL_ANYWAY) else None
        state = contents and (contents, len(recording.truth.all(cut.at)))
        if state is None or state not in judged:
            tally.in_full += 1
            judged[state] = judge(bench, cut)
        tally.add(seed, cut.at, judged[state])
        if plan.disk == "honest" and chance.coin(_SECOND_CUTS):
            tally.second_cuts += 1
            tally.in_full += 1
            tally.add(seed, cut.at, judge_honest(bench, _second(bench, cut, chance)))
        if plan.stop_at_first and tally.violations:
            return


def _places(plan: Plan, seed: int, operations: int) -> Sequence[int]:
    if plan.at is not None:
        return [plan.at]
    if plan.every_io or operations < CUTS_A_RUN:
        return range(operations + 1)
    chance = Chance("places", seed)
    return sorted({chance.below(operations + 1) for _ in range(CUTS_A_RUN)})


def _cuts(recording: Recording, places: Sequence[int], disk: DiskKind) -> Iterator[Cut]:
    medium = Medium(recording.base, lies=LIES[disk], seed=recording.seed)
    wanted = set(places)
    for at in range(len(recording.operations) + 1):
        if at in wanted:
            chance = Chance("cut", recording.seed, at, disk)
            yield Cut(recording, at, medium.image(chance, chance.pick(SURVIVALS)))
        if at < len(recording.operations):
            medium.step(recording.operations[at])


def _second(bench: Bench, cut: Cut, chance: Chance) -> Cut:
    """Cut the power again while the box starts on what the first cut left, or soon after."""
    bench.lay(cut.image)
    truth = Truth()
    for one in cut.recording.truth.all(cut.at):
        truth.note(0, one.kind, one.key, one.value)
    disk = Disk(bench.folder, Chance("second disk", cut.recording.seed, cut.at))

    def acknowledged(records: Sequence[Recorded]) -> None:
        for recorded in records:
            truth.note(disk.count, "acknowledged", str(recorded.index), recorded.leaf)

    with (
        repeatable(cut.recording.wal_pages),
        disk.in_use(),
        bench.open(f"{cut.recording.seed}/second/{cut.at}") as box,
    ):
        box.writer.on_answer = acknowledged
        box.recover()
        box.write(AlarmRaised(kind="lab", detail="between the cuts"))
        leaves = entries_of(box)
    recording = msgspec.structs.replace(
        cut.recording, base=dict(cut.image), operations=disk.operations, truth=truth, leaves=leaves
    )
    place = chance.below(len(disk.operations) + 1)
    return next(_cuts(recording, [place], "honest"))
