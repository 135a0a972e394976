"""The demo desk's web side: one page, one live stream, and a JSON control API that says what a hand would do.

    GET  /                  the page, Persian first (`?lang=en` for English, remembered)
    GET  /state             everything on the desk, as JSON (DeskState)
    GET  /events            the same, live: server-sent events named `state`
    POST /control/terminal  {"terminal": 1} names which one, from 1 (the first unless it is said), with
                            {"press": "approve"|"decline"|"cancel"} · {"mode": "none"|"go_silent"|…, "late_ms": 3000}
                            · {"auto": true|false}; a terminal that died is switched on again by any mode
    POST /control/printer   {"fault": "none"|"no_paper"|"cover_open"|"off"|…} · {"tear": true}
    POST /control/line      {"up": true|false} · {"mode": "good"|"slow"|"cut_answers"}
    POST /messages          a text message for a customer, as central's gateway takes it; its bad days as in
                            central/providers/sandbox_messages.py
    GET  /paper/{n}         the picture of a printed paper, from 1, as PNG
    GET  /settlement.csv    what the acquirer would send for these terminals; `?planted=yes` with differences

Controls answer with the new state. There is no sign-in: the desk is a toy for whoever sits at this machine. It refuses
posts that another site's page makes.
"""

import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import msgspec
import uvicorn
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from litestar import Litestar, MediaType, Request, Response, Router, get, post
from litestar.datastructures import Cookie, State
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException, NotFoundException, PermissionDeniedException
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, ServerSentEvent, ServerSentEventMessage
from litestar.static_files import create_static_files_router
from markupsafe import Markup

from central.providers.sandbox_messages import message_routes
from daftar.demo.desk.desk import Desk
from daftar.demo.desk.line import LINE_MODES, LineMode
from daftar.demo.desk.settings import DeskSettings
from daftar.demo.desk.settlement import settlement_csv
from daftar.demo.desk.state import SHOWN_PRINTER_FAULTS, SHOWN_TERMINAL_FAULTS, DeskState
from edge.devices.virtual.printer import PrinterFault
from edge.devices.virtual.terminal import Fault, Key
from shared.clock import Clock, SystemClock
from shared.display import digits_text
from shared.entropy import Entropy, SystemEntropy

Language = Literal["fa", "en"]
DeskRequest = Request[Any, Any, State]
ControlT = TypeVar("ControlT")

HERE: Final = Path(__file__).parent
ASSETS: Final = HERE.parents[2] / "shared" / "assets"
_TRAINING_TEXTS: Final = ("title", "brand", "intro", "samples")
"""Words that a training's desk has of its own."""
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class TerminalControl(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a hand does to a terminal."""

    terminal: int = 1
    press: Key | None = None
    mode: Fault | None = None
    late_ms: int | None = None
    auto: bool | None = None


class PrinterControl(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a hand does to the printer."""

    fault: Literal["none"] | PrinterFault | None = None
    tear: bool = False


class LineControl(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a hand does to the line."""

    up: bool | None = None
    mode: LineMode | None = None


def load_texts() -> dict[Language, dict[str, str]]:
    """Return the page's words by language."""
    table: dict[str, dict[Language, str]] = tomllib.loads((HERE / "texts.toml").read_text(encoding="utf-8"))
    languages: tuple[Language, ...] = ("fa", "en")
    return {language: {key: row[language] for key, row in table.items()} for language in languages}


def _refuse_other_sites(request: DeskRequest) -> None:
    """Refuse a post made by another site's page: its browser says where it comes from."""
    origin = request.headers.get("origin")
    if request.method == "POST" and origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        raise PermissionDeniedException("this post comes from another site's page")


async def _said(request: DeskRequest, kind: type[ControlT]) -> ControlT:
    """Return the control a post asks for, from JSON or from the page's forms. Raises a 400 that says what is wrong."""
    try:
        if request.content_type[0] == "application/json":
            return msgspec.json.decode(await request.body(), type=kind)
        return msgspec.convert(dict(await request.form()), kind, strict=False)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise HTTPException(status_code=400, detail=str(error)) from error


def _answer(request: DeskRequest, desk: Desk, terminal: int = 1) -> Response[Any]:
    """Return the new state to programs, and the page again to a browser without script."""
    if "text/html" in request.headers.get("accept", ""):
        return Redirect("/" if terminal == 1 else f"/?terminal={terminal}", status_code=303)
    return Response(msgspec.json.encode(desk.state()), media_type=MediaType.JSON, status_code=200)


@post("/control/terminal")
async def control_terminal(request: DeskRequest, desk: NamedDependency[Desk]) -> Response[Any]:
    """Press a key, change the day it has, let it approve by itself."""
    control = await _said(request, TerminalControl)
    if not 1 <= control.terminal <= len(desk.terminals):
        raise HTTPException(status_code=400, detail=f"there is no terminal {control.terminal} on the desk")
    terminal = desk.terminals[control.terminal - 1]
    if control.mode is not None:
        await desk.give_terminal_a_day(terminal, control.mode, control.late_ms)
    if control.auto is not None:
        terminal.set_auto("approve" if control.auto else None)
    if control.press is not None:
        terminal.press(control.press)
    return _answer(request, desk, control.terminal)


@post("/control/printer")
async def control_printer(request: DeskRequest, desk: NamedDependency[Desk]) -> Response[Any]:
    """Break it, mend it, tear off the paper."""
    control = await _said(request, PrinterControl)
    if control.fault is not None:
        desk.printer.set_fault(None if control.fault == "none" else control.fault)
    if control.tear:
        desk.printer.tear()
    return _answer(request, desk)


@post("/control/line")
async def control_line(request: DeskRequest, desk: NamedDependency[Desk]) -> Response[Any]:
    """Pull the plug, put it in, choose how the line behaves."""
    control = await _said(request, LineControl)
    if control.mode is not None:
        desk.line.set_mode(control.mode)
    if control.up is not None:
        desk.line.plug(up=control.up)
    return _answer(request, desk)


@get("/state")
async def show_state(desk: NamedDependency[Desk]) -> Response[bytes]:
    """Return what stands on the desk."""
    return Response(msgspec.json.encode(desk.state()), media_type=MediaType.JSON)


@get("/events")
async def stream_events(desk: NamedDependency[Desk]) -> ServerSentEvent:
    """Return the desk as it changes."""

    async def messages() -> AsyncIterator[ServerSentEventMessage]:
        async for state in desk.watch():
            if state is None:
                yield ServerSentEventMessage(comment="still here", data=None)
            else:
                yield ServerSentEventMessage(event="state", data=msgspec.json.encode(state).decode())

    return ServerSentEvent(messages(), headers={"Cache-Control": "no-store"})


@get("/paper/{number:int}")
async def show_paper(desk: NamedDependency[Desk], number: FromPath[int]) -> Response[bytes]:
    """Return the picture of a paper."""
    picture = desk.printer.paper(number)
    if picture is None:
        raise NotFoundException("no such paper")
    return Response(picture, media_type="image/png", headers={"Cache-Control": "no-store"})


@get("/settlement.csv")
async def show_settlement(
    desk: NamedDependency[Desk], planted: FromQuery[Literal["yes", "no"]] = "no"
) -> Response[str]:
    """Return what the acquirer would send for the terminals of this desk."""
    charges = [charge for terminal in desk.terminals for charge in terminal.charges]
    text = settlement_csv(sorted(charges, key=lambda charge: charge.charged_at), planted=planted == "yes")
    name = "settlement-planted.csv" if planted == "yes" else "settlement.csv"
    return Response(
        text, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


class DeskPage:
    """The page, rendered with the state of the moment so that it is whole before its script runs."""

    def __init__(self, settings: DeskSettings) -> None:
        self._settings = settings
        self._texts = load_texts()
        self._template = Environment(
            loader=FileSystemLoader(HERE), autoescape=select_autoescape(["html", "svg"]), undefined=StrictUndefined
        ).get_template("page.html")

    def render(self, state: DeskState, language: Language, shown: int = 1, host: str = "127.0.0.1") -> str:
        """Return the page in a language, with one of the terminals in front, counted from 1."""
        shown = min(max(shown, 1), len(state.terminals))
        texts = self._texts[language]
        spoken = {key: text for key, text in texts.items() if key.startswith("say_")}
        spoken["rial"] = "ریال" if language == "fa" else "rial"
        return self._template.render(
            lang=language,
            t=texts | {key: texts[f"{key}_training"] for key in _TRAINING_TEXTS if self._settings.training},
            training=self._settings.training,
            state=state,
            shown=shown,
            terminal=state.terminals[shown - 1],
            place=lambda number: digits_text(str(number), language),
            # `</` inside a script element would end it; JSON may write the slash escaped.
            words=Markup(msgspec.json.encode(spoken).decode().replace("</", "<\\/")),  # noqa: S704 - our own words
            doors=self._doors(texts, host),
            samples=self._settings.samples,
            terminal_modes=SHOWN_TERMINAL_FAULTS,
            printer_faults=("none", *SHOWN_PRINTER_FAULTS),
            line_modes=LINE_MODES,
        )

    def _doors(self, texts: dict[str, str], host: str) -> list[dict[str, str]]:
        pairs = ((self._settings.box, "box", "home"), (self._settings.central, "central", "scales"))
        shown = [(door, key, icon) for door, key, icon in pairs if door is not None]
        return [
            {
                "name": texts[key],
                "who": texts[f"{key}_who"],
                "icon": icon,
                "url": f"http://{host}{door.url}" if door.url.startswith(":") else door.url,
                "username": door.username,
                "password": door.password,
            }
            for door, key, icon in shown
        ]


def create_desk_app(settings: DeskSettings, *, clock: Clock, entropy: Entropy) -> Litestar:
    """Return the desk's app. Terminal, printer and line start and stop with it; OSError at start is a taken port."""
    desk = Desk(settings, clock, entropy)
    page = DeskPage(settings)

    @get("/", media_type=MediaType.HTML)
    async def show_page(
        request: DeskRequest, lang: FromQuery[Language | None] = None, terminal: FromQuery[int] = 1
    ) -> Response[str]:
        """Return the page."""
        kept = request.cookies.get("desk_lang")
        language: Language = lang or ("en" if kept == "en" else "fa")
        cookies = [Cookie(key="desk_lang", value=language, max_age=31_536_000, samesite="lax")] if lang else []
        html = page.render(desk.state(), language, terminal, request.url.hostname or settings.host)
        return Response(html, media_type=MediaType.HTML, cookies=cookies)

    @asynccontextmanager
    async def live(_: Litestar) -> AsyncIterator[None]:
        await desk.start()
        yield
        await desk.close()

    routes = Router(
        "/",
        route_handlers=[
            show_page,
            show_state,
            stream_events,
            show_paper,
            show_settlement,
            control_terminal,
            control_printer,
            control_line,
            *message_routes(desk.messages),
        ],
        before_request=_refuse_other_sites,
        dependencies={"desk": Provide(lambda: desk, sync_to_thread=False)},
    )
    return Litestar(
        [routes, create_static_files_router("/assets", [ASSETS])],
        lifespan=[live],
        openapi_config=None,
        logging_config=None,
        response_headers=SECURITY_HEADERS,
    )


def serve_desk(settings: DeskSettings) -> None:
    """Serve the desk until SIGTERM or Ctrl-C; what was charged and printed is kept in `settings.folder`."""
    settings.folder.mkdir(parents=True, exist_ok=True)
    app = create_desk_app(settings, clock=SystemClock(), entropy=SystemEntropy())
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        # Open streams never end by themselves and would hold the stop for ever.
        timeout_graceful_shutdown=1,
    )
