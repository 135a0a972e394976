"""Pictures: places that add up, mirrored for Persian, and nothing too thin to see."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from central.web.charts import SLIVER, DaySums, Part, day_chart, round_up, share_bar

LAST = date(2026, 11, 22)
amounts = st.lists(st.integers(min_value=0, max_value=10**13), min_size=1, max_size=6)


def parts(values: list[int]) -> list[Part]:
    return [Part(name=str(place), value=value, tone="blue", href="/") for place, value in enumerate(values)]


@given(amounts)
def test_the_segments_fill_the_bar_side_by_side_and_all_are_seen(values: list[int]) -> None:
    segments = share_bar(parts(values), 720, "en")
    assert [segment.part.value for segment in segments] == [value for value in values if value]
    at = 0.0
    for segment in segments:
        assert abs(segment.x - at) < 0.1
        assert segment.width >= SLIVER * 0.9
        at += segment.width
    assert not segments or abs(at - 720) < 0.1


@given(amounts)
def test_in_persian_the_first_part_stands_right(values: list[int]) -> None:
    left, right = share_bar(parts(values), 720, "en"), share_bar(parts(values), 720, "fa")
    for one, other in zip(left, right, strict=True):
        assert abs((one.x + one.width) + other.x - 720) < 0.1


def test_days_without_payments_stand_empty_and_settled_money_stands_below() -> None:
    sums = [
        DaySums(day=LAST, charged_rial=800, settled_rial=200),
        DaySums(day=LAST - timedelta(days=2), charged_rial=1_000, settled_rial=1_000),
        DaySums(day=LAST - timedelta(days=30), charged_rial=10**9, settled_rial=0),
    ]
    chart = day_chart(sums, last=LAST, days=3, width=300, height=100, language="en")
    first, second, third = chart.columns
    assert chart.top_rial == 1_000
    assert [column.day for column in chart.columns] == [LAST - timedelta(days=days) for days in (2, 1, 0)]
    assert (first.lower_height, first.upper_height) == (100, 0)
    assert (second.lower_height, second.upper_height) == (0, 0)
    assert (third.lower_height, third.upper_height, third.upper_y) == (20, 60, 20)
    assert first.x < second.x < third.x
    mirrored = day_chart(sums, last=LAST, days=3, width=300, height=100, language="fa")
    assert mirrored.columns[0].x > mirrored.columns[2].x


def test_a_scale_is_a_round_number() -> None:
    assert [round_up(value) for value in (1, 3, 7, 11, 49, 51, 1_234_567)] == [1, 5, 10, 20, 50, 100, 2_000_000]
