"""`daftar bench`: comparisons in one run. Each prints its figures as JSON and exits 1 when its limit does not hold."""

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from daftar.bench.figures import Result
from daftar.bench.groups import bench_groups
from daftar.bench.journal import bench_journal
from daftar.bench.page import WARM, bench_page
from daftar.bench.receipt import bench_receipt
from daftar.bench.start import bench_start
from daftar.bench.verify import TURNS, bench_verify

_folder = click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    show_default=True,
    help="The disk to measure: a scratch folder is made here and removed.",
)
_boxes = click.option(
    "--boxes",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=None,
    help="A folder that keeps the boxes that are measured: a long journal takes minutes to make.",
)
_entries = click.option(
    "--entries", default=1_000_000, show_default=True, type=click.IntRange(min=100), help="Of the long journal."
)
_short = click.option(
    "--short", default=1_000, show_default=True, type=click.IntRange(min=100), help="Entries of the short journal."
)


@click.group()
def bench() -> None:
    """Compare our own cost with the bare bound on this machine."""


def _print(*results: Result) -> None:
    for result in results:
        click.echo(msgspec.json.encode(result).decode())
    sys.exit(0 if all(result.holds for result in results) else 1)


@contextlib.contextmanager
def _kept(boxes: Path | None, folder: Path) -> Iterator[Path]:
    """Give the folder that keeps boxes, or one that is gone afterwards."""
    if boxes is not None:
        yield boxes
        return
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        yield Path(scratch)


@bench.command()
@_folder
@click.option("--rounds", default=2_000, show_default=True, type=click.IntRange(min=100), help="Commits of each kind.")
def journal(folder: Path, rounds: int) -> None:
    """Durable signed append, and group commit.

    One append against one bare INSERT and fsync of the same bytes; eight writers against one, on a disk that takes 5 ms
    more for each sync.
    """
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        single = bench_journal(Path(scratch), rounds)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        _print(single, bench_groups(Path(scratch), rounds))


@bench.command()
@_folder
@click.option("--entries", default=100_000, show_default=True, type=click.IntRange(min=100), help="Entries to verify.")
@click.option("--turns", default=TURNS, show_default=True, type=click.IntRange(min=1), help="The best one counts.")
def verify(folder: Path, entries: int, turns: int) -> None:
    """Full verification, on all cores, against hashing and checking the same signatures on as many."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        _print(bench_verify(Path(scratch), entries, turns))


@bench.command()
@_folder
@_boxes
@_entries
@_short
@click.option("--rounds", default=200, show_default=True, type=click.IntRange(min=5), help="Requests for each page.")
@click.option("--warm", default=WARM, show_default=True, type=click.IntRange(min=0), help="Others before, not counted.")
def page(folder: Path, boxes: Path | None, entries: int, short: int, rounds: int, *, warm: int) -> None:
    """The payment's and the history's page against a bare one, and with a long journal against a short one.

    What is compared is the time that processors work for a page in the program that serves it, over HTTP.
    """
    with _kept(boxes, folder) as home:
        _print(bench_page(home, entries, short, rounds, warm))


@bench.command()
@_folder
@_boxes
@_entries
@_short
@click.option("--turns", default=5, show_default=True, type=click.IntRange(min=1), help="Starts of each box.")
def start(folder: Path, boxes: Path | None, entries: int, short: int, turns: int) -> None:
    """Cold start with a long journal against a short one, and the memory of the process at rest."""
    with _kept(boxes, folder) as home:
        _print(bench_start(home, entries, short, turns))


@bench.command()
@click.option("--rounds", default=200, show_default=True, type=click.IntRange(min=5), help="Receipts of each width.")
def receipt(rounds: int) -> None:
    """A receipt from its facts to the printer's bytes against the bare rasterizer's time for the same picture."""
    _print(*bench_receipt(rounds))
