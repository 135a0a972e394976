"""Finding the answers of "POS PC VIII" in a stream of bytes. No I/O.

TCP gives pieces, not frames, and the two rules for the length field differ by six; so a frame is what has a right CRC
and a body that can be read, nothing less.
"""

import re
from typing import Final, Literal

from edge.devices.terminals.behpardakht import CRC_BYTES, READY_ANSWER, Answer, AnswerError, crc16_arc, decode_body

FRAME_BYTES_MAX: Final = 1_024
"""Longer than any documented frame. A larger length field is noise, not a frame to wait for."""

_HEADER_BYTES: Final = 4
_HEADER: Final = re.compile(rb"(?=[0-9]{4})")
_BODY_BYTES_MIN: Final = 4
"""A response code alone."""

Found = Answer | Literal["ready", "noise"]
"""An answer, the unframed `OK`, or bytes that are neither."""


class Framer:
    """Finds answers in a stream: in any split, several in one piece, after noise.

    After bytes that are no frame it says so once (`"noise"`), then takes only a whole frame with a right CRC as the
    next thing; a silence of `gap_ms` ends the noise.
    """

    def __init__(self, gap_ms: int) -> None:
        self._gap_ms = gap_ms
        self._buffer = b""
        self._heard_ms = 0
        self._in_noise = False
        self._items: list[Found] = []

    def receive_data(self, data: bytes, now_ms: int) -> None:
        """Take bytes as they came."""
        self._buffer += data
        self._heard_ms = now_ms
        while self._step():
            pass

    def items(self) -> list[Found]:
        """Return what was found since the last call, in order."""
        found, self._items = self._items, []
        return found

    def deadline(self) -> int | None:
        """Return when a begun frame counts as cut, or None."""
        return self._heard_ms + self._gap_ms if self._buffer or self._in_noise else None

    def tick(self, now_ms: int) -> None:
        """Drop a begun frame whose rest did not come."""
        due = self.deadline()
        if due is None or now_ms < due:
            return
        if self._buffer and not self._in_noise:
            self._begin_noise()
            while self._step():
                pass
        self.reset()

    def reset(self) -> None:
        """Forget what was begun: the link is new, or silent."""
        self._buffer = b""
        self._in_noise = False

    def _take(self, size_bytes: int, answer: Answer) -> None:
        self._buffer = self._buffer[size_bytes:]
        self._in_noise = False
        self._items.append(answer)

    def _begin_noise(self) -> None:
        self._in_noise = True
        self._items.append("noise")

    def _step(self) -> bool:
        """Consume one thing from the buffer's start. Returns whether there may be another."""
        if self._in_noise:
            return self._step_in_noise()
        self._buffer = self._buffer.lstrip(b"\r\n\0")
        if self._buffer.startswith(READY_ANSWER):
            self._buffer = self._buffer[len(READY_ANSWER) :]
            self._items.append("ready")
            return True
        if READY_ANSWER.startswith(self._buffer):
            return False
        found = _frame_at(self._buffer)
        if found == "part":
            return False
        if found == "noise":
            self._begin_noise()
        else:
            self._take(*found)
        return True

    def _step_in_noise(self) -> bool:
        # Whatever is sent, and however fast, one look costs no more than that much of it.
        self._buffer = self._buffer[-2 * FRAME_BYTES_MAX :]
        for header in _HEADER.finditer(self._buffer):
            start = header.start()
            found = _frame_at(self._buffer[start : start + FRAME_BYTES_MAX])
            if isinstance(found, tuple):
                size_bytes, answer = found
                self._take(start + size_bytes, answer)
                return True
        self._buffer = self._buffer[-FRAME_BYTES_MAX:]
        return False


def _frame_at(buffer: bytes) -> tuple[int, Answer] | Literal["part", "noise"]:
    """Return (size in bytes, answer) of the frame the buffer starts with, or what else its start is.

    Tries the length as that of the whole frame, then as that of the body.
    """
    header = buffer[:_HEADER_BYTES]
    if not header.isdigit():
        return "noise"
    if len(header) < _HEADER_BYTES:
        return "part"
    length = int(header)
    for end in (length, _HEADER_BYTES + length + CRC_BYTES):
        if not _HEADER_BYTES + _BODY_BYTES_MIN + CRC_BYTES <= end <= FRAME_BYTES_MAX:
            continue
        if len(buffer) < end:
            return "part"
        body, crc = buffer[_HEADER_BYTES : end - CRC_BYTES], buffer[end - CRC_BYTES : end]
        if crc16_arc(body) != int.from_bytes(crc, "little"):
            continue
        try:
            return end, decode_body(body)
        except AnswerError:
            continue
    return "noise"
