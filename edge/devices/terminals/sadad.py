"""The bytes of Sadad's "PcPos" protocol 1.5: frames, and requests and answers of sales (version 000). No I/O.

A frame is `02 | LEN3 | VERSION3 | TYPE1 | data | 03 | LRC`: LEN is three ASCII digits that count what stands behind
them (the whole frame less four), LRC is XOR of every byte between 02 and itself. Both sides acknowledge each other's
frames with frames (`ACK`, `NACK`); `INM` greets, `EOT` ends or takes back.

An answer to a sale carries the card's whole number. It is masked here, and nothing else ever holds it.
"""

import struct
from collections.abc import Mapping
from functools import reduce
from operator import xor
from typing import Final, Literal

import msgspec

from shared.card import MaskedPan, mask_pan
from shared.events import RIAL_MAX, Evidence

STX: Final = 0x02
ETX: Final = 0x03
HEADER_BYTES: Final = 8
"""STX, length, version, type."""
TRAILER_BYTES: Final = 2
UNCOUNTED_BYTES: Final = 4
"""By what a frame is longer than its length says: STX and the length's own digits."""
LENGTH_MAX: Final = 999

SALE_VERSION: Final = "000"
REPORT_VERSION: Final = "002"

Signal = Literal["INM", "EOT", "ACK", "NACK"]
SIGNALS: Final[dict[int, Signal]] = {0xF1: "INM", 0x04: "EOT", 0x06: "ACK", 0x15: "NACK"}
"""Frames that are nothing but their type."""
_SIGNAL_TYPES: Final = {name: kind for kind, name in SIGNALS.items()}
REQUEST_TYPE: Final = 0x19
RESPONSE_TYPE: Final = 0x1A

PURCHASE: Final = "000000"
BILL: Final = "170000"
AMOUNT_BYTES: Final = 13
AMOUNT_DIGITS_MAX: Final = 12
REFERENCE_CHARACTERS_MAX: Final = 99

SALE_ID, BILL_IDS, REFERENCE, API_VERSION = 2, 3, 5, 8
"""Numbers of the options a sale's request can carry that the box knows a use for."""

Source = Literal["answer", "late_answer", "status_query", "last_transaction"]


class AnswerError(ValueError):
    """Bytes that are no answer of this protocol. The text holds no content: it may go to a log."""


# --- frames ----------------------------------------------------------------------------------------------------------


def lrc(data: bytes) -> int:
    """Return the byte that ends a frame: XOR of everything from the length to the ETX."""
    return reduce(xor, data, 0)


def encode_frame(kind: int, data: bytes = b"", *, version: str = SALE_VERSION) -> bytes:
    """Return a whole frame. Raises ValueError when the data does not fit a length of three digits."""
    length = HEADER_BYTES + len(data) + TRAILER_BYTES - UNCOUNTED_BYTES
    if length > LENGTH_MAX:
        raise ValueError("a frame does not fit its length of three digits")
    checked = b"%03d" % length + version.encode("ascii") + bytes([kind]) + data + bytes([ETX])
    return bytes([STX]) + checked + bytes([lrc(checked)])


def signal(name: Signal) -> bytes:
    """Return a frame that is nothing but its type."""
    return encode_frame(_SIGNAL_TYPES[name])


# --- requests --------------------------------------------------------------------------------------------------------


def payment_request(*, amount_rial: int, processing_code: str, options: Mapping[int, str]) -> bytes:
    """Return the frame that starts a payment; `options` by their numbers, 1 to 8. Raises ValueError when it cannot."""
    if not 1 <= amount_rial < 10**AMOUNT_DIGITS_MAX:
        raise ValueError("amount_rial does not fit the terminal's amount field")
    data = str(amount_rial).encode("ascii").ljust(AMOUNT_BYTES, b"\0") + b" " * 14 + b"0200" + processing_code.encode()
    data += bytes([sum(1 << (number - 1) for number in options)])
    for number in sorted(options):
        value = options[number].encode("ascii")
        if not 1 <= len(value) <= LENGTH_MAX:
            raise ValueError("an option does not fit its length of three digits")
        data += b"%03d" % len(value) + value
    return encode_frame(REQUEST_TYPE, data)


def reference_text(reference: str) -> str:
    """Return a reference as it goes onto the wire. Raises ValueError for one that the terminal cannot keep."""
    if not 1 <= len(reference) <= REFERENCE_CHARACTERS_MAX or not (reference.isascii() and reference.isalnum()):
        raise ValueError(f"reference must be 1 to {REFERENCE_CHARACTERS_MAX} ASCII letters or digits")
    return reference


def sale_request(
    *,
    amount_rial: int,
    reference: str | None,
    api_version: str | None,
    sale_id: str | None = None,
    bill: tuple[str, str] | None = None,
) -> bytes:
    """Return the frame that starts a sale, or with `bill` (its two identifiers) the payment of that bill.

    The box always sends a `reference` (the protocol's OrderId): without one nobody can ask for the sale afterwards.
    `api_version` is what the maker's own library says of itself. `sale_id` is for shops with agreements the box does
    not have. Raises ValueError for values that do not fit.
    """
    options: dict[int, str] = {}
    if sale_id is not None:
        options[SALE_ID] = reference_text(sale_id)
    if bill is not None:
        if not all(digits.isascii() and digits.isdecimal() for digits in bill):
            raise ValueError("the identifiers of a bill must be digits")
        options[BILL_IDS] = ",".join(bill)
    if reference is not None:
        options[REFERENCE] = reference_text(reference)
    if api_version is not None:
        options[API_VERSION] = api_version
    code = PURCHASE if bill is None else BILL
    return payment_request(amount_rial=amount_rial, processing_code=code, options=options)


# --- answers ---------------------------------------------------------------------------------------------------------


def masked_pan(text: str) -> MaskedPan | None:
    """Return the first six and last four digits of what stands where a card number does; the rest is dropped here."""
    if len(text) < 12:  # noqa: PLR2004 - reports print six, two stars, four: fewer signs would overlap
        return None
    bin6 = text[:6] if text[:6].isdecimal() else None
    last4 = text[-4:] if text[-4:].isdecimal() else None
    return mask_pan(bin6=bin6, last4=last4) if bin6 or last4 else None


def amount_of(digits: str) -> int:
    """Return an amount's value. Raises AnswerError for one that there cannot be."""
    if not (digits.isascii() and digits.isdecimal()) or int(digits) > RIAL_MAX:
        raise AnswerError("an amount is none, or larger than any there is")
    return int(digits)


class SaleAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the terminal says a sale came to. Numbers that are names are as sent, leading zeros kept."""

    response_code: str
    amount_rial: int | None = None
    pan: MaskedPan | None = None
    processing_code: str | None = None
    trace: str | None = None
    time: str | None = None
    """`YYYY/MM/DD hh:mm:ss`, Jalali."""
    rrn: str | None = None
    approval_code: str | None = None
    terminal_number: str | None = None
    merchant_number: str | None = None

    def evidence(self, source: Source) -> Evidence:
        """Return what it says, in the journal's words; it repeats no reference."""
        return Evidence(
            source=source,
            response_code=self.response_code,
            amount_rial=self.amount_rial,
            stan=self.trace,
            rrn=self.rrn,
            terminal_number=self.terminal_number,
            merchant_number=self.merchant_number,
            pan=self.pan,
            terminal_time=self.time,
        )


_FIELDS: Final = (
    ("response_code", 4),
    ("amount_rial", 13),
    ("pan", 17),
    ("processing_code", 7),
    ("trace", 7),
    ("unused_date", 6),
    ("time", 8),
    ("rrn", 13),
    ("approval_code", 7),
    ("terminal_number", 9),
    ("merchant_number", 16),
    ("optional", 30),
)
"""Names and lengths, in units of two bytes (UTF-16, low byte first)."""
SALE_ANSWER_BYTES: Final = 2 * sum(units for _, units in _FIELDS)
_PASSED_OVER: Final = frozenset({"unused_date", "optional"})
_TIME_OFFSET: Final = 24


def _text(units: bytes) -> str | None:
    """Return a field's text up to its first NUL; None when it is empty. Raises AnswerError unless it is ASCII."""
    words = struct.unpack(f"<{len(units) // 2}H", units)
    text = "".join(chr(word) for word in words[: words.index(0) if 0 in words else len(words)]).strip(" ")
    if not (text.isascii() and text.isprintable()):
        raise AnswerError("a text is not printable ASCII")
    return text or None


def _time(units: bytes) -> str | None:
    """Return the terminal's own date and time; None for one that cannot be. Each used word is 24 too large."""
    words = struct.unpack("<8H", units)
    year, month, _, day, hour, minute, second, _ = (word - _TIME_OFFSET if word else 0 for word in words)
    if not (1 <= year <= 9_999 and 1 <= month <= 12 and 1 <= day <= 31):  # noqa: PLR2004 - a calendar's own
        return None
    if not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60):  # noqa: PLR2004
        return None
    return f"{year:04d}/{month:02d}/{day:02d} {hour:02d}:{minute:02d}:{second:02d}"


def _name(text: str | None, longest: int) -> str | None:
    if text is not None and not (text.isalnum() and len(text) <= longest):
        raise AnswerError("a number is none, or longer than it can be")
    return text


def trace_text(text: str | None) -> str | None:
    """Return a trace with its six digits. Raises AnswerError when it is none."""
    if text is None:
        return None
    if not text.isdecimal() or len(text) > 6:  # noqa: PLR2004 - ISO 8583 field 11
        raise AnswerError("a trace is none")
    return text.zfill(6)


def response_code(text: str | None) -> str:
    """Return a response code. Raises AnswerError when it is none."""
    if text is None or not (text.isalnum() and text.isascii() and text == text.upper() and len(text) <= 4):  # noqa: PLR2004
        raise AnswerError("there is no response code")
    return text


def decode_sale_answer(data: bytes) -> SaleAnswer:
    """Return the answer that a response of version 000 holds. Raises AnswerError when it is none."""
    if len(data) != SALE_ANSWER_BYTES:
        raise AnswerError("an answer to a sale has another length")
    said: dict[str, str | None] = {}
    at = 0
    for name, units in _FIELDS:
        field, at = data[at : at + 2 * units], at + 2 * units
        if name not in _PASSED_OVER:
            said[name] = _time(field) if name == "time" else _text(field)
    amount = said["amount_rial"]
    return SaleAnswer(
        response_code=response_code(said["response_code"]),
        amount_rial=None if amount is None else amount_of(amount),
        pan=None if said["pan"] is None else masked_pan(said["pan"]),
        processing_code=said["processing_code"],
        trace=trace_text(said["trace"]),
        time=said["time"],
        rrn=_name(said["rrn"], 12),
        approval_code=_name(said["approval_code"], 6),
        terminal_number=_name(said["terminal_number"], 9),
        merchant_number=_name(said["merchant_number"], 16),
    )
