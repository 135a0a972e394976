import re
import xml.etree.ElementTree as ET
from importlib.resources import files

import msgspec
import pytest

from shared.catalogue import CATEGORIES, Words
from shared.catalogue_files import BUILT_IN, built_in_catalogue, read_services
from shared.service_fields import presets

CATALOGUE = built_in_catalogue()
SERVICES = CATALOGUE.services
BY_CODE = {service.code: service for service in SERVICES}
ARABIC_LETTERS = re.compile("[يكىة]")
MAPPED = files("shared").joinpath("assets", "icons.svg").read_text()
ICONS = {symbol.get("id") for symbol in ET.fromstring(MAPPED).iter() if symbol.tag.endswith("symbol")}  # noqa: S314 - ours


def all_words(value: object) -> list[Words]:
    if isinstance(value, Words):
        return [value]
    if isinstance(value, msgspec.Struct):
        return [words for name in value.__struct_fields__ for words in all_words(getattr(value, name))]
    return [words for one in value for words in all_words(one)] if isinstance(value, tuple) else []


def test_the_counters_services_are_all_there_in_the_menus_order():
    assert CATALOGUE.catalogue_id == BUILT_IN
    assert list(BY_CODE) == [
        "car_fines_total",
        "car_fines_detail",
        "motorcycle_fines",
        "licence_negative_score",
        "active_plates",
        "plate_history",
        "vehicle_documents",
        "passport_post",
        "licence_post",
        "top_up",
        "top_up_pin",
        "internet_package",
        "civil_payment_id",
    ]
    places = [CATEGORIES.index(service.category) for service in SERVICES]
    assert places == sorted(places)


def test_the_two_ways_to_ask_for_a_cars_fines_are_the_guides():
    total, detail = CATALOGUE.in_group("car_fines")
    assert total.group is not None
    assert total.group.name.fa == "خلافی خودرو (پرداخت آنی)"
    assert [service.tariff.fee_rial for service in (total, detail)] == [175_000, 175_000]
    assert [service.heading and service.heading.fa for service in (total, detail)] == [
        "استعلام مجموع خلافی",
        "استعلام جزئیات خلافی",
    ]
    assert [service.name.fa for service in (total, detail)] == ["استعلام خلافی تجمیعی", "استعلام خلافی با جزئیات"]
    assert [service.button and service.button.fa for service in (total, detail)] == [
        "استعلام تجمیعی خلافی",
        "استعلام جزئیات خلافی",
    ]
    assert [service.fee_name and service.fee_name.fa for service in (total, detail)] == [
        "کارمزد استعلام خلافی تجمیعی خودرو",
        "کارمزد استعلام خلافی با جزئیات خودرو",
    ]
    assert [service.payable_name and service.payable_name.fa for service in (total, detail)] == [
        "جریمه خلافی تجمیعی خودرو",
        "جریمه خلافی با جزئیات خودرو",
    ]
    for service in (total, detail):
        assert [field.name for field in service.fields] == ["plate", "national_code", "mobile", "notify"]
        assert service.applicant == service.field("plate"), "the history names the plate"
        assert (service.gate, service.print_first, bool(service.rules)) == ("fee_first", True, True)
    assert (total.pay, detail.pay, total.has_images, detail.has_images) == ("one", "several", False, True)
    assert {"type", "place", "amount", "date"} <= {row.name for row in detail.item_rows}


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.code)
def test_a_service_is_complete(service):
    assert service.icon in ICONS
    assert service.active
    assert service.search_words
    for words in all_words(service):
        assert re.search("[آ-ی]", words.fa), words
        assert not re.search("[آ-ی]", words.en), words
        assert not ARABIC_LETTERS.search(words.fa), words
    fee = service.tariff.fee_rial
    assert bool(fee) == bool(service.fee_notice) == bool(service.fee_name), "a fee has a name and is told before"
    if service.fee_notice is not None:
        assert "{fee}" in service.fee_notice.fa
        assert "{fee}" in service.fee_notice.en
    # Of 110 parts of a fee 10 are VAT; a change of its rate is a new catalogue.
    assert service.tariff.vat_rial == round(fee / 11)
    assert (service.pay == "nothing") == (service.payable_name is None)
    assert service.pay != "several" or service.item_rows


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.code)
def test_a_message_is_agreed_to_beside_the_number_it_goes_to(service):
    names = [field.name for field in service.fields]
    assert names.index("notify") == names.index("mobile") + 1
    assert service.field("notify").kind == "tick"
    assert service.field("mobile").kind == "mobile"


@pytest.mark.parametrize("code", ["top_up", "top_up_pin", "internet_package"])
@pytest.mark.parametrize(
    ("number", "operator"),
    [
        ("09123456789", "mci"),
        ("+989901234567", "mci"),
        ("09022002580", "mtn"),
        ("۰۹۴۱۲۳۴۵۶۷۸", "mtn"),
        ("9221234567", "rightel"),
        ("09981012345", "shatel"),
        ("09421234567", None),
        ("0912", None),
        ("02112345678", None),
    ],
)
def test_a_number_chooses_its_likely_operator(code, number, operator):
    service = BY_CODE[code]
    assert presets(service, {"mobile": number}).get("operator") == operator
    assert presets(service, {"mobile": number, "operator": "rightel"}) == {}, "a ported number's choice stands"


def test_what_does_not_pay_in_two_steps_costs_nothing_to_ask():
    for code in ("top_up", "top_up_pin", "internet_package", "civil_payment_id"):
        assert (BY_CODE[code].tariff.fee_rial, BY_CODE[code].gate, BY_CODE[code].pay) == (0, "answer_first", "one")


def test_a_misspelled_member_is_refused_with_its_place():
    with pytest.raises(msgspec.ValidationError, match=r"services\[0\]"):
        read_services(b'[[services]]\ncode = "x"\ncategory = "police"\nnmae = 1\n')
