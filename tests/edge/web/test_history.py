"""What somebody types, as demands on the index of the history."""

from datetime import date

import pytest

from edge.journal.finding import Term, day_terms, met, rrn_term
from edge.web.history_search import Filters, Known, asked_of
from edge.web.jalali_picker import picker, spans
from edge.web.transaction_names import naming
from shared.calendar import jalali_day_parts
from shared.catalogue_files import built_in_catalogue

KNOWN = Known(naming(built_in_catalogue()).payments, [("sara", "سارا محمدی")], lambda value: (f"key{value}",), 1405)


def demands(**filters: str) -> list[set[str]]:
    asked = asked_of(Filters(**filters), "payment", KNOWN)
    assert asked.wrong == {}
    return [{term.text for term in demand} for demand in asked.sought[1:]]


@pytest.mark.parametrize(
    ("since", "until", "terms"),
    [
        ("1405/09/01", "1405/09/03", {"d_14050901", "d_14050902", "d_14050903"}),
        ("1405/08/30", "1405/09/01", {"d_14050830", "d_14050831", "d_14050901"}),
        ("1404/01/01", "1405/01/02", {"d_1404", "d_14050101", "d_14050102"}),
        ("1404/12/29", "1405/02/01", {"d_14041229", "d_14041230", "d_14041231", "d_140501", "d_14050201"}),
    ],
)
def test_days_are_asked_for_as_whole_months_and_years_where_they_are_whole(since: str, until: str, terms: set[str]):
    assert demands(since=since, until=until) == [terms]


@pytest.mark.parametrize("day", ["1348/10/11", "1404/12/29", "1405/01/01", "1406/12/29"])
def test_a_day_is_in_an_open_span_on_its_side_only(day: str):
    at = day_terms(*(int(part) for part in day.split("/")))
    (from_then,) = asked_of(Filters(since="1405/01/01"), "payment", KNOWN).sought[1:]
    (until_then,) = asked_of(Filters(until="1404/12/29"), "payment", KNOWN).sought[1:]
    assert met(at, (from_then,)) is (day >= "1405")
    assert met(at, (until_then,)) is (day < "1405")


def test_a_number_is_looked_for_as_everything_it_may_be():
    (terms,) = demands(q="889004")
    assert {"r_889004", "z_889004", "i_889004", "b_889004", "a_889004", "a_8890040", "t_889004"} <= terms
    (barcode,) = demands(q="77483178001420000001770160")
    assert barcode == {"b_7748317800142"}


def test_few_digits_or_zeros_begin_too_many_numbers_to_be_looked_for():
    for typed in ("12345", "000000000012"):
        asked = asked_of(Filters(q=typed), "payment", KNOWN)
        assert not any(term.begins for term in asked.sought[1])
    assert Term(rrn_term("123456"), begins=True) in asked_of(Filters(q="123456"), "payment", KNOWN).sought[1]


def test_a_word_is_a_part_of_a_name_or_a_person():
    assert demands(q="محمدي") == [{"o_73617261"}]
    assert demands(q="electricity") == [{"n_bill_2"}]
    assert demands(q="هیچ‌چیز") == [set(), set()]


def test_whom_a_service_was_about_is_looked_for_by_keys_alone():
    (plate,) = demands(q="۹۹ ل ۲۸۳ ایران ۸۸")
    assert plate == {"x_key992028388"} or all(term.startswith("x_key") for term in plate)
    (code,) = demands(applicant="0012345678")
    assert "x_key0012345678" in code


def test_a_month_is_laid_out_in_weeks_from_saturday():
    month = picker("since", "1403/12/30", "", date(2026, 11, 22), "fa")
    days = [[day and day.number for day in week] for week in month.weeks]
    assert month.title == "اسفند ۱۴۰۳"
    assert (month.before, month.after) == ("1403-11", "1404-01")
    # A leap year's last day; it was a Thursday.
    assert days[-1] == [25, 26, 27, 28, 29, 30, None]
    chosen = [day for week in month.weeks for day in week if day and day.is_chosen]
    assert [day.value for day in chosen] == ["1403/12/30"]


@pytest.mark.parametrize("month", ["x", "1405-13", "9999-01", "-", "1405-0000009"])
def test_a_month_that_is_none_is_that_of_today(month: str):
    assert picker("since", "", month, date(2026, 11, 22), "en").title == "Azar 1405"


def test_spans_end_today_and_months_are_whole():
    found = spans(date(2026, 11, 22))
    assert jalali_day_parts(date(2026, 11, 22)) == (1405, 9, 1)
    assert found["week"] == ("1405/08/25", "1405/09/01")
    assert found["month"] == ("1405/09/01", "1405/09/01")
    assert found["last_month"] == ("1405/08/01", "1405/08/30")
