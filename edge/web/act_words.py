"""What somebody did, in a sentence of either language and with a way to the thing: a table in `acts.toml`.

An entry of a type that the table does not have is named by its type: nothing that was done is left out.
"""

import re
import tomllib
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any, Final

import msgspec

from edge.journal.finding import ActView, actors
from edge.web.ports.counter import Queries
from edge.web.texts import text
from edge.web.transaction_names import Naming
from shared.events import Body, DayClosed
from shared.money import toman_text
from shared.text import Language, persian_digits

_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")


class Sentence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one type of entry is told."""

    fa: str
    en: str
    path: str = ""
    icon: str = "info"


SENTENCES: Final = msgspec.convert(
    tomllib.loads(files("edge.web").joinpath("acts.toml").read_text("utf-8")), dict[str, Sentence]
)
KINDS: Final = {
    "payment": "acts.kind_payment",
    "refund": "acts.kind_refund",
    "inquiry": "acts.kind_inquiry",
    "service": "acts.kind_service",
    "receipt": "acts.kind_receipt",
    "day": "acts.kind_day",
    "person": "acts.kind_person",
    "atm": "acts.kind_atm",
    "journal": "acts.kind_journal",
    "key": "acts.kind_key",
}
"""What acts are about, by the first part of their entries' types."""
TYPES_OF_KIND: Final = {
    kind: tuple(entry_type for entry_type in SENTENCES if entry_type.startswith(f"{kind}.")) for kind in KINDS
}
_PAPERS: Final = {
    "bill_receipt": "paper.bill_receipt",
    "inquiry_ticket": "paper.inquiry_ticket",
    "day_slip": "paper.day_slip",
    "refund_slip": "paper.refund_slip",
    "group_slip": "paper.group_slip",
    "fine_receipt": "paper.fine_receipt",
    "service_receipt": "paper.service_receipt",
    "service_ticket": "paper.inquiry_ticket",
    "order_receipt": "paper.service_receipt",
}
_ABOUT: Final = {"p": "/payments/", "d": "/days/", "r": "/refunds/"}
"""Where the thing is that a paper is about, by what its name begins with."""


class Told(msgspec.Struct, frozen=True):
    """An act, as a line of the page."""

    act: ActView
    parts: tuple[tuple[str, bool], ...]
    """The sentence, and of each part whether it is somebody's own words: of any language, and of any direction."""
    path: str
    """Where the thing itself is shown; empty where it is nowhere else."""
    icon: str
    people: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """Return all of it in one."""
        return "".join(words for words, _ in self.parts)


class Teller:
    """Tells acts in a language."""

    def __init__(self, queries: Queries, naming: Naming, language: Language) -> None:
        self._queries = queries
        self._naming = naming
        self._language: Language = language
        self._worked_out: dict[str, Callable[[Any], str]] = {
            "amount": self._amount,
            "name_of": lambda body: self._naming.payment(body).word(self._language),
            "service_name": self._service,
            "ticket_number": lambda body: self._digits(body.ticket),
            "paper": self._paper,
            "charged_word": lambda body: self._said("acts.charged" if body.charged else "acts.not_charged"),
            "undone_word": lambda body: self._said("acts.undone" if body.undone else "acts.not_undone"),
            "role_word": lambda body: self._said("role.manager" if body.role == "manager" else "role.operator"),
            "about_path": self._about,
        }

    def tell(self, act: ActView) -> Told:
        """Return an act in words."""
        body = act.body
        sentence = SENTENCES.get(body.type)
        people = actors(body)
        if sentence is None:
            return Told(act, ((self._said("acts.other", kind=body.type), False),), "", "info", people)
        words = sentence.fa if self._language == "fa" else sentence.en
        path = "".join(part for part, _ in self._filled(sentence.path, body))
        return Told(act, tuple(self._filled(words, body)), path, sentence.icon, people)

    def _filled(self, words: str, body: Body) -> Iterator[tuple[str, bool]]:
        for place, part in enumerate(_PLACEHOLDER.split(words)):
            if place % 2 == 0:
                yield part, False
            elif part in self._worked_out:
                yield self._worked_out[part](body), False
            else:
                yield str(getattr(body, part)), True

    def _said(self, key: str, **data: object) -> str:
        return text(key, self._language, **data)

    def _digits(self, number: int) -> str:
        return persian_digits(str(number)) if self._language == "fa" else str(number)

    def _amount(self, body: Any) -> str:
        if isinstance(body, DayClosed):
            return toman_text(sum(total.amount_rial for total in body.totals), self._language)
        return toman_text(body.amount_rial, self._language)

    def _service(self, body: Any) -> str:
        return self._naming.service(body.service).word(self._language)

    def _paper(self, body: Any) -> str:
        key = _PAPERS.get(body.document)
        name = body.document if key is None else self._said(key)
        return self._said("acts.copy_of", paper=name) if body.copy else name

    def _about(self, body: Any) -> str:
        about: str = body.about
        if about.startswith("q"):
            known = self._queries.inquiry(about) is not None
            return f"/inquiries/{about}" if known else f"/requests/{about}"
        return f"{_ABOUT[about[0]]}{about}" if about[:1] in _ABOUT else ""
