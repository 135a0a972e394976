"""Finding Asan Pardakht's lines in a stream of bytes. No I/O.

A line begins with `$` and ends with a line feed; two digits of checksum prove it whole. A masked card number holds
stars too, so the last star of a line is the checksum's. Bytes are kept no longer than until their line is whole or
given up: they may hold a card's number.
"""

import re
from typing import Final, Literal

from edge.devices.terminals.asan_pardakht import Answer, AnswerError, Other, checksum, decode_body

LINE_BYTES_MAX: Final = 512
"""Longer than any documented answer. What goes on without an end is noise."""
_START: Final = b"$"
_END: Final = b"\n"
_LINE: Final = re.compile(rb"\$([^$]*)\*([0-9A-Fa-f]{2})\r?\n")

Found = Answer | Other | Literal["noise"]


class Framer:
    """Finds answers in one link's bytes: in any split, several in one piece, after noise."""

    def __init__(self, gap_ms: int) -> None:
        self._gap_ms = gap_ms
        self._buffer = b""
        self._heard_ms = 0
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
        """Return when a begun line counts as cut, or None."""
        return self._heard_ms + self._gap_ms if self._buffer else None

    def tick(self, now_ms: int) -> None:
        """Give up a begun line whose rest did not come."""
        due = self.deadline()
        if due is not None and now_ms >= due:
            self._buffer = b""
            self._items.append("noise")

    def reset(self) -> None:
        """Forget what was begun: the link is new, or gone."""
        self._buffer = b""

    def _step(self) -> bool:
        """Consume one thing from the buffer's start. Returns whether there may be another."""
        self._buffer = self._buffer.lstrip(b"\r\n\0 ")
        end = self._buffer.find(_END)
        if end < 0:
            if len(self._buffer) > LINE_BYTES_MAX or not self._buffer.startswith(_START[: len(self._buffer)]):
                self._buffer = self._buffer[self._buffer.find(_START, 1) :] if _START in self._buffer[1:] else b""
                self._items.append("noise")
                return bool(self._buffer)
            return False
        line, self._buffer = self._buffer[: end + 1], self._buffer[end + 1 :]
        start = line.rfind(_START)
        if start:
            self._items.append("noise")
        if start >= 0:
            self._items.append(_read(line[start:]))
        return True


def _read(line: bytes) -> Found:
    whole = _LINE.fullmatch(line)
    if whole is None or checksum(whole[1]) != int(whole[2], 16):
        return "noise"
    try:
        return decode_body(whole[1])
    except AnswerError:
        return "noise"
