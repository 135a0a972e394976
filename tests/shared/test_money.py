import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import OperatorError
from shared.money import AMOUNT_MAX_RIAL, group_digits, parse_rial, parse_toman, rial_text, toman_text
from shared.text import persian_digits


@pytest.mark.parametrize(
    ("typed", "amount_rial"),
    [
        ("175000", 175_000),
        ("۱۷۵۰۰۰", 175_000),
        ("١٧٥٠٠٠", 175_000),
        ("175,000", 175_000),
        ("۱۷۵٬۰۰۰ ریال", 175_000),
        ("۱۷٫۵۰۰", 17_500),  # the decimal mark, used for thousands
        ("17 500 rial", 17_500),
        ("0", 0),
        ("0007", 7),
    ],
)
def test_amounts_are_read_as_people_type_them(typed, amount_rial):
    assert parse_rial(typed) == amount_rial
    assert parse_toman(typed.replace("ریال", "تومان").replace("rial", "toman")) == amount_rial * 10


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "money.missing"),
        ("ریال", "money.missing"),
        ("-5", "money.not_a_number"),
        ("17.5", "money.not_a_number"),
        ("1,75,000", "money.not_a_number"),
        ("1e6", "money.not_a_number"),
        ("هزار", "money.not_a_number"),
        ("²", "money.not_a_number"),
        (str(AMOUNT_MAX_RIAL + 1), "money.too_large"),
        ("9" * 10_000, "money.too_large"),
    ],
)
def test_what_is_no_whole_amount_is_refused_with_its_field(typed, code):
    with pytest.raises(OperatorError) as caught:
        parse_rial(typed, field="fee")
    assert (caught.value.code, caught.value.field) == (code, "fee")


def test_toman_may_not_pass_the_limit_by_its_factor():
    with pytest.raises(OperatorError, match=r"money\.too_large"):
        parse_toman(str(AMOUNT_MAX_RIAL))


@pytest.mark.parametrize(
    ("amount_rial", "fa", "en"),
    [
        (175_000, "۱۷٬۵۰۰ تومان", "17,500 toman"),
        (5, "۰٫۵ تومان", "0.5 toman"),
        (-175_003, "-۱۷٬۵۰۰٫۳ تومان", "-17,500.3 toman"),
        (0, "۰ تومان", "0 toman"),
    ],
)
def test_toman_is_shown_with_no_rial_lost(amount_rial, fa, en):
    assert toman_text(amount_rial) == fa
    assert toman_text(amount_rial, "en") == en


def test_rial_is_shown_grouped():
    assert rial_text(99_999_999_000) == "۹۹٬۹۹۹٬۹۹۹٬۰۰۰ ریال"
    assert rial_text(1_000, "en") == "1,000 rial"


@given(st.integers(0, AMOUNT_MAX_RIAL))
def test_what_is_shown_reads_back(amount_rial):
    for text in (rial_text(amount_rial), rial_text(amount_rial, "en"), group_digits(amount_rial), str(amount_rial)):
        assert parse_rial(text) == amount_rial
    assert parse_rial(persian_digits(str(amount_rial))) == amount_rial


@given(st.text(max_size=30))
def test_nothing_typed_escapes_as_another_error(text):
    try:
        amount_rial = parse_rial(text)
    except OperatorError:
        return
    assert 0 <= amount_rial <= AMOUNT_MAX_RIAL
