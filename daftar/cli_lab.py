"""`daftar lab`: proving the box on a disk that is cut, and proving the proof on boxes that are known to be bad."""

import asyncio
from collections import Counter
from contextlib import nullcontext
from typing import Final, get_args

import click
import msgspec
import structlog

from daftar.lab.blocks import BlockTally, NoRig, blocks
from daftar.lab.crash import CUTS_A_RUN, LIES, DiskKind, Plan, Tally, Violation, crash
from daftar.lab.faults import FaultKind, fault_cases
from daftar.lab.fuzz import FuzzTally, conversations, fuzz
from daftar.lab.healing import Passing, healings
from daftar.lab.kill import kill
from daftar.lab.killing.mutants import KILL_MUTANTS
from daftar.lab.killing.office import KillTally
from daftar.lab.mutants import MUTANTS, hunt, named
from daftar.lab.service_mutants import SERVICE_MUTANTS, hunt_in_days
from daftar.lab.simulate import DayTally, simulate

_SHOWN_MAX: Final = 20
_PROGRESS_EVERY: Final = 25
_FUZZ_PROGRESS_EVERY: Final = 10_000


@click.group("lab")
def lab() -> None:
    """Prove the box: power cuts, disks that lie, simulated days, and mutants that must be caught."""
    # What a box says of its own trouble is expected here, thousands of times.
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())


def _progress(tally: Tally) -> None:
    if tally.runs % _PROGRESS_EVERY == 0:
        click.echo(
            f"{tally.runs} runs, {tally.crash_points} crash points, {len(tally.violations)} violations", err=True
        )


def _replay(disk: str, mutant: str | None, violation: Violation) -> str:
    """Return the command that shows a violation again."""
    more = (f" --disk {disk}" if disk != "honest" else "") + (f" --mutant {mutant}" if mutant else "")
    return f"daftar lab crash --seed {violation.seed} --runs 1 --at {violation.at}{more}"


@lab.command("crash")
@click.option("--runs", default=100, show_default=True, help="Workloads, each of its own seed.")
@click.option("--seed", default=0, show_default=True, help="Seed of the first workload; the next ones follow.")
@click.option("--every-io", is_flag=True, help=f"Cut after every I/O, not after {CUTS_A_RUN} of them.")
@click.option("--at", type=int, help="Cut only after so many I/Os.")
@click.option(
    "--disk",
    type=click.Choice(list(LIES)),
    default="honest",
    show_default=True,
    help="A disk that keeps its word, lies on one sync in ten, or never syncs.",
)
@click.option("--mutant", type=click.Choice([mutant.name for mutant in MUTANTS]), help="A box that is known to be bad.")
def crash_command(*, runs: int, seed: int, every_io: bool, at: int | None, disk: DiskKind, mutant: str | None) -> None:
    """Cut the power under the real write path; the last line is JSON. Exit code 1: a rule was broken."""
    plan = Plan(runs=runs, seed=seed, every_io=every_io, at=at, disk=disk)
    if mutant is None:
        tally = crash(plan, _progress)
    else:
        bad = named(mutant)
        disk = bad.disk if disk == "honest" else disk
        plan = msgspec.structs.replace(plan, disk=disk, habits=bad.habits, share=False)
        with bad.apply():
            tally = crash(plan, _progress)
    for violation in tally.violations[:_SHOWN_MAX]:
        click.echo(f"VIOLATION {violation.what}\n  {_replay(disk, mutant, violation)}")
    click.echo(f"runs {tally.runs}  crash points {tally.crash_points}  violations {len(tally.violations)}")
    click.echo(tally.as_json())
    if tally.violations:
        raise SystemExit(1)


@lab.command("faults")
@click.option("--runs", default=3, show_default=True, help="Workloads, each of its own seed.")
@click.option("--seed", default=0, show_default=True, help="Seed of the first workload.")
@click.option("--decisions", default=4, show_default=True, help="How long a workload is.")
@click.option("--step", default=1, show_default=True, help="Try only every so many I/Os.")
def faults_command(runs: int, seed: int, decisions: int, step: int) -> None:
    """Let the disk be full or fail at every I/O, for good or for a while.

    Exit code 1: the box did not refuse well, told somebody what is not true, or did not go on.
    """
    cases = wrong = 0
    refusals: Counter[str] = Counter()
    for workload in range(seed, seed + runs):
        for kind in get_args(FaultKind):
            for case in fault_cases(workload, decisions, kind, step):
                cases += 1
                refusals[case.refusal or "none"] += 1
                wrong += bool(case.faults)
                for fault in case.faults:
                    click.echo(f"WRONG seed {workload}, {kind} at I/O {case.at}: {fault}")
    healed = 0
    for passing in get_args(Passing):
        for found in healings(passing, step):
            healed += 1
            refusals.update(found.refusals)
            wrong += bool(found.faults)
            for fault in found.faults:
                click.echo(f"WRONG {passing} from I/O {found.at} on, then well: {fault}")
    click.echo(msgspec.json.encode({"cases": cases, "healed": healed, "wrong": wrong, "refusals": dict(refusals)}))
    if wrong:
        raise SystemExit(1)


@lab.command("blocks")
@click.option("--points", default=500, show_default=True, help="How many cuts are judged, 100 a workload.")
@click.option("--seed", default=0, show_default=True, help="Seed of the first workload; the next ones follow.")
def blocks_command(points: int, seed: int) -> None:
    """Cut the power under a real ext4, block by block. Needs root, loop devices and nbdkit. Exit code 1: broken."""

    def progress(tally: BlockTally) -> None:
        click.echo(f"{tally.crash_points} crash points, {len(tally.violations)} violations", err=True)

    try:
        tally = blocks(points, seed, progress)
    except NoRig as error:
        raise click.ClickException(str(error)) from error
    for workload, at, what in tally.violations[:_SHOWN_MAX]:
        click.echo(f"VIOLATION seed {workload}, after {at} notes: {what}")
    click.echo(f"runs {tally.runs}  crash points {tally.crash_points}  violations {len(tally.violations)}")
    click.echo(tally.as_json())
    if tally.violations:
        raise SystemExit(1)


@lab.command("kill")
@click.option("--kills", default=30, show_default=True, help="How often the server is killed.")
@click.option("--seed", default=0, show_default=True, help="Draws the moments, and what customers do.")
@click.option("--mutant", type=click.Choice([mutant.name for mutant in KILL_MUTANTS]), help="A known-bad server.")
def kill_command(*, kills: int, seed: int, mutant: str | None) -> None:
    """Kill -9 the real server under load, the terminal in every state. Exit code 1: a rule was broken."""

    def progress(tally: KillTally) -> None:
        if tally.kills % _PROGRESS_EVERY == 0:
            click.echo(f"{tally.kills} kills, {tally.payments} payments, {len(tally.violations)} violations", err=True)

    tally = kill(kills, seed, progress, mutant=mutant, stop_at_first=mutant is not None)
    more = f" --mutant {mutant}" if mutant else ""
    for after, what in tally.violations[:_SHOWN_MAX]:
        click.echo(f"VIOLATION {what}\n  daftar lab kill --kills {after} --seed {seed}{more}")
    click.echo(f"kills {tally.kills}  payments {tally.payments}  violations {len(tally.violations)}")
    click.echo(tally.as_json())
    if tally.violations:
        raise SystemExit(1)


@lab.command("fuzz")
@click.option("--inputs", default=10_000, show_default=True, help="Spoilt conversations.")
@click.option("--seed", default=0, show_default=True, help="Number of the first; the next ones follow.")
def fuzz_command(*, inputs: int, seed: int) -> None:
    """Let terminals of every family talk rubbish. Exit code 1: a rule was broken."""

    def progress(tally: FuzzTally) -> None:
        if tally.inputs % _FUZZ_PROGRESS_EVERY == 0:
            click.echo(f"{tally.inputs} inputs, {len(tally.violations)} violations", err=True)

    tally = fuzz(asyncio.run(conversations()), inputs, seed, progress)
    for number, what in tally.violations[:_SHOWN_MAX]:
        click.echo(f"VIOLATION {what}\n  daftar lab fuzz --inputs 1 --seed {number}")
    click.echo(f"inputs {tally.inputs}  violations {len(tally.violations)}")
    click.echo(tally.as_json())
    if tally.violations:
        raise SystemExit(1)


@lab.command("simulate")
@click.option("--days", default=20, show_default=True, help="Office-days, each of its own seed.")
@click.option("--seed", default=0, show_default=True, help="Seed of the first day; the next ones follow.")
@click.option("--mutant", type=click.Choice([mutant.name for mutant in SERVICE_MUTANTS]), help="A known-bad box.")
def simulate_command(*, days: int, seed: int, mutant: str | None) -> None:
    """Live through office-days on virtual time with everything going wrong. Exit code 1: a rule was broken."""
    told = 0

    def progress(tally: DayTally) -> None:
        nonlocal told
        for day, what in tally.violations[told:]:
            click.echo(f"day {day}: {what}", err=True)
        told = len(tally.violations)
        if tally.days % _PROGRESS_EVERY == 0:
            click.echo(f"{tally.days} days, {tally.payments} payments, {len(tally.violations)} violations", err=True)

    with {one.name: one for one in SERVICE_MUTANTS}[mutant].apply() if mutant else nullcontext():
        tally = simulate(days, seed, progress)
    more = f" --mutant {mutant}" if mutant else ""
    for day, what in tally.violations[:_SHOWN_MAX]:
        click.echo(f"VIOLATION {what}\n  daftar lab simulate --days 1 --seed {day}{more}")
    click.echo(f"days {tally.days}  payments {tally.payments}  violations {len(tally.violations)}")
    click.echo(tally.as_json())
    if tally.violations:
        raise SystemExit(1)


@lab.command("mutants")
@click.option("--seed", default=0, show_default=True, help="Added to the seed that each hunt begins with.")
def mutants_command(seed: int) -> None:
    """Hunt every known-bad box. Exit code 1: one of them survived."""
    survivors = []
    for mutant in MUTANTS:
        tally = hunt(mutant, seed=seed)
        if not tally.violations:
            survivors.append(mutant.name)
            click.echo(f"SURVIVED {mutant.name} after {tally.crash_points} crash points")
            continue
        first = tally.violations[0]
        click.echo(f"caught   {mutant.name} after {tally.crash_points} crash points: {first.what}")
        click.echo(f"         {_replay(mutant.disk, mutant.name, first)}")
    for bad in SERVICE_MUTANTS:
        days = hunt_in_days(bad, seed=seed)
        if not days.violations:
            survivors.append(bad.name)
            click.echo(f"SURVIVED {bad.name} after {days.days} days")
            continue
        day, what = days.violations[0]
        click.echo(f"caught   {bad.name} after {days.days} days: {what}")
        click.echo(f"         daftar lab simulate --days 1 --seed {day} --mutant {bad.name}")
    click.echo(msgspec.json.encode({"mutants": len(MUTANTS) + len(SERVICE_MUTANTS), "survivors": survivors}))
    if survivors:
        raise SystemExit(1)
