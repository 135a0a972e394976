"""The Jalali calendar and Iran's official time, for showing instants to people and reading the dates they type.

Instants are kept in UTC and dates in the Gregorian calendar; Jalali exists only at the edges. Asia/Tehran comes from
the `tzdata` package, not from the machine: one with a zone table older than 2022b still moves its clock in spring.
"""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

from persiantools.jdatetime import JalaliDate

from shared.errors import BugError, OperatorError
from shared.text import Language, fold_digits, persian_digits, search_key


def _load_tehran() -> ZoneInfo:
    with files("tzdata.zoneinfo.Asia").joinpath("Tehran").open("rb") as table:
        return ZoneInfo.from_file(table, key="Asia/Tehran")


TEHRAN: Final = _load_tehran()
"""Iran's official time: +03:30 since 2022-09-22, +04:30 in the summers before."""

_CENTURY: Final = 1300
_NEXT_CENTURY_BEFORE: Final = 50
"""Two-digit years below this are of the 1400s: the paper that carries them was printed in our lifetime."""

_DATE: Final = re.compile(r"(?P<first>\d{1,4})\s*[/.-]\s*(?P<month>\d{1,2})\s*[/.-]\s*(?P<last>\d{1,4})", re.ASCII)
_TIME: Final = re.compile(r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?", re.ASCII)
_YEAR_DIGITS: Final = 4


def _local(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise BugError("calendar.no_zone")
    return at.astimezone(TEHRAN)


def _jalali(day: date) -> JalaliDate:
    return JalaliDate(day)  # type: ignore[no-untyped-call]  # has no annotations


def check_zone() -> None:
    """Check that this program's zone table is one without summer time. Raises BugError `calendar.wrong_zone`."""
    if datetime(2026, 7, 1, tzinfo=TEHRAN).utcoffset() != timedelta(hours=3, minutes=30):
        raise BugError("calendar.wrong_zone")


def tehran_date(at: datetime) -> date:
    """Return the Gregorian date it is in Iran at an instant. Raises BugError `calendar.no_zone`."""
    return _local(at).date()


def _shown(text: str, language: Language) -> str:
    return persian_digits(text) if language == "fa" else text


@lru_cache(maxsize=1024)
def jalali_text(day: date, language: Language = "fa") -> str:
    """Return a Gregorian date as a Jalali one: «۱۴۰۵/۰۹/۰۱», or `1405/09/01` in English."""
    jalali = _jalali(day)
    return _shown(f"{jalali.year:04}/{jalali.month:02}/{jalali.day:02}", language)


def jalali_date_text(at: datetime, language: Language = "fa") -> str:
    """Return the Jalali date in Iran at an instant: «۱۴۰۵/۰۹/۰۱». Raises BugError `calendar.no_zone`."""
    return jalali_text(tehran_date(at), language)


def jalali_datetime_text(at: datetime, language: Language = "fa") -> str:
    """Return the Jalali date and the time in Iran: «۱۴۰۵/۰۹/۰۱ ۱۴:۰۸:۳۰». Raises BugError `calendar.no_zone`."""
    return f"{jalali_date_text(at, language)} {time_text(at, language)}"


def time_text(at: datetime, language: Language = "fa") -> str:
    """Return the time of day in Iran: «۱۴:۰۸:۳۰». Raises BugError `calendar.no_zone`."""
    local = _local(at)
    return _shown(f"{local.hour:02}:{local.minute:02}:{local.second:02}", language)


def jalali_parts(at: datetime) -> tuple[int, int, int]:
    """Return the Jalali year, month and day in Iran at an instant. Raises BugError `calendar.no_zone`."""
    return jalali_day_parts(tehran_date(at))


@lru_cache(maxsize=1024)
def jalali_day_parts(day: date) -> tuple[int, int, int]:
    """Return the Jalali year, month and day of a Gregorian date."""
    jalali = _jalali(day)
    return jalali.year, jalali.month, jalali.day


def jalali_month_days(year: int, month: int) -> int:
    """Return how many days a Jalali month has."""
    return int(JalaliDate.days_in_month(month, year))


def jalali_weekday(year: int, month: int, day: int) -> int:
    """Return the day of the week of a Jalali date, 0 on Saturday."""
    return int(JalaliDate(year, month, day).weekday())  # type: ignore[no-untyped-call]  # has no annotations


def jalali_month_name(month: int, language: Language = "fa") -> str:
    """Return a Jalali month's name: «آذر», or `Azar` in English."""
    named = JalaliDate(_CENTURY, month, 1)  # type: ignore[no-untyped-call]  # has no annotations
    return str(named.strftime("%B", locale=language))


def jalali_month(at: datetime) -> str:
    """Return the key of the Jalali month in Iran, for data keys and files: `1405-09`. Raises `calendar.no_zone`."""
    jalali = _jalali(tehran_date(at))
    return f"{jalali.year:04}-{jalali.month:02}"


def _gregorian(year: int, month: int, day: int) -> date:
    """Return the Gregorian date. Raises ValueError for a day the Jalali calendar does not have."""
    return JalaliDate(year, month, day).to_gregorian()  # type: ignore[no-untyped-call]  # has no annotations


def _to_date(text: str, found: re.Match[str]) -> date:
    """Return the date of `year/month/day`, or of `day/month/year` when the year stands last with four digits."""
    first, last = found["first"], found["last"]
    year_text, day_text = (last, first) if len(last) == _YEAR_DIGITS else (first, last)
    year, day = int(year_text), int(day_text)
    if len(year_text) != _YEAR_DIGITS:
        year += _CENTURY + (100 if year < _NEXT_CENTURY_BEFORE else 0)
    try:
        return _gregorian(year, int(found["month"]), day)
    except ValueError as error:
        raise OperatorError("calendar.not_a_date", field="date", text=text) from error


def parse_jalali_date(text: str) -> date:
    """Return, as a Gregorian date, a Jalali date as offices write it.

    Taken are «۱۴۰۱/۰۵/۳۰», `1399-7-27`, `02/06/1399` (day first) and «۰۱/۰۵/۳۱» (two-digit year, 1350 to 1449).
    Raises OperatorError `calendar.not_a_date`, also for a date no year has (1404/12/30).
    """
    found = _DATE.fullmatch(search_key(text))
    if not found:
        raise OperatorError("calendar.not_a_date", field="date", text=text)
    return _to_date(text, found)


def parse_jalali_datetime(text: str) -> datetime:
    """Return, in UTC, a Jalali date and a time in Iran; either may stand first: `15:17:34 1401/05/30`.

    An hour that came twice (the end of a summer time) is its first. Raises OperatorError `calendar.not_a_date`.
    """
    plain = search_key(fold_digits(text))
    wrong = OperatorError("calendar.not_a_date", field="date", text=text)
    time = _TIME.search(plain)
    if not time:
        raise wrong
    # A comma or a dash between the two is how some devices write it.
    rest = (plain[: time.start()] + plain[time.end() :]).strip(" ,،-")
    found = _DATE.fullmatch(rest)
    if not found:
        raise wrong
    day = _to_date(text, found)
    try:
        at = datetime(
            day.year,
            day.month,
            day.day,
            int(time["hour"]),
            int(time["minute"]),
            int(time["second"] or 0),
            tzinfo=TEHRAN,
        )
    except ValueError as error:
        raise wrong from error
    return at.astimezone(UTC)
