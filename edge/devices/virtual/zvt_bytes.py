"""The bytes of ZVT as the terminal's side sees them.

Written apart from the driver's codec and sharing nothing with it, so that a mistake in one does not hide behind the
same mistake in the other. A connection whose first byte is DLE is a serial line: framed, each frame acknowledged.
"""

from typing import Final, Literal

import msgspec

_DLE, _STX, _ETX, _ACK, _NAK = b"\x10", b"\x02", b"\x03", b"\x06", b"\x15"
LINK_ACK: Final = _ACK
LINK_NAK: Final = _NAK


def _crc_table() -> tuple[int, ...]:
    table = []
    for start in range(256):
        value = start
        for _ in range(8):
            value = (value >> 1) ^ 0x8408 if value % 2 else value >> 1
        table.append(value)
    return tuple(table)


_TABLE: Final = _crc_table()


def checksum(data: bytes) -> bytes:
    """Return the two bytes behind a frame, low one first."""
    value = 0
    for byte in data:
        value = (value >> 8) ^ _TABLE[(value ^ byte) & 0xFF]
    return bytes((value & 0xFF, value >> 8))


def message(command: str, data: bytes = b"") -> bytes:
    """Return a bare message; `command` is class and instruction in hexadecimal."""
    if len(data) > 254:  # noqa: PLR2004 - from here on the length is written otherwise
        return bytes.fromhex(command) + b"\xff" + bytes((len(data) % 256, len(data) // 256)) + data
    return bytes.fromhex(command) + bytes((len(data),)) + data


def framed(bare: bytes) -> bytes:
    """Return a message as it crosses a serial line."""
    return _DLE + _STX + bare.replace(_DLE, _DLE + _DLE) + _DLE + _ETX + checksum(bare + _ETX)


class ZvtCommand(msgspec.Struct, frozen=True):
    """What a till says: class and instruction in hexadecimal, and what follows."""

    command: str
    data: bytes


Heard = ZvtCommand | Literal["ack", "nak", "bad"]


class ZvtReader:
    """Reads what a till sends on one connection, in any split."""

    def __init__(self) -> None:
        self._kept = b""
        self._heard = False
        self.is_line = False
        """Whether messages are framed, as over a serial line."""

    def feed(self, data: bytes) -> list[Heard]:
        """Return what is complete."""
        if not self._heard:
            self.is_line = data[:1] == _DLE
        self._heard = self._heard or bool(data)
        self._kept += data
        found: list[Heard] = []
        while (one := self._framed() if self.is_line else self._bare()) is not None:
            found.append(one)
        return found

    def _bare(self) -> Heard | None:
        if len(self._kept) < 3:  # noqa: PLR2004 - class, instruction, length
            return None
        size, begin = self._kept[2], 3
        if size == 0xFF:  # noqa: PLR2004 - the length is in the next two bytes
            size, begin = int.from_bytes(self._kept[3:5], "little"), 5
        if len(self._kept) < begin + size:
            return None
        whole, self._kept = self._kept[: begin + size], self._kept[begin + size :]
        return ZvtCommand(whole[:2].hex(), whole[begin:])

    def _framed(self) -> Heard | None:
        while self._kept and self._kept[:1] not in {_DLE, _ACK, _NAK}:
            self._kept = self._kept[1:]
        if self._kept[:1] in {_ACK, _NAK}:
            first, self._kept = self._kept[:1], self._kept[1:]
            return "ack" if first == _ACK else "nak"
        at, inside = 2, b""
        while at + 1 < len(self._kept):
            pair = self._kept[at : at + 2]
            if pair == _DLE + _ETX:
                return self._ended(inside, at + 2)
            inside += pair[:1]
            at += 2 if pair == _DLE + _DLE else 1
        return None

    def _ended(self, inside: bytes, at: int) -> Heard | None:
        if len(self._kept) < at + 2:
            return None
        told, self._kept = self._kept[at : at + 2], self._kept[at + 2 :]
        if told != checksum(inside + _ETX):
            return "bad"
        return ZvtCommand(inside[:2].hex(), inside[3:] if inside[2] < 0xFF else inside[5:])  # noqa: PLR2004 - the same


class ReportFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What a report says. Numbers are digits."""

    result: str
    amount: int | None = None
    stan: str = ""
    original_stan: str = ""
    receipt: str = ""
    time: str = ""
    date: str = ""
    card: str = ""
    """Sixteen signs, hidden ones as `e`; a whole number stands in other places too."""
    terminal_number: str = ""
    merchant_number: str = ""
    identifier: str = ""
    """Hexadecimal."""


def report(figures: ReportFigures) -> bytes:
    """Return the report of a transaction."""
    hexadecimal = "27" + figures.result
    if figures.amount is not None:
        hexadecimal += f"04{figures.amount:012d}" + "490364"
    for bmp, digits in (("0b", figures.stan), ("37", figures.original_stan), ("0c", figures.time)):
        hexadecimal += bmp + digits if digits else ""
    for bmp, digits in (("0d", figures.date), ("87", figures.receipt), ("29", figures.terminal_number)):
        hexadecimal += bmp + digits if digits else ""
    data = bytes.fromhex(hexadecimal)
    if figures.card:
        data += b"\x22\xf0\xf8" + bytes.fromhex(figures.card)
    if figures.merchant_number:
        data += b"\x2a" + figures.merchant_number.encode().ljust(15)
    data += b"\x3c\xf0\xf0\xf5DEMO!"
    if figures.card.isdecimal():
        # Who shows one number shows it everywhere: in the track, and for the card's name.
        data += b"\x23\xf0\xf8" + bytes.fromhex(figures.card) + b"\x8b\xf1\xf6" + figures.card.encode()
    if figures.identifier:
        value = bytes.fromhex(figures.identifier)
        container = b"\x1f\x1f" + bytes((len(value),)) + value
        data += b"\x06" + bytes((len(container),)) + container
    return message("040f", data)


def enquiry_answer(version: str, status: str) -> bytes:
    """Return the end of an enquiry: the program's version and how the terminal stands."""
    digits = f"{len(version):03d}"
    return message("060f", bytes(0xF0 + int(one) for one in digits) + version.encode() + bytes.fromhex(status))


def registered(terminal_number: str) -> bytes:
    """Return the end of a registration."""
    return message("060f", bytes.fromhex(f"190029{terminal_number}490364"))


def sale_amount(data: bytes) -> int | None:
    """Return the amount of an order for a sale in rial; None when there is none, or it is of another currency."""
    text = data.hex()
    if not text.startswith("04") or text[14:20] != "490364":
        return None
    return int(text[2:14])
