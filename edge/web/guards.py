"""Who may do what: a session for people, scoped tokens for programs, and proof that a form came from our own page.

The form token is derived from a secret only this browser and this box have: the session's token, or before sign-in a
random cookie. Nothing is stored for it, and it outlives a restart of the box as the session does.
"""

import hmac
from functools import lru_cache
from typing import Any, Final

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Guard, Receive, Scope, Send

from edge.web.ports.counter import MANAGER, Caller
from edge.web.ports.people import Visitor
from edge.web.rendering import AnyConnection, Web, permitted_to
from shared.acts import service_act
from shared.errors import OperatorError

SESSION_COOKIE: Final = "daftar_session"
VISIT_COOKIE: Final = "daftar_visit"
FORM_FIELD: Final = "csrf"
SCOPES: Final = frozenset(
    {
        "payments:write",
        "payments:read",
        "inquiries:write",
        "atms:read",
        "atms:write",
        "status:read",
        "payments:decide",
        "refunds:write",
        "refunds:decide",
        "services:read",
        "services:write",
        "services:decide",
    }
)

ACT: Final = "act"
"""In a handler's `opt`: the act (`shared.acts`) that it is for. Who may not do it is refused before it is called."""
SERVICE: Final = "service"
"""In a handler's `opt`: the path's parameter that has a service's code; who may not sell it is refused."""
OPEN: Final = "open"
"""In a handler's `opt`: it answers a locked page as well. Each that has it knows why."""
BEFORE_PASSWORD: Final = "before_password"  # noqa: S105 - a name
"""In a handler's `opt`: it answers whoever has still to choose a password."""
BY_ITSELF: Final = "by_itself"
"""In a handler's `opt`: pages ask it unasked, so that it says nothing of whether anybody is there."""

SENT_COOKIE: Final = "sent_cookie"
"""In a request's state: the value of a cookie that its answer sets."""
_VISIT_SIZE_BYTES: Final = 24
_FORM_PURPOSE: Final = b"daftar form token v1"
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_BY_SCRIPT: Final = b"hx-request"
"""The header of what a page's script asks for, as it comes in."""
_SESSIONS_MAX: Final = 64
_OWN_SITES: Final = frozenset({"same-origin", "none"})


@lru_cache(_SESSIONS_MAX)
def form_token(secret: str) -> str:
    """Return the token that forms of this session or visit carry."""
    return hmac.digest(secret.encode(), _FORM_PURPOSE, "sha256").hex()


def session_cookie(token: str, *, secure: bool) -> Cookie:
    """Return the cookie of a session; its length of life is the box's to decide, not the browser's."""
    return Cookie(key=SESSION_COOKIE, value=token, path="/", httponly=True, samesite="strict", secure=secure)


def visit_cookie(value: str, *, secure: bool) -> Cookie:
    """Return the cookie of a visitor who has not signed in: random, it binds the sign-in form to this browser."""
    return Cookie(key=VISIT_COOKIE, value=value, path="/", httponly=True, samesite="strict", secure=secure)


def ended_session_cookie() -> Cookie:
    """Return the cookie that makes a browser forget its session."""
    return Cookie(key=SESSION_COOKIE, value="", path="/", httponly=True, samesite="strict", max_age=0)


def recognise(web: Web, request: AnyConnection, *, active: bool = False) -> str | None:
    """Put into the request's state who signed in (`session`, `visitor`, `operator`) and the form token (`csrf`).

    `active` says that the person did something, which keeps the page from locking. Return the value of a fresh visit
    cookie when the visitor has neither a session nor a visit.
    """
    state = request.scope["state"]
    session = request.cookies.get(SESSION_COOKIE, "")
    visitor = web.counter.people.visitor(session, active=active) if session else None
    state["session"] = session
    state["visitor"] = visitor
    state["operator"] = None if visitor is None else visitor.operator
    if visitor is not None:
        state["csrf"] = form_token(session)
        return None
    visit = request.cookies.get(VISIT_COOKIE, "")
    fresh = "" if visit else web.entropy.token_bytes(_VISIT_SIZE_BYTES).hex()
    state["csrf"] = form_token(visit or fresh)
    return fresh or None


def _is_active(request: AnyConnection, handler: BaseRouteHandler) -> bool:
    """Return whether a request is a person's doing. Parts of pages keep themselves new while nobody looks."""
    if handler.opt.get(BY_ITSELF):
        return False
    return request.scope.get("method") != "GET" or all(name != _BY_SCRIPT for name, _ in request.scope["headers"])


def at_work(web: Web) -> Guard:
    """Return the guard of all pages: a locked page does nothing, a lent password opens one page, a denial acts at once.

    It is the first to see a request, so it looks up who asks (`recognise`); a visitor without a session is given a
    random cookie, to bind forms to.

    What a handler is for stands in its `opt`: ACT an act of `shared.acts`, SERVICE the name of the path's parameter
    with a service's code. Whoever has not signed in passes: `signed_in` says so. Raises OperatorError `auth.locked`,
    `auth.password_must_change`, `auth.not_permitted`.
    """

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        fresh = recognise(web, connection, active=_is_active(connection, handler))
        if fresh is not None:
            cookie = visit_cookie(fresh, secure=connection.url.scheme == "https")
            connection.scope["state"][SENT_COOKIE] = cookie.to_header(header="")
        visitor: Visitor | None = connection.scope["state"]["visitor"]
        if visitor is None or handler.opt.get(OPEN):
            return
        if visitor.locked:
            await _keep_typed(connection, handler)
            raise OperatorError("auth.locked")
        if visitor.operator.must_change and not handler.opt.get(BEFORE_PASSWORD):
            raise OperatorError("auth.password_must_change")
        for act in _acts_of(connection, handler):
            if not permitted_to(web, connection).may(act):
                raise OperatorError("auth.not_permitted", act=act)

    return guard


async def _keep_typed(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Put into the request's state what was typed into a form that came from a locked page, secrets left out."""
    if isinstance(connection, Request) and connection.method == "POST":
        await own_form(connection, handler)
        form = await connection.form()
        connection.scope["state"]["typed"] = tuple(
            (name, value)
            for name, value in form.multi_items()
            if isinstance(value, str) and name != FORM_FIELD and "password" not in name
        )


def _acts_of(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> list[str]:
    """Return the acts that a handler is for."""
    acts = [str(act)] if (act := handler.opt.get(ACT)) else []
    if name := handler.opt.get(SERVICE):
        acts.append(service_act(str(connection.path_params[str(name)])))
    return acts


async def signed_in(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Let only an operator pass. Raises OperatorError `auth.sign_in_needed`."""
    # Not plain functions, these guards: the framework would send each of them through a thread.
    if connection.scope["state"].get("operator") is None:
        raise OperatorError("auth.sign_in_needed")


async def manager_only(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Let only a manager pass who signed in. Raises OperatorError `auth.sign_in_needed`, `auth.manager_needed`."""
    operator = connection.scope["state"].get("operator")
    if operator is None:
        raise OperatorError("auth.sign_in_needed")
    if operator.role != MANAGER:
        raise OperatorError("auth.manager_needed")


async def own_form(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Let only a form of our own page pass. Raises OperatorError `auth.form_expired`."""
    if not isinstance(connection, Request) or connection.method in _SAFE_METHODS:
        return
    if connection.headers.get("sec-fetch-site", "same-origin") not in _OWN_SITES:
        raise OperatorError("auth.form_expired")
    form = await connection.form()
    given = str(form.get(FORM_FIELD, ""))
    if not hmac.compare_digest(given.encode(), str(connection.scope["state"]["csrf"]).encode()):
        raise OperatorError("auth.form_expired")


class TokenHolder(ASGIMiddleware):
    """Puts into the request's state which program calls (`caller`)."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, web: Web) -> None:
        self._web = web

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Look the bearer token up. Cookies are not looked at, so the API needs no form tokens."""
        request: Request[Any, Any, Any] = Request(scope)
        method, _, token = request.headers.get("authorization", "").partition(" ")
        caller: Caller | None = None
        if method.casefold() == "bearer" and token:
            caller = self._web.counter.operator_of_api_token(token.strip())
        scope["state"]["caller"] = caller
        await next_app(scope, receive, send)


def scoped(web: Web) -> Guard:
    """Return the guard of the API: a token with the scope in the handler's `opt`, and a person who may, if any.

    Raises OperatorError `api.token_needed`, `api.scope_needed`, `auth.not_permitted`.
    """

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        caller: Caller | None = connection.scope["state"].get("caller")
        if caller is None:
            raise OperatorError("api.token_needed")
        needed = str(handler.opt["scope"])
        if needed not in caller.scopes:
            raise OperatorError("api.scope_needed", scope=needed)
        for act in _acts_of(connection, handler):
            web.counter.permissions.check(caller.operator, act)

    return guard
