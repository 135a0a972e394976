"""What a person states in words, for the journal: a reason, the number of a slip. Checked before it is signed for ever.

The journal holds no full card number. A person copying from a terminal's slip may type one, so digits that make one are
refused here, in whatever digits and with whatever between them.
"""

import re
from typing import Final

from shared.card import passes_luhn
from shared.errors import OperatorError
from shared.text import fold_digits

REASON_LETTERS_MIN: Final = 5
REASON_LETTERS_MAX: Final = 300
SLIP_LETTERS_MAX: Final = 32
_CARD_DIGITS: Final = (16, 19)
"""How long card numbers are here; bill ids and RRNs, which a reason may well name, are shorter."""
_RUN: Final = re.compile(r"\d(?:[ \-./·_\u200c\u200e\u200f\u00a0]*\d)+")


def checked_reason(given: str) -> str:
    """Return a reason in one line. Raises OperatorError `statement.reason_short`, `_long`, `_card_number`."""
    reason = " ".join(given.split())
    if len(reason) < REASON_LETTERS_MIN:
        raise OperatorError("statement.reason_short", field="reason", letters=REASON_LETTERS_MIN)
    if len(reason) > REASON_LETTERS_MAX:
        raise OperatorError("statement.reason_long", field="reason", letters=REASON_LETTERS_MAX)
    if _holds_card_number(reason):
        raise OperatorError("statement.card_number", field="reason")
    return reason


def checked_slip(given: str, *, needed: bool) -> str:
    """Return a slip's number with Latin digits, empty where there is none.

    Raises OperatorError `statement.slip_missing` when one is `needed`, `statement.slip_long`, `statement.card_number`.
    """
    slip = fold_digits(" ".join(given.split()))
    if needed and not any(letter.isdigit() for letter in slip):
        raise OperatorError("statement.slip_missing", field="slip_number")
    if len(slip) > SLIP_LETTERS_MAX:
        raise OperatorError("statement.slip_long", field="slip_number", letters=SLIP_LETTERS_MAX)
    if _holds_card_number(slip):
        raise OperatorError("statement.card_number", field="slip_number")
    return slip


def _holds_card_number(text: str) -> bool:
    for run in _RUN.findall(fold_digits(text)):
        digits = re.sub(r"\D", "", run)
        if _CARD_DIGITS[0] <= len(digits) <= _CARD_DIGITS[1] and passes_luhn(digits):
            return True
    return False
