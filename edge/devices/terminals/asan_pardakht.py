"""The bytes of Asan Pardakht's "PCPos" protocol: requests and answers. No I/O.

A message is a line of text, `$NAME,field,…,*hh` and CR LF: hh is XOR of all bytes between `$` and `*`, the comma before
the star included, as two hexadecimal digits. Fields stand by their places. `PCBUY` starts a purchase and `PCINQ` asks
for the last one, by the MessageID that the purchase carried; a new purchase overwrites it. There is no acknowledgement
and no cancel. `PCBIL`, the payment of a bill, is named in the paper, but its fields are not known here.
"""

import re
from collections.abc import Sequence
from functools import reduce
from operator import xor
from typing import Final, Literal

import msgspec

from shared.card import MaskedPan, mask_pan
from shared.events import RIAL_MAX, Evidence

AMOUNT_DIGITS_MAX: Final = 12
BUY: Final = "POSBUY"
INQUIRY: Final = "POSINQ"

Source = Literal["answer", "late_answer", "status_query", "last_transaction"]


class AnswerError(ValueError):
    """Bytes that are no answer of this protocol. The text holds no content: it may go to a log."""


# --- requests --------------------------------------------------------------------------------------------------------


def checksum(body: bytes) -> int:
    """Return XOR of what stands between `$` and `*`."""
    return reduce(xor, body, 0)


def encode_message(fields: Sequence[str]) -> bytes:
    """Return a whole line. Raises ValueError for a field that a line cannot hold."""
    if not all(field.isascii() and field.isalnum() for field in fields):
        raise ValueError("a field must be ASCII letters and digits")
    body = "".join(f"{field}," for field in fields).encode("ascii")
    return b"$%s*%02X\r\n" % (body, checksum(body))


def buy_request(*, amount_rial: int, invoice_number: str, local_time: str, message_id: str) -> bytes:
    """Return the line that starts a purchase. Raises ValueError for values that do not fit.

    `local_time` has 14 digits: year, month, day, hour, minute, second. `message_id` is what it can be asked by.
    """
    if not 1 <= amount_rial < 10**AMOUNT_DIGITS_MAX:
        raise ValueError("amount_rial does not fit the terminal's amount field")
    return encode_message(["PCBUY", str(amount_rial), invoice_number, local_time, message_id])


def inquiry_request(message_id: str) -> bytes:
    """Return the line that asks for the last purchase. Makes none."""
    return encode_message(["PCINQ", message_id])


# --- answers ---------------------------------------------------------------------------------------------------------


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, decoded. Numbers that are names are as sent, leading zeros kept."""

    about: Literal["purchase", "inquiry"]
    """Whether it ends a purchase, or answers a question for the last one."""
    response_code: str
    amount_rial: int | None = None
    rrn: str | None = None
    trace: str | None = None
    time: str | None = None
    """14 digits, as the terminal wrote them; which calendar is not documented."""
    merchant_number: str | None = None
    terminal_number: str | None = None
    pan: MaskedPan | None = None
    message_id: str | None = None

    def evidence(self, source: Source, reference: str | None) -> Evidence:
        """Return what it says, in the journal's words. `reference`: ours, when the MessageID is its."""
        return Evidence(
            source=source,
            response_code=self.response_code,
            amount_rial=self.amount_rial,
            reference=self.message_id if reference is None else reference,
            stan=self.trace,
            rrn=self.rrn,
            terminal_number=self.terminal_number,
            merchant_number=self.merchant_number,
            pan=self.pan,
            terminal_time=self.time,
        )


class Other(msgspec.Struct, frozen=True, kw_only=True):
    """A whole line about something the box never asks for. Nothing of it is kept: it may hold a card number."""

    name: str


_NAMES: Final[dict[str, Literal["purchase", "inquiry"]]] = {BUY: "purchase", INQUIRY: "inquiry"}
_FIELDS: Final = (
    ("response_code", r"[0-9A-Z]{1,4}"),
    ("amount", r"[0-9]{0,18}"),
    ("rrn", r"[0-9A-Za-z]{0,12}"),
    ("trace", r"[0-9]{0,6}"),
    ("time", r"[0-9]{0,14}"),
    ("merchant_number", r"[0-9A-Za-z]{0,16}"),
    ("terminal_number", r"[0-9A-Za-z]{0,16}"),
    ("pan", r"[0-9*xX-]{0,24}"),
    ("message_id", r"[0-9A-Za-z]{0,20}"),
)
_LINE: Final = re.compile("".join(rf"(?P<{name}>{form})," for name, form in _FIELDS))
_ANY_LINE: Final = re.compile(r"([A-Z]{2,8}),(.*)", re.DOTALL)


def _pan(text: str) -> MaskedPan | None:
    """Return the card number's first six and last four digits; the rest, should a terminal send it, is dropped here."""
    if len(text) < 14:  # noqa: PLR2004 - fewer signs than a card number has: its ends would overlap
        return None
    bin6 = text[:6] if text[:6].isdecimal() else None
    last4 = text[-4:] if text[-4:].isdecimal() else None
    return mask_pan(bin6=bin6, last4=last4) if bin6 or last4 else None


def decode_body(body: bytes) -> Answer | Other:
    """Return what stands between `$` and `*`. Raises AnswerError when it is no answer."""
    line = _ANY_LINE.fullmatch(body.decode("latin-1"))
    if line is None:
        raise AnswerError("a line has no name")
    if line[1] not in _NAMES:
        return Other(name=line[1])
    said = _LINE.fullmatch(line[2])
    if said is None:
        raise AnswerError("a line has other fields than an answer")
    if int(said["amount"] or 0) > RIAL_MAX:
        raise AnswerError("an amount is larger than any there is")
    return Answer(
        about=_NAMES[line[1]],
        response_code=said["response_code"],
        amount_rial=int(said["amount"]) if said["amount"] else None,
        rrn=said["rrn"] or None,
        trace=said["trace"].zfill(6) if said["trace"] else None,
        time=said["time"] or None,
        merchant_number=said["merchant_number"] or None,
        terminal_number=said["terminal_number"] or None,
        pan=_pan(said["pan"]),
        message_id=said["message_id"] or None,
    )
