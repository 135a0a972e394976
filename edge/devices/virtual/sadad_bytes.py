"""The bytes of Sadad's protocol as the terminal's side sees them.

Written apart from the driver's codec and sharing nothing with it, so that a mistake in one does not hide behind the
same mistake in the other.
"""

from typing import Literal

import msgspec

Word = Literal["greeting", "end", "taken", "refused", "bad"]
"""What a PC's frame without a request says; `bad` is a frame that cannot be read."""

_WORDS: dict[int, Word] = {0xF1: "greeting", 0x04: "end", 0x06: "taken", 0x15: "refused"}
_ASKS = 0x19
_ANSWERS = 0x1A
_SHORTEST = 6
_BILL, _REFERENCE = 3, 5
"""Numbers of options."""


class SadadSale(msgspec.Struct, frozen=True, kw_only=True):
    """A sale as a PC asked for it, or with `bill` the payment of a bill."""

    amount_rial: int
    reference: str | None
    bill: str = ""
    """Both identifiers with a comma between."""


class SadadQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """What a PC wants to know."""

    function: str
    argument: str


Request = SadadSale | SadadQuestion


def _folded(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte
    return value


def packet(kind: int, data: bytes = b"", *, version: str = "000") -> bytes:
    """Return a packet of the terminal's: an acknowledgement (0x06), a refusal (0x15), an end (0x04), an answer."""
    inside = version.encode() + bytes((kind,)) + data + b"\x03"
    counted = str(len(inside) + 1).rjust(3, "0").encode() + inside
    return b"\x02" + counted + bytes((_folded(counted),))


class SadadReader:
    """Reads what a PC sends on one line, in any split. What begins no packet is passed over."""

    def __init__(self) -> None:
        self._kept = bytearray()

    def feed(self, data: bytes) -> "list[Word | Request]":
        """Return what is complete, in order."""
        self._kept += data
        found: list[Word | Request] = []
        while self._kept:
            if self._kept[0] != 2:  # noqa: PLR2004 - STX
                del self._kept[0]
                continue
            if len(self._kept) < 4:  # noqa: PLR2004 - STX and three digits
                break
            digits = bytes(self._kept[1:4])
            if not digits.isdigit() or int(digits) < _SHORTEST:
                del self._kept[0]
                continue
            whole = int(digits) + 4
            if len(self._kept) < whole:
                break
            found.append(_understood(bytes(self._kept[:whole])))
            del self._kept[:whole]
        return found


def _understood(one: bytes) -> Word | Request:
    if _folded(one[1:-1]) != one[-1] or one[-2] != 3:  # noqa: PLR2004 - ETX
        return "bad"
    version, kind, data = one[4:7], one[7], one[8:-2]
    if kind in _WORDS:
        return _WORDS[kind]
    request = None
    if kind == _ASKS:
        request = _sale(data) if version == b"000" else _question(data)
    return "bad" if request is None else request


def _sale(data: bytes) -> SadadSale | None:
    amount = data[:13].rstrip(b"\0")
    process = data[31:37]
    if not amount.isdigit() or data[27:31] != b"0200" or process not in {b"000000", b"170000"} or len(data) < 38:  # noqa: PLR2004
        return None
    options: dict[int, str] = {}
    at = 38
    for number in range(1, 9):
        if not data[37] >> (number - 1) & 1:
            continue
        size = data[at : at + 3]
        if not size.isdigit():
            return None
        options[number] = data[at + 3 : at + 3 + int(size)].decode("ascii", "replace")
        at += 3 + int(size)
    if at != len(data) or (process == b"170000") != (_BILL in options):
        return None
    return SadadSale(amount_rial=int(amount), reference=options.get(_REFERENCE), bill=options.get(_BILL, ""))


def _question(data: bytes) -> SadadQuestion | None:
    function, size, argument = data[:4], data[4:7], data[7:]
    if not (function.isdigit() and size.isdigit() and int(size) == len(argument)):
        return None
    return SadadQuestion(function=function.decode(), argument=argument.decode("ascii", "replace"))


class SaleFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the answer to a sale."""

    code: str
    amount: str
    card: str = ""
    """The whole number, as these terminals send it."""
    process: str = "000000"
    trace: str = ""
    moment: tuple[int, int, int, int, int, int] | None = None
    """Year (Jalali), month, day, hour, minute, second."""
    rrn: str = ""
    approval: str = ""
    terminal: str = ""
    merchant: str = ""


def sale_answer(figures: SaleFigures) -> bytes:
    """Return the packet that answers a sale: a fixed structure of two-byte letters."""
    wide = b""
    for text, letters in (
        (figures.code, 4),
        (figures.amount, 13),
        (figures.card, 17),
        (figures.process, 7),
        (figures.trace, 7),
        ("", 6),
    ):
        wide += _wide(text, letters)
    if figures.moment is None:
        wide += bytes(16)
    else:
        year, month, day, hour, minute, second = (part + 24 for part in figures.moment)
        for word in (year, month, 0, day, hour, minute, second, 0):
            wide += bytes((word & 0xFF, word >> 8))
    for text, letters in (
        (figures.rrn, 13),
        (figures.approval, 7),
        (figures.terminal, 9),
        (figures.merchant, 16),
        ("", 30),
    ):
        wide += _wide(text, letters)
    return packet(_ANSWERS, wide)


def _wide(text: str, letters: int) -> bytes:
    return b"".join(bytes((ord(letter), 0)) for letter in text).ljust(2 * letters, b"\0")


def told(function: str, text: str) -> bytes:
    """Return the packet that answers a question."""
    data = text.encode("utf-8")
    return packet(_ANSWERS, function.encode() + str(len(data)).rjust(3, "0").encode() + data, version="002")
