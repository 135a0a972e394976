"""The templates of pages, once for each language.

What a language says is known before any page is asked for: as filters of an environment of its own, words and symbols
with fixed names are put in place when a template is compiled, and a page is left with what belongs to it alone.
"""

import hashlib
from collections.abc import Callable, Hashable, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from edge.web.bill_kinds import BILL_ICONS, KIND_ICONS, KIND_TEXTS
from edge.web.texts import LANGUAGES, text
from shared.alarm_texts import alarm_text
from shared.display import (
    STATUSES,
    Status,
    clock_text,
    date_text,
    day_text,
    digits_text,
    moment_text,
    payment_status,
)
from shared.error_texts import ERROR_TEXTS, describe
from shared.errors import OperatorError
from shared.money import group_digits, rial_text, toman_text
from shared.plates import plate_letter, plate_number
from shared.text import Language

ASSETS_PATH: Final = "/assets"
_KEPT_MAX: Final = 512
"""Parts of pages that are kept, of each language: about a thousand letters each."""
_WHOLE_MAX: Final = 64
"""The same of frames and tables: some twelve to thirty thousand letters each."""
_HOLE: Final = "\ue000"
"""A letter of nobody's: stands in a kept part where comes what it is kept without."""
_PARTS: Final = ("money", "problem", "error_note", "check_form", "terminal_words", "terminal_word", "test_result")
"""What every template may use of `parts.html`."""


def assets_folder() -> Path:
    """Return the folder of stylesheet, icons, scripts and font."""
    return Path(str(files("shared").joinpath("assets")))


def _asset_url(name: str) -> str:
    data = assets_folder().joinpath(name).read_bytes()
    return f"{ASSETS_PATH}/{name}?v={hashlib.sha256(data).hexdigest()[:12]}"


_ASSETS: Final = {
    name: _asset_url(name) for name in ("daftar.css", "daftar.js", "icons.svg", "favicon.svg", "vendor/htmx.min.js")
}


@cache
def icon(name: str, *, directed: bool = False) -> Markup:
    """Return a symbol of `icons.svg`; one that is `directed` is turned where people read from the left."""
    look = "icon icon--directed" if directed else "icon"
    return Markup('<svg class="{}" aria-hidden="true"><use href="{}#{}"></use></svg>').format(
        look, _ASSETS["icons.svg"], name
    )


@cache
def _chip(status: Status, language: Language, *, big: bool) -> Markup:
    weight = "" if status.weight == "soft" else f" status--{status.weight}"
    look = f"{status.tone}{weight}{' status--big' if big else ''}{' moving' if status.moving else ''}"
    return Markup('<span class="status tone-{}">{}{}</span>').format(look, icon(status.icon), status.word(language))


@pass_context
def _live_part(
    context: Context,
    path: str,
    events: str,
    *,
    slow: bool = False,
    seen: str | None = None,
    kept: str = "#terminals",
) -> Markup:
    """Return what makes a part of a page keep itself new; what is ticked goes along, so that the new one keeps it.

    `seen` is the digest of what is shown, the page's own unless given; `kept` selects what is ticked.
    """
    every_s = 60 if slow else 10
    seen = context["seen"] if seen is None else seen
    return Markup(  # noqa: S704 - escaped here: formatting a Markup takes five times as long
        f'hx-get="{escape(path)}?seen={escape(seen)}" hx-include="{escape(kept)}" '
        f'hx-trigger="{escape(events)}, every {every_s}s" hx-swap="outerHTML"'
    )


def _said_error(code: str | None, language: Language, **data: Any) -> str:
    """Return an error code in words, or the code itself where the table has none; `data` fills them."""
    if not code:
        return ""
    return describe(OperatorError(code, **data), language).what if code in ERROR_TEXTS else code


def _filters(language: Language) -> dict[str, Any]:
    """Return how templates say things in a language."""
    return {
        "t": lambda key, **data: text(key, language, **data),
        "icon": icon,
        "chip": lambda status, *, big=False: _chip(status, language, big=big),
        "word": lambda status: status.word(language),
        "payment_status": lambda payment, *, waits=False: (
            STATUSES["waiting_for_terminal"]
            if waits
            else payment_status(payment.state, payment.confirmation, purpose=payment.purpose)
        ),
        "bill_type_name": lambda kind: kind.fa if language == "fa" else kind.en,
        "toman": lambda amount_rial: toman_text(amount_rial, language),
        "toman_number": lambda amount_rial: toman_text(amount_rial, language).rsplit(" ", 1)[0],
        "rial": lambda amount_rial: rial_text(amount_rial, language),
        "rial_number": lambda amount_rial: group_digits(amount_rial, language),
        "number": lambda number: group_digits(number, language),
        "digits": lambda value: digits_text(str(value), language),
        "day": lambda day: day_text(day, language),
        "date": lambda at: date_text(at, language),
        "clock_time": lambda at: clock_text(at, language),
        "moment": lambda at: moment_text(at, language),
        "plate_of": plate_letter,
        "plate_parts": plate_number,
        "said_error": lambda code, **data: _said_error(code, language, **data),
        "alarm_text": lambda kind: alarm_text(kind, language),
    }


def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=PackageLoader("edge.web", "templates"),
        autoescape=True,
        # Templates come with the release: none of them changes while the box runs.
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(_filters(language))
    kept, kept_whole, kept_around = _keeping(environment)
    environment.globals.update(
        lang=language,
        dir="rtl" if language == "fa" else "ltr",
        asset=_ASSETS,
        live_part=_live_part,
        bill_icons=BILL_ICONS,
        kind_icons=KIND_ICONS,
        kind_texts=KIND_TEXTS,
        kept=kept,
        kept_whole=kept_whole,
        kept_around=kept_around,
    )
    parts = environment.get_template("parts.html").module
    environment.globals.update((name, getattr(parts, name)) for name in _PARTS)
    return environment


def _keeping(environment: Environment) -> tuple[Callable[..., Markup], Callable[..., Markup], Callable[..., Markup]]:
    """Return what calls the macro `part` of a template and keeps what came out: small parts, whole ones, and pieces.

    A macro sees nothing but what it is given, and that is the key: a part that shows something else is another part,
    so nothing kept can be out of date. Whole ones are made of small ones, and few are kept: they are large. One in
    pieces has a hole where comes what is another thing on each page.
    """

    def made(template: str, **given: Hashable) -> Markup:
        part: Markup = environment.get_template(template).module.part(**given)  # type: ignore[attr-defined]
        return part

    @lru_cache(_KEPT_MAX)
    def pieces(template: str, **given: Hashable) -> tuple[str, ...]:
        return tuple(str(made(template, hole=_HOLE, **given)).split(_HOLE))

    def kept_around(filling: str, template: str, **given: Hashable) -> Markup:
        return Markup(str(escape(filling)).join(pieces(template, **given)))  # noqa: S704 - came out of a template

    return lru_cache(_KEPT_MAX)(made), lru_cache(_WHOLE_MAX)(made), kept_around


@cache
def _template(environment: Environment, template: str) -> Template:
    return environment.get_template(template)


def _filled(environment: Environment, template: str, context: Mapping[str, Any]) -> str:
    """Return a template, filled: what its `render` does, without the way through chained dictionaries of globals."""
    found = _template(environment, template)
    everything = {**environment.globals, **context}
    try:
        return environment.concat(found.root_render_func(found.new_context(everything, shared=True)))
    except Exception:  # noqa: BLE001 - raised again, with the template's own lines
        environment.handle_exception()


_ENVIRONMENTS: Final = {language: _environment(language) for language in LANGUAGES}


def environment_of(language: Language) -> Environment:
    """Return the templates of a language."""
    return _ENVIRONMENTS[language]


def fill(language: Language, template: str, context: dict[str, Any]) -> str:
    """Return a template, filled."""
    return _filled(environment_of(language), template, context)
