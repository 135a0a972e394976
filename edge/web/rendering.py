"""Pages out of templates: words, digits and directions of a language, and the frame around every page."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, Self, TypeVar

import msgspec
from litestar import Request, Response, Router
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send
from markupsafe import Markup, escape

from edge.web.menu import Menu, menu_of
from edge.web.ports.counter import (
    Counter,
    ExposureView,
    Header,
    Line,
    Operator,
    PaymentView,
    Permitted,
    Printer,
    Terminal,
)
from edge.web.templating import fill
from shared.catalogue import Catalogue
from shared.clock import Clock
from shared.display import ago_text
from shared.entropy import Entropy, random_name
from shared.text import Language

LANGUAGE_COOKIE: Final = "daftar_language"
HTML: Final = "text/html; charset=utf-8"
_NOT_KEPT: Final = {"Cache-Control": "no-store"}
_PAGE_HEADERS: Final = ((b"cache-control", b"no-store"), (b"content-type", HTML.encode()))
_SEEN: Final = "digest-of-this-part"
"""Stands in a live part where its digest comes, which is known only afterwards."""

AnyRequest = Request[Any, Any, State]
AnyConnection = ASGIConnection[Any, Any, Any, Any]
T = TypeVar("T")


class Web(msgspec.Struct, frozen=True):
    """What every handler needs; one for an application."""

    counter: Counter
    clock: Clock
    entropy: Entropy
    version: str
    """The program's release, shown on «about» and in the API."""
    demo: bool = False
    """Whether the devices are virtual: every page says that no real money moves."""
    training: bool = False
    """Whether this is a training: every page says so."""
    training_address: str = ""
    """See `edge.settings.Settings.training_address`."""


class OwnRouter(Router):
    """A router of one application. The framework copies routers to let several have them, which takes long."""

    def __deepcopy__(self, memo: object) -> Self:
        """Return itself."""
        return self


class _Sent(ASGIResponse):
    """A page on its way: its headers are always the same, so nothing of them is put together for it."""

    def __init__(self, body: bytes, status_code: int) -> None:
        self.body, self.status_code = body, status_code

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the framework's
        """Send it."""
        headers = [*_PAGE_HEADERS, (b"content-length", str(len(self.body)).encode())]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


class Page(Response[str]):
    """A page, or a part of one. Nobody on the way may keep it."""

    def __init__(self, body: str, status_code: int = 200) -> None:
        super().__init__(body, media_type=HTML, status_code=status_code, headers=_NOT_KEPT)

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIResponse:
        """Return what is sent. A page has no headers of its own, no cookies, and is never asked for its head alone."""
        return _Sent(self.content.encode(), self.status_code or 200)


class Gauges(msgspec.Struct, frozen=True, kw_only=True):
    """What the header says of devices, line and clock and nothing else: while they are equal, so is the header."""

    terminals: tuple[Terminal, ...]
    printer: Printer
    line: Line
    in_doubt: tuple[PaymentView, ...]
    queued_count: int
    queued_rial: int
    unsent_count: int
    limit: ExposureView | None
    """What may still be taken without central, where the header speaks of it."""
    safe_to_switch_off: bool
    now: datetime
    """To the minute."""
    clock_quality: str


def gauges(web: Web, header: Header, clock_quality: str) -> Gauges:
    """Return the header's facts of this moment."""
    exposure = header.exposure
    return Gauges(
        terminals=header.terminals,
        printer=header.printer,
        line=header.line,
        in_doubt=header.in_doubt,
        queued_count=header.unconfirmed_count,
        queued_rial=header.unconfirmed_rial,
        unsent_count=header.unsent_count,
        limit=exposure if exposure.reached or exposure.level in ("amber", "red") else None,
        # What is journaled survives the switch; only a dialogue at the terminal would be torn: a payment, or the
        # question what became of one.
        safe_to_switch_off=not header.is_under_way
        and not any(web.counter.progress(payment.payment_id) for payment in header.in_doubt),
        now=web.clock.now().replace(second=0, microsecond=0),
        clock_quality=clock_quality,
    )


def language_of(request: AnyRequest) -> Language:
    """Return the language a person chose; Persian unless they did."""
    return "en" if request.cookies.get(LANGUAGE_COOKIE) == "en" else "fa"


def _address(address: str, request: AnyRequest) -> str:
    """Return an address; one that is only a port is another door of the host that the page is asked for under."""
    return f"{request.url.scheme}://{request.url.hostname}{address}" if address.startswith(":") else address


def catalogue_of(web: Web) -> Catalogue:
    """Return the services in force."""
    return web.counter.catalogue()


def _asked_once(request: AnyConnection, name: str, ask: Callable[[], T]) -> T:
    """Return what is asked for, once in a request."""
    state: dict[str, Any] = request.scope["state"]
    if name not in state:
        state[name] = ask()
    found: T = state[name]
    return found


def catalogue_for(web: Web, request: AnyRequest) -> Catalogue:
    """Return the services in force, for a page."""
    return _asked_once(request, "catalogue", web.counter.catalogue)


def header_for(web: Web, request: AnyRequest) -> Header:
    """Return the header's facts, for a page."""
    return _asked_once(request, "header", web.counter.header)


def permitted_to(web: Web, request: AnyConnection) -> Permitted:
    """Return what the person of a request may do now."""
    operator: Operator = request.scope["state"]["operator"]
    return _asked_once(request, "permitted", lambda: web.counter.permissions.of(operator.username))


def menu_for(web: Web, request: AnyRequest) -> Menu:
    """Return what the person of a request may do."""
    operator: Operator = request.scope["state"]["operator"]
    return menu_of(catalogue_for(web, request), permitted_to(web, request), operator.role)


def everywhere_of(web: Web, request: AnyRequest) -> dict[str, Any]:
    """Return what every template is given: `operator`, the form's token and the header's facts of this moment."""
    operator: Operator | None = request.scope["state"].get("operator")
    language = language_of(request)
    csrf = request.scope["state"].get("csrf", "")
    everywhere: dict[str, Any] = {
        "ago": lambda at: ago_text(at, web.clock.now(), language),
        "operator": operator,
        "csrf_field": Markup(f'<input type="hidden" name="csrf" value="{escape(csrf)}">'),  # noqa: S704 - escaped
        "path": request.scope["path"],
        "version": web.version,
        "demo": web.demo,
        "training": web.training,
        "training_address": _address(web.training_address, request),
        "seen": "",
        "greeting": None,
        "form_key": random_name(web.entropy, "f"),
    }
    if operator is not None:
        header = header_for(web, request)
        everywhere["office"] = header.office
        everywhere["exposure"] = header.exposure
        everywhere["health"] = health = web.counter.health()
        everywhere["gauges"] = gauges(web, header, health.clock)
        everywhere["menu"] = menu_for(web, request)
        everywhere["left_ms"] = request.scope["state"]["visitor"].left_ms
        # What a person ticked on a page that renews itself, else their own.
        ticked = request.query_params.get("terminal")
        everywhere["chosen_terminal"] = lambda: ticked or web.counter.terminal_for(operator.username)
    return everywhere


def render(web: Web, request: AnyRequest, template: str, **context: Any) -> str:
    """Return a page or a part of one."""
    return fill(language_of(request), template, {**everywhere_of(web, request), **context})


def render_alone(template: str, **context: Any) -> str:
    """Return a page that needs nothing of the box."""
    return fill("fa", template, context)


def _live(language: Language, template: str, context: dict[str, Any]) -> tuple[str, str]:
    """Return a part of a page that keeps itself new, and what tells two of them apart.

    One-time keys do not count, nor does the digest itself, which the part carries as `seen`.
    """
    body = fill(language, template, {**context, "seen": _SEEN})
    seen = hashlib.sha256(body.replace(context["form_key"], "").encode()).hexdigest()[:16]
    return body.replace(_SEEN, seen), seen


def page(
    web: Web,
    request: AnyRequest,
    template: str,
    *,
    status_code: int = 200,
    live_part: str | None = None,
    **context: Any,
) -> Response[str]:
    """Return a page as an answer; `live_part` is the part of it that keeps itself new, which it has as `living`."""
    language = language_of(request)
    with web.counter.queries.one_moment():
        context = {**everywhere_of(web, request), **context}
    if context["operator"] is not None:
        context["greeting"] = web.counter.people.greeting(request.scope["state"]["session"])
    if live_part:
        context["living"] = Markup(_live(language, live_part, context)[0])  # noqa: S704 - came out of a template
    return Page(fill(language, template, context), status_code)


def part(web: Web, request: AnyRequest, template: str, **context: Any) -> Response[str]:
    """Return a live part of a page; nothing (204) when the page already shows the same.

    The page tells by `seen` the digest it has: an answer that changes nothing must not disturb a reader's selection,
    focus or screen reader.
    """
    body, seen = _live(language_of(request), template, {**everywhere_of(web, request), **context})
    if request.query_params.get("seen") == seen:
        return Response("", status_code=204, headers=_NOT_KEPT)
    return Page(body)
