"""Finding the answers of the text protocol in what one connection brings. No I/O.

Only the length says where an answer ends and nothing proves it whole, so nothing is guessed: after bytes that are no
answer, or one that was cut, the rest of the connection says nothing any more.
"""

from typing import Final, Literal

from edge.devices.terminals.pna import LENGTH_DIGITS, Answer, AnswerError, decode_frame

FRAME_BYTES_MAX: Final = 2_048
"""Longer than any answer there is. A larger length field is noise, not a frame to wait for."""

Found = Answer | Literal["noise"]


class Framer:
    """Finds answers in one connection's bytes: in any split, several in one piece. The first noise is the last item."""

    def __init__(self, gap_ms: int) -> None:
        self._gap_ms = gap_ms
        self._buffer = b""
        self._heard_ms = 0
        self._items: list[Found] = []
        self.spoilt = False
        """Whether noise came: nothing more is found until `reset`."""

    def receive_data(self, data: bytes, now_ms: int) -> None:
        """Take bytes as they came."""
        if self.spoilt:
            return
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
            self._spoil()

    def reset(self) -> None:
        """Forget what was begun: the connection is new, or gone."""
        self._buffer = b""
        self.spoilt = False

    def _spoil(self) -> None:
        self._buffer = b""
        self.spoilt = True
        self._items.append("noise")

    def _step(self) -> bool:
        """Consume one answer from the buffer's start. Returns whether there may be another."""
        header = self._buffer[:LENGTH_DIGITS]
        if header and not header.isdigit():
            self._spoil()
        if len(header) < LENGTH_DIGITS or self.spoilt:
            return False
        end = LENGTH_DIGITS + int(header)
        if end > FRAME_BYTES_MAX:
            self._spoil()
            return False
        if len(self._buffer) < end:
            return False
        frame, self._buffer = self._buffer[:end], self._buffer[end:]
        try:
            self._items.append(decode_frame(frame))
        except AnswerError:
            self._spoil()
            return False
        return True
