"""A virtual terminal or printer to play with, driven by words that a person types."""

import asyncio
import sys
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, get_args

from edge.devices.virtual.lines import Cable, Caller
from edge.devices.virtual.printer import PrinterFault, VirtualPrinter
from edge.devices.virtual.simulators import Simulator, make_simulator
from edge.devices.virtual.terminal_screen import FAULTS, Key, Screen
from firmware_profiles.addresses import Address, ListenAddress
from firmware_profiles.printer_profile import PrinterProfile
from firmware_profiles.profile import TerminalProfile
from shared.clock import SystemClock
from shared.entropy import SystemEntropy

KEYS: Final[tuple[Key, ...]] = get_args(Key)
PRINTER_FAULTS: Final[tuple[PrinterFault, ...]] = get_args(PrinterFault)


class Commands:
    """Lines typed at the program, and where to say something. The reading thread ends with the program."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self.say = say
        self._lines: asyncio.Queue[str] = asyncio.Queue()

    async def next(self) -> list[str]:
        """Return the words of the next line. At the end of standard input nothing comes any more."""
        return (await self._lines.get()).split()

    def listen(self) -> None:
        """Begin to read standard input."""
        loop, source = asyncio.get_running_loop(), sys.stdin

        def read() -> None:
            for line in source:
                loop.call_soon_threadsafe(self._lines.put_nowait, line)

        threading.Thread(target=read, name="typed words", daemon=True).start()


def _screen_text(screen: Screen) -> str:
    about = f" [{screen.fault}]" if screen.fault != "none" else ""
    by_itself = f" [presses {screen.auto} by itself]" if screen.auto else ""
    return " | ".join(line for line in screen.lines if line) + about + by_itself


async def play_terminal(
    profile: TerminalProfile,
    commands: Commands,
    *,
    host: str,
    port: int,
    pty: bool,
    box: Address | None,
    memory: Path | None,
) -> None:
    """Be that terminal until `quit`. Raises OSError on a taken port, ValueError for a box that does not listen."""
    if box is not None and not isinstance(box, ListenAddress):
        raise ValueError("a terminal calls a box that listens: --call listen://HOST:PORT")
    terminal = make_simulator(profile, SystemClock(), SystemEntropy(), memory)
    async with AsyncExitStack() as stack:
        actual = await terminal.start(host, port)
        stack.push_async_callback(terminal.stop)
        commands.say(f"{profile.name} at tcp://{host}:{actual}")
        if pty:
            newline = profile.serial is not None and profile.serial.newline_after_message
            cable = Cable(host, actual, newline_after_message=newline)
            stack.push_async_callback(cable.unplug)
            commands.say(f"{profile.name} at serial://{cable.plug_in()}")
        if box is not None:
            caller = Caller((host, actual), (box.host, box.port))
            stack.push_async_callback(caller.stop)
            caller.start()
            commands.say(f"{profile.name} calls {box.host}:{box.port}")
        shown: list[str] = []

        def show(screen: Screen) -> None:
            if shown[-1:] != [text := _screen_text(screen)]:
                shown[:] = [text]
                commands.say(f"  screen: {text}")

        terminal.on_change = show
        show(terminal.screen)
        commands.listen()
        while await _do(terminal, await commands.next(), commands):
            pass


async def _do(terminal: Simulator, words: list[str], commands: Commands) -> bool:
    """Do what was typed. Returns whether the play goes on."""
    match words:
        case ["quit" | "exit"]:
            return False
        case ["off"]:
            await terminal.stop()
        case ["on"]:
            await terminal.restart()
        case ["charges"]:
            for charge in terminal.charges:
                commands.say(f"  {charge.charged_at} {charge.amount_rial} rial, trace {charge.stan}")
            commands.say(f"  charged: {len(terminal.charges)}")
        case []:
            pass
        case _:
            if not _press(terminal, words, commands):
                commands.say(f"  {' | '.join(KEYS)} | auto KEY | auto hand | off | on | charges | quit")
                commands.say(f"  fault {' | '.join(FAULTS)}")
    return True


def _press(terminal: Simulator, words: list[str], commands: Commands) -> bool:
    """Press a key or set a switch. Returns whether there is one of that name."""
    match words:
        case [("approve" | "decline" | "cancel") as key]:
            if not terminal.press(key):
                commands.say("  no sale waits for a key")
        case ["auto", ("approve" | "decline" | "cancel") as key]:
            terminal.set_auto(key)
        case ["auto", "hand"]:
            terminal.set_auto(None)
        case ["fault", fault] if fault in FAULTS:
            terminal.set_fault(fault)
        case _:
            return False
    return True


async def play_printer(
    profile: PrinterProfile, commands: Commands, *, host: str, port: int, pty: bool, papers: Path | None
) -> None:
    """Be that printer until `quit`. Raises OSError on a taken port."""
    printer = VirtualPrinter(host=host, port=port, profile=profile, folder=papers)
    await printer.start()
    cable: VirtualPrinter | None = None
    try:
        commands.say(f"{profile.name} at tcp://{host}:{printer.port}")
        if pty:
            cable = VirtualPrinter(profile=profile, folder=papers)
            commands.say(f"{profile.name} at serial://{cable.start_on_pty()}")
        commands.listen()
        while (words := await commands.next()) not in (["quit"], ["exit"]):
            _do_printing([one for one in (printer, cable) if one is not None], words, commands)
    finally:
        for one in (printer, cable):
            if one is not None:
                await one.close()


def _do_printing(printers: list[VirtualPrinter], words: list[str], commands: Commands) -> None:
    match words:
        case ["fault", fault] if fault in PRINTER_FAULTS:
            for printer in printers:
                printer.set_fault(fault)
        case ["mend"]:
            for printer in printers:
                printer.set_fault(None)
        case ["papers"]:
            commands.say(f"  papers: {sum(len(printer.pieces) for printer in printers)}")
            for printer in printers:
                for report in printer.reports:
                    commands.say(f"  {report}")
        case []:
            pass
        case _:
            commands.say(f"  fault {' | '.join(PRINTER_FAULTS)} | mend | papers | quit")
