"""What a Sadad terminal can be asked beside a sale (version 002): its last transactions, one by our reference, itself.

A request or answer is `function 4 | length 3 | payload`. A transaction is 60 characters: type 2, amount 12, trace 6,
date 8 (Gregorian), time 6, card 12 (masked), RRN 12, response code 2; where references are told, two digits of length
and the reference follow. None of these requests makes a transaction.
"""

from typing import Final

import msgspec

from edge.devices.terminals.sadad import (
    REPORT_VERSION,
    REQUEST_TYPE,
    AnswerError,
    Source,
    amount_of,
    encode_frame,
    masked_pan,
    reference_text,
    response_code,
    trace_text,
)
from shared.card import MaskedPan
from shared.events import Evidence

LAST: Final = "0013"
"""The last transactions with their references; 0001 is the same without."""
LAST_PLAIN: Final = "0001"
DEVICE: Final = "0005"
SEARCH: Final = "0015"
SEARCH_MORE: Final = "0017"
CARD: Final = "0003"

NOTHING: Final = "NONE"
"""What an answer without any record is called: the terminal gave no code of its own."""

ALL_KINDS: Final = 2
_RECORD_CHARACTERS: Final = 60
_HEADER_CHARACTERS: Final = 7
_WITH_REFERENCE: Final = frozenset({"0014", "0016", "0018"})
_RECORDS: Final = _WITH_REFERENCE | {"0002"}
DEVICE_ANSWER: Final = "0006"


# --- requests --------------------------------------------------------------------------------------------------------


def report_request(function: str, payload: str = "") -> bytes:
    """Return the frame of a question. Raises ValueError when it does not fit."""
    data = f"{function}{len(payload):03d}{payload}".encode("ascii")
    return encode_frame(REQUEST_TYPE, data, version=REPORT_VERSION)


def last_request(*, count: int = 1, kind: int = ALL_KINDS, function: str = LAST) -> bytes:
    """Return the frame that asks for the last transactions. `kind`: 0 failed, 1 successful, 2 all."""
    return report_request(function, f"{count:02d}{kind}")


def search_request(reference: str, *, function: str = SEARCH) -> bytes:
    """Return the frame that asks for a sale by its reference. Raises ValueError for one the terminal cannot keep."""
    text = reference_text(reference)
    return report_request(function, f"{len(text):02d}{text}")


def device_request() -> bytes:
    """Return the frame that asks the terminal who it is."""
    return report_request(DEVICE)


# --- answers ---------------------------------------------------------------------------------------------------------


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One transaction as the terminal remembers it."""

    transaction_type: str
    """04 a sale, 22 a bill, …"""
    response_code: str
    amount_rial: int
    trace: str | None
    date: str
    time: str
    pan: MaskedPan | None
    rrn: str | None
    reference: str | None = None

    def evidence(self, source: Source, terminal_number: str | None) -> Evidence:
        """Return what it says. A record does not say whose it is: `terminal_number` was told on the way."""
        return Evidence(
            source=source,
            response_code=self.response_code,
            amount_rial=self.amount_rial,
            reference=self.reference,
            stan=self.trace,
            rrn=self.rrn,
            terminal_number=terminal_number,
            pan=self.pan,
            terminal_time=f"{self.date} {self.time}",
        )


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Transactions, newest or best first as the terminal gives them; none, with the code it gave instead."""

    function: str
    records: tuple[Record, ...] = ()
    code: str = ""
    """Why there are no records: the terminal's own code, or NOTHING."""


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """What a terminal says of itself."""

    terminal_number: str | None = None
    """Not there when it said something, but not this."""
    merchant_number: str | None = None


class Other(msgspec.Struct, frozen=True, kw_only=True):
    """An answer the box has not asked for; nothing of it is kept: it may hold a card number."""

    function: str


def _device(text: bytes) -> Device:
    """Return who a terminal says it is: `SADAD PCPOS:merchant's name:address:port:terminal:merchant`, in UTF-8."""
    said = text.decode("utf-8", "replace").strip("\0\r\n ")
    begin, *numbers = said.rsplit(":", 2)
    named = [one.strip() for one in numbers if one.isascii() and one.strip().isalnum()]
    if len(named) != 2 or not begin.upper().startswith("SADAD"):  # noqa: PLR2004 - terminal and merchant
        return Device()
    return Device(terminal_number=named[0], merchant_number=named[1])


def decode_report(data: bytes) -> Report | Device | Other:
    """Return what a response of version 002 holds. Raises AnswerError when it is none."""
    function, size = data[:4].decode("latin-1"), data[4:_HEADER_CHARACTERS]
    payload = data[_HEADER_CHARACTERS:]
    if not (function.isascii() and function.isdecimal() and len(size) == 3 and size.isdigit()):  # noqa: PLR2004
        raise AnswerError("an answer has no function and length")
    if function == DEVICE_ANSWER:
        # A name in UTF-8 has fewer letters than bytes, and which of them the length counts is not said.
        return _device(payload)
    if int(size) != len(payload):
        raise AnswerError("an answer has another length than it says")
    if function not in _RECORDS:
        return Other(function=function)
    if not payload.isascii():
        raise AnswerError("a transaction is not ASCII")
    return _report(function, payload.decode("ascii"))


def _report(function: str, payload: str) -> Report:
    if len(payload) <= 4:  # noqa: PLR2004 - the longest code
        return Report(function=function, code=response_code(payload) if payload else NOTHING)
    records: list[Record] = []
    at = 0
    while at < len(payload):
        end = at + _RECORD_CHARACTERS
        reference: str | None = None
        if function in _WITH_REFERENCE:
            size = payload[end : end + 2]
            if not size.isdecimal():
                raise AnswerError("a transaction is cut short")
            reference = payload[end + 2 : end + 2 + int(size)] or None
            if len(reference or "") != int(size):
                raise AnswerError("a reference is cut short")
            records.append(_record(payload[at:end], reference))
            at = end + 2 + int(size)
        else:
            records.append(_record(payload[at:end], None))
            at = end
    return Report(function=function, records=tuple(records))


def _record(text: str, reference: str | None) -> Record:
    if len(text) != _RECORD_CHARACTERS:
        raise AnswerError("a transaction is cut short")
    date, time, rrn = text[20:28], text[28:34], text[46:58].strip()
    if not (text[:2].isdecimal() and date.isdecimal() and time.isdecimal()):
        raise AnswerError("a transaction has no type, date or time")
    if not (rrn.isalnum() or not rrn) or not (reference or "0").isalnum():
        raise AnswerError("an RRN or a reference is none")
    return Record(
        transaction_type=text[:2],
        response_code=response_code(text[58:60]),
        amount_rial=amount_of(text[2:14]),
        trace=trace_text(text[14:20].strip() or None),
        date=date,
        time=time,
        pan=masked_pan(text[34:46].strip()),
        rrn=rrn or None,
        reference=reference,
    )
