"""Pages of a request for a service: its fee, its receipt, its answer and paying what was answered, in one place."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

from litestar import Response, get, post
from litestar.connection import ASGIConnection
from litestar.datastructures import FormMultiDict
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath
from litestar.response import Redirect
from litestar.types import Guard

from edge.web.answer_view import request_page
from edge.web.guards import own_form, signed_in
from edge.web.pages.sent_forms import form_digest, one_time_key, operator_name
from edge.web.pages.services import requests_path
from edge.web.ports.counter import Operator
from edge.web.rendering import AnyRequest, Web, language_of, page, part
from shared.error_texts import Described, describe
from shared.errors import OperatorError

_IN_THE_WAY: Final = frozenset(
    {
        "payment.obligation_held",
        "payment.held_elsewhere",
        "payment.charge_disputed",
        "payment.terminal_locked",
        "service.no_fee_due",
        "service.ask_anew",
        "service.pay_nothing",
        "service.pay_one",
        "service.offer_expired",
    }
)
"""Codes that the request's own page answers best: it shows how each thing stands now."""
_NUMBER: Final = re.compile(r"[0-9]{1,4}")


def sells(web: Web) -> Guard:
    """Return the guard of what is done about a request: only who may sell its service may do it."""

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        operator: Operator = connection.scope["state"]["operator"]
        view = web.counter.service_view(str(connection.path_params["inquiry_id"]))
        web.counter.permissions.check_sell(operator.username, view.service.code)

    return guard


def request_pages(web: Web) -> list[Any]:
    """Return the handlers of these pages. What was answered may be seen by everybody here; what is done, is guarded."""
    doing = [signed_in, own_form, sells(web)]

    @get("/requests/{inquiry_id:str}", guards=[signed_in])
    async def asked(request: AnyRequest, inquiry_id: FromPath[str]) -> Response[str]:
        return _whole(web, request, inquiry_id)

    @get("/requests/{inquiry_id:str}/live", guards=[signed_in])
    async def asked_live(request: AnyRequest, inquiry_id: FromPath[str]) -> Response[str]:
        return part(web, request, "request_live.html", said=None, **_facts(web, request, inquiry_id))

    return [
        asked,
        asked_live,
        *_paying(web, doing),
        *_papers(web, doing),
        *_answer(web, doing),
        *_images(web, doing),
        *_release(web),
    ]


def _facts(web: Web, request: AnyRequest, inquiry_id: str) -> dict[str, Any]:
    shown = request_page(web.counter, web.counter.service_view(inquiry_id), language_of(request))
    return {
        "shown": shown,
        "view": shown.view,
        "service": shown.view.service,
        "category": shown.view.service.category,
        "line_state": web.counter.line().state,
        "ticked": request.query_params.getall("item", []),
    }


def _whole(
    web: Web, request: AnyRequest, inquiry_id: str, *, status_code: int = 200, said: Described | None = None
) -> Response[str]:
    facts = _facts(web, request, inquiry_id)
    return page(
        web, request, "request.html", live_part="request_live.html", status_code=status_code, said=said, **facts
    )


async def _begin(
    web: Web, request: AnyRequest, inquiry_id: str, values: tuple[str, ...], work: Callable[[str], Awaitable[str]]
) -> Response[str] | Redirect:
    """Begin a payment once for a form, and show it where it began."""
    form = await request.form()

    async def run(name: str) -> bytes:
        return (await work(name)).encode()

    try:
        key, caller = one_time_key(str(form.get("form_key", ""))), f"page:{operator_name(request)}"
        await web.counter.idempotent(key, form_digest(inquiry_id, *values), caller, run)
    except OperatorError as error:
        if error.code not in _IN_THE_WAY:
            raise
        return _whole(web, request, inquiry_id, status_code=409, said=describe(error, language_of(request)))
    return _back(inquiry_id)


def _back(inquiry_id: str) -> Redirect:
    return Redirect(requests_path(inquiry_id), status_code=303)


def _paying(web: Web, doing: list[Guard]) -> list[Any]:
    @post("/requests/{inquiry_id:str}/fee", guards=doing)
    async def fee(request: AnyRequest, inquiry_id: FromPath[str]) -> Response[str] | Redirect:
        form = await request.form()
        terminal, operator = str(form.get("terminal", "")) or None, operator_name(request)

        async def work(name: str) -> str:
            return await web.counter.pay_fee(inquiry_id, operator=operator, terminal=terminal, name=name)

        return await _begin(web, request, inquiry_id, ("fee", terminal or ""), work)

    @post("/requests/{inquiry_id:str}/pay", guards=doing)
    async def pay(request: AnyRequest, inquiry_id: FromPath[str]) -> Response[str] | Redirect:
        form = await request.form()
        terminal, operator = str(form.get("terminal", "")) or None, operator_name(request)
        keys = _keys(form)

        async def work(name: str) -> str:
            return await web.counter.pay_answer(inquiry_id, keys, operator=operator, terminal=terminal, name=name)

        return await _begin(web, request, inquiry_id, (*keys, terminal or ""), work)

    return [fee, pay]


def _keys(form: FormMultiDict) -> list[str]:
    """Return what is to be paid: one thing by its own button, all that can be, or what is ticked."""
    only = str(form.get("only", ""))
    several = form.getall("all" if form.get("every") else "item", [])
    return [only] if only else [str(one) for one in several]


def _papers(web: Web, doing: list[Guard]) -> list[Any]:
    @post("/requests/{inquiry_id:str}/receipt", guards=doing)
    async def receipt(request: AnyRequest, inquiry_id: FromPath[str]) -> Redirect:
        await web.counter.print_service_receipt(inquiry_id, operator=operator_name(request))
        return _back(inquiry_id)

    @post("/requests/{inquiry_id:str}/ticket", guards=doing)
    async def ticket(request: AnyRequest, inquiry_id: FromPath[str]) -> Redirect:
        await web.counter.print_ticket(inquiry_id, operator=operator_name(request))
        return _back(inquiry_id)

    return [receipt, ticket]


def _answer(web: Web, doing: list[Guard]) -> list[Any]:
    @post("/requests/{inquiry_id:str}/show", guards=doing)
    async def show(request: AnyRequest, inquiry_id: FromPath[str]) -> Redirect:
        await web.counter.show_service(inquiry_id, operator=operator_name(request))
        return _back(inquiry_id)

    @post("/requests/{inquiry_id:str}/retry", guards=doing)
    async def retry(request: AnyRequest, inquiry_id: FromPath[str]) -> Redirect:
        await web.counter.retry_service(inquiry_id, operator=operator_name(request))
        return _back(inquiry_id)

    return [show, retry]


def _images(web: Web, doing: list[Guard]) -> list[Any]:
    @post("/requests/{inquiry_id:str}/images", guards=doing)
    async def images(request: AnyRequest, inquiry_id: FromPath[str]) -> Redirect:
        form = await request.form()
        await web.counter.ask_image(inquiry_id, str(form.get("of", "")), operator=operator_name(request))
        return _back(inquiry_id)

    @get("/requests/{inquiry_id:str}/image", guards=[signed_in])
    async def image(request: AnyRequest, inquiry_id: FromPath[str]) -> Response[bytes]:
        item, number = request.query_params.get("item", ""), request.query_params.get("number", "")
        found = web.counter.image(inquiry_id, item, int(number)) if _NUMBER.fullmatch(number) else None
        if found is None:
            raise OperatorError("service.no_images", item=item)
        # What is personal is kept by no browser.
        return Response(found.data, media_type=found.media_type, headers={"Cache-Control": "no-store"})

    return [images, image]


def _release(web: Web) -> list[Any]:
    @get("/requests/{inquiry_id:str}/release", guards=[signed_in])
    async def release_form(request: AnyRequest, inquiry_id: FromPath[str]) -> Response[str]:
        return _release_page(web, request, inquiry_id, {}, None)

    @post("/requests/{inquiry_id:str}/release", guards=[signed_in, own_form])
    async def release(request: AnyRequest, inquiry_id: FromPath[str]) -> Response[str] | Redirect:
        form = await request.form()
        reason, username = str(form.get("reason", "")), str(form.get("username", ""))
        password = str(form.get("password", ""))
        try:
            await web.counter.release_service(inquiry_id, reason=reason, username=username, password=password)
        except OperatorError as error:
            if error.field is None and not error.code.startswith("auth."):
                raise
            return _release_page(web, request, inquiry_id, {"reason": reason, "username": username}, error)
        return _back(inquiry_id)

    return [release_form, release]


def _release_page(
    web: Web, request: AnyRequest, inquiry_id: str, values: dict[str, str], error: OperatorError | None
) -> Response[str]:
    view = web.counter.service_view(inquiry_id)
    said = {"error": error, "said": describe(error, language_of(request))} if error else None
    return page(
        web,
        request,
        "request_release.html",
        status_code=422 if error else 200,
        view=view,
        service=view.service,
        category=view.service.category,
        values=values,
        wrong=said,
    )
