"""Pages out of templates: words, digits and directions of a language, and the frame around every page."""

import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlencode

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from litestar import Request, Response, Router
from litestar.datastructures import State
from sqlalchemy import Engine

from central.ledger.accounts import ACCOUNT_NAMES, account_name
from central.reconciliation.answering import AppendFeed
from central.web.people import People, Person
from central.web.texts import text, text_or_itself
from shared.alarm_texts import alarm_text
from shared.calendar import jalali_text
from shared.catalogue_files import built_in_catalogue
from shared.clock import Clock
from shared.display import (
    ago_text,
    clock_text,
    date_text,
    digits_text,
    inquiry_status,
    moment_text,
    payment_status,
)
from shared.entropy import Entropy
from shared.error_texts import describe
from shared.errors import OperatorError
from shared.money import group_digits, rial_text, toman_text
from shared.text import Language

LANGUAGE_COOKIE: Final = "daftar_central_language"
ASSETS_PATH: Final = "/assets"
PAGE_ROWS: Final = 50

AnyRequest = Request[Any, Any, State]


class Web(msgspec.Struct, frozen=True):
    """What every handler needs; one for an application."""

    engine: Engine
    clock: Clock
    entropy: Entropy
    people: People
    version: str
    """The program's release, shown at the foot."""
    append_feed: AppendFeed
    """How an office is told what two people decided."""


class OwnRouter(Router):
    """A router of one application. The framework copies routers to let several have them, which takes long."""

    def __deepcopy__(self, memo: object) -> Self:
        """Return itself."""
        return self


def assets_folder() -> Path:
    """Return the folder of stylesheet, icons, scripts and font."""
    return Path(str(files("shared").joinpath("assets")))


def language_of(request: AnyRequest) -> Language:
    """Return the language a person chose; Persian unless they did."""
    return "en" if request.cookies.get(LANGUAGE_COOKIE) == "en" else "fa"


def person_of(request: AnyRequest) -> Person | None:
    """Return who signed in, as the guard found it."""
    found: Person | None = request.scope["state"].get("person")
    return found


def _asset_url(name: str) -> str:
    data = assets_folder().joinpath(name).read_bytes()
    return f"{ASSETS_PATH}/{name}?v={hashlib.sha256(data).hexdigest()[:12]}"


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("central.web", "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = {
        name: _asset_url(name) for name in ("daftar.css", "central.css", "central.js", "icons.svg")
    }
    return environment


_ENVIRONMENT: Final = _environment()


def words_of(web: Web, language: Language) -> dict[str, Any]:
    """Return what templates call to say things in a language."""
    now = web.clock.now()
    return {
        "lang": language,
        "dir": "rtl" if language == "fa" else "ltr",
        "t": lambda key, **data: text(key, language, **data),
        "named": lambda key, name: text_or_itself(key, name, language),
        "rial": lambda amount_rial: rial_text(amount_rial, language),
        "rial_number": lambda amount_rial: signed_number(amount_rial, language),
        "toman": lambda amount_rial: toman_text(amount_rial, language),
        "toman_number": lambda amount_rial: toman_text(amount_rial, language).rsplit(" ", 1)[0],
        "count": lambda number: group_digits(number, language),
        "digits": lambda value: digits_text(str(value), language),
        "date": lambda at: date_text(at, language),
        "day": lambda day: jalali_text(day, language),
        "clock_time": lambda at: clock_text(at, language),
        "moment": lambda at: moment_text(at, language),
        "ago": lambda at: ago_text(at, now, language),
        "now": now,
        "word": lambda status: status.word(language),
        "service_name": lambda code: service_text(code, language),
        "alarm_text": lambda kind: alarm_text(kind, language),
        "account_name": lambda code: account_text(code, language),
        "pick": lambda fa, en: fa if language == "fa" else en,
        "payment_status": payment_status,
        "inquiry_status": inquiry_status,
        "query": query_text,
    }


def signed_number(amount: int, language: Language) -> str:
    """Return a grouped number; a negative one with a minus sign on its left, whatever the direction of the page."""
    grouped = group_digits(abs(amount), language)
    return f"\u2066\u2212{grouped}\u2069" if amount < 0 else grouped


def service_text(code: str, language: Language) -> str:
    """Return what a service is called in the program's own catalogue; one that is not there is its own name."""
    service = built_in_catalogue().service(code)
    return code if service is None else service.name.word(language)


def account_text(code: str, language: Language) -> str:
    """Return an account's name by its code; a code whose kind is not known is its own name."""
    kind, _, detail = code.partition(":")
    if kind not in ACCOUNT_NAMES:
        return code
    service = built_in_catalogue().service(detail) if kind == "provider" else None
    named = service.name.word(language) if service else text_or_itself("bill_kind", detail, language)
    persian, english = account_name(kind, named)
    return persian if language == "fa" else english


def query_text(**members: object) -> str:
    """Return a URL's query of the members that are set."""
    return urlencode({name: str(value) for name, value in members.items() if value not in (None, "")})


def said(error: OperatorError, request: AnyRequest) -> Any:
    """Return an error in the words of the page's language."""
    return describe(error, language_of(request))


def render(web: Web, request: AnyRequest, template: str, **context: Any) -> str:
    """Return a page. `person` and `csrf` are given to every template."""
    everywhere: dict[str, Any] = {
        **words_of(web, language_of(request)),
        "person": person_of(request),
        "csrf": request.scope["state"].get("csrf", ""),
        "path": request.url.path,
        "here": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        "version": web.version,
        "page_rows": PAGE_ROWS,
    }
    return _ENVIRONMENT.get_template(template).render({**everywhere, **context})


def page(web: Web, request: AnyRequest, template: str, *, status_code: int = 200, **context: Any) -> Response[str]:
    """Return a page as an answer."""
    return Response(
        render(web, request, template, **context),
        media_type="text/html; charset=utf-8",
        status_code=status_code,
        headers={"Cache-Control": "no-store"},
    )


def see_other(path: str) -> Response[str]:
    """Return the way to a page after a form."""
    return Response("", status_code=303, headers={"Location": path})
