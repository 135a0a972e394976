import pytest

from edge.web.menu import KINDS, find, menu_of, suggest
from shared.acts import EVERYTHING, service_act
from shared.catalogue import CATEGORIES
from shared.catalogue_files import built_in_catalogue


class May:
    """Permits what it is given."""

    def __init__(self, *allowed: str) -> None:
        self.allowed = allowed

    def may(self, act: str) -> bool:
        return EVERYTHING in self.allowed or act in self.allowed

    def may_sell(self, code: str) -> bool:
        return self.may(service_act(code))


MENU = menu_of(built_in_catalogue(), May(EVERYTHING), "operator")


def paths(query: str) -> list[str]:
    return [entry.path for entry in find(MENU, query)]


def test_the_menu_goes_from_categories_to_single_services_out_of_the_catalogue():
    sold = [category for category in MENU if category.sells]
    assert [category.code for category in sold] == list(CATEGORIES)
    assert sold[0].name.fa == "خدمات وسیله نقلیه"
    assert [entry.path for entry in sold[0].entries] == ["/services/car_fines", "/services/motorcycle_fines"]
    assert sold[0].entries[0].name.fa == "خلافی خودرو (پرداخت آنی)"
    assert sold[0].holds("/services/car_fines_detail"), "the form of either way stands under the group"
    assert [entry.name.fa for entry in sold[1].entries[:3]] == [
        "پرداخت قبض تکی",
        "پرداخت قبض گروهی",
        "پیگیری قبوض پرداختی",
    ]


def test_what_one_is_not_permitted_is_not_offered():
    menu = menu_of(built_in_catalogue(), May("bills", service_act("top_up")), "operator")
    offered = [entry.path for category in menu if category.sells for entry in category.entries]
    assert offered == ["/", "/bills/paid", "/services/top_up"]
    assert [entry.path for entry in find(menu, "خلافی")] == []


def test_only_a_manager_is_offered_the_devices():
    def has(role: str) -> bool:
        menu = menu_of(built_in_catalogue(), May(EVERYTHING), role)
        return any(entry.path == "/devices" for category in menu for entry in category.entries)

    assert (has("operator"), has("manager")) == (False, True)


def test_an_empty_search_shows_everything_and_suggests_nothing():
    listed = [entry.path for category in MENU for entry in category.entries]
    assert paths("  ")[: len(listed)] == listed
    assert set(paths(" ")) >= {entry.path for entry in KINDS} | {"/about", "/rules"}
    assert suggest(MENU, " ") == []


@pytest.mark.parametrize("query", ["برق استعلام", "استعلام برق", "بَرق استعلام", "ELECTRICITY inquiry"])
def test_words_in_any_order_and_spelling_find_a_service(query: str):
    assert paths(query) == ["/inquiries/new?kind=electricity"]


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("كارتخوان", "/terminal"),
        ("pos", "/terminal"),
        ("گذرنامه", "/services/passport_post"),
        ("نمره", "/services/licence_negative_score"),
        ("خلافی خودرو", "/services/car_fines"),
        ("خلافی با جزئیات", "/services/car_fines"),
        ("شارژ مستقیم", "/services/top_up"),
        ("ثبت احوال", "/services/civil_payment_id"),
        ("internet", "/services/internet_package"),
    ],
)
def test_a_service_is_found_by_what_people_call_it(query: str, path: str):
    assert paths(query)[0] == path
    assert suggest(MENU, query)[0].path == path


def test_what_is_called_so_comes_before_what_is_only_also_called_so():
    assert paths("شارژ")[:2] == ["/services/top_up", "/services/top_up_pin"]


def test_what_we_do_not_do_is_not_found():
    assert paths("ازدواج") == []
