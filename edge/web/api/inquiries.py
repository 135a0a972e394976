"""The routes of the API for questions what a subscriber owes."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from edge.web.api.requests import ApiRequest, IdempotencyKey, once, operator_of
from edge.web.found import find_inquiry
from edge.web.rendering import Web
from edge.web.schemas.inquiries import InquireIn, InquiryOut, inquiry_out


def inquiry_routes(web: Web) -> list[Any]:
    """Return the handlers of these routes."""

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

        async def work(name: str | None) -> str:
            return await web.counter.ask_inquiry(data.kind, data.parameter, operator=operator, name=name)

        keyed = idempotency_key is not None
        inquiry_id = await (once(web, request, idempotency_key, data, work) if keyed else work(None))
        return Response(
            inquiry_out(find_inquiry(web, inquiry_id)), headers={"Location": f"/api/v1/inquiries/{inquiry_id}"}
        )

    @get("/inquiries/{inquiry_id:str}", opt={"scope": "inquiries:write"}, tags=["inquiries"], summary="Read an inquiry")
    async def inquiry(inquiry_id: FromPath[str]) -> InquiryOut:
        return inquiry_out(find_inquiry(web, inquiry_id))

    return [ask, inquiry]
