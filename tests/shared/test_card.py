import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.card import MaskedPan, mask_pan
from shared.events import Evidence


def test_the_form_is_the_acquirers():
    assert mask_pan(bin6="610433", last4="8596") == "610433******8596"
    assert mask_pan(bin6=None, last4="8596") == "************8596"
    assert mask_pan(bin6="610433", last4=None) == "610433**********"


@pytest.mark.parametrize(
    ("bin6", "last4"), [("61043", "8596"), ("610433", "85967"), ("۶۱۰۴۳۳", "8596"), ("abcdef", "1")]
)
def test_other_than_six_and_four_digits_are_refused(bin6, last4):
    with pytest.raises(ValueError, match="masked card number"):
        mask_pan(bin6=bin6, last4=last4)


@given(st.text("0123456789*", min_size=1, max_size=20) | st.from_regex(r"[0-9]{12,19}", fullmatch=True))
def test_no_entry_can_be_read_that_carries_more_than_ten_digits_of_a_card(text):
    raw = msgspec.json.encode({"source": "answer", "response_code": "00", "pan": text})
    try:
        pan = msgspec.json.decode(raw, type=Evidence).pan
    except msgspec.ValidationError:
        return
    assert pan is not None
    assert sum(letter.isdigit() for letter in pan) <= 10


@pytest.mark.parametrize("text", ["6104330000008596", "610433******85961", "x610433******8596", "610433******8596\n"])
def test_the_type_refuses_near_misses(text):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(text, MaskedPan)
