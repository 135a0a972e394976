"""ESC/POS read by a stranger: bytes to commands, commands to paper. Shares no code with what writes them.

Written from the command reference of such printers, for the commands a raster receipt needs. A command it does not know
is reported, never passed over in silence: a real printer would print its letters.
"""

from collections.abc import Callable
from io import BytesIO
from typing import Final

import msgspec
from PIL import Image


class Initialise(msgspec.Struct, frozen=True):
    """ESC @: forget what was set. Paper that is out stays out."""


class Raster(msgspec.Struct, frozen=True):
    """GS v 0: `rows` of dots, a set bit is black, the leftmost dot is the highest bit."""

    rows: tuple[bytes, ...]


class Feed(msgspec.Struct, frozen=True):
    """ESC J, ESC d, LF: white paper, in dots."""

    dots: int


class Cut(msgspec.Struct, frozen=True):
    """GS V: feed that many dots, then cut."""

    feed_dots: int = 0


class AskNow(msgspec.Struct, frozen=True):
    """DLE EOT n: answered at once, past the queue."""

    question: int


class AskInTurn(msgspec.Struct, frozen=True):
    """GS r n: answered when everything before it is done."""

    question: int


class AskName(msgspec.Struct, frozen=True):
    """GS I n: what are you, in words: 66 the maker, 67 the model."""

    question: int


class SpeakUnasked(msgspec.Struct, frozen=True):
    """GS a n: send automatic status from now on, or with 0 no more."""

    on: bool


class Pulse(msgspec.Struct, frozen=True):
    """ESC p: the drawer's pulse on a pin of its socket, in milliseconds."""

    pin: int
    on_ms: int
    off_ms: int


class Unknown(msgspec.Struct, frozen=True):
    """Bytes that are no command we know."""

    data: bytes


Command = Initialise | Raster | Feed | Cut | AskNow | AskInTurn | AskName | SpeakUnasked | Pulse | Unknown

_LINE_DOTS: Final = 34
"""The line spacing printers start with: a sixth of an inch at 203 dots an inch."""

_COMMANDS: Final[dict[bytes, tuple[int, Callable[[bytes], Command]]]] = {
    b"\n": (1, lambda _: Feed(_LINE_DOTS)),
    b"\x10\x04": (3, lambda data: AskNow(data[2])),
    b"\x1b@": (2, lambda _: Initialise()),
    b"\x1bJ": (3, lambda data: Feed(data[2])),
    b"\x1bd": (3, lambda data: Feed(data[2] * _LINE_DOTS)),
    b"\x1bp\x00": (5, lambda data: Pulse(2, data[3] * 2, data[4] * 2)),
    b"\x1bp\x01": (5, lambda data: Pulse(5, data[3] * 2, data[4] * 2)),
    b"\x1da": (3, lambda data: SpeakUnasked(data[2] != 0)),
    b"\x1dI": (3, lambda data: AskName(data[2])),
    b"\x1dr": (3, lambda data: AskInTurn(data[2])),
    b"\x1dV\x00": (3, lambda _: Cut()),
    b"\x1dV\x01": (3, lambda _: Cut()),
    b"\x1dV0": (3, lambda _: Cut()),
    b"\x1dV1": (3, lambda _: Cut()),
    b"\x1dVA": (4, lambda data: Cut(data[3])),
    b"\x1dVB": (4, lambda data: Cut(data[3])),
}
"""How a command begins, its length in bytes, and what it is."""
_RASTER: Final = b"\x1dv0"
_RASTER_HEADER: Final = 8
_RASTER_PLAIN: Final = b"\x000"
"""Modes of GS v 0 that print one dot for one dot; the others double."""
_BEGINNINGS: Final = (*_COMMANDS, _RASTER)
_PREFIXES: Final = b"\x10\x1b\x1d"
"""DLE, ESC and GS begin commands of two bytes or more."""
_DOTS_A_BYTE: Final = 8


class CommandReader:
    """Bytes in, whole commands out; what is incomplete waits for more."""

    def __init__(self) -> None:
        self._held = bytearray()

    def read(self, data: bytes) -> list[Command]:
        """Return the commands that are complete now."""
        self._held += data
        commands: list[Command] = []
        while self._held:
            found = self._next()
            if found is None:
                break
            command, size = found
            commands.append(command)
            del self._held[:size]
        return commands

    def _next(self) -> tuple[Command, int] | None:
        """Return the first command and its length, or None when bytes of it are still to come."""
        held = self._held
        if held.startswith(_RASTER):
            return self._raster()
        for beginning, (size, make) in _COMMANDS.items():
            if held.startswith(beginning):
                return (make(bytes(held[:size])), size) if len(held) >= size else None
        if any(beginning.startswith(held) for beginning in _BEGINNINGS):
            return None
        size = 2 if held[0] in _PREFIXES else 1
        return Unknown(bytes(held[:size])), size

    def _raster(self) -> tuple[Command, int] | None:
        held = self._held
        if len(held) < _RASTER_HEADER:
            return None
        row_bytes = int.from_bytes(held[4:6], "little")
        row_count = int.from_bytes(held[6:8], "little")
        size = _RASTER_HEADER + row_bytes * row_count
        if len(held) < size:
            return None
        if held[3] not in _RASTER_PLAIN or size == _RASTER_HEADER:
            return Unknown(bytes(held[:_RASTER_HEADER])), size
        starts = range(_RASTER_HEADER, size, row_bytes)
        return Raster(tuple(bytes(held[start : start + row_bytes]) for start in starts)), size


class Paper:
    """The strip that comes out below the head, not yet cut."""

    def __init__(self, width_dots: int) -> None:
        self.width_dots = width_dots
        self._row_bytes = width_dots // _DOTS_A_BYTE
        self._rows: list[bytes] = []

    @property
    def length_dots(self) -> int:
        """How much of it is out."""
        return len(self._rows)

    def feed(self, dots: int) -> None:
        """Move white paper out."""
        self._rows += [bytes(self._row_bytes)] * dots

    def print(self, rows: tuple[bytes, ...]) -> bool:
        """Burn rows of dots; return False when they reach past the head, where dots are lost."""
        self._rows += [row[: self._row_bytes].ljust(self._row_bytes, b"\0") for row in rows]
        return all(not any(row[self._row_bytes :]) for row in rows)

    def cut(self) -> bytes | None:
        """Return the strip as a PNG, black on white, and begin a new one; None when nothing is out."""
        if not self._rows:
            return None
        burnt = Image.frombytes("1", (self.width_dots, len(self._rows)), b"".join(self._rows))
        self._rows.clear()
        png = BytesIO()
        burnt.point([255] + [0] * 255).save(png, format="PNG", optimize=True)
        return png.getvalue()
