"""The bytes of Behpardakht's "POS PC VIII" protocol, revision 3.3 (1401/06/14): requests and answers. No I/O.

A frame is `LLLL | body | CRC`: four ASCII digits, TLVs with one byte of tag and one of length, CRC-16/ARC over the
body, low byte first. In requests LLLL counts the body; in answers it counts the whole frame. A reader that takes
either and lets the CRC decide reads both. Two words go unframed: `Ready?`, answered by `OK`, and `CANCEL`.
"""

from collections.abc import Callable, Sequence
from typing import Final, Literal

import msgspec

from shared.card import MaskedPan, mask_pan
from shared.events import RIAL_MAX, Evidence

READY_QUESTION: Final = b"Ready?"
READY_ANSWER: Final = b"OK"
CANCEL: Final = b"CANCEL"

SERVICE_SALE: Final = "01"
SERVICE_BILL: Final = "05"
SERVICE_QUERY: Final = "16"
SERVICE_LAST: Final = "17"

AMOUNT_DIGITS_MAX: Final = 12
REFERENCE_CHARACTERS_MAX: Final = 20
REQUEST_NUMBER_CHARACTERS_MAX: Final = 12
BILL_DIGITS_MAX: Final = 18
CRC_BYTES: Final = 2

Field = tuple[int, bytes]
Source = Literal["answer", "late_answer", "status_query", "last_transaction"]


class AnswerError(ValueError):
    """Bytes that are no answer of this protocol. The text holds no content: it may go to a log."""


def crc16_arc(data: bytes) -> int:
    """Return CRC-16/ARC: polynomial 0x8005 reflected, start 0, check value 0xBB3D."""
    crc = 0
    for byte in data:
        crc = (crc >> 8) ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc


def _crc_row(value: int) -> int:
    for _ in range(8):
        value = (value >> 1) ^ (0xA001 if value & 1 else 0)
    return value


_CRC_TABLE: Final = tuple(_crc_row(value) for value in range(256))


def _bcd(digits: str) -> bytes:
    return bytes.fromhex(digits if len(digits) % 2 == 0 else "0" + digits)


def encode_request(fields: Sequence[Field]) -> bytes:
    """Return the frame of a request. Raises ValueError when a value does not fit its length byte."""
    body = b"".join(bytes([tag, len(value)]) + value for tag, value in fields)
    return b"%04d" % len(body) + body + crc16_arc(body).to_bytes(CRC_BYTES, "little")


def _ascii(text: str, longest: int, what: str) -> bytes:
    if not 1 <= len(text) <= longest or not (text.isascii() and text.isalnum()):
        raise ValueError(f"{what} must be 1 to {longest} ASCII letters or digits")
    return text.encode("ascii")


def _bill_digits(digits: str) -> str:
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= BILL_DIGITS_MAX):
        raise ValueError(f"an identifier of a bill is up to {BILL_DIGITS_MAX} digits")
    return digits


def sale_request(
    *,
    amount_rial: int,
    request_number: str,
    reference: str | None,
    payment_code: str | None = None,
    merchant_data: str | None = None,
    bill: tuple[str, str] | None = None,
) -> bytes:
    """Return the frame that starts a sale. Members stand in the order of the protocol's own examples.

    The box always sends a `reference`: without one the terminal stores the sale as one that cannot be asked for.
    `payment_code` (B1, digits) and `merchant_data` (B9) are for shops with agreements the box does not have.
    With `bill` (its two identifiers, B3 and B4) it is service 05, the payment of that bill. The papers list service and
    tags and give no example: the digits are written as B1's are.
    Raises ValueError for values that do not fit.
    """
    if not 1 <= amount_rial < 10**AMOUNT_DIGITS_MAX:
        raise ValueError("amount_rial does not fit the terminal's amount field")
    fields: list[Field] = [(0xB0, _bcd(str(amount_rial)))]
    if payment_code is not None:
        fields.append((0xB1, _bcd(payment_code)))
    if merchant_data is not None:
        fields.append((0xB9, _ascii(merchant_data, 255, "merchant_data")))
    if bill is not None:
        fields += [(tag, _bcd(_bill_digits(digits))) for tag, digits in zip((0xB3, 0xB4), bill, strict=True)]
    fields.append((0xA2, _bcd(SERVICE_SALE if bill is None else SERVICE_BILL)))
    if reference is not None:
        fields.append((0xBA, _ascii(reference, REFERENCE_CHARACTERS_MAX, "reference")))
    fields.append((0xA4, _ascii(request_number, REQUEST_NUMBER_CHARACTERS_MAX, "request_number")))
    return encode_request(fields)


def query_request(*, reference: str, request_number: str) -> bytes:
    """Return the frame that asks for a sale by its reference. Makes no transaction."""
    return encode_request(
        [
            (0xA2, _bcd(SERVICE_QUERY)),
            (0xBA, _ascii(reference, REFERENCE_CHARACTERS_MAX, "reference")),
            (0xA4, _ascii(request_number, REQUEST_NUMBER_CHARACTERS_MAX, "request_number")),
        ]
    )


def last_request(*, request_number: str) -> bytes:
    """Return the frame that asks for the last sale a PC started. Makes no transaction."""
    number = _ascii(request_number, REQUEST_NUMBER_CHARACTERS_MAX, "request_number")
    return encode_request([(0xA2, _bcd(SERVICE_LAST)), (0xA4, number)])


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A framed answer, decoded. Numbers that are names (STAN, terminal) are digits as sent, leading zeros kept."""

    response_code: str
    service: str | None = None
    transaction_type: str | None = None
    request_number: str | None = None
    amount_rial: int | None = None
    reference: str | None = None
    stan: str | None = None
    rrn: str | None = None
    date: str | None = None
    """`YYYY/MM/DD` in the terminal's calendar, as it wrote it."""
    time: str | None = None
    last4: str | None = None
    bin6: str | None = None
    terminal_number: str | None = None
    merchant_number: str | None = None
    other_tags: tuple[int, ...] = ()
    """Tags that were there and are not kept: an unknown one may hold anything, a card number too."""

    @property
    def pan(self) -> MaskedPan | None:
        """Return the masked card number, as far as the terminal gave it."""
        return mask_pan(bin6=self.bin6, last4=self.last4) if self.bin6 or self.last4 else None

    @property
    def terminal_time(self) -> str | None:
        """Return the terminal's own date and time as one raw text."""
        return " ".join(part for part in (self.date, self.time) if part) or None

    def evidence(self, source: Source) -> Evidence:
        """Return what it says, in the journal's words; STAN has six digits there (ISO 8583 field 11)."""
        return Evidence(
            source=source,
            response_code=self.response_code,
            amount_rial=self.amount_rial,
            reference=self.reference,
            stan=None if self.stan is None else self.stan.lstrip("0").zfill(6),
            rrn=self.rrn,
            terminal_number=self.terminal_number,
            merchant_number=self.merchant_number,
            pan=self.pan,
            terminal_time=self.terminal_time,
        )


def _digits(value: bytes) -> str:
    text = value.hex()
    if not text.isdecimal():
        raise AnswerError("a BCD value has a digit above 9")
    return text


def _some_digits(shortest: int, longest: int) -> Callable[[bytes], str]:
    def decode(value: bytes) -> str:
        if not shortest <= len(value) * 2 <= longest:
            raise AnswerError("a BCD value has a length it cannot have")
        return _digits(value)

    return decode


def _amount(value: bytes) -> int:
    amount_rial = int(_some_digits(2, 16)(value))
    if amount_rial > RIAL_MAX:
        raise AnswerError("an amount is larger than any there is")
    return amount_rial


def _text(value: bytes) -> str:
    if not value or any(not 0x20 <= byte < 0x7F for byte in value):  # noqa: PLR2004 - printable ASCII
        raise AnswerError("a text value is empty or not printable ASCII")
    return value.decode("ascii")


def _code(value: bytes) -> str:
    text = _text(value)
    if len(text) != 2:  # noqa: PLR2004 - response codes have two characters
        raise AnswerError("a response code has two characters")
    return text


_MEMBERS: Final[dict[int, tuple[str, Callable[[bytes], str | int]]]] = {
    0xA2: ("service", _some_digits(2, 2)),
    0xA3: ("transaction_type", _some_digits(2, 4)),
    0xA4: ("request_number", _text),
    0xB0: ("amount_rial", _amount),
    0xBA: ("reference", _text),
    0xC0: ("response_code", _code),
    0xC1: ("stan", _some_digits(2, 12)),
    0xC2: ("rrn", _some_digits(2, 12)),
    0xC3: ("date", _text),
    0xC4: ("time", _text),
    0xC5: ("last4", _some_digits(4, 4)),
    0xC6: ("bin6", _some_digits(6, 6)),
    0xC7: ("terminal_number", _some_digits(2, 16)),
    0xC8: ("merchant_number", _some_digits(2, 16)),
}


def decode_body(body: bytes) -> Answer:
    """Return the answer a body holds. Raises AnswerError when it is not whole, or says one thing twice."""
    members: dict[str, str | int] = {}
    other_tags: list[int] = []
    at = 0
    while at < len(body):
        header, value = body[at : at + 2], b""
        if len(header) == 2:  # noqa: PLR2004 - tag and length
            value = body[at + 2 : at + 2 + header[1]]
        if len(header) != 2 or len(value) != header[1]:  # noqa: PLR2004
            raise AnswerError("a value is cut short")
        at += 2 + len(value)
        if header[0] not in _MEMBERS:
            other_tags.append(header[0])
            continue
        name, decode = _MEMBERS[header[0]]
        if name in members:
            raise AnswerError("a member is there twice")
        members[name] = decode(value)
    if "response_code" not in members:
        raise AnswerError("there is no response code")
    return msgspec.convert({**members, "other_tags": tuple(other_tags)}, Answer)
