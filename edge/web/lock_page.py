"""The page in front of a locked one. What was typed waits behind it: in the browser, or carried along in this form."""

from typing import Any, Final

from litestar import Response

from edge.web.rendering import AnyRequest, Web, language_of, page
from shared.error_texts import describe
from shared.errors import OperatorError

TYPED: Final = "typed:"
"""What the names of fields begin with that are carried through the locked page."""
_ASKED_BY_SCRIPT: Final = "x-daftar-part"
_LOCKED: Final = 423
_PLAIN: Final = "text/plain; charset=utf-8"


def asked_by_script(request: AnyRequest) -> bool:
    """Return whether a page's script asks, which shows words in its own place."""
    return bool(request.headers.get(_ASKED_BY_SCRIPT) or request.headers.get("hx-request"))


def lock_page(
    web: Web, request: AnyRequest, error: OperatorError, *, wanted: str, typed: tuple[tuple[str, str], ...]
) -> Response[str]:
    """Return the locked page, saying an error of unlocking if there is one; to a script only its words."""
    status = {"auth.locked": _LOCKED, "auth.too_many": 429}.get(error.code, 401)
    said = None if error.code == "auth.locked" else describe(error, language_of(request))
    if asked_by_script(request):
        words = f"{said.what} {said.do}" if said else ""
        return Response(words, status_code=status, media_type=_PLAIN)
    state: dict[str, Any] = request.scope["state"]
    visitor = state["visitor"]
    # Nothing of what the page knows is behind this one: it is filled as for somebody who has not signed in.
    state["operator"] = None
    context = {"next": wanted, "typed": typed, "who": visitor.operator, "said": said}
    return page(web, request, "locked.html", status_code=status, **context)


def lock_answer(web: Web, request: AnyRequest) -> Response[str]:
    """Return what a locked session gets in place of any page."""
    wanted = request.url.path
    if request.method == "GET" and request.url.query:
        wanted += f"?{request.url.query}"
    typed = request.scope["state"].get("typed", ())
    return lock_page(web, request, OperatorError("auth.locked"), wanted=wanted, typed=typed)


def answer_lock(request: AnyRequest) -> Response[str]:
    """Return how many milliseconds there are until this session locks by itself; nothing when it never does."""
    left_ms = request.scope["state"]["visitor"].left_ms
    return Response("" if left_ms is None else str(left_ms), media_type=_PLAIN, headers={"Cache-Control": "no-store"})
