"""A serial line without a cable: a pair of pseudo terminals, of which one end is a virtual device's."""

import asyncio
import os
import tty
from collections.abc import Callable
from typing import Final

_READ_BYTES: Final = 4_096


class PtyLine:
    """One line. Everything runs on the event loop that called `open`."""

    def __init__(self, on_data: Callable[[bytes], None]) -> None:
        self._on_data = on_data
        self._ours: int | None = None
        self._theirs: int | None = None
        self.path = ""
        """The other end, as a serial port's device file; known after `open`."""

    def open(self) -> str:
        """Make the line and return the other end's path. Raises OSError."""
        self._ours, self._theirs = os.openpty()
        # Ours holds the other end open too: a line is there whether or not somebody listens.
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self.path = os.ttyname(self._theirs)
        asyncio.get_running_loop().add_reader(self._ours, self._read)
        return self.path

    def write(self, data: bytes) -> None:
        """Send bytes to the other end; what it does not take is lost, as on a line without flow control."""
        if self._ours is not None:
            try:
                os.write(self._ours, data)
            except BlockingIOError:
                return

    def close(self) -> None:
        """Take the line away."""
        if self._ours is None or self._theirs is None:
            return
        asyncio.get_running_loop().remove_reader(self._ours)
        os.close(self._ours)
        os.close(self._theirs)
        self._ours = self._theirs = None

    def _read(self) -> None:
        if self._ours is None:
            return
        try:
            data = os.read(self._ours, _READ_BYTES)
        except BlockingIOError:
            return
        if data:
            self._on_data(data)
