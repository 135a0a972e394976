import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.error_texts import ERROR_TEXTS, MONEY_TEXTS, describe
from shared.errors import BugError, DaftarError, DeviceError, IntegrityError, OperatorError, PeerError

ARABIC_LETTERS = re.compile("[يك]")


@pytest.mark.parametrize("code", sorted(ERROR_TEXTS))
def test_every_text_says_what_happened_and_what_to_do_in_both_languages(code):
    text = ERROR_TEXTS[code]
    assert re.fullmatch(r"[a-z_]+\.[a-z0-9_]+", code)
    for sentence in (text.fa, text.en, text.do_fa, text.do_en):
        # A text may end with what another program said, which has its own full stop or none.
        assert sentence.endswith((".", "؟", "?", "}")), sentence
    assert not ARABIC_LETTERS.search(text.fa + text.do_fa)
    assert re.search("[آ-ی]", text.fa)
    assert not re.search("[آ-ی]", text.en + text.do_en)
    names = [set(re.findall(r"\{(\w+)\}", one)) for one in (text.fa, text.en)]
    assert names[0] == names[1], "both languages tell the same facts"


def test_placeholders_are_filled_in_the_reader_s_digits():
    error = OperatorError("money.too_large", max_rial=1_000_000)
    assert describe(error, "fa").what == "مبلغ بیش از ۱٬۰۰۰٬۰۰۰ ریال است."
    assert describe(error, "en").what == "The amount is above 1,000,000 rial."


def test_an_error_says_whether_money_moved():
    assert describe(OperatorError("bill.check_digit"), "fa").money == "پولی جابه‌جا نشده است."
    assert describe(IntegrityError("journal.fork"), "en").money == MONEY_TEXTS["may_have_moved"]["en"]
    assert describe(IntegrityError("signature.wrong"), "fa").money == ""


def test_a_missing_placeholder_and_an_unknown_code_still_make_a_sentence():
    assert describe(OperatorError("bill.too_long"), "en").what == "The id has … digits; it cannot have more than …."
    unknown = describe(BugError("nobody.wrote_this"), "fa")
    assert "nobody.wrote_this" in unknown.what
    assert unknown.money == MONEY_TEXTS["may_have_moved"]["fa"]


@given(
    st.sampled_from([OperatorError, DeviceError, PeerError, IntegrityError, BugError]),
    st.sampled_from([*sorted(ERROR_TEXTS), "x.y", "", "{code}"]),
    st.dictionaries(
        st.sampled_from(["digits", "min", "why", "size", "max_rial", "state"]),
        st.none() | st.text() | st.integers() | st.booleans() | st.binary() | st.floats(),
    ),
    st.sampled_from(["fa", "en"]),
)
def test_describing_never_fails(kind: type[DaftarError], code, data, language):
    assert describe(kind(code, **data), language).what


def test_data_cannot_smuggle_a_placeholder():
    text = describe(OperatorError("calendar.not_a_date", text="{code}"), "en")
    assert text.what == "“{code}” is not a date."
