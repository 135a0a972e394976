import pytest

from edge.web.services import SERVICES, find_services


def paths(query: str) -> list[str]:
    return [service.path for service in find_services(query)]


def test_an_empty_search_shows_everything():
    assert paths("  ") == [service.path for service in SERVICES]


@pytest.mark.parametrize("query", ["برق استعلام", "استعلام برق", "بَرق استعلام", "ELECTRICITY inquiry"])
def test_words_in_any_order_and_spelling_find_a_service(query: str):
    assert paths(query) == ["/inquiries/new?kind=electricity"]


@pytest.mark.parametrize("query", ["كارتخوان", "pos", "کارتخوان"])
def test_arabic_letters_and_short_names_find_the_terminal(query: str):
    assert paths(query) == ["/terminal"]


def test_what_we_do_not_do_is_not_found():
    assert paths("گذرنامه") == []
