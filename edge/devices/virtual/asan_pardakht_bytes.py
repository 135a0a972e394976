"""The lines of Asan Pardakht's protocol as the terminal's side sees them.

Written apart from the driver's codec and sharing nothing with it, so that a mistake in one does not hide behind the
same mistake in the other.
"""

import msgspec

_LONGEST = 400


class AsanPurchase(msgspec.Struct, frozen=True, kw_only=True):
    """A purchase as a PC asked for it."""

    amount_rial: int
    message_id: str


class AsanInquiry(msgspec.Struct, frozen=True, kw_only=True):
    """A PC's question for the last purchase."""

    message_id: str


def _seal(text: str) -> str:
    value = 0
    for letter in text:
        value ^= ord(letter)
    return "0123456789ABCDEF"[value >> 4 & 15] + "0123456789ABCDEF"[value & 15]


def answer_line(*fields: str) -> bytes:
    """Return a line of the terminal's."""
    text = ",".join((*fields, ""))
    return f"${text}*{_seal(text)}\r\n".encode("latin-1")


class AsanReader:
    """Reads a PC's lines, in any split. What makes no sense is passed over without a word."""

    def __init__(self) -> None:
        self._kept = b""

    def feed(self, data: bytes) -> list[AsanPurchase | AsanInquiry]:
        """Return what is complete, in order."""
        *lines, self._kept = (self._kept + data).split(b"\r\n")
        self._kept = self._kept[-_LONGEST:]
        return [request for line in lines if (request := _request(line.decode("latin-1"))) is not None]


def _request(line: str) -> AsanPurchase | AsanInquiry | None:
    text, star, seal = line.partition("*")
    if not star or not text.startswith("$") or seal.upper() != _seal(text[1:]):
        return None
    match text[1:].split(","):
        case ["PCBUY", amount, _, moment, message_id, ""] if amount.isdigit() and len(moment) == len("yyyymmddhhmmss"):
            return AsanPurchase(amount_rial=int(amount), message_id=message_id)
        case ["PCINQ", message_id, ""]:
            return AsanInquiry(message_id=message_id)
        case _:
            return None
