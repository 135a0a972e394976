"""The API's routes of bills that are paid together."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from edge.web.api.requests import ApiRequest, IdempotencyKey, once, operator_of
from edge.web.guards import ACT
from edge.web.rendering import Web
from edge.web.schemas.groups import GroupAgainIn, GroupIn, GroupOut, group_out
from edge.web.schemas.payments import BillIn
from shared.identifiers import Bill
from shared.ids import bill_obligation

_WRITE: Final = {"scope": "payments:write", ACT: "group_bills"}
_READ: Final = {"scope": "payments:read", ACT: "group_bills"}


def group_routes(web: Web) -> list[Any]:
    """Return the handlers under `/api/v1/bill-groups`."""
    return [*_paying(web), *_begun(web)]


def _bills(web: Web, given: Sequence[BillIn]) -> list[Bill]:
    return [web.counter.read_bill(one.barcode or one.bill_id, one.payment_id or None).bill for one in given]


def _paying(web: Web) -> list[Any]:
    @post(
        "/bill-groups",
        opt=_WRITE,
        tags=["bills"],
        summary="Begin to pay several bills together",
        description="All of them begin or none. Answers at once; watch the group or the events. "
        "The same key and body gets the same group.",
    )
    async def pay(
        request: ApiRequest, data: JSONBody[GroupIn], idempotency_key: IdempotencyKey = None
    ) -> Response[GroupOut]:
        operator = operator_of(request)

        async def work(name: str) -> str:
            bills = _bills(web, data.bills)
            return await web.counter.groups.pay(
                bills, one_charge=data.one_charge, operator=operator, terminal=data.terminal, name=name
            )

        group_id = await once(web, request, idempotency_key, data, work)
        return Response(
            group_out(web.counter.groups.view(group_id), web.counter),
            headers={"Location": f"/api/v1/bill-groups/{group_id}"},
        )

    @post(
        "/bill-groups/{group_id:str}/again",
        status_code=200,
        opt=_WRITE,
        tags=["bills"],
        summary="Begin to pay those bills of a group again that are certainly not charged",
    )
    async def again(
        request: ApiRequest,
        group_id: FromPath[str],
        data: JSONBody[GroupAgainIn],
        idempotency_key: IdempotencyKey = None,
    ) -> GroupOut:
        operator = operator_of(request)

        async def work(name: str) -> str:
            await web.counter.groups.pay_again(
                group_id,
                one_charge=data.one_charge,
                operator=operator,
                obligations=[bill_obligation(bill.bill_id, bill.payment_id) for bill in _bills(web, data.bills)],
                terminal=data.terminal,
                name=name,
            )
            return group_id

        await once(web, request, idempotency_key, data, work)
        return group_out(web.counter.groups.view(group_id), web.counter)

    return [pay, again]


def _begun(web: Web) -> list[Any]:
    @get("/bill-groups/{group_id:str}", opt=_READ, tags=["bills"], summary="Read a group of bills")
    async def group(group_id: FromPath[str]) -> GroupOut:
        return group_out(web.counter.groups.view(group_id), web.counter)

    @post(
        "/bill-groups/{group_id:str}/stop",
        status_code=200,
        opt=_WRITE,
        tags=["bills"],
        summary="Drop the payments of a group that still wait for their terminal",
    )
    async def stop(group_id: FromPath[str]) -> GroupOut:
        await web.counter.groups.stop(group_id)
        return group_out(web.counter.groups.view(group_id), web.counter)

    @post(
        "/bill-groups/{group_id:str}/slip",
        status_code=200,
        opt=_WRITE,
        tags=["bills"],
        summary="Print the slip of a group; a second one says that it is a copy",
    )
    async def slip(group_id: FromPath[str]) -> GroupOut:
        await web.counter.groups.print_slip(group_id)
        return group_out(web.counter.groups.view(group_id), web.counter)

    return [group, stop, slip]
