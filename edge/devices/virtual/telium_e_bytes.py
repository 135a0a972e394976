"""The bytes of Telium's protocol E as the terminal's side sees them.

Written apart from the driver's codec and sharing nothing with it, so that a mistake in one does not hide behind the
same mistake in the other.
"""

from functools import reduce
from operator import xor
from typing import Literal

import msgspec

ENQ, ACK, NAK, EOT = b"\x05", b"\x06", b"\x15", b"\x04"
_STX, _ETX = b"\x02", b"\x03"


def frame(text: str) -> bytes:
    """Return a message as it crosses the line."""
    counted = text.encode("ascii") + _ETX
    return _STX + counted + bytes((reduce(xor, counted),))


class TeliumSale(msgspec.Struct, frozen=True, kw_only=True):
    """A sale as a till asked for it."""

    till: str
    amount_rial: int
    wants_report: bool
    currency: str
    private: str
    at_once: bool


Heard = TeliumSale | Literal["enq", "ack", "nak", "eot", "bad"]
_SIGNS: dict[bytes, Literal["enq", "ack", "nak", "eot"]] = {ENQ: "enq", ACK: "ack", NAK: "nak", EOT: "eot"}


class TeliumReader:
    """Reads what a till sends on one line, in any split."""

    def __init__(self) -> None:
        self._kept = b""

    def feed(self, data: bytes) -> list[Heard]:
        """Return what is complete; `bad` for a message that cannot be read."""
        self._kept += data
        found: list[Heard] = []
        while self._kept:
            first = self._kept[:1]
            if first != _STX:
                self._kept = self._kept[1:]
                if first in _SIGNS:
                    found.append(_SIGNS[first])
                continue
            end = self._kept.find(_ETX)
            if end < 0 or len(self._kept) < end + 2:
                break
            body, told, self._kept = self._kept[1 : end + 1], self._kept[end + 1], self._kept[end + 2 :]
            found.append(_sale(body[:-1].decode("latin-1")) if reduce(xor, body) == told else "bad")
        return found


def _sale(text: str) -> Heard:
    if len(text) != 34 or not text[:10].isdigit() or text[11:13] != "10" or text[30:] != "B010":  # noqa: PLR2004
        return "bad"
    return TeliumSale(
        till=text[:2],
        amount_rial=int(text[2:10]),
        wants_report=text[10] == "1",
        currency=text[13:16],
        private=text[16:26],
        at_once=text[26:30] == "A011",
    )


def answer(sale: TeliumSale, *, result: str, amount: int, private: str, report: str = "") -> bytes:
    """Return the answer to a sale."""
    middle = report.ljust(55)[:55] if sale.wants_report else ""
    return frame(f"{sale.till}{result}{amount:08d}1{middle}{sale.currency}{private}")
