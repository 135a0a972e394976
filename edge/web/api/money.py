"""The routes of the API for what people decide about a charge: a supervisor's word, and giving money back.

A program may ask; a person decides. What needs a manager takes their user name and password in the body: a token alone
moves no money back and settles no doubt.
"""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from edge.web.api.requests import ApiRequest, IdempotencyKey, once, operator_of
from edge.web.found import find_payment, find_refund
from edge.web.rendering import Web
from edge.web.schemas.money import (
    AgreeIn,
    DropIn,
    OverrideIn,
    RefundIn,
    RefundOut,
    RefundsOut,
    ReversalWordIn,
    refund_out,
)
from edge.web.schemas.payments import PaymentOut, payment_out


def money_routes(web: Web) -> list[Any]:
    """Return the handlers of these routes."""
    return [*_override_routes(web), *_ask_routes(web), *_decide_routes(web), *_read_routes(web)]


def _override_routes(web: Web) -> list[Any]:
    @post(
        "/payments/{payment_id:str}/override",
        status_code=200,
        opt={"scope": "payments:decide"},
        tags=["payments"],
        summary="Decide a payment in doubt, or a disputed one, by a manager's word",
        description="For what neither terminal nor acquirer can tell. Refused for a payment that nobody doubts.",
    )
    async def override(payment_id: FromPath[str], data: JSONBody[OverrideIn]) -> PaymentOut:
        find_payment(web, payment_id)
        await web.counter.override_payment(
            payment_id,
            charged=data.charged,
            slip_number=data.slip_number,
            reason=data.reason,
            username=data.username,
            password=data.password,
        )
        return payment_out(find_payment(web, payment_id), web.counter)

    @post(
        "/payments/{payment_id:str}/reversal-word",
        status_code=200,
        opt={"scope": "payments:decide"},
        tags=["payments"],
        summary="State what became of a reversal in doubt, with a manager's agreement",
        description="For what neither terminal nor acquirer can tell. The manager is another person than the caller.",
    )
    async def reversal_word(
        request: ApiRequest, payment_id: FromPath[str], data: JSONBody[ReversalWordIn]
    ) -> PaymentOut:
        find_payment(web, payment_id)
        await web.counter.decide_reversal(
            payment_id,
            undone=data.undone,
            slip_number=data.slip_number,
            reason=data.reason,
            operator=operator_of(request),
            username=data.username,
            password=data.password,
        )
        return payment_out(find_payment(web, payment_id), web.counter)

    return [override, reversal_word]


def _ask_routes(web: Web) -> list[Any]:
    @post(
        "/payments/{payment_id:str}/refunds",
        opt={"scope": "refunds:write", "act": "refunds"},
        tags=["refunds"],
        summary="Ask for a payment to be given back",
        description="Moves nothing: a manager, another person, has to agree. The same key and body: the same request.",
    )
    async def propose(
        request: ApiRequest,
        payment_id: FromPath[str],
        data: JSONBody[RefundIn],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[RefundOut]:
        find_payment(web, payment_id)
        operator = operator_of(request)

        async def work(name: str) -> str:
            return await web.counter.propose_refund(
                payment_id, means=data.means, reason=data.reason, operator=operator, name=name
            )

        refund_id = await once(web, request, idempotency_key, data, work)
        return Response(
            refund_out(find_refund(web, refund_id), web.counter),
            headers={"Location": f"/api/v1/refunds/{refund_id}"},
        )

    return [propose]


def _decide_routes(web: Web) -> list[Any]:
    @post(
        "/refunds/{refund_id:str}/agree",
        status_code=200,
        opt={"scope": "refunds:decide"},
        tags=["refunds"],
        summary="Agree to a request as a manager, another person than asked",
        description="With `reversal` the terminal is told next, in the background; watch the payment.",
    )
    async def agree(refund_id: FromPath[str], data: JSONBody[AgreeIn]) -> RefundOut:
        await web.counter.agree_refund(refund_id, username=data.username, password=data.password)
        return refund_out(find_refund(web, refund_id), web.counter)

    @post(
        "/refunds/{refund_id:str}/drop",
        status_code=200,
        opt={"scope": "refunds:write"},
        tags=["refunds"],
        summary="Take a request back before anything was done about it",
    )
    async def drop(request: ApiRequest, refund_id: FromPath[str], data: JSONBody[DropIn]) -> RefundOut:
        await web.counter.drop_refund(refund_id, operator=operator_of(request), reason=data.reason)
        return refund_out(find_refund(web, refund_id), web.counter)

    @post(
        "/refunds/{refund_id:str}/retry",
        status_code=200,
        opt={"scope": "refunds:write"},
        tags=["refunds"],
        summary="Tell the terminal of an agreed request, which was not ready before",
    )
    async def retry(refund_id: FromPath[str]) -> RefundOut:
        await web.counter.retry_refund(refund_id)
        return refund_out(find_refund(web, refund_id), web.counter)

    return [agree, drop, retry]


def _read_routes(web: Web) -> list[Any]:
    @get("/refunds/{refund_id:str}", opt={"scope": "payments:read"}, tags=["refunds"], summary="Read a request")
    async def refund(refund_id: FromPath[str]) -> RefundOut:
        return refund_out(find_refund(web, refund_id), web.counter)

    @get(
        "/refunds",
        opt={"scope": "payments:read"},
        tags=["refunds"],
        summary="List requests somebody has something to do about, oldest first",
    )
    async def refunds() -> RefundsOut:
        return RefundsOut(refunds=[refund_out(one, web.counter) for one in web.counter.queries.open_refunds()])

    return [refund, refunds]
