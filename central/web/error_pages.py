"""Errors as people read them: what happened, whether money moved, what to do now.

A `DaftarError` has its words in `shared.error_texts`. Anything else is a fault of ours: it is logged whole under a
reference, and the page shows only the reference.
"""

from typing import Final
from urllib.parse import quote

import structlog
from litestar import Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap
from sqlalchemy.exc import DataError

from central.web.rendering import AnyRequest, Web, language_of, page
from shared.entropy import random_name
from shared.error_texts import describe
from shared.errors import BugError, DaftarError, OperatorError

log = structlog.get_logger()

_REFERENCE_LETTERS: Final = 8
_SERVER_ERROR: Final = 500

STATUS_OF_FAULT: Final[dict[str, int]] = {"operator": 422, "device": 503, "peer": 502, "integrity": 500, "bug": 500}
STATUS_OF_CODE: Final[dict[str, int]] = {
    "auth.form_expired": 403,
    "auth.only_looks": 403,
    "auth.sign_in_needed": 401,
    "auth.too_many": 429,
    "auth.wrong": 401,
    "web.bad_request": 400,
    "web.method_not_allowed": 405,
    "atm.ticket_unknown": 404,
    "web.not_found": 404,
    "web.too_large": 413,
    "web.too_often": 429,
}
_CODE_OF_STATUS: Final[dict[int, str]] = {404: "web.not_found", 405: "web.method_not_allowed", 413: "web.too_large"}


def status_of(error: DaftarError) -> int:
    """Return the HTTP status of an error."""
    return STATUS_OF_CODE.get(error.code, STATUS_OF_FAULT[error.fault])


def way_to_sign_in(request: AnyRequest) -> Response[str]:
    """Return the way to the sign-in page, and back to where a person wanted to go."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    target = "/sign-in" if wanted == "/" or request.method != "GET" else f"/sign-in?next={quote(wanted, safe='')}"
    return Response("", status_code=303, headers={"Location": target})


def error_pages(web: Web) -> ExceptionHandlersMap:
    """Return the answers for every exception that leaves a handler.

    They are for the pages' router, and for the whole application to cover unknown addresses.
    """

    def answer(request: AnyRequest, error: DaftarError, reference: str | None = None) -> Response[str]:
        if error.code == "auth.sign_in_needed":
            return way_to_sign_in(request)
        told = describe(error, language_of(request))
        return page(web, request, "error.html", status_code=status_of(error), told=told, reference=reference)

    def of_ours(request: AnyRequest, error: DaftarError) -> Response[str]:
        if status_of(error) < _SERVER_ERROR:
            return answer(request, error)
        reference = random_name(web.entropy, "")[:_REFERENCE_LETTERS]
        log.error("request failed", reference=reference, path=request.url.path, code=error.code, exc_info=error)
        return answer(request, error, reference)

    def of_framework(request: AnyRequest, error: HTTPException) -> Response[str]:
        """Answer what the framework itself refused: no such page, another method, a body it cannot read."""
        if error.status_code >= _SERVER_ERROR:
            return unknown(request, error)
        code = _CODE_OF_STATUS.get(error.status_code, "web.bad_request")
        return answer(request, OperatorError(code, why=error.detail))

    def of_no_such(request: AnyRequest, _: DataError) -> Response[str]:
        """Answer an address with what no row can be named by: a zero character, a number beyond all numbers."""
        return answer(request, OperatorError("web.not_found"))

    def unknown(request: AnyRequest, error: Exception) -> Response[str]:
        reference = random_name(web.entropy, "")[:_REFERENCE_LETTERS]
        log.error("request failed", reference=reference, path=request.url.path, exc_info=error)
        return answer(request, BugError("central.page_failed"), reference)

    return {DaftarError: of_ours, HTTPException: of_framework, DataError: of_no_such, Exception: unknown}
