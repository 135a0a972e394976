"""All routes of the box: pages for people, the API for programs, the assets of both."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from litestar import Litestar, get
from litestar.config.allowed_hosts import AllowedHostsConfig
from litestar.datastructures import CacheControlHeader
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.response import ServerSentEvent
from litestar.static_files import create_static_files_router
from litestar.types import ControllerRouterHandler, Message, Scope

from edge.web.api.router import api_router
from edge.web.error_pages import ErrorPages
from edge.web.guards import BEFORE_PASSWORD, BY_ITSELF, OPEN, SCOPES, SENT_COOKIE, at_work, signed_in
from edge.web.history_workbook import Workbooks
from edge.web.kept_searches import Searches
from edge.web.live import change_stream
from edge.web.pages.atm_cash import atm_cash_pages
from edge.web.pages.atm_tickets import atm_ticket_forms, atm_ticket_pages
from edge.web.pages.atms import atm_forms, atm_pages, atm_removal
from edge.web.pages.bills import bill_pages
from edge.web.pages.box import box_pages
from edge.web.pages.day import day_pages
from edge.web.pages.devices import device_pages
from edge.web.pages.frame import frame_pages
from edge.web.pages.groups import group_pages
from edge.web.pages.history import history_pages
from edge.web.pages.history_acts import act_history_pages
from edge.web.pages.history_inquiries import inquiry_history_pages
from edge.web.pages.inquiries import inquiry_pages
from edge.web.pages.journal import journal_pages
from edge.web.pages.money import override_pages, refund_pages
from edge.web.pages.paid_bills import paid_pages
from edge.web.pages.people import people_pages
from edge.web.pages.profile import profile_pages
from edge.web.pages.proof import proof_pages
from edge.web.pages.requests import request_pages
from edge.web.pages.services import service_pages
from edge.web.pages.sign_in import sign_in_pages
from edge.web.ports.counter import Counter
from edge.web.rendering import OwnRouter, Web
from edge.web.templating import ASSETS_PATH, assets_folder
from shared.clock import Clock
from shared.entropy import Entropy

ASSET_AGE_S: Final = 86_400
"""Addresses of assets carry their hash; the font alone is named by the stylesheet without one."""
FORM_MAX_BYTES: Final = 16_384

SECURITY_HEADERS: Final = {
    "content-security-policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_HEADERS: Final = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]


def create_routes(web: Web) -> list[ControllerRouterHandler]:
    """Return the routes: pages at `/`, the API at `/api/v1`, assets at `/assets`."""
    # It says only that something changed: a locked page hears it too, and is up to date when it opens.
    even_so = {OPEN: True, BEFORE_PASSWORD: True, BY_ITSELF: True}

    @get("/events", guards=[signed_in], opt=even_so, media_type="text/event-stream")
    async def events() -> ServerSentEvent:
        return change_stream(web)

    searches, workbooks = Searches(web.clock, web.entropy), Workbooks(web)
    pages = OwnRouter(
        "/",
        route_handlers=[
            *sign_in_pages(web),
            *profile_pages(web),
            *people_pages(web),
            *bill_pages(web),
            *group_pages(web),
            *paid_pages(web),
            *inquiry_pages(web),
            *override_pages(web),
            *refund_pages(web),
            *proof_pages(web),
            *history_pages(web, searches, workbooks),
            *inquiry_history_pages(web, searches, workbooks),
            *act_history_pages(web, workbooks),
            *day_pages(web),
            *atm_pages(web),
            *atm_forms(web),
            *atm_removal(web),
            *atm_cash_pages(web),
            *atm_ticket_pages(web),
            *atm_ticket_forms(web),
            *box_pages(web),
            *frame_pages(web),
            *service_pages(web),
            *request_pages(web),
            *device_pages(web),
            *journal_pages(web),
            events,
        ],
        # Sessions are of pages only: the API must not set cookies, nor be opened by one.
        guards=[at_work(web)],
        include_in_schema=False,
        request_max_body_size=FORM_MAX_BYTES,
    )
    assets = create_static_files_router(
        path=ASSETS_PATH,
        directories=[assets_folder()],
        cache_control=CacheControlHeader(max_age=ASSET_AGE_S, public=True),
        include_in_schema=False,
        name="assets",
    )
    return [pages, api_router(web), assets]


async def secure(message: Message, scope: Scope) -> None:
    """Put the security headers on every answer, and the cookie that a guard gave.

    Pages run only scripts and styles that are files of ours.
    """
    if message["type"] == "http.response.start":
        cookie = scope["state"].get(SENT_COOKIE)
        cookies = [] if cookie is None else [(b"set-cookie", cookie.encode())]
        message["headers"] = [*message.get("headers", []), *cookies, *_HEADERS]


def openapi_config(version: str) -> OpenAPIConfig:
    """Return what describes the API at `/api/openapi.json`, and nothing that a browser would fetch from elsewhere."""
    return OpenAPIConfig(
        title="Daftar box",
        version=version,
        description="Bills, payments and inquiries of one counter office. Amounts are whole rials.",
        path="/api",
        render_plugins=[JsonRenderPlugin()],
        components=Components(
            security_schemes={
                "token": SecurityScheme(
                    type="http",
                    scheme="bearer",
                    description=f"Scopes: {', '.join(sorted(SCOPES))}.",
                )
            }
        ),
    )


def create_app(
    counter: Counter,
    *,
    clock: Clock,
    entropy: Entropy,
    version: str,
    demo: bool = False,
    training: bool = False,
    training_address: str = "",
    allowed_hosts: Sequence[str] = (),
    lifespan: Sequence[Callable[[Litestar], AbstractAsyncContextManager[Any]]] = (),
) -> Litestar:
    """Return the application: routes, error pages, security headers, the API's document.

    `allowed_hosts` are the names under which it may be asked for (against DNS rebinding); empty allows all.
    """
    web = Web(counter, clock, entropy, version, demo, training, training_address)
    return Litestar(
        route_handlers=create_routes(web),
        exception_handlers=ErrorPages(web).handlers(),
        before_send=[secure],
        openapi_config=openapi_config(version),
        allowed_hosts=AllowedHostsConfig(allowed_hosts=list(allowed_hosts)) if allowed_hosts else None,
        lifespan=list(lifespan),
        # The root logger belongs to whoever starts the program.
        logging_config=None,
    )
