"""Where a receipt printer is, as one text of the settings.

tcp://192.168.1.22:9100            its port in the network
serial:///dev/serial/by-id/usb-…   a serial line; ?baud=19200&parity=even&flow=rtscts where its switches say so
usb://04b8:0e15                    a USB printer, wherever it is plugged in; usb://04b8:0e15:SERIAL of two alike
usb:///dev/usb/lp0                 a USB printer by its device file
file:///var/spool/daftar/jobs.prn  a file to which jobs are appended
cups://counter                     a raw queue of CUPS
"""

import re
from typing import Any, Final, Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import msgspec

from firmware_profiles.printer_profile import PrinterSerial

PrinterWay = Literal["tcp", "serial", "usb", "file", "cups"]
_USB: Final = re.compile(r"[0-9a-fA-F]{4}:[0-9a-fA-F]{4}(?::[\w.-]{1,64})?")
_QUEUE: Final = re.compile(r"\w[\w.-]{0,126}", re.ASCII)
_LINE_OPTIONS: Final = frozenset({"baud", "data_bits", "parity", "stop_bits", "flow"})


class PrinterAddress(msgspec.Struct, frozen=True, kw_only=True):
    """One printer's place. `name` is a host, a path, an id on USB or a queue, by the way there."""

    way: PrinterWay
    name: str
    port: int = 0
    line: dict[str, Any] = {}
    """What of a serial line is not as the model comes: members of `PrinterSerial`."""

    def serial(self, model: PrinterSerial) -> PrinterSerial:
        """Return the settings of the line: the model's but for what the address says."""
        return msgspec.structs.replace(model, **self.line)


def parse_printer_address(text: str) -> PrinterAddress:
    """Return the address that a text is. Raises ValueError that says what is wrong with it."""
    parts = urlsplit(text)
    if parts.fragment or (parts.query and parts.scheme != "serial"):
        raise ValueError(f"{text!r} says more than an address has")
    match parts.scheme:
        case "tcp" if parts.hostname and parts.port and parts.path in {"", "/"}:
            return PrinterAddress(way="tcp", name=parts.hostname, port=parts.port)
        case "serial" if _is_path(parts):
            return PrinterAddress(way="serial", name=unquote(parts.path), line=_line(parts.query))
        case "usb" if _is_path(parts):
            return PrinterAddress(way="usb", name=unquote(parts.path))
        case "usb" if not parts.path and _USB.fullmatch(parts.netloc):
            return PrinterAddress(way="usb", name=parts.netloc)
        case "file" if _is_path(parts):
            return PrinterAddress(way="file", name=unquote(parts.path))
        case "cups" if not parts.path and _QUEUE.fullmatch(parts.netloc):
            return PrinterAddress(way="cups", name=parts.netloc)
    raise ValueError(
        f"{text!r} is no place of a printer: tcp://HOST:PORT, serial:///dev/…, usb://VENDOR:PRODUCT, usb:///dev/usb/lp0,"
        " file:///PATH or cups://QUEUE"
    )


def _is_path(parts: SplitResult) -> bool:
    return not parts.netloc and len(parts.path) > 1


def _line(query: str) -> dict[str, Any]:
    options: dict[str, Any] = dict(parse_qsl(query, strict_parsing=bool(query)))
    if not _LINE_OPTIONS.issuperset(options):
        raise ValueError(f"{query!r}: a line has {', '.join(sorted(_LINE_OPTIONS))}")
    try:
        line = msgspec.convert(options, PrinterSerial, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"{query!r}: {error}") from error
    return {name: getattr(line, name) for name in options}
