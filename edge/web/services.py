"""What the counter can do, as a list one can search: names in both languages and the words people use for them."""

from typing import Final

import msgspec

from edge.web.texts import LANGUAGES, text
from shared.identifiers import BillType
from shared.text import search_key


class Service(msgspec.Struct, frozen=True):
    """One thing the counter does. `name` is a text's key, `words` what people also call it."""

    path: str
    name: str
    icon: str
    words: str = ""


SERVICES: Final = (
    Service("/", "nav.pay_bill", "bill", "قبض بارکد آب برق گاز تلفن عوارض جریمه bill barcode pay"),
    Service("/inquiries/new?kind=electricity", "inquiry.electricity", "bolt", "استعلام بدهی قبض inquiry power"),
    Service("/inquiries/new?kind=water", "inquiry.water", "drop", "استعلام بدهی قبض آبفا inquiry"),
    Service("/inquiries/new?kind=gas", "inquiry.gas", "flame", "استعلام بدهی قبض inquiry"),
    Service("/inquiries/new?kind=landline", "inquiry.landline", "phone", "استعلام بدهی قبض مخابرات تلفن inquiry"),
    Service("/inquiries/new?kind=mobile", "inquiry.mobile", "mobile", "استعلام بدهی قبض موبایل تلفن inquiry"),
    Service("/history/payments", "nav.payments", "history", "تراکنش رسید رونوشت پیگیری receipt copy transaction"),
    Service("/history/inquiries", "nav.inquiries", "history", "نوبت استعلام ticket"),
    Service("/terminal", "nav.terminal", "terminal", "پوز کارتخوان چاپگر خط pos printer line"),
    Service("/profile", "nav.profile", "person", "زبان language operator متصدی"),
    Service("/about", "nav.about", "info", "راهنما کلید نسخه help keys version"),
)


KIND_TEXTS: Final[dict[str, str]] = {
    "water": "inquiry.water",
    "electricity": "inquiry.electricity",
    "gas": "inquiry.gas",
    "landline": "inquiry.landline",
    "mobile": "inquiry.mobile",
}
KIND_ICONS: Final[dict[str, str]] = {
    "water": "drop",
    "electricity": "bolt",
    "gas": "flame",
    "landline": "phone",
    "mobile": "mobile",
}
BILL_ICONS: Final[dict[BillType, str]] = {
    BillType.WATER: "drop",
    BillType.ELECTRICITY: "bolt",
    BillType.GAS: "flame",
    BillType.LANDLINE: "phone",
    BillType.MOBILE: "mobile",
    BillType.MUNICIPALITY: "city",
    BillType.OTHER: "bill",
    BillType.TAX: "percent",
    BillType.TRAFFIC_FINE: "car",
}


def find_services(query: str) -> list[Service]:
    """Return the services whose names or words hold every word of the query; all of them for an empty one."""
    wanted = search_key(query).split()
    return [service for service in SERVICES if all(word in _haystack(service) for word in wanted)]


def _haystack(service: Service) -> str:
    return search_key(" ".join([*(text(service.name, language) for language in LANGUAGES), service.words]))
