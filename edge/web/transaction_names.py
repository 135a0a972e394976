"""What payments and inquiries are called: from the terms of the index to words, out of the catalogue in force.

A bill is called by its company, a fee and what is paid of an answer as their service says. Services that the
catalogue no longer knows go by their code.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

import msgspec

from edge.journal.finding import NamedPayment, bill_name, inquiry_name, payment_name, service_name
from edge.journal.services import ServiceRequestView
from edge.web.bill_kinds import KIND_TEXTS
from edge.web.ports.counter import InquiryView
from edge.web.texts import text
from shared.catalogue import CATEGORIES, Catalogue, Words
from shared.identifiers import BillType
from shared.text import search_key

BILLS: Final = "bills"
GROUP: Final = "group"
CATEGORY_TEXTS: Final[Mapping[str, str]] = {code: f"category.{code}" for code in CATEGORIES}


class Named(msgspec.Struct, frozen=True):
    """What one kind of transaction or inquiry is called, and the category of the menu that it belongs to."""

    name: str
    """As `edge.journal.finding` names it."""
    words: Words
    category: str


def _both(key: str, **data: Words) -> Words:
    fa = text(key, "fa", **{name: words.fa for name, words in data.items()})
    return Words(fa=fa, en=text(key, "en", **{name: words.en for name, words in data.items()}))


_BILLS: Final = (
    *(Named(bill_name(kind), _both("bill.of", company=Words(fa=kind.fa, en=kind.en)), BILLS) for kind in BillType),
    Named(GROUP, _both("history.group"), BILLS),
)
_OWED: Final = tuple(
    Named(inquiry_name(kind), _both("inquiry.title", company=_both(name)), BILLS) for kind, name in KIND_TEXTS.items()
)


class Naming:
    """What payments and inquiries are called by one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.payments: Final = _payments(catalogue)
        """What payments may be called, in the menu's order."""
        self.inquiries: Final = _inquiries(catalogue)
        """What inquiries may be called, in the menu's order."""
        self._words = {one.name: one.words for one in (*self.payments, *self.inquiries)}

    def payment(self, payment: NamedPayment) -> Words:
        """Return what a payment is called."""
        return self._words_of(payment_name(payment), payment.service)

    def inquiry(self, inquiry: InquiryView | ServiceRequestView) -> Words:
        """Return what an inquiry is called."""
        name = inquiry_name(inquiry.kind) if isinstance(inquiry, InquiryView) else service_name(inquiry.service)
        return self._words_of(name, inquiry.service)

    def service(self, code: str) -> Words:
        """Return what a service is called."""
        return self._words_of(service_name(code), code)

    def _words_of(self, name: str, code: str) -> Words:
        return self._words.get(name) or Words(fa=code or "–", en=code or "–")


_newest: list[tuple[Catalogue, Naming]] = []
"""The catalogue that was asked about last: it is the same one until another is published."""


def naming(catalogue: Catalogue) -> Naming:
    """Return what payments and inquiries are called by a catalogue."""
    if not _newest or _newest[0][0] is not catalogue:
        _newest[:] = [(catalogue, Naming(catalogue))]
    return _newest[0][1]


def _payments(catalogue: Catalogue) -> tuple[Named, ...]:
    named = list(_BILLS)
    for service in catalogue.services:
        if service.tariff.fee_rial:
            named.append(Named(f"fee_{service.code}", service.fee_name or service.name, service.category))
        if service.pay != "nothing":
            named.append(Named(f"pay_{service.code}", service.payable_name or service.name, service.category))
    return tuple(named)


def _inquiries(catalogue: Catalogue) -> tuple[Named, ...]:
    services = (Named(service_name(one.code), one.name, one.category) for one in catalogue.services)
    return (*_OWED, *services)


def names_with(word: str, named: Iterable[Named]) -> list[str]:
    """Return the names that a folded word is found in, in either language."""
    return [one.name for one in named if word in _haystack(one.words)]


@lru_cache(512)
def _haystack(words: Words) -> str:
    return search_key(f"{words.fa} {words.en}")
