"""Signing in and out, and the language of pages."""

from typing import Any, Final

import anyio.to_thread
from litestar import Response, get, post
from litestar.datastructures import Cookie

from central.web.guards import SESSION_COOKIE, ended_session_cookie, own_form, session_cookie, signed_in
from central.web.rendering import LANGUAGE_COOKIE, AnyRequest, Web, page, person_of, said, see_other
from shared.errors import OperatorError

_YEAR_S: Final = 365 * 86_400
_STATUS_OF: Final = {"auth.too_many": 429}


def own_path(wanted: str) -> str:
    """Return a path of our own pages, or the board: a link may not send a person who signs in to another site."""
    is_own = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return wanted if is_own else "/"


def sign_in_pages(web: Web) -> list[Any]:
    """Return the handlers of sessions and language."""

    @get("/sign-in", sync_to_thread=False)
    def show_sign_in(request: AnyRequest) -> Response[str]:
        wanted = own_path(request.query_params.get("next", "/"))
        if person_of(request) is not None:
            return see_other(wanted)
        return page(web, request, "sign_in.html", next=wanted, username="", told=None)

    @post("/sign-in", guards=[own_form])
    async def sign_in(request: AnyRequest) -> Response[str]:
        form = await request.form()
        username, password = str(form.get("username", "")), str(form.get("password", ""))
        wanted = own_path(str(form.get("next", "/")))
        address = request.client.host if request.client else ""

        def check() -> str:
            return web.people.sign_in(username, password, address=address)

        try:
            token = await anyio.to_thread.run_sync(check)
        except OperatorError as error:
            return page(
                web,
                request,
                "sign_in.html",
                status_code=_STATUS_OF.get(error.code, 401),
                next=wanted,
                username=username,
                told=said(error, request),
            )
        answer = see_other(wanted)
        answer.set_cookie(session_cookie(token, secure=request.url.scheme == "https"))
        return answer

    @post("/sign-out", guards=[signed_in, own_form])
    async def sign_out(request: AnyRequest) -> Response[str]:
        await anyio.to_thread.run_sync(web.people.sign_out, request.cookies.get(SESSION_COOKIE, ""))
        answer = see_other("/sign-in")
        answer.set_cookie(ended_session_cookie())
        return answer

    @post("/language", guards=[own_form])
    async def change_language(request: AnyRequest) -> Response[str]:
        form = await request.form()
        answer = see_other(own_path(str(form.get("next", "/"))))
        language = "en" if form.get("language") == "en" else "fa"
        answer.set_cookie(Cookie(key=LANGUAGE_COOKIE, value=language, path="/", max_age=_YEAR_S, samesite="lax"))
        return answer

    return [show_sign_in, sign_in, sign_out, change_language]
