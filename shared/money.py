"""Money: whole rials, always `int`. Toman exists only on a page, as a way to read and to type rials.

Typed amounts come with Persian digits and any of the thousands marks people use. There are no typed fractions: the mark
that other languages use for decimals (U+066B, and `.` or `/` on some keyboards) is a thousands mark where three digits
follow it, as in «۱۷٫۵۰۰ تومان», and refused elsewhere.
"""

import re
from typing import Final

from shared.errors import OperatorError
from shared.text import Language, fold_number, persian_digits

RIAL_PER_TOMAN: Final = 10
AMOUNT_MAX_RIAL: Final = 999_999_999_999_999
"""Every amount we take in: below 2**53, so that no JSON reader rounds it, and above all money of all offices."""

_GROUPED: Final = re.compile(r"[0-9]{1,3}(?:[,،٬٫./'][0-9]{3})+")
_MARKS: Final = re.compile(r"[,،٬٫./']")
_UNITS: Final = ("ریال", "تومان", "تومن", "rial", "toman", "irr")


def group_digits(amount: int, language: Language = "fa") -> str:
    """Return a whole number with its digits in groups of three: «۱۲٬۳۴۵» or `12,345`."""
    text = f"{amount:,}"
    return persian_digits(text.replace(",", "٬")) if language == "fa" else text


def rial_text(amount_rial: int, language: Language = "fa") -> str:
    """Return an amount in rial with its unit: «۱۷۵٬۰۰۰ ریال»."""
    return f"{group_digits(amount_rial, language)} {'ریال' if language == 'fa' else 'rial'}"


def toman_text(amount_rial: int, language: Language = "fa") -> str:
    """Return an amount in toman with its unit; single rials show as one decimal: «۱۷٬۵۰۰ تومان», `0.5 toman`."""
    toman, rest = divmod(abs(amount_rial), RIAL_PER_TOMAN)
    text = group_digits(toman, language)
    if rest:
        text += f"٫{persian_digits(str(rest))}" if language == "fa" else f".{rest}"
    sign = "-" if amount_rial < 0 else ""
    return f"{sign}{text} {'تومان' if language == 'fa' else 'toman'}"


def _parse_whole(text: str, field: str) -> int:
    digits = fold_number(text)
    for unit in _UNITS:
        digits = digits.lower().removesuffix(unit)
    if not digits:
        raise OperatorError("money.missing", field=field)
    if _GROUPED.fullmatch(digits):
        digits = _MARKS.sub("", digits)
    if not (digits.isascii() and digits.isdecimal()):
        raise OperatorError("money.not_a_number", field=field)
    if len(digits.lstrip("0")) > len(str(AMOUNT_MAX_RIAL)):
        # Said before converting: int() of thousands of digits is slow, and refused by Python above 4300.
        raise OperatorError("money.too_large", field=field, max_rial=AMOUNT_MAX_RIAL)
    return int(digits)


def parse_rial(text: str, *, field: str = "amount") -> int:
    """Return a typed amount of rial.

    Raises OperatorError `money.missing`, `money.not_a_number` (also for a sign or a fraction), `money.too_large`.
    """
    return _checked(_parse_whole(text, field), field)


def parse_toman(text: str, *, field: str = "amount") -> int:
    """Return, in rial, an amount typed in toman. Raises as `parse_rial`."""
    return _checked(_parse_whole(text, field) * RIAL_PER_TOMAN, field)


def _checked(amount_rial: int, field: str) -> int:
    if amount_rial > AMOUNT_MAX_RIAL:
        raise OperatorError("money.too_large", field=field, max_rial=AMOUNT_MAX_RIAL)
    return amount_rial
