"""The bytes of "POS PC VIII" as the terminal's side sees them.

Written apart from the driver's codec and sharing nothing with it, so that a mistake in one does not hide behind the
same mistake in the other. The terminal reads requests whose length counts the body and answers with a length that
counts the whole frame.
"""

import msgspec


def checksum(body: bytes) -> bytes:
    """Return the two bytes that end a frame: CRC-16 with polynomial x^16+x^15+x^2+1, low byte first."""
    register = 0
    for byte in body:
        register = register >> 8 ^ _EIGHT_BITS[(register ^ byte) & 0xFF]
    return bytes((register & 0xFF, register >> 8))


def _eight_bits(register: int) -> int:
    """Return what eight bits of the low byte do to the rest, each fed back by itself."""
    for _ in range(8):
        register = register >> 1 ^ (0xA001 if register & 1 else 0)
    return register


_EIGHT_BITS = tuple(map(_eight_bits, range(256)))


def packed(digits: str) -> bytes:
    """Return decimal digits two to a byte, a zero in front when they are odd in number."""
    even = digits.rjust(len(digits) + len(digits) % 2, "0")
    return bytes(int(even[at]) << 4 | int(even[at + 1]) for at in range(0, len(even), 2))


def unpacked(value: bytes) -> str:
    """Return the digits of a packed number. Raises ValueError on a half byte above nine."""
    halves = [half for byte in value for half in (byte >> 4, byte & 15)]
    if any(half > 9 for half in halves):  # noqa: PLR2004 - decimal digits
        raise ValueError("not packed decimal")
    return "".join(str(half) for half in halves)


_REQUEST_BYTES_MAX = 300
"""Digits inside a broken request must not pass for the length of one that never ends."""

_AMOUNT, _SERVICE, _NUMBER, _REFERENCE = 0xB0, 0xA2, 0xA4, 0xBA
_BILL_ID, _PAYMENT_ID = 0xB3, 0xB4
SALE, BILL = "01", "05"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a PC asked: `service` 01 a sale, 05 a bill's payment, 16 the status by reference, 17 the last sale."""

    service: str
    amount_rial: int = 0
    reference: str | None = None
    number: str | None = None
    bill: tuple[int, int] | None = None
    """Of service 05: the bill's two ids. They come as packed numbers, without zeros in front."""


class RequestReader:
    """Reads what a PC sends: words and frames. What makes no sense is passed over, byte by byte, as terminals do."""

    def __init__(self) -> None:
        self._kept = bytearray()

    def feed(self, data: bytes) -> "list[str | Request]":
        """Return what is complete: `ready`, `cancel`, or a request."""
        self._kept += data
        found: list[str | Request] = []
        while self._kept:
            size, thing = self._first()
            if size == 0:
                break
            del self._kept[:size]
            if thing is not None:
                found.append(thing)
        return found

    def _first(self) -> "tuple[int, str | Request | None]":
        """Return how many bytes the first thing takes (0: more must come) and what it is."""
        kept = bytes(self._kept)
        for word, thing in ((b"Ready?", "ready"), (b"CANCEL", "cancel")):
            if kept.startswith(word):
                return len(word), thing
            if word.startswith(kept):
                return 0, None
        return _first_frame(kept)


def _first_frame(kept: bytes) -> "tuple[int, Request | None]":
    if not kept[:4].isdigit():
        return 1, None
    size = 4 + int(kept[:4]) + 2
    if size > _REQUEST_BYTES_MAX:
        return 1, None
    if len(kept) < max(4, size):
        return 0, None
    body, crc = kept[4 : size - 2], kept[size - 2 : size]
    return (size, _request(body)) if checksum(body) == crc else (1, None)


def _request(body: bytes) -> Request | None:
    values: dict[int, bytes] = {}
    rest = body
    while len(rest) >= 2 and len(rest) >= 2 + rest[1]:  # noqa: PLR2004 - tag and length
        values[rest[0]] = rest[2 : 2 + rest[1]]
        rest = rest[2 + rest[1] :]
    if rest or _SERVICE not in values:
        return None
    try:
        return Request(
            service=unpacked(values[_SERVICE]),
            amount_rial=int(unpacked(values.get(_AMOUNT, b"\0"))),
            reference=values[_REFERENCE].decode("ascii") if _REFERENCE in values else None,
            number=values[_NUMBER].decode("ascii") if _NUMBER in values else None,
            bill=(int(unpacked(values[_BILL_ID])), int(unpacked(values[_PAYMENT_ID])))
            if _BILL_ID in values and _PAYMENT_ID in values
            else None,
        )
    except ValueError:
        return None


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What the terminal answers; members that are None are left out."""

    code: str
    service: str | None = None
    number: str | None = None
    amount_rial: int | None = None
    stan: str | None = None
    rrn: str | None = None
    date: str | None = None
    time: str | None = None
    last4: str | None = None
    bin6: str | None = None
    terminal_number: str | None = None
    merchant_number: str | None = None
    reference: str | None = None
    approved_type: str | None = None


def frame(reply: Reply) -> bytes:
    """Return the frame of an answer, members in the order of the documented one."""
    parts = (
        (0xC0, reply.code.encode("ascii")),
        (0xA2, None if reply.service is None else packed(reply.service)),
        (0xA3, None if reply.approved_type is None else packed(reply.approved_type)),
        (0xA4, None if reply.number is None else reply.number.encode("ascii")),
        (0xB0, None if reply.amount_rial is None else packed(str(reply.amount_rial))),
        (0xC1, None if reply.stan is None else packed(reply.stan)),
        (0xC2, None if reply.rrn is None else packed(reply.rrn)),
        (0xC3, None if reply.date is None else reply.date.encode("ascii")),
        (0xC4, None if reply.time is None else reply.time.encode("ascii")),
        (0xC5, None if reply.last4 is None else packed(reply.last4)),
        (0xC6, None if reply.bin6 is None else packed(reply.bin6)),
        (0xC7, None if reply.terminal_number is None else packed(reply.terminal_number)),
        (0xC8, None if reply.merchant_number is None else packed(reply.merchant_number)),
        (0xBA, None if reply.reference is None else reply.reference.encode("ascii")),
    )
    body = b"".join(bytes((tag, len(value))) + value for tag, value in parts if value is not None)
    return str(4 + len(body) + 2).zfill(4).encode("ascii") + body + checksum(body)
