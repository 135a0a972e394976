"""The messages of Telium Manager's protocol E (Concert): the request for a sale, and its answer. No I/O.

Both are ASCII of fixed places. Request (34): till 2, amount 8, answer's form 1, means 1, kind 1, currency 3, private
10, `A010` (answer when the sale is over), `B010` (the terminal decides on asking its centre). Answer: till 2, result
1, amount 8, means 1, [report 55], currency 3, private 10. The private field comes back as it was.
"""

import re
from typing import Final

import msgspec

from shared.card import MaskedPan, mask_pan

REQUEST_BYTES: Final = 34
SHORT_BYTES: Final = 25
FULL_BYTES: Final = 80
PRIVATE_CHARACTERS: Final = 10
AMOUNT_DIGITS: Final = 8

CARD: Final = "1"
DEBIT: Final = "0"
WHEN_IT_IS_OVER: Final = "A010"
AS_THE_TERMINAL_DECIDES: Final = "B010"


class AnswerError(ValueError):
    """Bytes that are no answer of this protocol. The text holds no content: it may go to a log."""


def sale_request(
    *, till: str, amount: int, currency: str, private: str, full_answer: bool, wait: str = WHEN_IT_IS_OVER
) -> bytes:
    """Return the message that starts a sale. `amount` is in the currency's smallest units.

    Raises ValueError for values that do not fit.
    """
    if not 1 <= amount < 10**AMOUNT_DIGITS:
        raise ValueError("the amount does not fit the terminal's amount field")
    if len(private) > PRIVATE_CHARACTERS or not (private.isascii() and private.isprintable()):
        raise ValueError("the private field takes ten characters of ASCII")
    text = f"{till}{amount:08d}{int(full_answer)}{CARD}{DEBIT}{currency}{private:<10}{wait}{AS_THE_TERMINAL_DECIDES}"
    if len(text) != REQUEST_BYTES:
        raise ValueError("a request has 34 characters")
    return text.encode("ascii")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, decoded."""

    till: str
    result: str
    amount: int
    """In the currency's smallest units."""
    means: str
    currency: str
    private: str
    """Without the blanks at its end."""
    pan: MaskedPan | None = None
    report: str | None = None
    """What else the report says, without anything that could be a card number."""


_ANSWER: Final = re.compile(rb"(\d{2})([0-9A-Z])(\d{8})([\x20-\x7e])([\x20-\x7e]{55}|)(\d{3})([\x20-\x7e]{10})")
_NUMBER: Final = re.compile(r"(?:[0-9*xX][ -]?){11,}[0-9*xX]")
"""A run of digits as long as a card number's, in groups or not."""


PAN_SIGNS_MIN: Final = 14
"""Fewer signs than a card number has: its ends would overlap."""


def _pan(report: str) -> MaskedPan | None:
    """Return the card number that a report begins with, masked; the rest of it is dropped here."""
    found = _NUMBER.match(report)
    first = report.split(" ", 1)[0]
    signs = first if len(first) >= PAN_SIGNS_MIN else re.sub("[ -]", "", found[0] if found else "")
    if found is None or len(signs) < PAN_SIGNS_MIN:
        return None
    bin6 = signs[:6] if signs[:6].isdecimal() else None
    last4 = signs[-4:] if signs[-4:].isdecimal() else None
    return mask_pan(bin6=bin6, last4=last4) if bin6 or last4 else None


def decode(message: bytes) -> Answer:
    """Return the answer that a message holds. Raises AnswerError when it is none."""
    if len(message) not in {SHORT_BYTES, FULL_BYTES} or (found := _ANSWER.fullmatch(message)) is None:
        raise AnswerError("an answer has 25 or 80 characters, each in its place")
    till, result, amount, means, report, currency, private = (part.decode("ascii") for part in found.groups())
    return Answer(
        till=till,
        result=result,
        amount=int(amount),
        means=means,
        currency=currency,
        private=private.rstrip(),
        pan=_pan(report),
        report=_NUMBER.sub("…", report).strip() or None,
    )
