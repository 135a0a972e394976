"""What stands on the desk right now, in the form the page, the control API and the live stream all use."""

from typing import Final, Literal

import msgspec

from central.providers.sandbox_messages import Messages
from daftar.demo.desk.line import LineState
from edge.devices.virtual.printer import PrinterFault, VirtualPrinter
from edge.devices.virtual.simulators import Simulator
from edge.devices.virtual.terminal_screen import Fault, Screen

TerminalMood = Literal[
    "idle", "waiting", "approved", "declined", "cancelled", "silent", "late", "dead", "lonely", "confused"
]

SHOWN_TERMINAL_FAULTS: Final[tuple[Fault, ...]] = (
    "none",
    "go_silent",
    "answer_late",
    "die_after_charging",
    "no_link_to_centre",
    "wrong_amount",
    "wrong_reference",
)
"""Those with a switch on the page; the control API takes all of them."""
SHOWN_PRINTER_FAULTS: Final[tuple[PrinterFault, ...]] = ("no_paper", "cover_open", "off", "die_mid_job")

_MOOD_OF_RESULT: Final[dict[str, TerminalMood]] = {
    "پرداخت موفق": "approved",
    "موجودی کافی نیست": "declined",
    "انصراف مشتری": "cancelled",
    "تراکنش لغو شد": "cancelled",
    "خطای ارتباط با مرکز": "lonely",
}
"""By what the terminal's screen says of the sale before."""
_MOOD_OF_FAULT: Final[dict[Fault, TerminalMood]] = {
    "none": "idle",
    "go_silent": "silent",
    "answer_late": "late",
    "die_after_charging": "idle",
    "no_link_to_centre": "lonely",
    "wrong_amount": "confused",
    "wrong_reference": "confused",
    "wrong_terminal_number": "confused",
    "bad_crc": "confused",
    "split_segments": "idle",
}
_MESSAGES_SHOWN: Final = 4
_SENTENCES: Final = frozenset({*SHOWN_TERMINAL_FAULTS, "idle", "waiting", "approved", "declined", "cancelled", "dead"})


class TerminalShown(msgspec.Struct, frozen=True, kw_only=True):
    """The terminal as one sees it. `says` names the sentence in its bubble (texts.toml, `say_terminal_…`)."""

    phase: str
    """off, idle, waiting_card, processing."""
    lines: tuple[str, ...]
    last: str
    amount_rial: int | None
    waiting: bool
    mode: Fault
    auto: bool
    mood: TerminalMood
    says: str
    connections: int
    charged_count: int
    charged_rial: int


class PrinterShown(msgspec.Struct, frozen=True, kw_only=True):
    """The printer as one sees it. `shown_paper` is the number of the paper that hangs out of it, from 1."""

    fault: PrinterFault | None
    paper_count: int
    shown_paper: int | None
    reports: tuple[str, ...]
    """What it could not understand."""


class MessageShown(msgspec.Struct, frozen=True, kw_only=True):
    """A text message on the telephone."""

    to: str
    text: str


class PhoneShown(msgspec.Struct, frozen=True, kw_only=True):
    """The customers' telephone: every number is this one."""

    count: int
    messages: tuple[MessageShown, ...]
    """The newest, newest first."""


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """Where the box finds the things."""

    terminal: int
    """The first of `terminals`."""
    terminals: tuple[int, ...]
    printer: int
    line: int


class DeskState(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    terminal: TerminalShown
    """The first of `terminals`."""
    terminals: tuple[TerminalShown, ...]
    printer: PrinterShown
    phone: PhoneShown
    line: LineState
    ports: Ports


def _mood(screen: Screen) -> TerminalMood:
    match screen.phase:
        case "off":
            return "dead"
        case "waiting_card":
            return "waiting"
        case "processing":
            return "late"
        case "idle":
            return _MOOD_OF_RESULT.get(screen.last) or _MOOD_OF_FAULT[screen.fault]


def _says(screen: Screen, mood: TerminalMood) -> str:
    """Return the sentence: what just happened, else the bad day it has, else what it waits for."""
    sentence: str
    if mood == "dead" or screen.last:
        sentence = "no_link_to_centre" if mood == "lonely" else mood
    else:
        sentence = mood if screen.fault == "none" else screen.fault
    return sentence if sentence in _SENTENCES else "idle"


def terminal_shown(terminal: Simulator) -> TerminalShown:
    """Return the terminal as one sees it now."""
    screen = terminal.screen
    mood = _mood(screen)
    return TerminalShown(
        phase=screen.phase,
        lines=screen.lines,
        last=screen.last,
        amount_rial=screen.amount_rial,
        waiting=screen.waiting,
        mode=screen.fault,
        auto=screen.auto == "approve",
        mood=mood,
        says=_says(screen, mood),
        connections=screen.connections,
        charged_count=len(terminal.charges),
        charged_rial=sum(charge.amount_rial for charge in terminal.charges),
    )


def printer_shown(printer: VirtualPrinter) -> PrinterShown:
    """Return the printer as one sees it now."""
    return PrinterShown(
        fault=printer.fault,
        paper_count=printer.pieces[0].number if printer.pieces else 0,
        shown_paper=printer.hanging,
        reports=tuple(printer.reports),
    )


def phone_shown(messages: Messages) -> PhoneShown:
    """Return the telephone as one sees it now."""
    newest = reversed(messages.kept[-_MESSAGES_SHOWN:])
    return PhoneShown(
        count=len(messages.kept), messages=tuple(MessageShown(to=one.to, text=one.text) for one in newest)
    )
