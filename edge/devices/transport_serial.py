"""Links over serial lines, USB cables included: each has a thread of its own, which alone touches the port.

The thread reads until something is to be written, writes with a deadline, and ends with the link. A port that is
unplugged ends the link; the same path is opened again when it is back, which a stable path (`/dev/serial/by-id/…`)
says of the same device whichever socket it is plugged into.
"""

import asyncio
import contextlib
import termios
import threading
from collections.abc import Callable
from typing import Any, Final

import serial

from edge.devices.transport import UNSENT_BYTES_MAX, LinkOwner
from firmware_profiles.links import SerialLine

READ_TIMEOUT_S: Final = 1.0
"""How often the thread looks up from an idle line; bytes, and what is to be sent, wake it at once."""
WRITE_TIMEOUT_S: Final = 3.0
"""A device that takes nothing for so long is not there."""
END_TIMEOUT_S: Final = 5.0
_PARITIES: Final = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}


class SerialLink:
    """One opened port. Made, used and closed from the event loop; the port lives in the thread."""

    def __init__(self, path: str, line: SerialLine, owner: LinkOwner) -> None:
        self._path = path
        self._line = line
        self._owner: LinkOwner | None = owner
        self._loop = asyncio.get_running_loop()
        self._port: Any = None
        self._outgoing = bytearray()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self.opened: asyncio.Future[None] = self._loop.create_future()
        self.ended = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name=f"serial {path}", daemon=True)

    def start(self) -> None:
        """Open the port; `opened` says how that went."""
        self._thread.start()

    def send(self, data: bytes) -> bool:
        """Hand bytes to the thread. Returns False when the link is gone, or takes nothing (it is then given up)."""
        if self._owner is None:
            return False
        with self._lock:
            if len(self._outgoing) + len(data) > UNSENT_BYTES_MAX:
                self._stopping.set()
                return False
            self._outgoing += data
        self._wake()
        return True

    def close(self) -> None:
        """End the link now; what was not sent is dropped."""
        self._owner = None
        self._stopping.set()
        self._wake()

    def _wake(self) -> None:
        with self._lock:
            if self._port is not None:
                self._port.cancel_read()
                if self._stopping.is_set():
                    self._port.cancel_write()

    # --- on the thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            port = serial.Serial(
                self._path,
                baudrate=self._line.baud,
                bytesize=self._line.data_bits,
                parity=_PARITIES[self._line.parity],
                stopbits=self._line.stop_bits,
                timeout=READ_TIMEOUT_S,
                write_timeout=WRITE_TIMEOUT_S,
                exclusive=True,
            )
        except (OSError, ValueError, termios.error) as error:
            # termios.error: the port cannot be set so. It is no OSError, and carries the same number and text.
            self._tell(self._refused, OSError(*error.args) if isinstance(error, termios.error) else error)
            self._tell(self.ended.set)
            return
        with self._lock:
            self._port = port
        try:
            # What a device said before anybody listened is about nothing that was asked.
            port.reset_input_buffer()
            self._tell(self._made)
            self._move_bytes(port)
        except (OSError, TypeError, termios.error):
            # pyserial reads a port that another thread has closed as a TypeError; an unplugged one is an OSError.
            pass
        finally:
            with self._lock:
                self._port = None
            with contextlib.suppress(OSError):
                port.close()
            self._tell(self._lost)
            self._tell(self.ended.set)

    def _move_bytes(self, port: Any) -> None:
        while not self._stopping.is_set():
            with self._lock:
                data, self._outgoing = bytes(self._outgoing), bytearray()
            if data:
                port.write(data)
                continue
            came = port.read(max(1, port.in_waiting))
            if came:
                self._tell(self._data, came)

    def _tell(self, what: Callable[..., None], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):
            # The event loop may have ended before the thread did.
            self._loop.call_soon_threadsafe(what, *arguments)

    # --- on the event loop again -------------------------------------------------------------------------------------

    def _refused(self, error: Exception) -> None:
        if not self.opened.done():
            self.opened.set_exception(error)

    def _made(self) -> None:
        if self._owner is not None:
            self._owner.link_made(self)
        if not self.opened.done():
            self.opened.set_result(None)

    def _data(self, data: bytes) -> None:
        if self._owner is not None:
            self._owner.link_data(data)

    def _lost(self) -> None:
        owner, self._owner = self._owner, None
        if owner is not None:
            owner.link_lost()
        if not self.opened.done():
            self.opened.set_exception(OSError("the port was closed before it was used"))


class SerialWay:
    """To a device on a serial port."""

    retry_longest_ms: int | None = 2_000
    """Whoever plugs a cable in again looks at the page at once."""

    def __init__(self, path: str, line: SerialLine) -> None:
        self._path = path
        self._line = line
        self._link: SerialLink | None = None

    async def open(self, owner: LinkOwner) -> None:
        """Open the port. Raises OSError (not there, no permission, used by another program) or ValueError."""
        await self.close()
        link = self._link = SerialLink(self._path, self._line, owner)
        link.start()
        try:
            await asyncio.shield(link.opened)
        except asyncio.CancelledError:
            link.close()
            link.opened.cancel()
            raise

    async def close(self) -> None:
        """Wait for the thread of a closed link to have let go of the port."""
        if self._link is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(END_TIMEOUT_S):
                    await self._link.ended.wait()
