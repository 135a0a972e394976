import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.services.payments.statement import REASON_LETTERS_MAX, SLIP_LETTERS_MAX, checked_reason, checked_slip
from shared.errors import OperatorError

CARD = "6037991234567893"


def test_a_reason_is_one_line_of_words() -> None:
    assert checked_reason("  قبض\n دیگری   بود ") == "قبض دیگری بود"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("  ", "statement.reason_short"),
        ("غلط", "statement.reason_short"),
        ("د" * (REASON_LETTERS_MAX + 1), "statement.reason_long"),
        (f"کارت {CARD} بود", "statement.card_number"),
        ("کارت ۶۰۳۷-۹۹۱۲-۳۴۵۶-۷۸۹۳ بود", "statement.card_number"),
        ("card 6037 9912 3456 7893", "statement.card_number"),
    ],
)
def test_a_reason_that_cannot_stand_is_refused(given: str, code: str) -> None:
    with pytest.raises(OperatorError) as refused:
        checked_reason(given)
    assert (refused.value.code, refused.value.field) == (code, "reason")


def test_what_a_reason_may_well_name_is_no_card_number() -> None:
    for number in ("2050327604613", "512345678901", "11177532001400000012070160", "610433******8596"):
        assert number in checked_reason(f"شمارهٔ {number} بود")


def test_a_slip_has_a_number_where_one_is_needed() -> None:
    assert checked_slip(" ۰۰۰۴۱۲ ", needed=True) == "000412"
    assert checked_slip("", needed=False) == ""
    for slip, code in (("", "slip_missing"), ("ندارد", "slip_missing"), (CARD, "card_number")):
        with pytest.raises(OperatorError, match=rf"statement\.{code}"):
            checked_slip(slip, needed=True)
    with pytest.raises(OperatorError, match=r"statement\.slip_long"):
        checked_slip("1" * (SLIP_LETTERS_MAX + 1), needed=False)


@given(st.text(max_size=60), st.sampled_from(["", " ", "-", "\u200c", "."]), st.text(max_size=60))
def test_no_card_number_passes_between_any_words(before: str, between: str, after: str) -> None:
    if any(letter.isdigit() for letter in before[-1:] + after[:1]):
        return
    number = between.join((CARD[:4], CARD[4:8], CARD[8:12], CARD[12:]))
    with pytest.raises(OperatorError):
        checked_reason(f"{before} x{number}x {after}"[:REASON_LETTERS_MAX])
