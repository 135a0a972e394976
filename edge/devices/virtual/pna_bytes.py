"""The bytes of the text protocol as the terminal's side sees them.

Written apart from the driver's codec and sharing nothing with it, so that a mistake in one does not hide behind the
same mistake in the other. It reads as the field's firmware is said to: it looks for tags anywhere in the request, so a
tag inside a free text is taken for a tag; and what it does not understand it passes over in silence.
"""

import msgspec

_REQUEST_BYTES_MAX = 1_500
_WORDS = {"LT": "last", "GA": "acknowledge", "GR": "reverse", "GT": "number", "TC": "cancel"}
"""Tags that make a request another one than a sale, in the order in which they are looked for."""


class PnaRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a PC asked. `kind` is `sale`, or what an order or question is for."""

    kind: str
    amount_rial: int = 0
    slip: str = ""
    """The line for the merchant's slip, as it would be printed."""


class PnaReader:
    """Reads requests from one connection, in any split."""

    def __init__(self) -> None:
        self._kept = b""

    def feed(self, data: bytes) -> list[PnaRequest]:
        """Return the requests that are complete; nonsense ends what was kept, without a word."""
        self._kept += data
        found: list[PnaRequest] = []
        while len(self._kept) >= 4:  # noqa: PLR2004 - the length's own digits
            size = _number(self._kept[:4])
            if size is None or size > _REQUEST_BYTES_MAX:
                self._kept = b""
                break
            if len(self._kept) < 4 + size:
                break
            request = _request(self._kept[4 : 4 + size])
            self._kept = self._kept[4 + size :]
            if request is not None:
                found.append(request)
        return found


def _number(text: bytes) -> int | None:
    return int(text) if text.isdigit() else None


def _after(tag: str, body: bytes) -> bytes | None:
    """Return the value that stands behind the first place where a tag's letters are found."""
    at = body.find(tag.encode("cp1256"))
    size = None if at < 0 else _number(body[at + 2 : at + 5])
    if size is None or len(body) < at + 5 + size:
        return None
    return body[at + 5 : at + 5 + size]


def _request(body: bytes) -> PnaRequest | None:
    if body[:2] != b"RQ" or _number(body[2:5]) != len(body) - 5:
        return None
    for tag, kind in _WORDS.items():
        if tag.encode() in body:
            return PnaRequest(kind=kind)
    amount = _after("AM", body)
    if amount is None or not amount.isdigit() or _after("CU", body) != b"364" or not body.endswith(b"PD0011"):
        return None
    slip = _after("R0", body[body.find(b"CU") :]) or b""
    return PnaRequest(kind="sale", amount_rial=int(amount), slip=slip.decode("cp1256", "replace"))


def answer_frame(code: str, **members: str) -> bytes:
    """Return the frame of an answer: its code, the members given by their tags, in that order, and its end."""
    parts = {"RS": code, **members, "PD": "1"}
    inside = b""
    for tag, text in parts.items():
        value = text.encode("cp1256")
        inside += tag.encode() + f"{len(value):03d}".encode() + value
    envelope = b"RS" + f"{len(inside):03d}".encode() + inside
    return f"{len(envelope):04d}".encode() + envelope
