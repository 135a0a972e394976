"""Pictures drawn on the server: numbers to places on a grid. Pure; the templates draw the SVG and write the numbers.

In Persian, reading runs from the right, and so do the pictures: the first part of a bar and the oldest day stand right.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import msgspec

from shared.display import Tone
from shared.text import Language

SLIVER: Final = 4.0
"""A part that is there at all is seen: no narrower than this."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a whole, with what it says and where it leads."""

    name: str
    value: int
    tone: Tone
    href: str
    count: int | None = None


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A part's place in a bar."""

    part: Part
    x: float
    width: float
    percent: int


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A day's place in a chart of days: `upper` stands on `lower`."""

    day: date
    x: float
    width: float
    lower: int
    upper: int
    lower_y: float
    lower_height: float
    upper_y: float
    upper_height: float


class DaySums(msgspec.Struct, frozen=True, kw_only=True):
    """What was charged on a day, and how much of it is settled."""

    day: date
    charged_rial: int
    settled_rial: int


class DayChart(msgspec.Struct, frozen=True, kw_only=True):
    """A chart of days: its columns, its height of paper, and the amount its top line stands for."""

    columns: tuple[Column, ...]
    top_rial: int


def share_bar(parts: Sequence[Part], width: float, language: Language) -> tuple[Segment, ...]:
    """Return the parts of a bar, side by side; parts of nothing are left out, and no part is too thin to see."""
    shown = [part for part in parts if part.value > 0]
    total = sum(part.value for part in shown)
    widths = [max(SLIVER, width * part.value / total) for part in shown]
    scale = width / sum(widths) if widths else 1.0
    segments, at = [], 0.0
    for part, wide in zip(shown, widths, strict=True):
        scaled = wide * scale
        x = width - at - scaled if language == "fa" else at
        segments.append(
            Segment(
                part=part,
                x=round(x, 2),
                width=round(scaled, 2),
                percent=round(100 * part.value / total) if total else 0,
            )
        )
        at += scaled
    return tuple(segments)


def round_up(value: int) -> int:
    """Return the next amount with one leading digit of 1, 2 or 5, so that a scale is easy to read."""
    power = 1
    while True:
        for step in (1, 2, 5):
            if step * power >= value:
                return step * power
        power *= 10


def day_chart(
    sums: Sequence[DaySums], *, last: date, days: int, width: float, height: float, language: Language
) -> DayChart:
    """Return the columns of the last `days` days up to `last`; days without payments stand empty."""
    by_day = {one.day: one for one in sums}
    wanted = [last - timedelta(days=days - 1 - place) for place in range(days)]
    top = round_up(max([1, *(by_day[day].charged_rial for day in wanted if day in by_day)]))
    slot = width / days
    columns = []
    for place, day in enumerate(wanted):
        found = by_day.get(day)
        charged = found.charged_rial if found else 0
        settled = found.settled_rial if found else 0
        lower_height = height * settled / top
        upper_height = height * (charged - settled) / top
        x = slot * place + slot * 0.15
        columns.append(
            Column(
                day=day,
                x=round(width - x - slot * 0.7 if language == "fa" else x, 2),
                width=round(slot * 0.7, 2),
                lower=settled,
                upper=charged - settled,
                lower_y=round(height - lower_height, 2),
                lower_height=round(lower_height, 2),
                upper_y=round(height - lower_height - upper_height, 2),
                upper_height=round(upper_height, 2),
            )
        )
    return DayChart(columns=tuple(columns), top_rial=top)
