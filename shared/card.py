"""Card facts that may be kept. A full card number cannot be: the type that holds card numbers holds ten digits at most.

Form of a masked number: first six, six stars, last four, as the acquirers print it (domain: PCI DSS 3.4 display rule).
"""

import re
from typing import Annotated, Final

import msgspec

MASKED_PAN_PATTERN = r"^(?:[0-9]{6}|\*{6})\*{6}(?:[0-9]{4}|\*{4})$(?!\n)"
"""`$` alone would let a newline follow; `\\Z` is not known to the readers of JSON schemas."""
_MASKED = re.compile(MASKED_PAN_PATTERN)

MaskedPan = Annotated[str, msgspec.Meta(pattern=MASKED_PAN_PATTERN)]
"""A masked card number: `610433******8596`. Decoding anything longer fails, so no journal entry can carry more."""


def mask_pan(*, bin6: str | None, last4: str | None) -> MaskedPan:
    """Return the masked form of the digits a terminal gives. Raises ValueError on other than 6 and 4 digits."""
    text = f"{bin6 or '******'}******{last4 or '****'}"
    if not _MASKED.match(text):
        raise ValueError("a masked card number has six digits, six stars, four digits")
    return text


_RUN: Final = re.compile(r"[0-9](?:[ -]?[0-9]){12,}")
_CARD_DIGITS: Final = (13, 19)
"""How long card numbers are anywhere (ISO/IEC 7812-1); none begins with a zero, so zeros in front are padding."""
_CARD_DIGITS_HERE: Final = 16


def passes_luhn(digits: str) -> bool:
    """Return whether the last digit checks the others, as on every payment card (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 - two digits of a product are added up
    return total % 10 == 0


def _may_be_card(digits: str) -> bool:
    """Return whether a run of digits is a card number by its form, or, being longer than any, has one of here in it."""
    shortest, longest = _CARD_DIGITS
    if len(digits) <= longest:
        return len(digits) >= shortest and passes_luhn(digits)
    starts = range(len(digits) - _CARD_DIGITS_HERE + 1)
    return any(passes_luhn(digits[at : at + _CARD_DIGITS_HERE]) for at in starts)


def _masked_run(found: re.Match[str]) -> str:
    digits = re.sub("[ -]", "", found[0]).lstrip("0")
    return mask_pan(bin6=digits[:6], last4=digits[-4:]) if _may_be_card(digits) else found[0]


def mask_card_numbers(text: str) -> str:
    """Return a text with every run of digits that may be a whole card number masked; one in ten is so by chance."""
    return _RUN.sub(_masked_run, text)
