import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import OperatorError
from shared.plates import (
    LETTERS,
    check_plate,
    motorcycle_text,
    parse_motorcycle_plate,
    parse_plate,
    plate_letter,
    plate_number,
    plate_text,
)


@pytest.mark.parametrize(
    ("text", "code", "use"),
    [
        ("99ل28388", "992728388", "private"),
        ("۹۹ ل ۲۸۳ ایران ۸۸", "992728388", "private"),
        ("۸۸ _ ۲۸۳ ل ۹۹", "992728388", "private"),
        ("۱۰ _ ۳۴۱ و ۶۷", "673034110", "private"),
        ("55ق11188", "552411188", "private"),
        ("91ص15950", "911715950", "private"),
        ("12ت34511", "120434511", "taxi"),
        ("12ب14547", "120214547", "private"),
        ("٦٧ و ٣٤١ ايران ١٠", "673034110", "private"),
        ("۱۲ ك ۳۴۵ ایران ۱۱", "122534511", "agricultural"),
        ("12 ي 345 Iran 11", "123234511", "private"),
        ("۱۲ ا ۳۴۵ - ۱۱", "120134511", "government"),
        ("۱۲ الف ۳۴۵ - ۱۱", "120134511", "government"),
        ("12♿34511", "123334511", "disabled persons and veterans"),
        ("12 معلولین 34511", "123334511", "disabled persons and veterans"),
        ("12ژ34511", "123334511", "disabled persons and veterans"),
        ("12 تشریفات 345 11", "123434511", "protocol"),
    ],
)
def test_a_plate_is_read_as_people_write_it(text, code, use):
    assert parse_plate(text) == code
    assert plate_letter(code).use("en") == use


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "plate.missing"),
        ("ایران", "plate.missing"),
        ("12ب14507", "plate.province"),
        ("12ب04547", "plate.zero"),
        ("10ب14547", "plate.zero"),
        ("12چ14547", "plate.letter"),
        ("12D14547", "plate.letter"),
        ("1214547", "plate.shape"),
        ("123456789", "plate.shape"),
        ("12ب1454", "plate.shape"),
        ("1ب214547", "plate.shape"),
        ("12ب14د547", "plate.shape"),
        ("ب1214547", "plate.shape"),
    ],
)
def test_what_is_no_plate_is_refused_with_its_reason(text, code):
    with pytest.raises(OperatorError) as refused:
        parse_plate(text, field="car")
    assert (refused.value.code, refused.value.field) == (code, "car")


def test_a_plate_with_a_zero_is_taken_by_its_code_once_somebody_has_looked():
    assert check_plate("۱۲۰۲۰۴۵۴۷") == "120204547"
    assert parse_plate("12ب04547", has_zero=True) == "120204547"
    assert check_plate("121434511") == "123334511", "two numbers of one letter"
    for wrong in ("12020454", "1202045471", "120704547", "12020x547"):
        with pytest.raises(OperatorError):
            check_plate(wrong)


@pytest.mark.parametrize("text", ["12345678", "123-45678", "۱۲۳ ۴۵۶۷۸", "۱۲۳ _ ۴۵۶۷۸"])
def test_a_motorcycles_plate_has_eight_digits_and_no_letter(text):
    code = parse_motorcycle_plate(text)
    assert code == "12345678"
    assert (motorcycle_text(code, "fa"), motorcycle_text(code, "en")) == ("۱۲۳-۴۵۶۷۸", "123-45678")


@pytest.mark.parametrize("text", ["", "-", "1234567", "123456789", "12345ب78", "02345678"])
def test_what_is_no_motorcycles_plate_is_refused(text):
    with pytest.raises(OperatorError) as refused:
        parse_motorcycle_plate(text, field="bike")
    assert refused.value.field == "bike"


def test_a_plate_is_shown_part_by_part_as_it_is_read():
    assert plate_text("992728388", "fa") == "۹۹ ل ۲۸۳ ایران ۸۸"
    assert plate_text("992728388", "en") == "99 ل 283 ایران 88"
    plate = plate_number("673034110")
    assert (plate.two, plate.letter, plate.three, plate.region) == ("67", "و", "341", "10")


@given(
    two=st.integers(11, 99).map(str).filter(lambda digits: "0" not in digits),
    letter=st.sampled_from(LETTERS),
    three=st.integers(111, 999).map(str).filter(lambda digits: "0" not in digits),
    province=st.integers(10, 99).map(str),
)
def test_what_is_shown_reads_back_to_the_same_code(two, letter, three, province):
    code = f"{two}{letter.number}{three}{province}"
    assert parse_plate(plate_text(code, "fa")) == code
    assert parse_plate(plate_text(code, "en")) == code
    assert check_plate(code) == code
