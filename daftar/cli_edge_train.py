"""`daftar edge train`: an office to learn in, beside the real one."""

from pathlib import Path

import click

from daftar.cli_edge_journal import data_option
from daftar.log_lines import log_in_lines
from shared.calendar import check_zone
from shared.clock import SystemClock
from shared.entropy import SystemEntropy


@click.command()
@data_option
@click.option("--port", type=click.IntRange(1, 65_535), default=8711, show_default=True, help="Port of its pages.")
@click.option(
    "--desk-port",
    type=click.IntRange(1, 65_535),
    default=8712,
    show_default=True,
    help="Port of its desk: the customer's card, the paper, the line.",
)
def train(data: Path, port: int, desk_port: int) -> None:
    """Serve a training beside the office.

    Its own journal and key, virtual terminals and printer, and a centre that makes answers up; marked on every page and
    paper. It begins anew at each start. The office's people sign in with their own passwords. SIGTERM or Ctrl-C stops
    it; the real box need not run.
    """
    from daftar.training.serving import serve_training  # noqa: PLC0415 - no other command needs the pages

    log_in_lines()
    check_zone()
    serve_training(data, port=port, desk_port=desk_port, clock=SystemClock(), entropy=SystemEntropy())
