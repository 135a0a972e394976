"""Where a device is, as one text of the settings: over the network in either direction, or on a serial line.

tcp://192.168.1.20:1024            the box connects to it
listen://0.0.0.0:8888              it connects to the box, which listens there
listen://0.0.0.0:8888?from=192.168.1.20      the same, and nobody else may
serial:///dev/serial/by-id/usb-…   a serial port, by a path that stays the same when it is plugged in again
serial:///dev/ttyUSB0?baud=9600    the same, when it was set to another speed than its model's own
"""

from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import msgspec

from firmware_profiles.links import BAUD_RATES, LinkKind

PORT_MAX: Final = 65_535


class TcpAddress(msgspec.Struct, frozen=True):
    """Somebody who listens."""

    host: str
    port: int
    kind: LinkKind = "tcp"

    @property
    def text(self) -> str:
        """Return it for people."""
        return f"{self.host}:{self.port}"


class ListenAddress(msgspec.Struct, frozen=True):
    """Where the box listens, and who alone may come (None: anybody)."""

    host: str
    port: int
    peer: str | None = None
    kind: LinkKind = "listen"

    @property
    def text(self) -> str:
        """Return it for people."""
        return f"← {self.host}:{self.port}"


class SerialAddress(msgspec.Struct, frozen=True):
    """A serial port, and its speed where it is not the model's own."""

    path: str
    baud: int | None = None
    kind: LinkKind = "serial"

    @property
    def text(self) -> str:
        """Return it for people."""
        return self.path


Address = TcpAddress | ListenAddress | SerialAddress


def parse_address(text: str) -> Address:
    """Return the address that a text is. Raises ValueError that says what is wrong with it."""
    parts = urlsplit(text)
    options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    match parts.scheme:
        case "tcp":
            address: Address = TcpAddress(*_host_and_port(text, parts))
        case "listen":
            address = ListenAddress(*_host_and_port(text, parts), peer=options.pop("from", None))
        case "serial":
            address = SerialAddress(_path(text, parts), baud=_baud(options.pop("baud", None)))
        case _:
            raise ValueError(f"{text!r} is no address: tcp://HOST:PORT, listen://HOST:PORT or serial:///dev/…")
    if options or parts.fragment or parts.username is not None:
        raise ValueError(f"{text!r} says more than an address has")
    return address


def _host_and_port(text: str, parts: SplitResult) -> tuple[str, int]:
    if not parts.hostname or not parts.port or parts.path not in {"", "/"}:
        raise ValueError(f"{text!r} needs a host and a port from 1 to {PORT_MAX}")
    return parts.hostname, parts.port


def _path(text: str, parts: SplitResult) -> str:
    path = unquote(parts.path)
    if parts.netloc or not path.startswith("/dev/"):
        raise ValueError(f"{text!r} needs a path below /dev/: serial:///dev/…")
    return path


def _baud(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or int(text) not in BAUD_RATES:
        raise ValueError(f"{text!r} is no speed of a serial line: {', '.join(map(str, BAUD_RATES))}")
    return int(text)
