"""What stands on the desk right now, in the form the page, the control API and the live stream all use."""

from collections.abc import Sequence
from typing import Final, Literal, Protocol, get_args

import msgspec

from daftar.demo.desk.line import LineState

TerminalKey = Literal["approve", "decline", "cancel"]
TerminalMode = Literal[
    "good", "go_silent", "answer_late", "die_after_charging", "no_link_to_centre", "wrong_amount", "wrong_reference"
]
TERMINAL_MODES: Final[tuple[TerminalMode, ...]] = get_args(TerminalMode)
TerminalMood = Literal[
    "idle", "waiting", "approved", "declined", "cancelled", "silent", "late", "dead", "lonely", "confused"
]
PrinterFault = Literal["no_paper", "cover_open", "off"]
PRINTER_FAULTS: Final[tuple[PrinterFault, ...]] = get_args(PrinterFault)


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """Money the virtual terminal really took. `local_date` (Gregorian `YYYY-MM-DD`), `local_time` (`HH:MM:SS`): Tehran."""

    amount_rial: int
    stan: str
    rrn: str
    terminal_number: str
    merchant_number: str
    pan_masked: str
    local_date: str
    local_time: str


class TerminalShown(msgspec.Struct, frozen=True, kw_only=True):
    """The terminal as one sees it. `says` names the sentence in its bubble (texts.toml, `say_terminal_…`)."""

    lines: list[str]
    amount_rial: int | None
    waiting: bool
    mode: TerminalMode
    auto: bool
    mood: TerminalMood
    says: str
    connected: bool
    charged_count: int
    charged_rial: int


class PrinterShown(msgspec.Struct, frozen=True, kw_only=True):
    """The printer as one sees it. `shown_paper` is the number of the paper that hangs out of it, from 1."""

    fault: PrinterFault | None
    paper_count: int
    shown_paper: int | None


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """Where the box finds the things."""

    terminal: int
    printer: int
    line: int


class DeskState(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    terminal: TerminalShown
    printer: PrinterShown
    line: LineState
    ports: Ports


class TerminalOnDesk(Protocol):
    """What the desk asks of its terminal."""

    @property
    def port(self) -> int:
        """The port the box connects to."""

    async def start(self) -> None:
        """Begin to listen."""

    async def close(self) -> None:
        """Stop listening; what was charged stays remembered."""

    def shown(self) -> TerminalShown:
        """Return the terminal as one sees it."""

    def press(self, key: TerminalKey) -> None:
        """Press a key; without an amount waiting nothing happens."""

    def set_mode(self, mode: TerminalMode) -> None:
        """Give it a good or a bad day."""

    def set_auto(self, *, auto: bool) -> None:
        """Let it approve by itself, or wait for a hand."""

    def charges(self) -> Sequence[Charge]:
        """Return what it really charged, oldest first."""


class PrinterOnDesk(Protocol):
    """What the desk asks of its printer."""

    @property
    def port(self) -> int:
        """The port the box connects to."""

    async def start(self) -> None:
        """Begin to listen."""

    async def close(self) -> None:
        """Stop listening."""

    def shown(self) -> PrinterShown:
        """Return the printer as one sees it."""

    def set_fault(self, fault: PrinterFault | None) -> None:
        """Break it in one way, or mend it."""

    def tear(self) -> None:
        """Tear off the paper that hangs out."""

    def paper(self, number: int) -> bytes | None:
        """Return the picture of a printed paper as PNG, or None."""
