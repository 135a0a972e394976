"""Printers on a device file: a serial line, or the system's own file of a USB printer (`/dev/usb/lp0`).

The file is non-blocking and the event loop waits for it, so that no write hangs on a printer that says stop, and no
thread is left behind at a deadline. Opening is done on a thread, for a driver may take its time there.
"""

import asyncio
import fcntl
import os
import struct
import termios
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec

from edge.devices.printers.links import Link
from firmware_profiles.printer_profile import PrinterSerial

_READ_BYTES: Final = 64
_WRITE_BYTES: Final = 4_096
_BITS_A_BYTE: Final = 11
"""A start bit, eight, a parity bit, a stop bit: the most of usual lines."""
_STOPS: Final = 1.33
_LOOK_AGAIN_S: Final = 0.02
"""Between two looks at something the system does not report by itself."""
_USB_PRINTERS: Final = Path("/sys/class/usbmisc")
_USB_ID_PARTS: Final = (2, 3)
"""`vendor:product`, or `vendor:product:serial`."""
_SPEEDS: Final = {
    1_200: termios.B1200,
    2_400: termios.B2400,
    4_800: termios.B4800,
    9_600: termios.B9600,
    19_200: termios.B19200,
    38_400: termios.B38400,
    57_600: termios.B57600,
    115_200: termios.B115200,
}


class SerialPlace(msgspec.Struct, frozen=True):
    """A printer on a serial line, or on an adapter; its path under /dev/serial/by-id stays the same."""

    path: str
    line: PrinterSerial

    @property
    def answers(self) -> bool:
        """Return true: a line has both directions."""
        return True

    def takes_s(self, size_bytes: int) -> float:
        """Return what the line's speed makes of it, with a third more for the printer's stops."""
        return size_bytes * _BITS_A_BYTE * _STOPS / self.line.baud

    def __str__(self) -> str:
        """Return the path."""
        return self.path

    @asynccontextmanager
    async def open(self, timeout_ms: int) -> AsyncIterator[Link]:
        """Open and set the line."""
        async with _opened(self.path, timeout_ms, lambda number: set_line(number, self.line)) as number:
            try:
                yield _Device(number, self.path, a_line=True)
            finally:
                _forget_the_rest(number)


class UsbPlace(msgspec.Struct, frozen=True):
    """A printer on USB: its device file, or `vendor:product[:serial]` to find it wherever it is plugged in."""

    name: str

    @property
    def answers(self) -> bool:
        """Return true: the system's driver reads answers too."""
        return True

    def takes_s(self, size_bytes: int) -> float:  # noqa: ARG002 - every place is asked
        """Return nothing: USB is faster than any printer."""
        return 0

    def __str__(self) -> str:
        """Return the path or the id."""
        return self.name

    @asynccontextmanager
    async def open(self, timeout_ms: int) -> AsyncIterator[Link]:
        """Find the device file and open it."""
        path = self.name if self.name.startswith("/") else await asyncio.to_thread(find_usb_printer, self.name)
        async with _opened(path, timeout_ms, lambda _: None) as number:
            yield _Device(number, path, a_line=False)


class UsbPrinter(msgspec.Struct, frozen=True, kw_only=True):
    """A printer that is plugged in, as the system shows it."""

    path: str
    vendor: str
    product: str
    serial: str
    words: str
    """What it calls itself: its IEEE 1284 id, maker and model among it."""


def usb_printers(printers: Path = _USB_PRINTERS) -> list[UsbPrinter]:
    """Return the USB printers there are."""
    found: list[UsbPrinter] = []
    for entry in sorted(printers.glob("lp*")):
        interface = entry / "device"
        device = interface.resolve().parent
        vendor, product, serial = (_text(device / name) for name in ("idVendor", "idProduct", "serial"))
        words = _text(interface / "ieee1284_id")
        found.append(
            UsbPrinter(path=f"/dev/usb/{entry.name}", vendor=vendor, product=product, serial=serial, words=words)
        )
    return found


def find_usb_printer(wanted: str, printers: Path = _USB_PRINTERS) -> str:
    """Return the device file of the USB printer with this id. Raises OSError unless there is exactly one."""
    parts = wanted.lower().split(":")
    if len(parts) not in _USB_ID_PARTS:
        raise OSError(f"{wanted!r} is not vendor:product or vendor:product:serial")
    found = [
        one.path
        for one in usb_printers(printers)
        if [one.vendor.lower(), one.product.lower(), one.serial.lower()][: len(parts)] == parts
    ]
    if len(found) != 1:
        raise OSError(f"{len(found)} USB printers are {wanted}")
    return found[0]


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace").strip()
    except OSError:
        return ""


def set_line(number: int, line: PrinterSerial) -> None:
    """Set an open serial line: raw bytes, its speed and form, who says stop. Raises OSError."""
    data = {7: termios.CS7, 8: termios.CS8}[line.data_bits]
    parity = {"none": 0, "even": termios.PARENB, "odd": termios.PARENB | termios.PARODD}[line.parity]
    stop = termios.CSTOPB if line.stop_bits == 2 else 0  # noqa: PLR2004 - a number of bits
    hardware = termios.CRTSCTS if line.flow == "rtscts" else 0
    software = termios.IXON if line.flow == "xonxoff" else 0
    speed = _SPEEDS[line.baud]
    try:
        special = termios.tcgetattr(number)[6]
        control = termios.CREAD | termios.CLOCAL | data | parity | stop | hardware
        termios.tcsetattr(number, termios.TCSANOW, [software, 0, control, 0, speed, speed, special])
        termios.tcflush(number, termios.TCIFLUSH)
        # A stop that the last job met must not keep back the question how the printer is.
        termios.tcflow(number, termios.TCOON)
    except termios.error as error:
        raise OSError(*error.args) from error


def _forget_the_rest(number: int) -> None:
    """Drop what a stopped printer never took: closing a line waits for it otherwise, in the system, for 30 seconds."""
    try:
        # Only then: the same command would also take back what is on its way out of an adapter.
        if _unsent(number):
            termios.tcflush(number, termios.TCOFLUSH)
    except (OSError, termios.error):
        return  # the adapter was pulled out


def _unsent(number: int) -> int:
    """Return how many bytes of a line wait in this machine. Raises OSError."""
    count: int = struct.unpack("i", fcntl.ioctl(number, termios.TIOCOUTQ, bytes(4)))[0]
    return count


_being_opened: Final[set[str]] = set()
"""Device files whose opening has not come back. A stuck device keeps the thread that opens it, and threads are few."""


@asynccontextmanager
async def _opened(path: str, timeout_ms: int, prepare: Callable[[int], None]) -> AsyncIterator[int]:
    if path in _being_opened:
        raise TimeoutError(f"{path} is still being opened")
    _being_opened.add(path)
    opening = asyncio.get_running_loop().run_in_executor(None, _open, path, prepare)
    opening.add_done_callback(lambda _: _being_opened.discard(path))
    try:
        async with asyncio.timeout(timeout_ms / 1000):
            number = await asyncio.shield(opening)
    except BaseException:
        opening.add_done_callback(_close_late)
        raise
    try:
        yield number
    finally:
        os.close(number)


def _open(path: str, prepare: Callable[[int], None]) -> int:
    number = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        prepare(number)
    except BaseException:
        os.close(number)
        raise
    return number


def _close_late(opening: "asyncio.Future[int]") -> None:
    """Close what was opened after nobody waited for it any more."""
    if not opening.cancelled() and opening.exception() is None:
        os.close(opening.result())


class _Device:
    """An open device file."""

    def __init__(self, number: int, path: str, *, a_line: bool) -> None:
        self._number = number
        self._path = path
        self._a_line = a_line

    async def send(self, data: bytes) -> None:
        rest = memoryview(data)
        loop = asyncio.get_running_loop()
        while rest:
            try:
                rest = rest[os.write(self._number, rest[:_WRITE_BYTES]) :]
            except BlockingIOError:
                await self._ready(loop.add_writer, loop.remove_writer)

    async def finish(self) -> None:
        """Wait until the line has sent what it took; a USB printer's file takes no more than it sends."""
        while self._a_line and _unsent(self._number):  # noqa: ASYNC110 - the system tells this only when asked
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def read(self) -> bytes:
        loop = asyncio.get_running_loop()
        while True:
            await self._ready(loop.add_reader, loop.remove_reader)
            try:
                data = os.read(self._number, _READ_BYTES)
            except BlockingIOError:
                continue
            if data:
                return data
            if self._a_line:
                raise ConnectionResetError(f"{self._path} was closed")
            # A USB printer that has nothing to say may say so with an empty packet.
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def _ready(self, watch: Callable[..., object], unwatch: Callable[[int], object]) -> None:
        ready = asyncio.get_running_loop().create_future()
        watch(self._number, lambda: None if ready.done() else ready.set_result(None))
        try:
            await ready
        finally:
            unwatch(self._number)
