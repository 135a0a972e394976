"""Finding Sadad's frames in a stream of bytes, and what is in them. No I/O.

A length says where a frame ends and eight bits of LRC that it is whole. A damaged frame is dropped as long as it says
it is, and said so: the link's own NACK gets it again, so nothing is guessed out of its middle. Bytes are kept no longer
than until the frame is whole or given up: they may hold a card's number.
"""

import contextlib
import re
from collections.abc import Callable
from typing import Final

import msgspec

from edge.devices.terminals.sadad import (
    ETX,
    HEADER_BYTES,
    REPORT_VERSION,
    RESPONSE_TYPE,
    SALE_VERSION,
    SIGNALS,
    STX,
    TRAILER_BYTES,
    UNCOUNTED_BYTES,
    AnswerError,
    SaleAnswer,
    Signal,
    decode_sale_answer,
    lrc,
)
from edge.devices.terminals.sadad_reports import Device, Other, Report, decode_report

SIGNAL_BYTES: Final = HEADER_BYTES + TRAILER_BYTES
_BEGUN: Final = re.compile(rb"\x02(?:([0-9]{3})(?<!00[0-5])|[0-9]{0,2}\Z)")
"""The start of a frame, as far as it is there; a length too short for any frame is none."""


class Damaged(msgspec.Struct, frozen=True):
    """Bytes that are no frame of this protocol, or none that can be read."""

    size_bytes: int

    @property
    def may_be_answer(self) -> bool:
        """Return whether it is longer than an acknowledgement: what was lost may have been an answer."""
        return self.size_bytes > SIGNAL_BYTES


Content = SaleAnswer | Report | Device | Other
_DECODERS: Final[dict[str, Callable[[bytes], Content]]] = {
    SALE_VERSION: decode_sale_answer,
    REPORT_VERSION: decode_report,
}
Found = Signal | Content | Damaged


class Framer:
    """Finds frames in one link's bytes: in any split, several in one piece, line feeds between them."""

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
        """Return when a begun frame counts as cut, or None."""
        return self._heard_ms + self._gap_ms if self._buffer else None

    def tick(self, now_ms: int) -> None:
        """Give up a begun frame whose rest did not come."""
        due = self.deadline()
        if due is not None and now_ms >= due:
            self._items.append(Damaged(len(self._buffer)))
            self._buffer = b""

    def reset(self) -> None:
        """Forget what was begun: the link is new, or gone."""
        self._buffer = b""

    def _step(self) -> bool:
        """Consume one thing from the buffer's start. Returns whether there may be another."""
        # Over a serial line each message of the terminal is followed by a line feed.
        self._buffer = self._buffer.lstrip(b"\r\n")
        begun = _BEGUN.match(self._buffer)
        if begun is None:
            if self._buffer:
                start = self._buffer.find(STX, 1)
                self._drop(start if start >= 0 else len(self._buffer))
            return bool(self._buffer)
        end = int(begun[1] or 0) + UNCOUNTED_BYTES
        if end < SIGNAL_BYTES or len(self._buffer) < end:
            return False
        frame, self._buffer = self._buffer[:end], self._buffer[end:]
        self._items.append(_read(frame))
        return True

    def _drop(self, size_bytes: int) -> None:
        """Drop bytes that begin no frame; what follows directly on others dropped is one damage with them."""
        self._buffer = self._buffer[size_bytes:]
        if self._items and isinstance(last := self._items[-1], Damaged):
            self._items[-1] = Damaged(last.size_bytes + size_bytes)
        else:
            self._items.append(Damaged(size_bytes))


def _read(frame: bytes) -> Found:
    """Return what a frame of the right length holds."""
    kind, version = frame[HEADER_BYTES - 1], frame[4:7].decode("latin-1")
    data = frame[HEADER_BYTES:-TRAILER_BYTES]
    if frame[-TRAILER_BYTES] != ETX or lrc(frame[1:-1]) != frame[-1]:
        return Damaged(len(frame))
    if kind in SIGNALS and not data:
        return SIGNALS[kind]
    if kind == RESPONSE_TYPE and version in _DECODERS:
        with contextlib.suppress(AnswerError):
            return _DECODERS[version](data)
    return Damaged(len(frame))
