"""`daftar bench`: comparisons in one run. Each prints its figures as JSON and exits 1 when its limit does not hold."""

import sys
import tempfile
from pathlib import Path

import click
import msgspec

from daftar.bench.figures import Result
from daftar.bench.journal import bench_journal
from daftar.bench.verify import bench_verify

_folder = click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    show_default=True,
    help="The disk to measure: a scratch folder is made here and removed.",
)


@click.group()
def bench() -> None:
    """Compare our own cost with the bare bound on this machine."""


def _print(result: Result) -> None:
    click.echo(msgspec.json.encode(result).decode())
    sys.exit(0 if result.holds else 1)


@bench.command()
@_folder
@click.option("--rounds", default=2_000, show_default=True, type=click.IntRange(min=200), help="Commits of each kind.")
def journal(folder: Path, rounds: int) -> None:
    """Durable signed append against one bare INSERT and fsync of the same bytes."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        _print(bench_journal(Path(scratch), rounds))


@bench.command()
@_folder
@click.option(
    "--entries", default=100_000, show_default=True, type=click.IntRange(min=1_000), help="Entries to verify."
)
def verify(folder: Path, entries: int) -> None:
    """Full verification against hashing and checking the same signatures."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        _print(bench_verify(Path(scratch), entries))
