"""The bytes of the text protocol of Pardakht Novin's and Parsian's terminals: requests and answers. No I/O.

A frame is `LLLL | envelope`: four ASCII digits that count the bytes behind them, and one TLV, `RQ` asking or `RS`
answering, that holds the others. A TLV is a tag of two characters, three digits that count bytes, and the value, in
windows-1256. No checksum, no link acknowledgement, nothing at the end; what a terminal does not understand it passes
over in silence. Members are found by their tags: their order in answers is not documented.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final, Literal

import msgspec

from shared.card import MaskedPan, mask_pan
from shared.events import RIAL_MAX, Evidence
from shared.text import fold_digits

PURCHASE: Final = "000000"
RIAL: Final = "364"
LAST_QUESTION: Final = "GetLastTrxnInfo"
CANCEL: Final = "TC"
ACKNOWLEDGE: Final = "GA"
REVERSE: Final = "GR"
LAST: Final = "LT"

LENGTH_DIGITS: Final = 4
AMOUNT_DIGITS_MAX: Final = 12
SLIP_BYTES_MAX: Final = 28
"""The longest line that every model is known to print."""

_HEADER: Final = re.compile(rb"([0-9A-Z]{2})([0-9]{3})")

Field = tuple[str, bytes]
Source = Literal["answer", "late_answer", "last_transaction", "reversal"]


class AnswerError(ValueError):
    """Bytes that are no answer of this protocol. The text holds no content: it may go to a log."""


# --- requests --------------------------------------------------------------------------------------------------------


def _tlv(tag: str, value: bytes) -> bytes:
    if len(value) > 999:  # noqa: PLR2004 - three digits
        raise ValueError("a value does not fit its length of three digits")
    return tag.encode("ascii") + b"%03d" % len(value) + value


def encode_request(fields: Sequence[Field]) -> bytes:
    """Return the frame of a request; the member that ends every request is added. Raises ValueError when too long."""
    envelope = _tlv("RQ", b"".join(_tlv(tag, value) for tag, value in (*fields, ("PD", b"1"))))
    return b"%04d" % len(envelope) + envelope


def sale_request(
    *,
    amount_rial: int,
    terminal_number: str | None = None,
    slip_line: str = "",
    bill: tuple[str, str] | None = None,
) -> bytes:
    """Return the frame that starts a sale. Members stand in the order the vendor's own library sends them.

    With `bill` (its two identifiers, BI and PI) it is the payment of that bill; that the tags exist is documented, a
    whole request with them is not.
    `slip_line` is printed on the merchant's slip, see `slip_text`. `terminal_number` is for terminals that several
    merchants share; the box does not send it. Raises ValueError for values that do not fit.
    """
    if not 1 <= amount_rial < 10**AMOUNT_DIGITS_MAX:
        raise ValueError("amount_rial does not fit the terminal's amount field")
    fields: list[Field] = [("PR", PURCHASE.encode()), ("AM", str(amount_rial).encode()), ("CU", RIAL.encode())]
    if terminal_number is not None:
        if not (terminal_number.isascii() and terminal_number.isdecimal()):
            raise ValueError("terminal_number must be digits")
        fields.append(("TL", terminal_number.encode()))
    if bill is not None:
        if not all(digits.isascii() and digits.isdecimal() for digits in bill):
            raise ValueError("the identifiers of a bill must be digits")
        fields += [(tag, digits.encode()) for tag, digits in zip(("BI", "PI"), bill, strict=True)]
    if line := slip_text(slip_line):
        fields.append(("R0", line))
    return encode_request(fields)


def order_request(tag: str) -> bytes:
    """Return the frame of an order that names no sale: CANCEL the one that waits, ACKNOWLEDGE or REVERSE the newest."""
    return encode_request([(tag, b"1")])


def last_request() -> bytes:
    """Return the frame that asks for the last transaction. Makes none."""
    return encode_request([(LAST, LAST_QUESTION.encode())])


_UNPRINTABLE: Final = re.compile(r"[A-Za-z*=@×…]")
"""Terminals look for tags anywhere in a request, so that `LT` in a line would ask for the last transaction instead of
starting the sale; all tags begin with a Latin letter. The signs are known to break the slip."""
_FOLDED: Final = str.maketrans({"ی": "ي", "ى": "ي", "\u200c": " "})


def slip_text(text: str) -> bytes:
    """Return what of a text a slip can carry, in windows-1256, at most SLIP_BYTES_MAX bytes.

    Digits become Latin ones, the Persian ye the Arabic one; Latin letters and whatever else has no place are left out.
    """
    plain = _UNPRINTABLE.sub("", fold_digits(text)).translate(_FOLDED)
    printable = "".join(one for one in plain if one.isprintable())
    return b" ".join(printable.encode("cp1256", "ignore").split())[:SLIP_BYTES_MAX].strip()


# --- answers ---------------------------------------------------------------------------------------------------------


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, decoded. Numbers that are names (trace, terminal) are digits as sent, leading zeros kept."""

    response_code: str
    trace: str | None = None
    amount_rial: int | None = None
    rrn: str | None = None
    terminal_number: str | None = None
    serial: str | None = None
    time: str | None = None
    """The terminal's own date and time, as it wrote them; which calendar is not documented."""
    pan: MaskedPan | None = None
    other_tags: tuple[str, ...] = ()
    """Tags that were there and are not kept: an unknown one may hold anything, a card number too."""

    @property
    def is_bare(self) -> bool:
        """Return whether it is a code and nothing that says of which sale."""
        return self.trace is None and self.amount_rial is None and self.rrn is None

    def evidence(self, source: Source) -> Evidence:
        """Return what it says, in the journal's words; STAN has six digits there (ISO 8583 field 11)."""
        return Evidence(
            source=source,
            response_code=self.response_code,
            amount_rial=self.amount_rial,
            stan=None if self.trace is None else self.trace.lstrip("0").zfill(6),
            rrn=self.rrn,
            terminal_number=self.terminal_number,
            pan=self.pan,
            terminal_time=self.time,
        )


def _members(content: bytes) -> list[Field]:
    """Return the TLVs a value holds. Raises AnswerError unless they fill it exactly."""
    members: list[Field] = []
    at = 0
    while at < len(content):
        header = _HEADER.match(content, at)
        if header is None:
            raise AnswerError("a member has no tag and length")
        value = content[header.end() : header.end() + int(header[2])]
        if len(value) != int(header[2]):
            raise AnswerError("a value is cut short")
        members.append((header[1].decode("ascii"), value))
        at = header.end() + len(value)
    return members


def _digits(longest: int) -> Callable[[bytes], str]:
    def decode(value: bytes) -> str:
        if not (1 <= len(value) <= longest and value.isdigit()):
            raise AnswerError("a number is none, or has more digits than it can have")
        return value.decode("ascii")

    return decode


def _amount(value: bytes) -> int:
    amount_rial = int(_digits(18)(value))
    if amount_rial > RIAL_MAX:
        raise AnswerError("an amount is larger than any there is")
    return amount_rial


def _code(value: bytes) -> str:
    if not re.fullmatch(rb"[0-9A-Z]{2}", value):
        raise AnswerError("a response code has two characters")
    return value.decode("ascii")


def _text(value: bytes) -> str | None:
    """Return a short text, None where it is empty or not printable ASCII: it proves nothing and may be missing."""
    return value.decode("ascii") if value and all(0x20 <= byte < 0x7F for byte in value) else None  # noqa: PLR2004


def _pan(value: bytes) -> MaskedPan | None:
    """Return the card number's first six and last four digits; the rest, should a terminal send it, is dropped here."""
    if len(value) < 14:  # noqa: PLR2004 - fewer signs than a card number has: its ends would overlap
        return None
    bin6 = value[:6].decode("ascii") if value[:6].isdigit() else None
    last4 = value[-4:].decode("ascii") if value[-4:].isdigit() else None
    return mask_pan(bin6=bin6, last4=last4) if bin6 or last4 else None


_DECODERS: Final[dict[str, tuple[str, Callable[[bytes], str | int | None]]]] = {
    "RS": ("response_code", _code),
    "TR": ("trace", _digits(6)),
    "AM": ("amount_rial", _amount),
    "RN": ("rrn", _digits(12)),
    "TM": ("terminal_number", _digits(16)),
    "SR": ("serial", _text),
    "TI": ("time", _text),
    "PN": ("pan", _pan),
}
_EMPTY_IS_ABSENT: Final = frozenset({"TR", "AM", "RN", "TM"})
"""Older programs of this family write members that they have nothing for with a length of zero."""


def decode_frame(frame: bytes) -> Answer:
    """Return the answer a whole frame holds. Raises AnswerError when it is none, or says one thing twice."""
    outer = _members(frame[LENGTH_DIGITS:])
    if len(outer) != 1 or outer[0][0] != "RS":
        raise AnswerError("a frame holds one answer")
    members: dict[str, str | int | None] = {}
    other_tags: list[str] = []
    for tag, value in _members(outer[0][1]):
        if tag not in _DECODERS:
            other_tags.append(tag)
            continue
        name, decode = _DECODERS[tag]
        if name in members:
            raise AnswerError("a member is there twice")
        members[name] = None if not value and tag in _EMPTY_IS_ABSENT else decode(value)
    if "response_code" not in members:
        raise AnswerError("there is no response code")
    return msgspec.convert({**members, "other_tags": tuple(other_tags)}, Answer)
