"""The routes of the API for bills and their payments."""

from typing import Annotated, Any

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from edge.web.api.requests import (
    ApiRequest,
    Before,
    IdempotencyKey,
    Limit,
    once,
    operator_of,
)
from edge.web.found import find_payment
from edge.web.rendering import Web
from edge.web.schemas.payments import BillIn, BillOut, PayIn, PaymentOut, PaymentsOut, bill_out, payment_out
from shared.payment import PaymentState

States = Annotated[
    list[PaymentState] | None, QueryParameter(name="state", description="Only payments in these states.")
]


def payment_routes(web: Web) -> list[Any]:
    """Return the handlers of these routes."""
    return [*_bill_routes(web), *_pay_routes(web), *_read_routes(web)]


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


def _pay_routes(web: Web) -> list[Any]:
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
        operator = operator_of(request)

        async def work(name: str) -> str:
            return await web.counter.pay_bill(
                data.bill_id,
                data.payment_id,
                operator=operator,
                inquiry_id=data.inquiry_id,
                terminal=data.terminal,
                name=name,
            )

        payment_id = await once(web, request, idempotency_key, data, work)
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


def _read_routes(web: Web) -> list[Any]:
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
