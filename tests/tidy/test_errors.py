"""Each error code that the source raises has its words, and no words are left over."""

from shared.error_texts import ERROR_TEXTS
from tests.tidy.syntax import SOURCES, facts


def test_a_raised_code_has_words():
    raised = {code: place for name in SOURCES for code, place in facts(name).raised.items()}
    assert len(raised) > 100
    assert {code: place for code, place in raised.items() if code not in ERROR_TEXTS} == {}


def test_words_belong_to_a_code_that_is_raised():
    # A raised code is a text as well.
    texts = set().union(*(facts(name).constants for name in SOURCES))
    assert sorted(set(ERROR_TEXTS) - texts) == []


def test_a_code_is_a_constant_that_can_be_searched_for():
    assert [place for name in SOURCES for place in facts(name).unread] == []
