"""Who may do what: a session for people, roles, and proof that a form came from our own page.

The form token is derived from a secret only this browser and this centre have: the session's token, or before sign-in
a random cookie. Nothing is stored for it.
"""

import hashlib
import hmac
from typing import Any, Final

import anyio.to_thread
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from central.web.people import Person
from central.web.rendering import Web
from shared.errors import OperatorError

SESSION_COOKIE: Final = "daftar_central_session"
VISIT_COOKIE: Final = "daftar_central_visit"
FORM_FIELD: Final = "csrf"

_VISIT_SIZE_BYTES: Final = 24
_FORM_PURPOSE: Final = b"daftar central form token v1"
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITES: Final = frozenset({"same-origin", "none"})


def form_token(secret: str) -> str:
    """Return the token that forms of this session or visit carry."""
    return hmac.new(secret.encode(), _FORM_PURPOSE, hashlib.sha256).hexdigest()


def session_cookie(token: str, *, secure: bool) -> Cookie:
    """Return the cookie of a session; how long it lives is the table's to decide, not the browser's."""
    return Cookie(key=SESSION_COOKIE, value=token, path="/", httponly=True, samesite="lax", secure=secure)


def ended_session_cookie() -> Cookie:
    """Return the cookie that makes a browser forget its session."""
    return Cookie(key=SESSION_COOKIE, value="", path="/", httponly=True, samesite="lax", max_age=0)


class Visit(ASGIMiddleware):
    """Puts into the request's state who signed in (`person`) and the form token (`csrf`)."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, web: Web) -> None:
        self._web = web

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Look the session up; give a visitor without one a random cookie to bind forms to."""
        request: Request[Any, Any, Any] = Request(scope)
        state = scope["state"]
        session = request.cookies.get(SESSION_COOKIE, "")
        person = await anyio.to_thread.run_sync(self._web.people.person_of, session) if session else None
        state["person"] = person
        if person is not None:
            state["csrf"] = form_token(session)
            await next_app(scope, receive, send)
            return
        visit = request.cookies.get(VISIT_COOKIE, "")
        fresh = not visit
        if fresh:
            visit = self._web.entropy.token_bytes(_VISIT_SIZE_BYTES).hex()
        state["csrf"] = form_token(visit)
        cookie = Cookie(
            key=VISIT_COOKIE,
            value=visit,
            path="/",
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )

        async def send_with_cookie(message: Message) -> None:
            if fresh and message["type"] == "http.response.start":
                headers = [*message.get("headers", []), (b"set-cookie", cookie.to_header(header="").encode())]
                message["headers"] = headers
            await send(message)

        await next_app(scope, receive, send_with_cookie)


def signed_in(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Let only people pass who signed in. Raises OperatorError `auth.sign_in_needed`."""
    if connection.scope["state"].get("person") is None:
        raise OperatorError("auth.sign_in_needed")


def may_change(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Let only people pass who may change things. Raises OperatorError `auth.sign_in_needed`, `auth.only_looks`."""
    person: Person | None = connection.scope["state"].get("person")
    if person is None:
        raise OperatorError("auth.sign_in_needed")
    if not person.may_change:
        raise OperatorError("auth.only_looks")


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
