"""Who speaks when in ZVT: the till gives an order, then only answers until the terminal says it is done. No I/O.

Orders wait for one another. Before the first on a link the till registers. What the terminal says meanwhile is
answered here, but for reports of transactions: those are answered by who knows what they mean.
"""

from collections import deque
from collections.abc import Iterable
from typing import Literal

import msgspec

from edge.devices.terminals.zvt import (
    POSITIVE,
    UNKNOWN_COMMAND,
    Aborted,
    Acknowledged,
    Completed,
    Printed,
    Progress,
    Refused,
    Status,
    decode,
)
from edge.devices.terminals.zvt_bytes import AnswerError, Apdu
from edge.devices.terminals.zvt_framing import Framer

CommandKind = Literal["register", "enquire", "repeat", "sale", "undo"]
MOVES_MONEY = frozenset({"sale", "undo"})


class Command(msgspec.Struct, kw_only=True):
    """An order to the terminal."""

    kind: CommandKind
    apdu: Apdu
    accepted: bool = False
    """The terminal said that it took it."""
    report: Status | None = None
    """What the terminal reported of it, the newest."""


class Reported(msgspec.Struct, frozen=True):
    """A transaction's report came; it waits for `Dialogue.reply`. Without a command: of none that runs."""

    command: Command | None
    status: Status


class Ended(msgspec.Struct, frozen=True):
    """A command is over. `unheard`: the terminal did not take its bytes."""

    command: Command
    how: Completed | Aborted | Refused | Literal["unheard"]


class Noise(msgspec.Struct, frozen=True):
    """Bytes came that are no message and may have been one."""


Happening = Reported | Ended | Noise


class Dialogue:
    """One link's conversation. At most one command runs."""

    def __init__(self, framer: Framer, registration: Apdu) -> None:
        self._framer = framer
        self._registration = registration
        self._registered = False
        self._queue: deque[Command] = deque()
        self._happened: list[Happening] = []
        self.running: Command | None = None
        self.terminal_number: str | None = None
        """The terminal's own number, as it said when the till registered."""

    # --- the verbs of the wire ---------------------------------------------------------------------------------------

    def receive_data(self, data: bytes, now_ms: int) -> None:
        """Take bytes as they came."""
        self._framer.receive_data(data, now_ms)
        self._work_off()

    def data_to_send(self) -> bytes:
        """Return the bytes that are to leave now; they are not given twice."""
        return self._framer.data_to_send()

    def deadline(self) -> int | None:
        """Return when `tick` has something to do, or None."""
        return self._framer.deadline()

    def tick(self, now_ms: int) -> None:
        """End what has waited long enough."""
        self._framer.tick(now_ms)
        self._work_off()

    def happened(self) -> list[Happening]:
        """Return what happened since the last call, in order."""
        happened, self._happened = self._happened, []
        return happened

    def reset(self) -> None:
        """Forget everything: the link is new, or gone."""
        self._framer.reset()
        self._registered = False
        self._queue.clear()
        self.running = None

    # --- what the till says ------------------------------------------------------------------------------------------

    def order(self, commands: Iterable[Command]) -> None:
        """Have commands run, one after another, after those that wait already."""
        self._queue.extend(commands)
        self.go_on()

    def drop_waiting(self) -> list[Command]:
        """Forget the commands that have not left; return them."""
        dropped = list(self._queue)
        self._queue.clear()
        return dropped

    def give_up(self) -> None:
        """Stop waiting for the end of what runs, and go on with what waits."""
        self.running = None
        self.go_on()

    def resume(self, command: Command) -> None:
        """Take up again a command that the terminal still works on."""
        self.running = command

    def reply(self, apdu: Apdu) -> None:
        """Answer a report, or say something in between."""
        self._framer.send(apdu)

    def go_on(self) -> None:
        """Give the next command that waits, if none runs. After an end, who waited for it calls this."""
        if self.running is not None or not self._queue:
            return
        if self._registered:
            self.running = self._queue.popleft()
        else:
            self.running = Command(kind="register", apdu=self._registration)
        self._framer.send(self.running.apdu, moves_money=self.running.kind in MOVES_MONEY)

    # --- what the terminal says --------------------------------------------------------------------------------------

    def _work_off(self) -> None:
        for found in self._framer.items():
            if found == "unheard":
                if self.running is not None and not self.running.accepted:
                    self._end("unheard")
            elif found == "noise":
                self._happened.append(Noise())
            else:
                self._hear(found)

    def _hear(self, apdu: Apdu) -> None:
        try:
            message = decode(apdu)
        except AnswerError:
            # It waits for an answer, and must not take a yes for something that nobody could read.
            self.reply(UNKNOWN_COMMAND)
            self._happened.append(Noise())
            return
        running = self.running
        # A command is taken before it is worked on: what is said sooner belongs to something that began before.
        began = running is not None and running.accepted
        match message:
            case Acknowledged():
                if running is not None:
                    running.accepted = True
            case Refused():
                if running is not None and not running.accepted:
                    self._end(message)
            case Progress() | Printed():
                self.reply(POSITIVE)
            case Status():
                self._happened.append(Reported(running if began else None, message))
            case Completed() | Aborted():
                self.reply(POSITIVE)
                if began:
                    self._end(message)
            case _:
                self.reply(UNKNOWN_COMMAND)

    def _end(self, how: Completed | Aborted | Refused | Literal["unheard"]) -> None:
        command, self.running = self.running, None
        if command is None:
            return
        if command.kind == "register" and isinstance(how, Completed):
            self._registered = True
            self.terminal_number = how.terminal_number or self.terminal_number
        self._happened.append(Ended(command, how))
