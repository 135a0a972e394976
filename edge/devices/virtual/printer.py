"""A receipt printer that is a program: it takes ESC/POS over TCP or a serial line and keeps the paper as pictures.

For the demo desk, for training and for the tests of the driver. It behaves as the real ones do where that matters: it
takes one connection at a time, buffers, answers `DLE EOT` past the queue and `GS r` in its turn, stops printing
without paper but keeps what it was sent, and forgets everything when it loses power. A profile makes it that model: its
paper and blade, what it answers and what not, and a report of what that model could not have done.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

import msgspec

from edge.devices.virtual.escpos_paper import (
    AskInTurn,
    AskName,
    AskNow,
    Command,
    CommandReader,
    Cut,
    Feed,
    Initialise,
    Paper,
    Pulse,
    Raster,
    SpeakUnasked,
    Unknown,
)
from edge.devices.virtual.pty_line import PtyLine
from firmware_profiles.printer_profile import PrinterProfile

PrinterFault = Literal[
    "no_paper", "cover_open", "near_end", "cutter", "silent", "no_answer", "marker_lost", "die_mid_job", "off"
]
"""A bad day, one at a time. `silent`: takes bytes, says nothing, prints nothing. `no_answer`: prints, says nothing.
`marker_lost`: prints and says how it is, but not that a job is through. `die_mid_job`: loses power after the
next band of a picture, and is `off` from then on."""

_STATUS: Final[dict[str, dict[int, int]]] = {
    "no_paper": {1: 0x1A, 2: 0x32, 3: 0x12, 4: 0x72},
    "cover_open": {1: 0x1A, 2: 0x16, 3: 0x12, 4: 0x12},
    "near_end": {1: 0x12, 2: 0x12, 3: 0x12, 4: 0x1E},
    "cutter": {1: 0x1A, 2: 0x52, 3: 0x1A, 4: 0x12},
}
"""Answers to `DLE EOT 1`..`4` on a bad day; on a good one all four are 0x12."""
_ALL_WELL: Final = 0x12
_STATUS_QUESTIONS: Final = (1, 2, 3, 4)
_STOPS_PRINTING: Final = frozenset({"no_paper", "cover_open", "cutter"})
_AUTOMATIC: Final[dict[str, bytes]] = {
    "no_paper": bytes((0x18, 0x00, 0x0F, 0x00)),
    "cover_open": bytes((0x38, 0x00, 0x00, 0x00)),
    "near_end": bytes((0x10, 0x00, 0x03, 0x00)),
    "cutter": bytes((0x18, 0x08, 0x00, 0x00)),
}
"""Automatic status on a bad day."""
_AUTOMATIC_WELL: Final = bytes((0x10, 0x00, 0x00, 0x00))
_PAPER_NEAR_END: Final = 0x03
"""The paper sensor's bits in the answer to `GS r 1`."""
_MAKER: Final = 66
_MODEL: Final = 67
_REPORTS_MAX: Final = 100
_READ_BYTES: Final = 4096


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A paper that was cut or torn off, as PNG. Numbers start at 1 and go on over restarts when there is a folder."""

    number: int
    png: bytes


class _Client:
    """Whoever is at the other end, and what they have sent so far."""

    def __init__(self, send: Callable[[bytes], None], drop: Callable[[], None]) -> None:
        self.reader = CommandReader()
        self.drop = drop
        self.unheard = False
        self._send = send

    def answer(self, *answer: int) -> None:
        """Say something, unless it is a day on which nothing is said."""
        if not self.unheard:
            self._send(bytes(answer))


class VirtualPrinter:
    """One virtual printer. Everything runs on the event loop that called `start`."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        width_dots: int = 576,
        profile: PrinterProfile | None = None,
        folder: Path | None = None,
        pieces_max: int = 30,
        speaks_unasked: bool = False,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.reports: list[str] = []
        """Unknown commands, lost dots and what the model cannot do, oldest first."""
        self.drawer_openings = 0
        """How often a cash drawer would have sprung open."""
        self._host = host
        self._port = port
        self._folder = folder
        self._on_change = on_change
        self._fault: PrinterFault | None = None
        self._speaks_unasked = speaks_unasked
        self._profile = profile
        self._paper = Paper(width_dots if profile is None else profile.paper.printable_dots)
        self._pty: PtyLine | None = None
        self._queue: deque[tuple[Command, _Client]] = deque()
        self._clients: set[_Client] = set()
        self._turn = asyncio.Lock()
        self._server: asyncio.Server | None = None
        self._opening: asyncio.Task[None] | None = None
        self._pieces: deque[Piece] = deque(_load(folder)[:pieces_max], maxlen=pieces_max)
        self._number = self._pieces[0].number if self._pieces else 0
        self._hanging: int | None = None

    @property
    def port(self) -> int:
        """The port it listens on; with 0 given, known after `start`."""
        return self._port

    @property
    def fault(self) -> PrinterFault | None:
        """The bad day it has."""
        return self._fault

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The kept papers, newest first."""
        return tuple(self._pieces)

    @property
    def hanging(self) -> int | None:
        """The number of the paper that hangs out of it, until it is torn off or the next one comes."""
        return self._hanging

    @property
    def uncut_dots(self) -> int:
        """How much paper is out and not cut: what an interrupted job left."""
        return self._paper.length_dots

    def paper(self, number: int) -> bytes | None:
        """Return the picture of one paper, or None when it is not kept."""
        return next((piece.png for piece in self._pieces if piece.number == number), None)

    async def start(self) -> None:
        """Begin to listen. Raises OSError on a taken port."""
        await self._listen(self._bind())

    def start_on_pty(self) -> str:
        """Make a serial line, listen on it and return the path of its other end. Raises OSError."""

        def take(data: bytes) -> None:
            self._take(client, data)

        line = PtyLine(take)

        def forget() -> None:
            client.reader = CommandReader()

        client = _Client(line.write, forget)
        self._clients.add(client)
        self._pty = line
        return line.open()

    async def close(self) -> None:
        """Stop listening and drop whoever is connected."""
        if self._pty is not None:
            self._pty.close()
        if self._opening is not None:
            await self._opening
        server = self._server
        self._lose_power()
        if server is not None:
            await server.wait_closed()

    def set_fault(self, fault: PrinterFault | None) -> None:
        """Break it in one way, or mend it. Mending goes on with what waits, except after it was off."""
        was_off, self._fault = self._fault == "off", fault
        if fault == "off":
            self._lose_power()
        elif was_off and self._pty is None:
            self._opening = asyncio.get_running_loop().create_task(self._listen(self._bind()))
        self._work()
        self._on_change()

    def tear(self) -> None:
        """Tear off what hangs out; on a printer without cutter this is what ends a paper."""
        self._end_piece()
        self._hanging = None
        self._on_change()

    def _bind(self) -> socket.socket:
        listener = socket.create_server((self._host, self._port))
        self._port = listener.getsockname()[1]
        return listener

    async def _listen(self, listener: socket.socket) -> None:
        self._server = await asyncio.start_server(self._serve, sock=listener)

    def _lose_power(self) -> None:
        """Refuse connections, drop the ones there are, forget what was not printed yet."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for client in self._clients:
            client.drop()
        self._queue.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = _Client(lambda data: None if writer.is_closing() else writer.write(data), writer.transport.abort)
        self._clients.add(client)
        self._speak_unasked(client)
        try:
            async with self._turn:
                while data := await reader.read(_READ_BYTES):
                    self._take(client, data)
        except ConnectionError:
            pass  # whoever it was is gone; what was sent stays in the buffer
        finally:
            self._clients.discard(client)
            writer.close()

    def _take(self, client: _Client, data: bytes) -> None:
        if self._fault in ("silent", "off"):
            return
        client.unheard = self._fault == "no_answer"
        for command in client.reader.read(data):
            if isinstance(command, AskNow):
                self._answer_now(client, command.question)
            else:
                self._queue.append((command, client))
        self._work()

    def _speak_unasked(self, client: _Client) -> None:
        if self._speaks_unasked:
            client.answer(*_AUTOMATIC.get(self._fault or "", _AUTOMATIC_WELL))

    def _answer_now(self, client: _Client, question: int) -> None:
        if self._profile is not None and not self._profile.answers.real_time_status:
            return
        if question not in _STATUS_QUESTIONS:
            self._report(f"DLE EOT {question} is not a question")
            return
        client.answer(_STATUS.get(self._fault or "", {}).get(question, _ALL_WELL))

    def _work(self) -> None:
        """Print what waits, as long as it can."""
        while self._queue and (self._fault not in _STOPS_PRINTING or isinstance(self._queue[0][0], SpeakUnasked)):
            command, client = self._queue.popleft()
            self._do(command, client)

    def _set_speaking(self, client: _Client, *, on: bool) -> None:
        """Speak unasked from now on, and at once; or no more."""
        if self._profile is None or self._profile.answers.automatic_status:
            self._speaks_unasked = on
            self._speak_unasked(client)

    def _do(self, command: Command, client: _Client) -> None:
        match command:
            case Raster():
                self._print(command, client)
            case Feed():
                self._paper.feed(command.dots)
            case Cut():
                self._cut(command)
            case Pulse():
                self.drawer_openings += 1
                self._on_change()
            case AskName():
                self._tell_name(client, command.question)
            case AskInTurn():
                self._answer_in_turn(client, command.question)
            case SpeakUnasked():
                self._set_speaking(client, on=command.on)
            case Unknown():
                self._report(f"unknown command {command.data.hex(' ')}")
            case Initialise() | AskNow():
                return

    def _print(self, raster: Raster, client: _Client) -> None:
        self._speak_unasked(client)
        if not self._paper.print(raster.rows):
            self._report("dots past the end of the head are lost")
        if self._profile is not None and len(raster.rows) > self._profile.raster.band_dots:
            self._report(f"a picture of {len(raster.rows)} rows is more than the memory takes")
        if self._fault == "die_mid_job":
            self.set_fault("off")

    def _cut(self, cut: Cut) -> None:
        if self._profile is not None and self._profile.cut.cutter in ("none", "automatic"):
            self._report("a cut command prints its letters here")
            return
        self._paper.feed(cut.feed_dots)
        self._end_piece()

    def _tell_name(self, client: _Client, question: int) -> None:
        """Say its maker or model: `_`, words, a zero. A model whose profile names none says nothing."""
        if self._profile is None or question not in (_MAKER, _MODEL) or not self._profile.marks.names:
            return
        said = self._profile.identity.maker.upper() if question == _MAKER else self._profile.marks.names[0]
        client.answer(*b"_" + said.encode("ascii") + b"\0")

    def _answer_in_turn(self, client: _Client, question: int) -> None:
        if question != 1:
            self._report(f"GS r {question} is not answered here")
            return
        if self._profile is not None and not self._profile.answers.end_of_job:
            return
        if self._fault != "marker_lost":
            client.answer(_PAPER_NEAR_END if self._fault == "near_end" else 0)
        if self._profile is not None and self._profile.cut.cutter == "automatic":
            self._end_piece()

    def _end_piece(self) -> None:
        png = self._paper.cut()
        if png is None:
            return
        self._number += 1
        piece = Piece(number=self._number, png=png)
        self._pieces.appendleft(piece)
        self._hanging = piece.number
        if self._folder is not None:
            _keep(self._folder, piece, self._pieces)
        self._on_change()

    def _report(self, what: str) -> None:
        if len(self.reports) < _REPORTS_MAX:
            self.reports.append(what)
            self._on_change()


def _load(folder: Path | None) -> list[Piece]:
    """Return the papers of a folder, newest first."""
    if folder is None or not folder.is_dir():
        return []
    files = sorted(folder.glob("paper-*.png"), reverse=True)
    return [Piece(number=int(file.stem.removeprefix("paper-")), png=file.read_bytes()) for file in files]


def _keep(folder: Path, piece: Piece, pieces: deque[Piece]) -> None:
    """Write one paper and remove those that are no longer kept."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"paper-{piece.number:06}.png").write_bytes(piece.png)
    oldest = pieces[-1].number
    for file in folder.glob("paper-*.png"):
        if int(file.stem.removeprefix("paper-")) < oldest:
            file.unlink()
