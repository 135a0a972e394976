"""Values of a provider's answer, brought to the form answers are kept in; whatever has no such form is left out.

Rials are whole and written as digits, days `1405/08/30`, instants RFC 3339. Names of members become `snake_case`.
"""

import re
from datetime import date, datetime
from typing import Final

from shared.calendar import TEHRAN, jalali_text, parse_jalali_date, parse_jalali_datetime
from shared.catalogue import Row
from shared.clock import instant_text
from shared.errors import OperatorError
from shared.text import ZWNJ, fold_digits, fold_number

WORD_SIZE_MAX: Final = 64
"""The longest reference, day or code that the books keep, in characters."""
TEXT_SIZE_MAX: Final = 400
"""The longest text of an answer."""
_RIALS: Final = re.compile(r"[0-9]{1,18}")
_RIALS_MAX: Final = 10**18
_GROUPED: Final = re.compile(r"[0-9]{1,3}([,٬،][0-9]{3})+")
_HUMPS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_DAY: Final = re.compile(r"1[34][0-9]{2}[/-][0-9]{1,2}[/-][0-9]{1,2}")
_MOMENT: Final = re.compile(_DAY.pattern + r"[ \-T]+[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?")


def snake(name: str) -> str:
    """Return a member's name as catalogues write names: `LicenseNumber` → `license_number`, `BillID` → `bill_id`."""
    return _HUMPS.sub("_", name).replace("-", "_").lower()


def camel(name: str) -> str:
    """Return a catalogue's name as providers write names: `negative_score` → `negativeScore`."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def rial(value: object) -> int:
    """Return whole rials from a JSON integer or a text of digits. Raises ValueError: a fraction is no amount."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _RIALS_MAX:
        return value
    if isinstance(value, str):
        digits = fold_number(value)
        if _GROUPED.fullmatch(digits):
            digits = re.sub(r"[^0-9]", "", digits)
        if _RIALS.fullmatch(digits):
            return int(digits)
    raise ValueError("no whole number of rials")


def word(value: object, size_max: int = WORD_SIZE_MAX) -> str | None:
    """Return a short printable text, or a JSON integer as text; None for what the books and a feed should not hold."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value).strip()
    # Persian words have half spaces in them, which are not printable by themselves.
    return text if 0 < len(text) <= size_max and text.replace(ZWNJ, "").isprintable() else None


def moment(value: object) -> str | None:
    """Return a day or an instant in canonical form, from a Jalali or an ISO text; None for anything else.

    A time without a zone is Tehran's.
    """
    if not isinstance(value, str):
        return None
    text = fold_digits(value.strip())
    try:
        if _MOMENT.fullmatch(text):
            return instant_text(parse_jalali_datetime(text))
        if _DAY.fullmatch(text):
            return jalali_text(parse_jalali_date(text), "en")
        if len(text) == len("2026-11-22"):
            return jalali_text(date.fromisoformat(text), "en")
        at_claimed = datetime.fromisoformat(text)
        return instant_text(at_claimed if at_claimed.tzinfo else at_claimed.replace(tzinfo=TEHRAN))
    except (ValueError, OverflowError, OperatorError):
        return None


def shown(value: object, row: Row) -> str | None:
    """Return a value as a row of the catalogue keeps it, or None where it is none of the row's kind."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if row.kind == "rial":
        try:
            return str(rial(value))
        except ValueError:
            return None
    if row.kind == "date":
        return moment(value) or word(value)
    if isinstance(value, float):
        value = format(value, "g")
    return word(value, TEXT_SIZE_MAX)
