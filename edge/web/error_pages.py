"""Errors as people and programs read them: what happened, whether money moved, what to do now.

A `DaftarError` has its words in `shared.error_texts`. Anything else is a fault of ours: it is logged whole under a
reference, and the page shows only the reference. Money is not promised then: the history says what is known.
"""

from typing import Any, Final
from urllib.parse import quote, urlsplit

import msgspec
import structlog
from litestar import Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from edge.web.guards import recognise
from edge.web.lock_page import lock_answer
from edge.web.rendering import AnyRequest, Web, language_of, page
from shared.entropy import random_name
from shared.error_texts import ERROR_TEXTS, describe
from shared.errors import BugError, DaftarError, OperatorError
from shared.text import Language

log = structlog.get_logger()

API_PREFIX: Final = "/api/"
_REFERENCE_LETTERS: Final = 8
_SERVER_ERROR: Final = 500

STATUS_OF_FAULT: Final[dict[str, int]] = {"operator": 422, "device": 503, "peer": 502, "integrity": 500, "bug": 500}
STATUS_OF_CODE: Final[dict[str, int]] = {
    "bill.no_group": 404,
    "bill.nothing_left": 409,
    "bill.nothing_paid": 409,
    "api.idempotency_conflict": 409,
    "api.idempotency_key_needed": 400,
    "api.scope_needed": 403,
    "api.token_needed": 401,
    "auth.form_expired": 403,
    "auth.manager_needed": 403,
    "auth.locked": 423,
    "auth.not_permitted": 403,
    "auth.password_must_change": 403,
    "auth.password_wrong": 401,
    "auth.sign_in_needed": 401,
    "auth.too_many": 429,
    "auth.wrong": 401,
    "atm.no_slip": 404,
    "atm.ticket_closed": 409,
    "atm.ticket_unknown": 404,
    "atm.unknown": 404,
    "day.unknown": 404,
    "device.in_use": 409,
    "device.not_found": 404,
    "exposure.count": 409,
    "exposure.hours": 409,
    "exposure.payment": 409,
    "exposure.total": 409,
    "disk.full": 507,
    "inquiry.unknown": 404,
    "payment.box_quarantined": 409,
    "journal.is_closed": 409,
    "payment.cannot_be_asked": 409,
    "payment.charge_disputed": 409,
    "payment.given_back": 409,
    "payment.held_elsewhere": 409,
    "payment.not_in_doubt": 409,
    "payment.not_its_last": 409,
    "payment.not_waiting": 409,
    "payment.no_receipt": 409,
    "payment.obligation_held": 409,
    "payment.predecessor_unheard": 409,
    "payment.terminal_locked": 409,
    "payment.unknown": 404,
    "payment.unknown_terminal": 422,
    "people.last_manager": 409,
    "people.unknown": 404,
    "people.username_taken": 409,
    "refund.decided": 409,
    "refund.means_not_offered": 409,
    "refund.not_charged": 409,
    "refund.nobody_asked": 403,
    "refund.open": 409,
    "refund.same_person": 403,
    "refund.unknown": 404,
    "refund.void_too_late": 409,
    "reversal.not_in_doubt": 409,
    "service.answer_shut": 409,
    "service.ask_anew": 409,
    "service.no_fee_due": 409,
    "service.no_images": 404,
    "service.no_receipt": 409,
    "service.not_sold": 404,
    "service.nothing_to_release": 409,
    "service.nothing_to_retry": 409,
    "service.offer_expired": 409,
    "web.bad_request": 400,
    "web.method_not_allowed": 405,
    "web.not_found": 404,
    "web.too_large": 413,
}
_CODE_OF_STATUS: Final[dict[int, str]] = {404: "web.not_found", 405: "web.method_not_allowed", 413: "web.too_large"}


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An error as programs read it (RFC 9457), with our own members for the stable code and for money."""

    type: str = "about:blank"
    title: str
    """What happened, in a sentence."""
    status: int
    code: str
    """Stable name of the error: `area.what`."""
    money: str
    """none, not_moved, may_have_moved or moved."""
    detail: str
    """What to do now."""
    field: str | None = None
    """The input it is about."""
    data: dict[str, str] = {}
    """Facts about it, such as the payment that holds a bill."""
    reference: str | None = None
    """Under which the box logged it, for errors that are ours."""


def status_of(error: DaftarError) -> int:
    """Return the HTTP status of an error."""
    return STATUS_OF_CODE.get(error.code, STATUS_OF_FAULT[error.fault])


def _api_language(request: AnyRequest) -> Language:
    """Return the language a program reads: English unless it asks for Persian first."""
    return "fa" if request.headers.get("accept-language", "").strip().lower().startswith("fa") else "en"


def _problem(request: AnyRequest, error: DaftarError, reference: str | None) -> Response[Problem]:
    said = describe(error, _api_language(request))
    known = ERROR_TEXTS.get(error.code)
    status = status_of(error)
    return Response(
        Problem(
            title=said.what,
            status=status,
            code=error.code,
            money=known.money if known else "may_have_moved",
            detail=said.do,
            field=error.field,
            data={name: str(value) for name, value in error.data.items()},
            reference=reference,
        ),
        status_code=status,
        media_type="application/problem+json",
        headers={"WWW-Authenticate": "Bearer"} if error.code == "api.token_needed" else {},
    )


def _to_sign_in(request: AnyRequest) -> Response[str]:
    """Return the way to the sign-in page, and back to where a person wanted to go."""
    if request.headers.get("hx-request"):
        # A part of a page asked; the person is on the page itself.
        here = urlsplit(request.headers.get("hx-current-url", ""))
        return Response("", status_code=401, headers={"HX-Redirect": _sign_in_for(here.path, here.query)})
    target = _sign_in_for(request.url.path, request.url.query) if request.method == "GET" else "/sign-in"
    return Response("", status_code=303, headers={"Location": target})


def _to_password(request: AnyRequest) -> Response[str]:
    """Return the way to the one page that is open to whoever has still to choose a password."""
    if request.headers.get("hx-request"):
        return Response("", status_code=403, headers={"HX-Redirect": "/password"})
    return Response("", status_code=303, headers={"Location": "/password"})


def _sign_in_for(path: str, query: str) -> str:
    wanted = path + (f"?{query}" if query else "")
    return "/sign-in" if wanted in ("", "/") else f"/sign-in?next={quote(wanted, safe='')}"


class ErrorPages:
    """Answers for every exception that leaves a handler."""

    def __init__(self, web: Web) -> None:
        self._web = web

    def handlers(self) -> ExceptionHandlersMap:
        """Return the handlers, for the application and so for every route."""
        return {
            DaftarError: self._daftar,
            HTTPException: self._http,
            RecursionError: self._too_deep,
            Exception: self._unknown,
        }

    def _answer(self, request: AnyRequest, error: DaftarError, reference: str | None = None) -> Response[Any]:
        if request.url.path.startswith(API_PREFIX):
            return _problem(request, error, reference)
        try:
            return self._answer_in_frame(request, error, reference)
        except Exception:
            # The file cannot say who asks, or what stands above every page: said without.
            log.exception("request failed", reference=reference, path=request.url.path)
            request.scope["state"] |= {"operator": None, "visitor": None, "csrf": ""}
            return self._page(request, error, reference)

    def _answer_in_frame(self, request: AnyRequest, error: DaftarError, reference: str | None) -> Response[Any]:
        if "csrf" not in request.scope["state"]:
            # No route was found, so no middleware of one has looked at who asks.
            recognise(self._web, request)
        if error.code == "auth.locked":
            return lock_answer(self._web, request)
        if error.code == "auth.password_must_change":
            return _to_password(request)
        if error.code == "auth.sign_in_needed":
            if request.url.path == "/events":
                return Response("", status_code=401)
            return _to_sign_in(request)
        return self._page(request, error, reference)

    def _page(self, request: AnyRequest, error: DaftarError, reference: str | None) -> Response[Any]:
        return page(
            self._web,
            request,
            "error.html",
            status_code=status_of(error),
            said=describe(error, language_of(request)),
            error=error,
            reference=reference,
        )

    def _daftar(self, request: AnyRequest, error: DaftarError) -> Response[Any]:
        if status_of(error) < _SERVER_ERROR:
            return self._answer(request, error)
        reference = self._reference()
        log.error("request failed", reference=reference, path=request.url.path, code=error.code, exc_info=error)
        return self._answer(request, error, reference)

    def _http(self, request: AnyRequest, error: HTTPException) -> Response[Any]:
        """Answer what the framework itself refused: no such page, another method, a body it cannot read."""
        if error.status_code >= _SERVER_ERROR:
            return self._unknown(request, error)
        code = _CODE_OF_STATUS.get(error.status_code, "web.bad_request")
        return self._answer(request, OperatorError(code, why=error.detail))

    def _too_deep(self, request: AnyRequest, error: RecursionError) -> Response[Any]:
        """Answer a body nested deeper than any of ours, which the decoder gives up on; elsewhere it is a fault."""
        if request.method == "POST" and request.url.path.startswith(API_PREFIX):
            return self._answer(request, OperatorError("web.bad_request", why="nested too deep"))
        return self._unknown(request, error)

    def _unknown(self, request: AnyRequest, error: Exception) -> Response[Any]:
        reference = self._reference()
        log.error("request failed", reference=reference, path=request.url.path, exc_info=error)
        return self._answer(request, BugError("web.fault", reference=reference), reference)

    def _reference(self) -> str:
        return random_name(self._web.entropy, "")[:_REFERENCE_LETTERS]
