"""A month of the Jalali calendar to choose a day from: drawn on the server, complete without script."""

from datetime import date, timedelta
from typing import Final

import msgspec

from shared.calendar import (
    jalali_day_parts,
    jalali_month_days,
    jalali_month_name,
    jalali_weekday,
    parse_jalali_date,
)
from shared.errors import OperatorError
from shared.text import Language, fold_digits, persian_digits

WEEKDAYS: Final[dict[Language, tuple[str, ...]]] = {
    "fa": ("ش", "ی", "د", "س", "چ", "پ", "ج"),
    "en": ("Sa", "Su", "Mo", "Tu", "We", "Th", "Fr"),
}
"""Weeks begin on Saturday."""
_WEEK: Final = 7
_MONTHS: Final = 12
_YEARS: Final = (1300, 1500)
_MONTH_SIZE: Final = 2


class Day(msgspec.Struct, frozen=True):
    """A day of the month shown."""

    number: int
    value: str
    """As a form carries it: `1405/09/01`."""
    is_chosen: bool
    is_today: bool


class Picker(msgspec.Struct, frozen=True, kw_only=True):
    """A month, laid out in weeks; None stands for days of other months."""

    field: str
    """The field of the form that the day is for."""
    title: str
    before: str
    """The month before it, as `1405-08`."""
    after: str
    weeks: tuple[tuple[Day | None, ...], ...]


def picker(field: str, chosen: str, month: str, today: date, language: Language) -> Picker:
    """Return the month that was turned to, else that of the day chosen, else today's."""
    now = jalali_day_parts(today)
    day = _parts(chosen)
    year, number = _month(month) or (day or now)[:2]
    lead = jalali_weekday(year, number, 1)
    days: list[Day | None] = [None] * lead
    for one in range(1, jalali_month_days(year, number) + 1):
        parts = (year, number, one)
        days.append(Day(one, f"{year:04}/{number:02}/{one:02}", parts == day, parts == now))
    days += [None] * (-len(days) % _WEEK)
    name = jalali_month_name(number, language)
    return Picker(
        field=field,
        title=f"{name} {persian_digits(str(year)) if language == 'fa' else year}",
        before=_named(year, number - 1),
        after=_named(year, number + 1),
        weeks=tuple(tuple(days[start : start + _WEEK]) for start in range(0, len(days), _WEEK)),
    )


def _parts(text: str) -> tuple[int, int, int] | None:
    try:
        return jalali_day_parts(parse_jalali_date(text))
    except OperatorError:
        return None


def _month(text: str) -> tuple[int, int] | None:
    year, _, month = fold_digits(text).partition("-")
    if not (year.isdecimal() and month.isdecimal() and len(month) <= _MONTH_SIZE):
        return None
    found = int(year), int(month)
    return found if _YEARS[0] <= found[0] < _YEARS[1] and 1 <= found[1] <= _MONTHS else None


def _named(year: int, month: int) -> str:
    count = year * _MONTHS + month - 1
    return f"{count // _MONTHS:04}-{count % _MONTHS + 1:02}"


def spans(today: date) -> dict[str, tuple[str, str]]:
    """Return the first and the last day of spans that people ask for, by the key of what each is called."""

    def text(day: date) -> str:
        return "{:04}/{:02}/{:02}".format(*jalali_day_parts(day))

    year, month, number = jalali_day_parts(today)
    first = today - timedelta(days=number - 1)
    last_before = first - timedelta(days=1)
    before = jalali_day_parts(last_before)
    return {
        "today": (text(today), text(today)),
        "yesterday": (text(today - timedelta(days=1)),) * 2,
        "week": (text(today - timedelta(days=_WEEK - 1)), text(today)),
        "month": (f"{year:04}/{month:02}/01", text(today)),
        "last_month": (f"{before[0]:04}/{before[1]:02}/01", text(last_before)),
    }
