"""How ZVT's messages cross a link: bare over the network, framed and acknowledged over a serial line. No I/O.

Over the network a message says how long it is, and nothing else stands around it. Over a serial line it is

    DLE STX | message, each DLE doubled | DLE ETX | CRC low | CRC high

with a CRC-16 (polynomial 8408 reflected, from zero) over the message and ETX. Each frame is answered by one byte, ACK
or NAK, and sent again when it was not: twice at most. A message that moves money is repeated only when the other side
says that it came broken: on silence it may have arrived.
"""

from collections import deque
from typing import Final, Literal, Protocol

from edge.devices.terminals.zvt_bytes import (
    APDU_BYTES_MAX,
    AnswerError,
    Apdu,
    encode_apdu,
    read_apdu,
    split_apdu,
)

Found = Apdu | Literal["noise", "unheard"]
"""A message; bytes that are none and may have been one; a message of ours that the other side did not take."""

STX: Final = 0x02
ETX: Final = 0x03
ACK: Final = 0x06
DLE: Final = 0x10
NAK: Final = 0x15
REPEATS_MAX: Final = 2
AT_ONCE_MS: Final = 0
"""A deadline that is over: `tick` is wanted now."""


class Framer(Protocol):
    """Messages in, messages out, time as a number."""

    def send(self, apdu: Apdu, *, moves_money: bool = False) -> None:
        """Have a message leave, after those before it."""

    def data_to_send(self) -> bytes:
        """Return the bytes that are to leave now; they are not given twice."""

    def receive_data(self, data: bytes, now_ms: int) -> None:
        """Take bytes as they came."""

    def items(self) -> list[Found]:
        """Return what was found since the last call, in order."""

    def deadline(self) -> int | None:
        """Return when `tick` has something to do, or None."""

    def tick(self, now_ms: int) -> None:
        """End what has waited long enough."""

    def reset(self) -> None:
        """Forget what was begun: the link is new, or gone."""


class BareFramer:
    """Messages over the network. After bytes that are none, the rest of the link says nothing any more."""

    def __init__(self, gap_ms: int) -> None:
        self._gap_ms = gap_ms
        self._buffer = b""
        self._heard_ms = 0
        self._outgoing = b""
        self._items: list[Found] = []
        self._spoilt = False

    def send(self, apdu: Apdu, *, moves_money: bool = False) -> None:  # noqa: ARG002 - nothing is sent twice
        """Have a message leave."""
        self._outgoing += encode_apdu(apdu)

    def data_to_send(self) -> bytes:
        """Return the bytes that are to leave now."""
        data, self._outgoing = self._outgoing, b""
        return data

    def receive_data(self, data: bytes, now_ms: int) -> None:
        """Take bytes as they came: in any split, several messages in one piece."""
        if self._spoilt:
            return
        self._buffer += data
        self._heard_ms = now_ms
        try:
            while (found := split_apdu(self._buffer)) is not None:
                apdu, size = found
                self._buffer = self._buffer[size:]
                self._items.append(apdu)
        except AnswerError:
            self._spoil()

    def items(self) -> list[Found]:
        """Return what was found since the last call, in order. The first noise is the last item."""
        found, self._items = self._items, []
        return found

    def deadline(self) -> int | None:
        """Return when a begun message counts as cut, or None."""
        return self._heard_ms + self._gap_ms if self._buffer else None

    def tick(self, now_ms: int) -> None:
        """Give up a begun message whose rest did not come."""
        due = self.deadline()
        if due is not None and now_ms >= due:
            self._spoil()

    def reset(self) -> None:
        """Forget what was begun."""
        self._buffer = self._outgoing = b""
        self._spoilt = False

    def _spoil(self) -> None:
        self._buffer = b""
        self._spoilt = True
        self._items.append("noise")


def crc(data: bytes) -> int:
    """Return the CRC-16 of a message and its ETX, without the bytes that only frame it."""
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x8408 if value & 1 else 0)
    return value


def encode_frame(apdu: Apdu) -> bytes:
    """Return the frame of a message on a serial line."""
    plain = encode_apdu(apdu)
    doubled = plain.replace(bytes([DLE]), bytes([DLE, DLE]))
    return bytes([DLE, STX]) + doubled + bytes([DLE, ETX]) + crc(plain + bytes([ETX])).to_bytes(2, "little")


class FrameReader:
    """Finds frames in a serial line's bytes, one byte after another."""

    def __init__(self) -> None:
        self._inside = False
        self._escaped = False
        self._plain = bytearray()
        self._tail: bytearray | None = None

    @property
    def begun(self) -> bool:
        """Return whether a frame is under way."""
        return self._inside or self._escaped or self._tail is not None

    def reset(self) -> None:
        """Forget a begun frame."""
        self.__init__()  # type: ignore[misc]

    def take(self, byte: int) -> Apdu | Literal["ack", "nak", "broken"] | None:
        """Take one byte; return what it completes. What stands outside of frames and is no answer is line noise."""
        if self._tail is not None:
            return self._take_tail(self._tail, byte)
        if self._escaped:
            return self._take_escaped(byte)
        if byte == DLE:
            self._escaped = True
        elif self._inside:
            self._plain.append(byte)
            if len(self._plain) > APDU_BYTES_MAX:
                self.reset()
                return "broken"
        elif byte in {ACK, NAK}:
            return "ack" if byte == ACK else "nak"
        return None

    def _take_escaped(self, byte: int) -> Literal["broken"] | None:
        self._escaped = False
        if byte == STX:
            # As data a DLE is doubled: another frame begins, whatever became of the one before.
            self._inside, self._plain = True, bytearray()
        elif self._inside and byte == DLE:
            self._plain.append(DLE)
        elif self._inside and byte == ETX:
            self._tail = bytearray()
        elif self._inside:
            self.reset()
            return "broken"
        return None

    def _take_tail(self, tail: bytearray, byte: int) -> Apdu | Literal["broken"] | None:
        tail.append(byte)
        if len(tail) < 2:  # noqa: PLR2004 - the CRC's bytes
            return None
        plain = bytes(self._plain)
        self.reset()
        if int.from_bytes(tail, "little") != crc(plain + bytes([ETX])):
            return "broken"
        try:
            return read_apdu(plain)
        except AnswerError:
            return "broken"


class SerialFramer:
    """Messages over a serial line, one at a time, each acknowledged."""

    def __init__(self, *, gap_ms: int, answer_ms: int) -> None:
        self._gap_ms = gap_ms
        self._answer_ms = answer_ms
        self._reader = FrameReader()
        self._items: list[Found] = []
        self._replies = b""
        self._heard_ms = 0
        self._waiting: deque[tuple[bytes, bool]] = deque()
        self._current: tuple[bytes, bool] | None = None
        self._to_write = False
        self._sent = 0
        self._due_ms: int | None = None
        self._broken = 0
        self._newest: Apdu | None = None

    def send(self, apdu: Apdu, *, moves_money: bool = False) -> None:
        """Have a message leave when those before it were taken."""
        self._waiting.append((encode_frame(apdu), moves_money))

    def data_to_send(self) -> bytes:
        """Return the bytes that are to leave now: answers to frames first, then a frame of ours."""
        if self._current is None and self._waiting:
            self._current, self._sent, self._to_write = self._waiting.popleft(), 0, True
        data, self._replies = self._replies, b""
        if self._current is not None and self._to_write:
            data += self._current[0]
            self._to_write = False
            self._sent += 1
            self._due_ms = None
        return data

    def receive_data(self, data: bytes, now_ms: int) -> None:
        """Take bytes as they came."""
        self._cut(now_ms)
        self._heard_ms = now_ms
        for byte in data:
            match self._reader.take(byte):
                case Apdu() as apdu:
                    self._whole(apdu)
                case "ack":
                    self._current = None
                case "nak":
                    self._again()
                case "broken":
                    self._refuse()
                case None:
                    pass

    def items(self) -> list[Found]:
        """Return what was found since the last call, in order."""
        found, self._items = self._items, []
        return found

    def deadline(self) -> int | None:
        """Return when a begun frame counts as cut, or one of ours as not answered."""
        dues = (
            self._heard_ms + self._gap_ms if self._reader.begun else None,
            (self._due_ms or AT_ONCE_MS) if self._current is not None and not self._to_write else None,
        )
        return min((due for due in dues if due is not None), default=None)

    def tick(self, now_ms: int) -> None:
        """Refuse a frame that was cut; send one of ours again, or give it up, that nobody answered."""
        self._cut(now_ms)
        if self._current is None or self._to_write:
            return
        if self._due_ms is None:
            # What left has no time of its own: it is waited for from the first moment that is known after it.
            self._due_ms = now_ms + self._answer_ms
        elif now_ms >= self._due_ms:
            if self._current[1]:
                self._give_up()
            else:
                self._again()

    def reset(self) -> None:
        """Forget what was begun, and what was to leave."""
        self._reader.reset()
        self._replies = b""
        self._waiting.clear()
        self._current = self._newest = None
        self._broken = 0

    # --- frames of the terminal --------------------------------------------------------------------------------------

    def _whole(self, apdu: Apdu) -> None:
        self._replies += bytes([ACK])
        self._broken = 0
        if self._current is not None and not self._to_write:
            if apdu == self._newest:
                # It did not hear our ACK; what we answered it will have to hear again, too.
                return
            # Who goes on has heard us, whatever became of its ACK.
            self._current = None
        self._newest = apdu
        self._items.append(apdu)

    def _cut(self, now_ms: int) -> None:
        if self._reader.begun and now_ms >= self._heard_ms + self._gap_ms:
            self._reader.reset()
            self._refuse()

    def _refuse(self) -> None:
        self._broken += 1
        self._replies += bytes([NAK])
        if self._broken > REPEATS_MAX:
            self._broken = 0
            self._items.append("noise")

    # --- frames of ours ----------------------------------------------------------------------------------------------

    def _again(self) -> None:
        if self._current is None or self._to_write:
            return
        if self._sent > REPEATS_MAX:
            self._give_up()
        else:
            self._to_write = True

    def _give_up(self) -> None:
        self._current = None
        self._items.append("unheard")


def make_framer(*, serial: bool, gap_ms: int, answer_ms: int) -> Framer:
    """Return what a link needs. `answer_ms` is how long a frame on a serial line waits for its ACK."""
    return SerialFramer(gap_ms=gap_ms, answer_ms=answer_ms) if serial else BareFramer(gap_ms)
