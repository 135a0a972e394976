"""Pages out of templates: words, digits and directions of a language, and the frame around every page."""

import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from litestar import Request, Response
from litestar.datastructures import State

from edge.web.ports import Counter, HealthView, Operator
from edge.web.services import BILL_ICONS, KIND_ICONS, KIND_TEXTS
from edge.web.texts import text
from shared.clock import Clock
from shared.display import ago_text, alarm_text, clock_text, date_text, day_text, digits_text, moment_text
from shared.entropy import Entropy, random_name
from shared.error_texts import ERROR_TEXTS, describe
from shared.errors import OperatorError
from shared.money import group_digits, rial_text, toman_text
from shared.payment import PaymentState
from shared.text import Language

LANGUAGE_COOKIE: Final = "daftar_language"
UNDER_WAY: Final = frozenset({PaymentState.REQUESTED, PaymentState.SENT})
ASSETS_PATH: Final = "/assets"
HTML: Final = "text/html; charset=utf-8"

AnyRequest = Request[Any, Any, State]


def assets_folder() -> Path:
    """Return the folder of stylesheet, icons, scripts and font."""
    return Path(str(files("shared").joinpath("assets")))


class Web(msgspec.Struct, frozen=True):
    """What every handler needs; one for an application."""

    counter: Counter
    clock: Clock
    entropy: Entropy
    version: str
    """The program's release, shown on «about» and in the API."""
    demo: bool = False
    """Whether the devices are virtual: every page says that no real money moves."""

    def __deepcopy__(self, memo: object) -> "Web":
        """Return itself: the framework copies routers with all that their middleware holds, and this is one thing."""
        return self


class Gauges(msgspec.Struct, frozen=True, kw_only=True):
    """What the header says of devices, line and clock."""

    terminals: list[Any]
    printer: Any
    line: Any
    in_doubt: list[Any]
    queued_count: int
    queued_rial: int
    unsent_count: int
    exposure: Any
    safe_to_switch_off: bool
    now: Any
    clock_quality: str
    health: HealthView


def gauges(web: Web) -> Gauges:
    """Return the header's facts of this moment."""
    queries = web.counter.queries
    status = queries.status()
    in_doubt = list(queries.in_doubt())
    return Gauges(
        terminals=list(web.counter.terminals()),
        printer=web.counter.printer(),
        line=web.counter.line(),
        in_doubt=in_doubt,
        queued_count=status.unconfirmed_count,
        queued_rial=status.unconfirmed_rial,
        unsent_count=status.unsent_count,
        exposure=web.counter.exposure(),
        # What is journaled survives the switch; only a dialogue at the terminal would be torn: a payment, or the
        # question what became of one.
        safe_to_switch_off=not queries.payments(None, 1, UNDER_WAY)
        and not any(web.counter.progress(payment.payment_id) for payment in in_doubt),
        now=web.clock.now(),
        clock_quality=web.clock.quality(),
        health=web.counter.health(),
    )


def language_of(request: AnyRequest) -> Language:
    """Return the language a person chose; Persian unless they did."""
    return "en" if request.cookies.get(LANGUAGE_COOKIE) == "en" else "fa"


def _asset_url(name: str) -> str:
    data = assets_folder().joinpath(name).read_bytes()
    return f"{ASSETS_PATH}/{name}?v={hashlib.sha256(data).hexdigest()[:12]}"


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("edge.web", "templates"),
        autoescape=select_autoescape(default=True),
        # Templates come with the release: none of them changes while the box runs.
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = {
        name: _asset_url(name) for name in ("daftar.css", "daftar.js", "icons.svg", "favicon.svg", "vendor/htmx.min.js")
    }
    environment.globals["bill_icons"] = BILL_ICONS
    environment.globals["kind_icons"] = KIND_ICONS
    environment.globals["kind_texts"] = KIND_TEXTS
    return environment


_ENVIRONMENT: Final = _environment()


def _said_error(code: str | None, language: Language) -> str:
    """Return an error code in words, or the code itself where the table has none."""
    if not code:
        return ""
    return describe(OperatorError(code), language).what if code in ERROR_TEXTS else code


def words_of(web: Web, language: Language) -> dict[str, Any]:
    """Return what templates call to say things in a language."""
    return {
        "lang": language,
        "dir": "rtl" if language == "fa" else "ltr",
        "t": lambda key, **data: text(key, language, **data),
        "toman": lambda amount_rial: toman_text(amount_rial, language),
        "toman_number": lambda amount_rial: toman_text(amount_rial, language).rsplit(" ", 1)[0],
        "rial": lambda amount_rial: rial_text(amount_rial, language),
        "rial_number": lambda amount_rial: group_digits(amount_rial, language),
        "count": lambda number: group_digits(number, language),
        "digits": lambda value: digits_text(str(value), language),
        "day": lambda day: day_text(day, language),
        "date": lambda at: date_text(at, language),
        "clock_time": lambda at: clock_text(at, language),
        "moment": lambda at: moment_text(at, language),
        "ago": lambda at: ago_text(at, web.clock.now(), language),
        "said_error": lambda code: _said_error(code, language),
        "alarm_text": lambda kind: alarm_text(kind, language),
        "word": lambda status: status.word(language),
    }


def everywhere_of(web: Web, request: AnyRequest) -> dict[str, Any]:
    """Return what every template is given: words, `operator`, `csrf` and the header's facts of this moment."""
    operator: Operator | None = request.scope["state"].get("operator")
    everywhere: dict[str, Any] = {
        **words_of(web, language_of(request)),
        "operator": operator,
        "csrf": request.scope["state"].get("csrf", ""),
        "path": request.url.path,
        "version": web.version,
        "demo": web.demo,
        "seen": "",
        "form_key": random_name(web.entropy, "f"),
    }
    if operator is not None:
        everywhere["office"] = web.counter.queries.status().office
        everywhere["gauges"] = gauges(web)
        # What a person ticked on a page that renews itself, else their own.
        ticked = request.query_params.get("terminal")
        everywhere["chosen_terminal"] = lambda: ticked or web.counter.terminal_for(operator.username)
    return everywhere


def render(web: Web, request: AnyRequest, template: str, **context: Any) -> str:
    """Return a page or a part of one."""
    return _render(everywhere_of(web, request), template, context)


def _render(everywhere: dict[str, Any], template: str, context: dict[str, Any]) -> str:
    return _ENVIRONMENT.get_template(template).render({**everywhere, **context})


def render_alone(template: str, **context: Any) -> str:
    """Return a page that needs nothing of the box."""
    return _ENVIRONMENT.get_template(template).render(context)


def _digest(everywhere: dict[str, Any], template: str, context: dict[str, Any]) -> str:
    """Return what tells two renderings of a part apart; one-time keys and the digest itself do not count."""
    body = _render(everywhere, template, {**context, "seen": "", "form_key": ""})
    return hashlib.sha256(body.encode()).hexdigest()[:16]


def page(
    web: Web,
    request: AnyRequest,
    template: str,
    *,
    status_code: int = 200,
    live_part: str | None = None,
    **context: Any,
) -> Response[str]:
    """Return a page as an answer; `live_part` names the part of it that keeps itself new."""
    everywhere = everywhere_of(web, request)
    seen = _digest(everywhere, live_part, context) if live_part else ""
    return Response(
        _render(everywhere, template, {**context, "seen": seen}),
        media_type=HTML,
        status_code=status_code,
        headers={"Cache-Control": "no-store"},
    )


def part(web: Web, request: AnyRequest, template: str, **context: Any) -> Response[str]:
    """Return a live part of a page; nothing (204) when the page already shows the same.

    The page tells by `seen` the digest it has: an answer that changes nothing must not disturb a reader's selection,
    focus or screen reader.
    """
    everywhere = everywhere_of(web, request)
    seen = _digest(everywhere, template, context)
    if request.query_params.get("seen") == seen:
        return Response("", status_code=204, headers={"Cache-Control": "no-store"})
    body = _render(everywhere, template, {**context, "seen": seen})
    return Response(body, media_type=HTML, headers={"Cache-Control": "no-store"})
