"""Pages around the counter: sign-in, profile, the terminal check; and the header's live part."""

from collections.abc import Iterable
from typing import Any, Final

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.response import Redirect

from edge.web.guards import SESSION_COOKIE, VISIT_COOKIE, ended_session_cookie, own_form, session_cookie, signed_in
from edge.web.pages_devices import tested
from edge.web.payment_view import bill_type_of
from edge.web.rendering import LANGUAGE_COOKIE, AnyRequest, Web, language_of, page, part
from shared.error_texts import describe
from shared.errors import OperatorError

_LANGUAGE_COOKIE_S: Final = 365 * 86_400
QUEUE_SHOWN: Final = 8
"""Of those who wait at one terminal; how many there are is said in full."""


def own_path(wanted: str) -> str:
    """Return a path of ours to go on to. Another site's address, however it is disguised, becomes the home page."""
    one_slash = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if one_slash and wanted.isprintable() else "/"


def _is_secure(request: AnyRequest) -> bool:
    return request.url.scheme == "https"


def _sign_in_pages(web: Web) -> list[Any]:
    @get("/sign-in")
    async def sign_in(request: AnyRequest) -> Response[str] | Redirect:
        wanted = own_path(request.query_params.get("next", "/"))
        if request.scope["state"]["operator"] is not None:
            return Redirect(wanted, status_code=303)
        return page(web, request, "sign_in.html", next=wanted, username="", said=None)

    @post("/sign-in", guards=[own_form])
    async def sign_in_post(request: AnyRequest) -> Response[str] | Redirect:
        form = await request.form()
        username, wanted = str(form.get("username", "")), own_path(str(form.get("next", "/")))
        try:
            token = await web.counter.sign_in(username, str(form.get("password", "")))
        except OperatorError as error:
            said = describe(error, language_of(request))
            status = 429 if error.code == "auth.too_many" else 401
            return page(web, request, "sign_in.html", status_code=status, next=wanted, username=username, said=said)
        cookies = [session_cookie(token, secure=_is_secure(request)), Cookie(key=VISIT_COOKIE, max_age=0, path="/")]
        return Redirect(wanted, status_code=303, cookies=cookies)

    @post("/sign-out", guards=[signed_in, own_form])
    async def sign_out(request: AnyRequest) -> Redirect:
        await web.counter.sign_out(request.cookies.get(SESSION_COOKIE, ""))
        return Redirect("/sign-in", status_code=303, cookies=[ended_session_cookie()])

    @post("/language", guards=[own_form])
    async def language(request: AnyRequest) -> Redirect:
        form = await request.form()
        chosen = "en" if form.get("language") == "en" else "fa"
        cookie = Cookie(
            key=LANGUAGE_COOKIE,
            value=chosen,
            path="/",
            max_age=_LANGUAGE_COOKIE_S,
            httponly=True,
            samesite="strict",
            secure=_is_secure(request),
        )
        return Redirect(own_path(str(form.get("next", "/"))), status_code=303, cookies=[cookie])

    return [sign_in, sign_in_post, sign_out, language]


def _device_facts(web: Web, request: AnyRequest) -> dict[str, Any]:
    """Return what the page of the devices shows beside the header's facts."""
    language = language_of(request)

    def rows(payment_ids: Iterable[str]) -> list[dict[str, Any]]:
        found = (web.counter.queries.payment(payment_id) for payment_id in payment_ids)
        return [{"payment": row, "type": bill_type_of(row.bill_id)} for row in found if row is not None]

    waiting = {
        terminal.name: rows([terminal.payment_id, *terminal.queue[:QUEUE_SHOWN]])
        if terminal.payment_id
        else rows(terminal.queue[:QUEUE_SHOWN])
        for terminal in web.counter.terminals()
    }
    tests = {name: tested(web.counter.terminal_test(name), language) for name in waiting}
    return {"box": web.counter.queries.status(), "waiting": waiting, "tests": tests}


def box_pages(web: Web) -> list[Any]:
    """Return the handlers of these pages."""

    @get("/gauges", guards=[signed_in])
    async def header_live(request: AnyRequest) -> Response[str]:
        return part(web, request, "gauges_live.html")

    @get("/terminal", guards=[signed_in])
    async def terminal(request: AnyRequest) -> Response[str]:
        return page(web, request, "terminal.html", live_part="terminal_live.html", **_device_facts(web, request))

    @get("/terminal/live", guards=[signed_in])
    async def terminal_live(request: AnyRequest) -> Response[str]:
        return part(web, request, "terminal_live.html", **_device_facts(web, request))

    @get("/terminal/choice", guards=[signed_in])
    async def terminal_choice(request: AnyRequest) -> Response[str]:
        return part(web, request, "terminal_choice.html")

    @get("/profile", guards=[signed_in])
    async def profile(request: AnyRequest) -> Response[str]:
        return page(web, request, "profile.html")

    return [*_sign_in_pages(web), header_live, terminal, terminal_live, terminal_choice, profile]
