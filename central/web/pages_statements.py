"""What the acquirer says of a payment, stated by hand: one person proposes, another agrees."""

from typing import Any

import anyio.to_thread
from litestar import Response, post
from litestar.params import FromPath

from central.reconciliation.statements import agree_statement, drop_statement, propose_statement
from central.web.guards import may_change, own_form
from central.web.pages_payments import payment_page
from central.web.pages_settlement import username_of
from central.web.rendering import AnyRequest, Web, said, see_other
from shared.errors import OperatorError


def statement_forms(web: Web) -> list[Any]:
    """Return the handlers of statements."""

    @post("/payments/{office_id:str}/{payment_id:str}/statements", guards=[may_change, own_form])
    async def propose(request: AnyRequest, office_id: FromPath[str], payment_id: FromPath[str]) -> Response[str]:
        form = await request.form()
        typed = {name: str(form.get(name, "")) for name in ("charged", "rrn", "reason")}
        by = username_of(request)

        def work() -> None:
            propose_statement(
                web.engine,
                office_id,
                payment_id,
                charged=typed["charged"] == "yes",
                rrn=typed["rrn"],
                reason=typed["reason"],
                by=by,
                clock=web.clock,
            )

        return await _done(web, request, (office_id, payment_id), work, typed)

    @post(
        "/payments/{office_id:str}/{payment_id:str}/statements/{statement_id:int}/agree",
        guards=[may_change, own_form],
    )
    async def agree(
        request: AnyRequest, office_id: FromPath[str], payment_id: FromPath[str], statement_id: FromPath[int]
    ) -> Response[str]:
        by = username_of(request)

        def work() -> None:
            agree_statement(web.engine, statement_id, web.append_feed, by=by, clock=web.clock)

        return await _done(web, request, (office_id, payment_id), work)

    @post(
        "/payments/{office_id:str}/{payment_id:str}/statements/{statement_id:int}/drop",
        guards=[may_change, own_form],
    )
    async def drop(
        request: AnyRequest, office_id: FromPath[str], payment_id: FromPath[str], statement_id: FromPath[int]
    ) -> Response[str]:
        by = username_of(request)

        def work() -> None:
            drop_statement(web.engine, statement_id, by=by, clock=web.clock)

        return await _done(web, request, (office_id, payment_id), work)

    return [propose, agree, drop]


async def _done(
    web: Web, request: AnyRequest, payment: tuple[str, str], work: Any, typed: dict[str, str] | None = None
) -> Response[str]:
    """Do it and go back to the payment; a refusal is said there, beside what was typed."""
    try:
        await anyio.to_thread.run_sync(work)
    except OperatorError as error:
        told = {"told": said(error, request), "wrong": error.field, "typed": typed or {}}
        return await anyio.to_thread.run_sync(lambda: payment_page(web, request, *payment, status_code=422, **told))
    return see_other(f"/payments/{payment[0]}/{payment[1]}")
