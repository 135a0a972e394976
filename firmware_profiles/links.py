"""How a model can be reached, as data: over the network in either direction, over a serial line, and how it calls out.

A model names every way it has; a box's settings choose one of them and say where.
"""

from typing import Annotated, Final, Literal, get_args

import msgspec

LinkKind = Literal["tcp", "listen", "serial"]
"""The box connects to the terminal; the terminal connects to the box; a serial line (a USB cable is one too)."""
TcpPort = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
BaudRate = Literal[1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 57_600, 115_200, 230_400]
BAUD_RATES: Final[tuple[int, ...]] = get_args(BaudRate)
UsbNumber = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{4}$")]
"""A vendor's or product's number on USB: four hexadecimal digits."""
Words = Annotated[str, msgspec.Meta(min_length=2, max_length=64)]


class TcpLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The terminal listens."""

    port: TcpPort


class ListenLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The box listens."""

    port: TcpPort


class SerialLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of a serial line; flow control is never used."""

    baud: BaudRate
    data_bits: Literal[7, 8] = 8
    parity: Literal["none", "even", "odd"] = "none"
    stop_bits: Literal[1, 2] = 1
    newline_after_message: bool = False
    """Whether the terminal sends a line feed behind each of its messages."""


class UdpCalls(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The terminal calls out over UDP where it is."""

    ports: tuple[TcpPort, ...]
    every_ms: Annotated[int, msgspec.Meta(ge=100, le=60_000)] = 1_000


class UsbIdentity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a device on USB says it is."""

    vendor: UsbNumber
    product: UsbNumber | None = None
    """Not set: any product of that vendor."""


class DeviceMarks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a device says of itself that shows it to be this model. Words are looked for without regard to case."""

    usb: tuple[UsbIdentity, ...] = ()
    names: tuple[Words, ...] = ()
    """Words in what it calls itself: on USB, in a discovery's call, in an answer about the device."""
