"""Run the demo for a person: start it, say where things are, keep it up, stop it cleanly."""

import asyncio
import signal
from pathlib import Path

from rich.console import Console
from rich.table import Table

from daftar.demo.world import FINANCE, MANAGER, OPERATOR, World

_LOOK_EVERY_S = 0.5


async def run_demo(
    folder: Path,
    console: Console,
    *,
    model: str | None = None,
    terminals: int | None = None,
    pays_bills: bool | None = None,
) -> None:
    """Run until Ctrl-C or SIGTERM. Raises what starting raises, with everything stopped again."""
    world = World(folder, terminal_profile=model, terminals=terminals, pays_bills=pays_bills)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        with console.status("Starting central, the box and the virtual devices…"):
            starting = asyncio.create_task(world.start())
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not starting.done():
                starting.cancel()
                return
            stopping.cancel()
            starting.result()
        _say_where(world, console)
        await _keep_up(world, stop, console)
    finally:
        started = bool(world.processes)
        with console.status("Stopping…"):
            await world.stop()
        if started:
            console.print("Stopped. State is kept; `make demo` goes on from it, `make demo-reset` forgets it.")


def _say_where(world: World, console: Console) -> None:
    table = Table(title="Daftar demo", title_justify="left", show_edge=False)
    for heading in ("Open", "Address", "Sign in with"):
        table.add_column(heading)
    table.add_row("Demo desk: terminal, printer, line", f"{world.url('desk')}/", "")
    table.add_row("Box: the operator's counter", f"{world.url('box')}/", " / ".join(OPERATOR))
    table.add_row("Box: its manager decides doubts, agrees to money back", "", " / ".join(MANAGER))
    table.add_row("Central: finance", f"{world.url('central')}/", " / ".join(FINANCE))
    console.print(table)
    console.print(f"API token of the box: {world.api_token}", soft_wrap=True)
    console.print(f"State and logs: {world.folder}", soft_wrap=True)
    box = world.processes["box"].pid
    console.print(f"Pull the box's plug with `kill -9 {box}`; it is started again. Ctrl-C stops everything.")


async def _keep_up(world: World, stop: asyncio.Event, console: Console) -> None:
    """Start again what ended by itself, as the office's own supervisor would, until told to stop."""
    while not stop.is_set():
        for name, process in list(world.processes.items()):
            if not process.running():
                console.print(f"{name} ended (code {process.child.returncode}); starting it again.")
                await world.start_part(name)
                console.print(f"{name} is back, process {world.processes[name].pid}.")
        try:
            async with asyncio.timeout(_LOOK_EVERY_S):
                await stop.wait()
        except TimeoutError:
            continue
