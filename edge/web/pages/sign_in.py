"""Coming, going, and being away: sign-in, the locked page, one's own password, the language."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.response import Redirect

from edge.web.browser_name import place_of
from edge.web.error_pages import status_of
from edge.web.guards import (
    BEFORE_PASSWORD,
    BY_ITSELF,
    OPEN,
    SESSION_COOKIE,
    VISIT_COOKIE,
    ended_session_cookie,
    own_form,
    session_cookie,
    signed_in,
)
from edge.web.lock_page import TYPED, answer_lock, asked_by_script, lock_page
from edge.web.rendering import LANGUAGE_COOKIE, AnyRequest, Web, language_of, page
from shared.error_texts import describe
from shared.errors import OperatorError

_LANGUAGE_COOKIE_S: Final = 365 * 86_400
_EVEN_SO: Final = {OPEN: True, BEFORE_PASSWORD: True}
"""Of what somebody may do who is not, or not yet, at work: leave, read another language."""


def own_path(wanted: str) -> str:
    """Return a path of ours to go on to. Another site's address, however it is disguised, becomes the home page."""
    one_slash = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if one_slash and wanted.isprintable() else "/"


def _is_secure(request: AnyRequest) -> bool:
    return request.url.scheme == "https"


def _session_of(request: AnyRequest) -> str:
    return request.cookies.get(SESSION_COOKIE, "")


def sign_in_pages(web: Web) -> list[Any]:
    """Return the handlers of these pages."""
    return [*_coming(web), *_going(web), *_away(web), *_own_password(web)]


def _coming(web: Web) -> list[Any]:
    @get("/sign-in", opt=_EVEN_SO)
    async def sign_in(request: AnyRequest) -> Response[str] | Redirect:
        wanted = own_path(request.query_params.get("next", "/"))
        if request.scope["state"]["operator"] is not None:
            return Redirect(wanted, status_code=303)
        return page(web, request, "sign_in.html", next=wanted, username="", said=None)

    @post("/sign-in", guards=[own_form], opt=_EVEN_SO)
    async def sign_in_post(request: AnyRequest) -> Response[str] | Redirect:
        form = await request.form()
        username, wanted = str(form.get("username", "")), own_path(str(form.get("next", "/")))
        try:
            token = await web.counter.sign_in(username, str(form.get("password", "")), place_of(request))
        except OperatorError as error:
            said = describe(error, language_of(request))
            status = 429 if error.code == "auth.too_many" else 401
            return page(web, request, "sign_in.html", status_code=status, next=wanted, username=username, said=said)
        cookies = [session_cookie(token, secure=_is_secure(request)), Cookie(key=VISIT_COOKIE, max_age=0, path="/")]
        return Redirect(wanted, status_code=303, cookies=cookies)

    return [sign_in, sign_in_post]


def _going(web: Web) -> list[Any]:
    @post("/sign-out", guards=[signed_in, own_form], opt=_EVEN_SO)
    async def sign_out(request: AnyRequest) -> Redirect:
        await web.counter.sign_out(_session_of(request))
        return Redirect("/sign-in", status_code=303, cookies=[ended_session_cookie()])

    @post("/sign-out/everywhere", guards=[signed_in, own_form], opt={BEFORE_PASSWORD: True})
    async def sign_out_everywhere(request: AnyRequest) -> Redirect:
        await web.counter.people.sign_out_everywhere(request.scope["state"]["operator"].username)
        return Redirect("/sign-in", status_code=303, cookies=[ended_session_cookie()])

    @post("/language", guards=[own_form], opt=_EVEN_SO)
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

    return [sign_out, sign_out_everywhere, language]


def _away(web: Web) -> list[Any]:
    @get("/presence", guards=[signed_in], opt={BEFORE_PASSWORD: True, BY_ITSELF: True})
    async def presence(request: AnyRequest) -> Response[str]:
        """Say how long until this page locks, without counting as somebody's doing."""
        return answer_lock(request)

    @post("/presence", guards=[signed_in, own_form], opt={BEFORE_PASSWORD: True})
    async def present(request: AnyRequest) -> Response[str]:
        """Hear that somebody is at this page: a key was pressed, a pointer moved."""
        return answer_lock(request)

    @post("/lock", guards=[signed_in, own_form], opt=_EVEN_SO)
    async def lock(request: AnyRequest) -> Redirect:
        form = await request.form()
        web.counter.people.lock(_session_of(request))
        return Redirect(own_path(str(form.get("next", "/"))), status_code=303)

    @post("/unlock", guards=[signed_in, own_form], opt=_EVEN_SO)
    async def unlock(request: AnyRequest) -> Response[str] | Redirect:
        form = await request.form()
        wanted = own_path(str(form.get("next", "/")))
        typed = tuple(
            (name.removeprefix(TYPED), str(value)) for name, value in form.multi_items() if name.startswith(TYPED)
        )
        try:
            await web.counter.people.unlock(_session_of(request), str(form.get("password", "")))
        except OperatorError as error:
            return lock_page(web, request, error, wanted=wanted, typed=typed)
        if asked_by_script(request):
            return Response("", status_code=204)
        if typed:
            return page(web, request, "unlocked.html", next=wanted, typed=typed)
        return Redirect(wanted, status_code=303)

    return [presence, present, lock, unlock]


def _own_password(web: Web) -> list[Any]:
    @get("/password", guards=[signed_in], opt={BEFORE_PASSWORD: True})
    async def password(request: AnyRequest) -> Response[str]:
        return page(web, request, "password.html", problem_of=None)

    @post("/password", guards=[signed_in, own_form], opt={BEFORE_PASSWORD: True})
    async def password_post(request: AnyRequest) -> Response[str] | Redirect:
        form = await request.form()
        old, new, again = (str(form.get(name, "")) for name in ("old_password", "new_password", "again_password"))
        try:
            await web.counter.people.change_password(_session_of(request), old, new, again)
        except OperatorError as error:
            problem_of = {"said": describe(error, language_of(request)), "error": error}
            return page(web, request, "password.html", status_code=status_of(error), problem_of=problem_of)
        return Redirect("/profile?changed=yes", status_code=303)

    return [password, password_post]
