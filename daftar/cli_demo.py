"""`daftar demo`: the whole system on one machine, with virtual devices."""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from edge.devices.catalogue import load_catalogue
from shared.error_texts import describe
from shared.errors import DaftarError, DeviceError

CONFIRMING_MODEL: Final = "daftar/virtual_pna"


@click.group(invoke_without_command=True)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var/demo"),
    show_default=True,
    help="Folder that keeps the demo's state.",
)
@click.option("--check", is_flag=True, help="Do the whole job once on free ports in a temporary folder, then exit.")
@click.option(
    "--confirming",
    is_flag=True,
    help=f"The same as --model {CONFIRMING_MODEL}: a terminal that takes back what it is not told to keep.",
)
@click.option(
    "--model",
    help="Which terminal stands on the desk, as MAKER/MODEL, of any family. Counts when the folder is made.",
)
@click.option(
    "--terminals",
    type=click.IntRange(1, 3),
    default=1,
    show_default=True,
    help="How many card terminals stand on the desk.",
)
@click.option(
    "--pays-bills",
    is_flag=True,
    help="The terminals pay single bills by their two ids: their own centre settles them, no provider is asked.",
)
@click.pass_context
def demo(
    context: click.Context,
    data: Path,
    *,
    check: bool,
    confirming: bool,
    model: str | None,
    terminals: int,
    pays_bills: bool,
) -> None:
    """Run central, one box and virtual devices until Ctrl-C.

    With --check: headless; one line a step, a JSON summary as the last line, exit code 1 on any failure.
    """
    if context.invoked_subcommand is not None:
        return
    if confirming and model is not None:
        raise click.UsageError("--confirming is a model; give one of the two")
    if check and pays_bills:
        raise click.UsageError("--check has a provider take and refuse bills, with --pays-bills it is asked for none")
    model = _known(CONFIRMING_MODEL if confirming else model)
    if check:
        from daftar.demo.check import run_check  # noqa: PLC0415 - starting the demo need not load its checker

        with tempfile.TemporaryDirectory(prefix="daftar-check-") as folder:
            sys.exit(0 if asyncio.run(run_check(Path(folder), model=model)) else 1)
    from daftar.demo.supervisor import run_demo  # noqa: PLC0415 - its sub-commands need not load the supervisor

    console = Console()
    try:
        asyncio.run(run_demo(data, console, model=model, terminals=terminals, pays_bills=pays_bills))
    except DaftarError as error:
        said = describe(error, "en")
        console.print(f"{said.what} {said.do}", style="red", soft_wrap=True)
        sys.exit(1)


def _known(model: str | None) -> str | None:
    """Return a model's name when there is such a one, and it can be reached over TCP."""
    if model is None:
        return None
    try:
        kinds = load_catalogue().terminal(model).link_kinds
    except DeviceError as error:
        raise click.UsageError(describe(error, "en").what) from error
    if "tcp" not in kinds:
        raise click.UsageError(f"{model} is reached over a cable only: `daftar profile simulate {model} --pty`.")
    return model


@demo.command()
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="The demo's folder.",
)
def desk(folder: Path) -> None:
    """Run the demo desk alone.

    The virtual terminal, the virtual printer, the line's switch and their page. The demo starts this by itself.
    """
    from daftar.demo.run_desk import run_desk  # noqa: PLC0415 - only this command needs the virtual devices

    run_desk(folder)
