import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.text import fold_digits, fold_number, is_digits, persian_digits, search_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("كرايه", "کرایه"),
        ("خانهٔ", "خانه"),
        ("تأیید", "تایید"),
        ("می‌شود", "می شود"),
        ("عـــلی", "علي"),
        ("ﻻﻟﻪ", "لاله"),
        ("۱۲۳۴", "١٢٣٤"),
        ("مُحَمَّد", "محمد"),
        ("\u202bقبض\u202c", " قبض "),
        ("RRN  12", "rrn 12"),
        ("مسئول", "مسیول"),
    ],
)
def test_two_spellings_of_one_word_are_found_under_one_key(one, other):
    assert search_key(one) == search_key(other)


@pytest.mark.parametrize(("one", "other"), [("قبض", "قبط"), ("۱۲", "۱۳"), ("کار", "گار"), ("سر", "صر")])
def test_different_words_keep_different_keys(one, other):
    assert search_key(one) != search_key(other)


def test_only_the_digits_people_type_here_are_digits():
    assert fold_digits("۱۲٣٤5") == "12345"
    assert fold_digits("\u0966") == "\u0966"  # Devanagari
    assert not is_digits("\u0966")
    assert not is_digits("")
    assert not is_digits("²")
    assert is_digits("007")


def test_a_field_of_digits_may_hold_spaces_and_direction_marks():
    assert fold_number("\u200e ۱۲\u200c۳ ۴\u00a05\u202c\n") == "12345"


def test_persian_digits_leave_letters_alone():
    assert persian_digits("RRN 123 / ٤۵") == "RRN ۱۲۳ / ۴۵"


@given(st.text())
def test_a_key_is_its_own_key_and_digits_go_there_and_back(text):
    assert search_key(search_key(text)) == search_key(text)
    assert fold_digits(persian_digits(text)) == fold_digits(text)
