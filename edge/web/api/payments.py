"""The JSON API of the box, for other programs of the office: scoped tokens, and a key for each payment."""

from typing import Annotated, Any, Final

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import ServerSentEvent

from edge.web.api.atms import atm_routes
from edge.web.api.day import day_routes
from edge.web.api.groups import group_routes
from edge.web.api.money import money_routes
from edge.web.api.requests import (
    ApiRequest,
    Before,
    IdempotencyKey,
    Limit,
    checked_key,
    operator_of,
    request_digest,
)
from edge.web.api.services import service_routes
from edge.web.guards import TokenHolder, scoped
from edge.web.live import change_stream
from edge.web.pages.bills import find_payment
from edge.web.pages.inquiries import find_inquiry
from edge.web.rendering import Web
from edge.web.schemas.day import exposure_out
from edge.web.schemas.payments import (
    BillIn,
    BillOut,
    InquireIn,
    InquiryOut,
    LineOut,
    PayIn,
    PaymentOut,
    PaymentsOut,
    StatusOut,
    TerminalsOut,
    bill_out,
    box_members,
    inquiry_out,
    payment_out,
    terminal_out,
)
from shared.payment import PaymentState

BODY_MAX_BYTES: Final = 16_384


States = Annotated[
    list[PaymentState] | None, QueryParameter(name="state", description="Only payments in these states.")
]


def api_router(web: Web) -> Router:
    """Return the routes under `/api/v1`."""
    handlers = [
        *_bill_routes(web),
        *_payment_routes(web),
        *_payment_reads(web),
        *_inquiry_routes(web),
        *_box_routes(web),
        *day_routes(web),
        *atm_routes(web),
        *group_routes(web),
        *money_routes(web),
        *service_routes(web),
    ]
    return Router(
        "/api/v1",
        route_handlers=handlers,
        middleware=[TokenHolder(web)],
        guards=[scoped(web)],
        security=[{"token": []}],
        request_max_body_size=BODY_MAX_BYTES,
    )


def _bill_routes(web: Web) -> list[Any]:
    @post(
        "/bills/read",
        status_code=200,
        opt={"scope": "payments:read", "act": "bills"},
        tags=["bills"],
        summary="Check a bill's ids and say what they mean",
    )
    async def read_bill(data: JSONBody[BillIn]) -> BillOut:
        return bill_out(web.counter.read_bill(data.barcode or data.bill_id, data.payment_id or None), web.counter)

    return [read_bill]


def _payment_routes(web: Web) -> list[Any]:
    @post(
        "/payments",
        opt={"scope": "payments:write", "act": "bills"},
        tags=["payments"],
        summary="Begin a payment at a terminal",
        description="Answers at once, also when others wait for that terminal; watch the payment or the events. "
        "The same key and body gets the same payment.",
    )
    async def pay(
        request: ApiRequest, data: JSONBody[PayIn], idempotency_key: IdempotencyKey = None
    ) -> Response[PaymentOut]:
        key = checked_key(idempotency_key)
        operator = operator_of(request)

        async def run(name: str) -> bytes:
            began = await web.counter.pay_bill(
                data.bill_id,
                data.payment_id,
                operator=operator,
                inquiry_id=data.inquiry_id,
                terminal=data.terminal,
                name=name,
            )
            return began.encode()

        began = await web.counter.idempotent(key, request_digest(request, data), operator, run)
        payment_id = began.decode()
        return Response(
            payment_out(find_payment(web, payment_id), web.counter),
            headers={"Location": f"/api/v1/payments/{payment_id}"},
        )

    @post(
        "/payments/{payment_id:str}/check",
        status_code=200,
        opt={"scope": "payments:write"},
        tags=["payments"],
        summary="Ask the terminal what became of a payment in doubt",
    )
    async def check(request: ApiRequest, payment_id: FromPath[str]) -> PaymentOut:
        find_payment(web, payment_id)
        return payment_out(await web.counter.check_payment(payment_id, operator=operator_of(request)), web.counter)

    @post(
        "/payments/{payment_id:str}/cancel",
        status_code=200,
        opt={"scope": "payments:write"},
        tags=["payments"],
        summary="Drop a payment that waits for its terminal or for the card",
        description="One that waits for its terminal is not sent. At the card the terminal is asked to; it may charge.",
    )
    async def cancel(request: ApiRequest, payment_id: FromPath[str]) -> PaymentOut:
        find_payment(web, payment_id)
        await web.counter.cancel_payment(payment_id, operator=operator_of(request))
        return payment_out(find_payment(web, payment_id), web.counter)

    return [pay, check, cancel]


def _payment_reads(web: Web) -> list[Any]:
    @get("/payments/{payment_id:str}", opt={"scope": "payments:read"}, tags=["payments"], summary="Read a payment")
    async def payment(payment_id: FromPath[str]) -> PaymentOut:
        return payment_out(find_payment(web, payment_id), web.counter)

    @get(
        "/payments",
        opt={"scope": "payments:read", "act": "history"},
        tags=["payments"],
        summary="List payments, newest first",
    )
    async def payments(before: Before = None, limit: Limit = 50, only: States = None) -> PaymentsOut:
        rows = web.counter.queries.payments(before, limit, frozenset(only) if only else None)
        full = len(rows) == limit
        return PaymentsOut(
            payments=[payment_out(row, web.counter) for row in rows], before=rows[-1].requested_index if full else None
        )

    return [payment, payments]


def _inquiry_routes(web: Web) -> list[Any]:
    @post(
        "/inquiries",
        opt={"scope": "inquiries:write", "act": "bill_inquiry"},
        tags=["inquiries"],
        summary="Ask what a subscriber owes",
        description="Taken without a line too. With an Idempotency-Key a repeated request asks nothing twice.",
    )
    async def ask(
        request: ApiRequest, data: JSONBody[InquireIn], idempotency_key: IdempotencyKey = None
    ) -> Response[InquiryOut]:
        operator = operator_of(request)

        async def run(name: str | None) -> bytes:
            asked = await web.counter.ask_inquiry(data.kind, data.parameter, operator=operator, name=name)
            return asked.encode()

        if idempotency_key is None:
            asked = await run(None)
        else:
            key = checked_key(idempotency_key)
            asked = await web.counter.idempotent(key, request_digest(request, data), operator, run)
        inquiry_id = asked.decode()
        return Response(
            inquiry_out(find_inquiry(web, inquiry_id)), headers={"Location": f"/api/v1/inquiries/{inquiry_id}"}
        )

    @get("/inquiries/{inquiry_id:str}", opt={"scope": "inquiries:write"}, tags=["inquiries"], summary="Read an inquiry")
    async def inquiry(inquiry_id: FromPath[str]) -> InquiryOut:
        return inquiry_out(find_inquiry(web, inquiry_id))

    return [ask, inquiry]


def _box_routes(web: Web) -> list[Any]:
    @get("/status", opt={"scope": "status:read"}, tags=["box"], summary="How box, terminals, printer and line stand")
    async def status() -> StatusOut:
        line = web.counter.line()
        known = {
            **box_members(web.counter.queries.status()),
            "software": web.version,
            "terminals": [terminal_out(terminal) for terminal in web.counter.terminals()],
            "printer_state": web.counter.printer().state,
            "exposure": exposure_out(web.counter.exposure()),
            "line": LineOut(state=line.state, last_exchange_at=line.last_exchange_at, last_error=line.last_error),
        }
        return msgspec.convert(known, StatusOut)

    @get(
        "/terminals",
        opt={"scope": "payments:read"},
        tags=["box"],
        summary="The card terminals, how each stands and who waits for it",
    )
    async def terminals() -> TerminalsOut:
        return TerminalsOut(terminals=[terminal_out(terminal) for terminal in web.counter.terminals()])

    @get(
        "/events",
        opt={"scope": "status:read"},
        tags=["box"],
        summary="Server-sent events: `change` with {kind, id}",
        media_type="text/event-stream",
    )
    async def events() -> ServerSentEvent:
        return change_stream(web)

    return [status, terminals, events]
