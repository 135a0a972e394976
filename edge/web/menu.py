"""The menu: all that a counter does, from categories to single things. One table for side, home page and search.

Services come out of the catalogue that is in force; what else a box does stands here. Who may not do a thing does not
find it: what is offered is asked each time anew.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import msgspec

from edge.web.object_key import ObjectKey
from edge.web.ports.counter import MANAGER, Permitted
from edge.web.texts import text
from shared.catalogue import CATEGORIES, Catalogue, Service, Words
from shared.text import search_key

SERVICES_PATH: Final = "/services"
_CATEGORIES: Final = {
    "vehicle": ("category.vehicle", "car"),
    "bills": ("category.bills", "bill"),
    "police": ("category.police", "shield"),
    "top_up": ("category.top_up", "mobile"),
    "civil": ("category.civil", "person"),
    "bank": ("category.bank", "card"),
    "history": ("category.history", "history"),
    "box": ("category.box", "plug"),
}
"""The text and the picture of each; the last two are the office's own."""
_EVERYBODYS: Final = ("/", SERVICES_PATH, "/rules", "/support", "/app", "/about")
"""Addresses that frame and menu have for everybody."""
_MENUS_KEPT: Final = 64
"""More than there are people with permissions of their own in an office."""
_FOUND_MAX: Final = 8
"""Suggestions under the search box."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing the counter does."""

    path: str
    name: Words
    icon: str
    words: str = ""
    """What people also call it, in any language."""
    covers: tuple[str, ...] = ()
    """Addresses of pages that belong to it as well."""
    act: str = ""
    """The act of `shared.acts` that one has to be permitted; empty: none."""
    for_manager: bool = False

    @property
    def haystack(self) -> str:
        """Return all it can be found by."""
        return search_key(f"{self.name.fa} {self.name.en} {self.words}")


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """Things of one kind."""

    code: str
    name: Words
    icon: str
    entries: tuple[Entry, ...]
    sells: bool
    """Whether these are services for customers; the others are about the office itself."""

    def holds(self, path: str) -> bool:
        """Return whether a page belongs to it."""
        return any(path == entry.path or path in entry.covers for entry in self.entries)


class Menu(msgspec.Struct, frozen=True, eq=False):
    """What somebody may do. Made once for all who may do the same, so that one is told from another by itself alone."""

    categories: tuple[Category, ...]
    addresses: frozenset[str] = frozenset()
    """Those of pages that menu or masthead lead to, and of the pages that belong to these."""

    def here(self, path: str) -> str:
        """Return a page's address where the menu marks it as the one that is open, else nothing."""
        return path if path in self.addresses else ""

    def __iter__(self) -> Iterator[Category]:
        """Go through the categories."""
        return iter(self.categories)


def said(key: str) -> Words:
    """Return a text of `texts.toml` in both languages."""
    return Words(fa=text(key, "fa"), en=text(key, "en"))


def _entry(path: str, key: str, icon: str, words: str = "", *, act: str = "", for_manager: bool = False) -> Entry:
    return Entry(path=path, name=said(key), icon=icon, words=words, act=act, for_manager=for_manager)


def _kind(kind: str, icon: str, words: str) -> Entry:
    """Return the inquiry of one kind of bill: found by typing, chosen on its page, and in no menu."""
    company = said(f"inquiry.{kind}")
    name = Words(fa=text("inquiry.title", "fa", company=company.fa), en=text("inquiry.title", "en", company=company.en))
    path = f"/inquiries/new?kind={kind}"
    return Entry(path=path, name=name, icon=icon, words=f"استعلام بدهی قبض inquiry {words}", act="bill_inquiry")


BILLS: Final = (
    _entry("/", "nav.pay_bill", "bill", "قبض بارکد آب برق گاز تلفن عوارض جریمه bill barcode pay", act="bills"),
    _entry("/bills/group", "nav.pay_group", "table", "قبض چند گروهی یکجا bills together", act="group_bills"),
    _entry("/bills/paid", "nav.paid_bills", "check-twice", "پیگیری قبض رسید رونوشت paid receipt copy", act="bills"),
    _entry("/inquiries/new", "nav.inquire", "question", "استعلام بدهی قبض debt", act="bill_inquiry"),
)
BANK: Final = (_entry("/atms", "nav.atms", "atm", "خودپرداز عابربانک پول خشاب خرابی atm cash machine", act="atm"),)
KINDS: Final = (
    _kind("electricity", "bolt", "power"),
    _kind("water", "drop", "آبفا"),
    _kind("gas", "flame", ""),
    _kind("landline", "phone", "مخابرات تلفن"),
    _kind("mobile", "mobile", "موبایل تلفن"),
)
HISTORY: Final = (
    _entry(
        "/history/payments",
        "nav.payments",
        "history",
        "تراکنش رسید رونوشت پیگیری receipt copy transaction",
        act="history",
    ),
    _entry("/history/inquiries", "nav.inquiries", "table", "نوبت استعلام ticket", act="history"),
    _entry("/history/acts", "nav.acts", "person", "گزارش اقدام متصدی report audit who", act="every_act"),
    _entry("/refunds", "nav.refunds", "undo", "برگشت پول استرداد refund"),
    _entry("/day", "nav.day", "lock", "بستن روز صندوق close"),
)
BOX: Final = (
    _entry("/terminal", "nav.terminal", "terminal", "پوز کارتخوان چاپگر خط pos printer line"),
    _entry(
        "/people", "nav.people", "person", "متصدی مدیر اجازه دسترسی رمز operator manager password", for_manager=True
    ),
    _entry("/devices", "nav.devices", "plug", "کارتخوان چاپگر تکنسین technician port", for_manager=True),
)
ABOUT: Final = (
    _entry("/profile", "nav.profile", "person", "زبان language operator متصدی"),
    _entry("/rules", "nav.rules", "scales", "قوانین مقررات شرایط terms"),
    _entry("/support", "nav.support", "phone", "پشتیبانی تماس help call"),
    _entry("/app", "nav.app", "download", "اپلیکیشن برنامه موبایل گوشی phone install"),
    _entry("/about", "nav.about", "info", "راهنما کلید نسخه help keys version"),
)
"""What header and footer lead to; found by typing as well."""


def service_path(service: Service) -> str:
    """Return the address of a service's page: of its group, where it stands in one."""
    return f"{SERVICES_PATH}/{service.group.code if service.group else service.code}"


def _sold(catalogue: Catalogue, category: str, permitted: Permitted) -> tuple[Entry, ...]:
    """Return a category's services, those of a group as one entry."""
    entries: dict[str, Entry] = {}
    for service in catalogue.in_category(category):
        if not permitted.may_sell(service.code):
            continue
        path, own = service_path(service), f"{SERVICES_PATH}/{service.code}"
        before = entries.get(path)
        entries[path] = Entry(
            path=path,
            name=service.group.name if service.group else service.name,
            icon=service.icon,
            words=" ".join((before.words if before else "", service.search_words, service.name.fa, service.name.en)),
            covers=(*(before.covers if before else ()), own),
        )
    return tuple(entries.values())


def menu_of(catalogue: Catalogue, permitted: Permitted, role: str) -> Menu:
    """Return what somebody may do, in the menu's order; categories that hold nothing for them are left out."""
    return _made(ObjectKey(catalogue), permitted, role)


@lru_cache(_MENUS_KEPT)
def _made(key: ObjectKey[Catalogue], permitted: Permitted, role: str) -> Menu:
    catalogue = key.one
    own: dict[str, tuple[Entry, ...]] = {"bills": BILLS, "bank": BANK, "history": HISTORY, "box": BOX}

    def mine(entry: Entry) -> bool:
        return (not entry.act or permitted.may(entry.act)) and (not entry.for_manager or role == MANAGER)

    categories = [
        Category(
            code=code,
            name=said(name),
            icon=icon,
            entries=(*filter(mine, own.get(code, ())), *_sold(catalogue, code, permitted)),
            sells=code in CATEGORIES,
        )
        for code, (name, icon) in _CATEGORIES.items()
    ]
    entries = [entry for category in categories for entry in category.entries]
    covered = (address for entry in entries for address in entry.covers)
    return Menu(
        tuple(category for category in categories if category.entries),
        frozenset((*_EVERYBODYS, *(entry.path for entry in entries), *covered)),
    )


def find(menu: Menu, query: str) -> list[Entry]:
    """Return the entries whose names or words hold every word of the query; all of them for an empty one.

    Whole words come before parts of words, and a name before what people also call it.
    """
    wanted = search_key(query).split()
    bills = any(category.code == "bills" for category in menu)
    listed = [entry for category in menu for entry in category.entries] + [*(KINDS if bills else ()), *ABOUT]
    found = [entry for entry in listed if all(word in entry.haystack for word in wanted)]

    def rank(entry: Entry) -> tuple[bool, bool]:
        name = search_key(f"{entry.name.fa} {entry.name.en}")
        return not set(wanted) <= set(entry.haystack.split()), not all(word in name for word in wanted)

    return sorted(found, key=rank) if wanted else found


def suggest(menu: Menu, query: str) -> list[Entry]:
    """Return what is suggested while somebody types; nothing before the first letter."""
    return find(menu, query)[:_FOUND_MAX] if search_key(query) else []
