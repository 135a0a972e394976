"""The form above a table of the history: what was typed and chosen, the calendar, the ways to other pages of it."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import msgspec
from litestar import Response
from litestar.response import Redirect

from edge.journal.finding import Listed
from edge.web.act_words import KINDS
from edge.web.history import Found
from edge.web.history_search import Asked, Filters, Known, asked_of, everything
from edge.web.jalali_picker import WEEKDAYS, Picker, picker, spans
from edge.web.kept_searches import HANDLE, PRIVATE, Searches
from edge.web.object_key import ObjectKey
from edge.web.rendering import HTML, AnyRequest, Web, header_for, language_of, render
from edge.web.texts import text
from edge.web.transaction_names import CATEGORY_TEXTS, Named
from shared.calendar import jalali_day_parts, tehran_date
from shared.error_texts import Described, describe
from shared.errors import OperatorError
from shared.text import Language

DAY_FIELDS: Final = ("since", "until")
_GROUP_TEXTS: Final = {
    "paid": "history.of_paid",
    "failed": "history.of_failed",
    "review": "history.of_review",
    "under_way": "history.of_under_way",
    "reversed": "history.of_reversed",
    "waiting": "history.of_waiting",
    "unpaid": "history.of_unpaid",
    "answered": "history.of_answered",
}
_SPAN_TEXTS: Final = {
    "today": "history.span_today",
    "yesterday": "history.span_yesterday",
    "week": "history.span_week",
    "month": "history.span_month",
    "last_month": "history.span_last_month",
}


_KEPT_MAX: Final = 64
"""Choices of a form, by what they are made of."""
_AS_TYPED: Final = (*Filters.__struct_fields__, "span", *(f"month_{field}" for field in DAY_FIELDS))
"""What a form sends and its page's address carries on, the private fields aside."""


class Given(NamedTuple):
    """What a request looks for."""

    filters: Filters
    handle: str
    """Under which the private ones are kept; empty where there are none."""
    is_lost: bool
    """Whether the address carries a handle of which nothing is kept any more: what was looked for is not known."""


class Choice(msgspec.Struct, frozen=True):
    """Something to choose from."""

    value: str
    name: str


class Way(msgspec.Struct, frozen=True):
    """A way to another part of the history."""

    name: str
    address: str
    is_here: bool
    icon: str = ""


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """All that the form shows; while two are equal, so is what they look like."""

    path: str
    filters: Filters
    handle: str = ""
    """See `Given`."""
    is_lost: bool = False
    wrong: tuple[tuple[str, Described], ...]
    """What is wrong with fields, by name."""
    spans: tuple[Choice, ...]
    pickers: tuple[Picker, ...]
    """Months that were turned to."""
    weekdays: tuple[str, ...]
    people: tuple[Choice, ...]
    hint: str = ""
    """What may be searched for; empty where nothing is typed."""
    categories: tuple[Way, ...] = ()
    parts: tuple[Way, ...] = ()
    groups: tuple[Choice, ...] = ()
    names: tuple[Choice, ...] = ()
    terminals: tuple[Choice, ...] = ()
    kinds: tuple[Choice, ...] = ()
    workbook: str = ""
    """The address of the same as a workbook."""

    @property
    def is_search(self) -> bool:
        """Whether anything is looked for."""
        return self.is_lost or self.filters.is_any

    @property
    def is_private(self) -> bool:
        """Whether somebody's number may stand in it: it is then shown once and kept nowhere."""
        return bool(self.filters.private())

    def kept(self, **changes: str) -> dict[str, str]:
        """Return what an address carries to ask the same, with changes."""
        return self.filters.public(**changes) | ({HANDLE: self.handle} if self.handle else {})

    def wrong_of(self, field: str) -> Described | None:
        """Return what is wrong with a field."""
        return next((said for name, said in self.wrong if name == field), None)


def filters_of(web: Web, request: AnyRequest) -> Filters:
    """Return the filters that an address carries."""
    query = request.query_params
    given = {name: query.getall(name)[-1] for name in query}
    if "span" in given:
        span = spans(tehran_date(web.clock.now())).get(given["span"])
        given |= {} if span is None else {"since": span[0], "until": span[1]}
    return Filters.of(given)


def given_of(web: Web, searches: Searches, request: AnyRequest) -> Given:
    """Return what a request looks for, what is kept under its handle included."""
    session, handle = request.scope["state"]["session"], request.query_params.get(HANDLE, "")
    filters, kept = filters_of(web, request), searches.find(session, handle) if handle else None
    if kept is not None:
        filters = msgspec.structs.replace(filters, **kept)
    elif private := filters.private():
        # An address that somebody wrote: the ways on from its page carry a handle all the same.
        return Given(filters, searches.keep(session, private), is_lost=False)
    return Given(filters, handle if kept is not None else "", is_lost=bool(handle) and kept is None)


async def look_for(searches: Searches, request: AnyRequest) -> Redirect:
    """Take a form of the history: keep what of it is private, and lead to the page whose address carries the rest.

    Of a field that comes twice, the button pressed stands behind what was typed.
    """
    form = await request.form()
    typed = {name: str(form.getall(name)[-1]).strip() for name in _AS_TYPED if name in form}
    public = {name: value for name, value in typed.items() if value and name not in PRIVATE}
    if private := Filters.of({name: typed.get(name, "") for name in PRIVATE}).private():
        public[HANDLE] = searches.keep(request.scope["state"]["session"], private)
    return Redirect(address_of(request.scope["path"], public), status_code=303)


def sought_by(
    web: Web,
    filters: Filters,
    listed: Listed,
    named: Sequence[Named],
    kinds: Mapping[str, Sequence[str]] | None = None,
) -> Asked:
    """Return what the filters ask of the index; `named` and `kinds` are what words are looked up in."""
    if not filters.is_any:
        return everything(listed)
    history = web.counter.history
    year, _, _ = jalali_day_parts(tehran_date(web.clock.now()))
    return asked_of(filters, listed, Known(named, history.people(), history.applicant_keys, year, kinds or {}))


def form_of(
    web: Web, request: AnyRequest, given: Given, wrong: Mapping[str, OperatorError], *, groups: Sequence[str] = ()
) -> Form:
    """Return what every form of the history has."""
    language, filters = language_of(request), given.filters
    query = request.query_params
    turned = [(field, month) for field in DAY_FIELDS if (month := query.get(f"month_{field}", ""))]
    pickers: tuple[Picker, ...] = ()
    if turned:
        today = tehran_date(web.clock.now())
        pickers = tuple(picker(field, getattr(filters, field), month, today, language) for field, month in turned)
    form = Form(
        path=request.scope["path"],
        filters=filters,
        handle=given.handle,
        is_lost=given.is_lost,
        wrong=tuple((field, describe(error, language)) for field, error in wrong.items()),
        spans=_choices(tuple(_SPAN_TEXTS.items()), language),
        pickers=pickers,
        weekdays=WEEKDAYS[language],
        people=_people(tuple(web.counter.history.people())),
        groups=_choices(tuple((group, _GROUP_TEXTS[group]) for group in groups), language),
    )
    return msgspec.structs.replace(form, workbook=address_of(f"{form.path}.xlsx", form.kept()))


def with_names(request: AnyRequest, form: Form, named: Sequence[Named], hint: str) -> Form:
    """Return the form of a page whose rows have names and categories; `hint` is a text's key."""
    language, filters = language_of(request), form.filters
    kept = tuple(form.kept(category="", name="").items())
    return msgspec.structs.replace(
        form,
        hint=text(hint, language),
        categories=_categories(ObjectKey(named), form.path, kept, filters.category, language),
        names=_names(ObjectKey(named), filters.category, language),
    )


@lru_cache(_KEPT_MAX)
def _choices(texts: tuple[tuple[str, str], ...], language: Language) -> tuple[Choice, ...]:
    return tuple(Choice(value, text(key, language)) for value, key in texts)


@lru_cache(_KEPT_MAX)
def _people(known: tuple[tuple[str, str], ...]) -> tuple[Choice, ...]:
    return tuple(Choice(name, called) for name, called in known)


@lru_cache(_KEPT_MAX)
def _names(named: ObjectKey[Sequence[Named]], category: str, language: Language) -> tuple[Choice, ...]:
    return tuple(Choice(one.name, one.words.word(language)) for one in named.one if category in ("", one.category))


@lru_cache(_KEPT_MAX)
def _categories(
    named: ObjectKey[Sequence[Named]], path: str, kept: tuple[tuple[str, str], ...], category: str, language: Language
) -> tuple[Way, ...]:
    there = {one.category for one in named.one}
    codes = [("", "history.all"), *((code, key) for code, key in CATEGORY_TEXTS.items() if code in there)]
    return tuple(
        Way(text(key, language), address_of(path, ({"category": code} if code else {}) | dict(kept)), category == code)
        for code, key in codes
    )


def with_money(web: Web, request: AnyRequest, form: Form) -> Form:
    """Return the form of a page of payments."""
    names = (terminal.name for terminal in header_for(web, request).terminals)
    return msgspec.structs.replace(form, terminals=tuple(Choice(name, name) for name in names))


def with_kinds(request: AnyRequest, form: Form) -> Form:
    """Return the form of the page of acts."""
    language = language_of(request)
    return msgspec.structs.replace(form, kinds=tuple(Choice(kind, text(key, language)) for kind, key in KINDS.items()))


def page_facts(form: Form, found: Found[Any]) -> dict[str, Any]:
    """Return what every page of the history shows: the form, where one is, and the ways from there."""
    kept = form.kept()
    older = None if found.older is None else {**kept, "before": str(found.older), "row": str(found.next_row)}
    return {
        "form": form,
        "found": found,
        "older_address": None if older is None else address_of(form.path, older),
        "newest_address": address_of(form.path, kept) if found.page > 1 else None,
    }


def address_of(path: str, query: Mapping[str, str]) -> str:
    """Return an address."""
    return f"{path}?{urlencode(query)}" if query else path


def month_part(web: Web, request: AnyRequest, field: str) -> Response[str]:
    """Return the calendar of a field alone, as the script puts it under the field."""
    language, filters = language_of(request), filters_of(web, request)
    turned = request.query_params.get(f"month_{field}", "")
    month = picker(field, getattr(filters, field), turned, tehran_date(web.clock.now()), language)
    part = render(web, request, "history_calendar.html", month=month, weekdays=WEEKDAYS[language])
    return Response(part, media_type=HTML, headers={"Cache-Control": "no-store"})
