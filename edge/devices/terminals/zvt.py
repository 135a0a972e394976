"""The messages of ZVT (PA00P015), the till's protocol of German-speaking countries: requests and answers. No I/O.

The till asks; the terminal says that it heard (80 00), works, and reports while it works: progress (04 FF), the result
(04 0F), its end (06 0F) or that it gave up (06 1E). Each report is answered with 80 00, or 84 and a code. What of a
report is about the card is masked or dropped here; nothing behind this module can hold it.
"""

import contextlib
import re
from collections.abc import Callable
from typing import Final

import msgspec

from edge.devices.terminals.zvt_bytes import AnswerError, Apdu, bcd, read_bcd, read_bmps, read_tlv, tlv
from shared.card import MaskedPan, mask_pan
from shared.events import RIAL_MAX

POSITIVE: Final = Apdu(0x8000)
WAIT: Final = Apdu(0x849C)
"""The till is not ready to say yes; the terminal asks again in two seconds."""
GOODS_REFUSED: Final = Apdu(0x8466)
"""The till could not hand out what was paid for: the terminal takes the sale back."""
UNKNOWN_COMMAND: Final = Apdu(0x8483)

AMOUNT_DIGITS: Final = 12
SEND_STATUS: Final = 0x01
NO_PRINT: Final = 0x02
TRANSACTION_ID: Final = "1F1F"
"""What the terminal calls its last transaction, for the till to repeat with its next order."""

# --- requests --------------------------------------------------------------------------------------------------------


def registration(*, password: str, config_byte: int, currency: str) -> Apdu:
    """Return the message that makes the till known to the terminal and says how they work together."""
    return Apdu(0x0600, bcd(password) + bytes([config_byte]) + bcd(currency.zfill(4)))


def authorisation(*, amount: int, currency: str, transaction_id: bytes | None = None) -> Apdu:
    """Return the message that starts a sale. `amount` is in the currency's smallest units.

    `transaction_id` repeats the terminal's own word for its last transaction, empty when the till knows none; with None
    nothing is said of it. Raises ValueError for an amount that does not fit, and for an identifier of zeros: to the
    terminal a zero is one that it may take for the one before its last, and then takes its last sale back.
    """
    if not 1 <= amount < 10**AMOUNT_DIGITS:
        raise ValueError("the amount does not fit the terminal's amount field")
    data = b"\x04" + bcd(f"{amount:012d}") + b"\x49" + bcd(currency.zfill(4))
    if transaction_id is not None:
        if transaction_id and not any(transaction_id):
            raise ValueError("a transaction identifier of zeros is none")
        container = tlv(TRANSACTION_ID, transaction_id)
        data += b"\x06" + bytes([len(container)]) + container
    return Apdu(0x0601, data)


def status_enquiry(*, password: str) -> Apdu:
    """Return the message that asks whether the terminal is idle. Makes no transaction."""
    return Apdu(0x0501, bcd(password))


def repeat_receipt(*, password: str) -> Apdu:
    """Return the message that asks for the last transaction's report again, printing nothing. Makes none."""
    return Apdu(0x0620, bcd(password) + bytes([0x03, SEND_STATUS | NO_PRINT]))


def reversal(*, password: str, receipt_number: str) -> Apdu:
    """Return the message that undoes the sale with that receipt number (four digits)."""
    return Apdu(0x0630, bcd(password) + b"\x87" + bcd(receipt_number))


def abort() -> Apdu:
    """Return the message that asks the terminal to drop what it is doing."""
    return Apdu(0x06B0)


# --- answers ---------------------------------------------------------------------------------------------------------


class Acknowledged(msgspec.Struct, frozen=True):
    """The terminal took what was sent."""


class Refused(msgspec.Struct, frozen=True):
    """The terminal did not take what was sent."""

    code: str


class Progress(msgspec.Struct, frozen=True):
    """What the terminal is doing."""

    status: str | None


class Printed(msgspec.Struct, frozen=True):
    """A text for the till's printer. What it says is not kept."""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The report of a transaction (04 0F), decoded. Numbers that are names are digits as sent, leading zeros kept."""

    result_code: str | None = None
    amount: int | None = None
    """In the currency's smallest units."""
    currency: str | None = None
    trace: str | None = None
    original_trace: str | None = None
    """The trace of the sale that this transaction undid."""
    time: str | None = None
    date: str | None = None
    """Month and day, or year, month and day."""
    payment_type: str | None = None
    card_sequence: str | None = None
    pan: MaskedPan | None = None
    terminal_number: str | None = None
    merchant_number: str | None = None
    authorisation: str | None = None
    """The authorising system's word for its yes."""
    result_code_as: str | None = None
    """The authorising system's own result code."""
    additional_text: str | None = None
    receipt_number: str | None = None
    turnover_number: str | None = None
    card_type: str | None = None
    operator_card_type: str | None = None
    card_name: str | None = None
    transaction_id: bytes | None = None
    extended_error: str | None = None
    extended_error_text: str | None = None
    application: str | None = None
    """The card's application (AID), hexadecimal."""
    card_technology: str | None = None
    authentication: str | None = None
    """How the cardholder was authenticated."""
    long_trace: str | None = None
    dropped: tuple[str, ...] = ()
    """Members that were there and are not kept: of the card itself, or of no use here."""


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """The terminal ended what it was asked for. After an enquiry with its version and how it stands."""

    version: str | None = None
    terminal_status: str | None = None
    """`00` when it is idle and well."""
    status_byte: str | None = None
    terminal_number: str | None = None
    currency: str | None = None


class Aborted(msgspec.Struct, frozen=True):
    """The terminal gave up what it was asked for."""

    code: str


class Unknown(msgspec.Struct, frozen=True):
    """A message that the box does not serve."""

    control: int


Message = Acknowledged | Refused | Progress | Printed | Status | Completed | Aborted | Unknown


def _code(value: bytes) -> str:
    return value.hex().upper()


def _amount(value: bytes) -> int:
    amount = int(read_bcd(value))
    if amount > RIAL_MAX:
        raise AnswerError("an amount is larger than any there is")
    return amount


def _currency(value: bytes) -> str:
    return read_bcd(value)[1:]


_NUMBER: Final = re.compile(r"(?:[0-9*xX][ -]?){11,}[0-9*xX]")
"""A run of digits as long as a card number's, in groups or not."""


def _text(value: bytes) -> str | None:
    """Return a text without what cannot be shown, and without anything that could be a card number."""
    plain = "".join(one for one in value.decode("latin-1") if one.isprintable()).strip()
    return _NUMBER.sub("…", plain) or None


def _pan(value: bytes) -> MaskedPan | None:
    """Return a card number's first six and last four digits; the rest, should a terminal send it, is dropped here.

    Digits are packed, `E` stands for one that the terminal hides, `F` pads an odd number.
    """
    signs = value.hex().upper().rstrip("F")
    if len(signs) < 14:  # noqa: PLR2004 - fewer signs than a card number has: its ends would overlap
        return None
    bin6 = signs[:6] if signs[:6].isdecimal() else None
    last4 = signs[-4:] if signs[-4:].isdecimal() else None
    return mask_pan(bin6=bin6, last4=last4) if bin6 or last4 else None


_STATUS_BMPS: Final[dict[int, tuple[str, Callable[[bytes], object]]]] = {
    0x04: ("amount", _amount),
    0x0B: ("trace", read_bcd),
    0x0C: ("time", read_bcd),
    0x0D: ("date", read_bcd),
    0x17: ("card_sequence", _code),
    0x19: ("payment_type", _code),
    0x22: ("pan", _pan),
    0x27: ("result_code", _code),
    0x29: ("terminal_number", read_bcd),
    0x2A: ("merchant_number", _text),
    0x37: ("original_trace", read_bcd),
    0x3B: ("authorisation", _text),
    0x3C: ("additional_text", _text),
    0x49: ("currency", _currency),
    0x87: ("receipt_number", read_bcd),
    0x88: ("turnover_number", read_bcd),
    0x8A: ("card_type", _code),
    0x8B: ("card_name", _text),
    0x8C: ("operator_card_type", _code),
    0xA0: ("result_code_as", _code),
    0xAA: ("date", read_bcd),
}
_STATUS_TAGS: Final[dict[str, tuple[str, Callable[[bytes], object]]]] = {
    TRANSACTION_ID: ("transaction_id", bytes),
    "1F16": ("extended_error", _code),
    "1F17": ("extended_error_text", _text),
    "43": ("application", _code),
    "1F12": ("card_technology", _code),
    "1F10": ("authentication", _code),
    "1F2B": ("long_trace", read_bcd),
}
_MAY_REPEAT: Final = frozenset({"date", "application"})
"""A short and a long date may both be there, and the application is named in several places."""


def read_status(data: bytes) -> Status:
    """Return the report of a transaction.

    Raises AnswerError when it is none: a member that is cut, of no known length, or there twice.
    """
    members: dict[str, object] = {}
    dropped: list[str] = []

    def keep(name: str, value: object) -> None:
        if name in members and name not in _MAY_REPEAT:
            raise AnswerError("a member is there twice")
        members[name] = value

    for bmp, value in read_bmps(data):
        if bmp == 0x06:  # noqa: PLR2004 - the container
            for item in read_tlv(value):
                if item.tag in _STATUS_TAGS:
                    name, read = _STATUS_TAGS[item.tag]
                    keep(name, read(item.value))
                else:
                    dropped.append(item.tag)
        elif bmp in _STATUS_BMPS:
            name, read = _STATUS_BMPS[bmp]
            keep(name, read(value))
        else:
            dropped.append(f"{bmp:02X}")
    return msgspec.convert({**members, "dropped": tuple(dropped)}, Status)


def _version_and_status(data: bytes) -> Completed:
    """Return the answer to an enquiry: a length of three digits, the version, and how the terminal stands."""
    size = int("".join(str(byte & 0x0F) for byte in data[:3]))
    rest = data[3 + size :]
    if len(data) < 3 + size:
        raise AnswerError("a version is cut short")
    return Completed(version=_text(data[3 : 3 + size]), terminal_status=_code(rest[:1]) if rest else None)


_ENQUIRY_ANSWER: Final = re.compile(rb"[\xf0-\xf9]{3}")


_COMPLETION_BMPS: Final[dict[int, tuple[str, Callable[[bytes], str]]]] = {
    0x19: ("status_byte", _code),
    0x29: ("terminal_number", read_bcd),
    0x49: ("currency", _currency),
}


def read_completion(data: bytes) -> Completed:
    """Return how the terminal ended. Raises AnswerError when the answer to an enquiry cannot be read.

    Else the end is the end, whatever stands behind it: what cannot be read there is left.
    """
    if _ENQUIRY_ANSWER.match(data):
        return _version_and_status(data)
    members: dict[str, str] = {}
    with contextlib.suppress(AnswerError):
        for bmp, value in read_bmps(data):
            if bmp in _COMPLETION_BMPS:
                name, read = _COMPLETION_BMPS[bmp]
                members[name] = read(value)
    return msgspec.convert(members, Completed)


def _read_abort(data: bytes) -> Aborted:
    if not data:
        raise AnswerError("an abort says why")
    return Aborted(_code(data[:1]))


_READERS: Final[dict[int, Callable[[bytes], Message]]] = {
    0x8000: lambda _: Acknowledged(),
    0x8400: lambda _: Acknowledged(),
    0x04FF: lambda data: Progress(_code(data[:1]) or None),
    0x040F: read_status,
    0x060F: read_completion,
    0x061E: _read_abort,
    0x06D1: lambda _: Printed(),
    0x06D3: lambda _: Printed(),
}
_NO: Final = 0x84


def decode(apdu: Apdu) -> Message:
    """Return what a message of the terminal says. Raises AnswerError when it cannot be read."""
    if apdu.control in _READERS:
        return _READERS[apdu.control](apdu.data)
    kind, instruction = divmod(apdu.control, 256)
    if kind == _NO:
        # Some firmware writes what gave up into the instruction, and the code behind it.
        return Refused(_code(apdu.data[:1] or bytes([instruction])))
    return Unknown(apdu.control)
