"""Card facts that may be kept. A full card number cannot be: the type that holds card numbers holds ten digits at most.

Form of a masked number: first six, six stars, last four, as the acquirers print it (domain: PCI DSS 3.4 display rule).
"""

import re
from typing import Annotated

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


def mask_full_pan(digits: str) -> MaskedPan:
    """Return the masked form of a full number some terminals send; the caller drops the full one at once."""
    if not re.fullmatch(r"[0-9]{16,19}", digits):
        raise ValueError("a card number has 16 to 19 digits")
    return mask_pan(bin6=digits[:6], last4=digits[-4:])
