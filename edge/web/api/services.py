"""The routes of the API for services of the catalogue: what is offered, asked for, paid, answered and shown."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from edge.web.api.requests import (
    ApiRequest,
    Before,
    IdempotencyKey,
    Limit,
    once,
    operator_of,
)
from edge.web.found import find_payment
from edge.web.guards import SERVICE
from edge.web.rendering import Web
from edge.web.schemas.payments import PaymentOut, payment_out
from edge.web.schemas.services import (
    CatalogueOut,
    FeeIn,
    ImageIn,
    PayAnswerIn,
    ReleaseIn,
    ServiceIn,
    ServiceOut,
    ServicesOut,
    listed_out,
    offer_out,
    service_out,
)
from shared.errors import OperatorError

READ = "services:read"
WRITE = "services:write"
DECIDE = "services:decide"


def service_routes(web: Web) -> list[Any]:
    """Return the handlers of these routes."""
    return [
        *_ask_routes(web),
        *_read_routes(web),
        *_pay_routes(web),
        *_paper_routes(web),
        *_answer_routes(web),
        *_image_routes(web),
        *_decide_routes(web),
    ]


def _out(web: Web, inquiry_id: str) -> ServiceOut:
    return service_out(web.counter.service_view(inquiry_id), web.counter)


def _permitted(web: Web, request: ApiRequest, inquiry_id: str) -> None:
    """Let pass who may sell the service that a request is for. Raises OperatorError `auth.not_permitted`."""
    asked = web.counter.queries.services.request(inquiry_id)
    if asked is None:
        raise OperatorError("inquiry.unknown", inquiry_id=inquiry_id)
    web.counter.permissions.check_sell(operator_of(request), asked.service)


def _began(web: Web, payment_id: str) -> Response[PaymentOut]:
    return Response(
        payment_out(find_payment(web, payment_id), web.counter), headers={"Location": f"/api/v1/payments/{payment_id}"}
    )


def _ask_routes(web: Web) -> list[Any]:
    @get(
        "/services",
        opt={"scope": READ},
        tags=["services"],
        summary="The services that the caller may sell, with their fields, fees and gates",
    )
    async def services(request: ApiRequest) -> CatalogueOut:
        catalogue, permitted = web.counter.catalogue(), web.counter.permissions.of(operator_of(request))
        sold = [one for one in catalogue.services if one.active and permitted.may_sell(one.code)]
        return CatalogueOut(catalogue_id=catalogue.catalogue_id, services=[offer_out(one) for one in sold])

    @post(
        "/services/{code:str}/requests",
        opt={"scope": WRITE, SERVICE: "code"},
        tags=["services"],
        summary="Ask for a service",
        description="Taken without a line too. The same key and body gets the same request. A field that is wrong is "
        "named in the error.",
    )
    async def ask(
        request: ApiRequest, code: FromPath[str], data: JSONBody[ServiceIn], idempotency_key: IdempotencyKey = None
    ) -> Response[ServiceOut]:
        operator = operator_of(request)

        async def work(name: str) -> str:
            return await web.counter.request_service(
                code, data.fields, rules_accepted=data.rules_accepted, operator=operator, name=name
            )

        inquiry_id = await once(web, request, idempotency_key, data, work)
        return Response(_out(web, inquiry_id), headers={"Location": f"/api/v1/service-requests/{inquiry_id}"})

    return [services, ask]


def _read_routes(web: Web) -> list[Any]:
    @get(
        "/service-requests/{inquiry_id:str}",
        opt={"scope": READ},
        tags=["services"],
        summary="Read a request; its answer is in it once the gate is open",
    )
    async def one(request: ApiRequest, inquiry_id: FromPath[str]) -> ServiceOut:
        _permitted(web, request, inquiry_id)
        return _out(web, inquiry_id)

    @get("/service-requests", opt={"scope": READ}, tags=["services"], summary="List requests, newest first")
    async def several(before: Before = None, limit: Limit = 50) -> ServicesOut:
        rows = web.counter.queries.services.requests(before, limit)
        full = len(rows) == limit
        return ServicesOut(
            requests=[listed_out(row) for row in rows], before=rows[-1].requested_index if full else None
        )

    return [one, several]


def _pay_routes(web: Web) -> list[Any]:
    @post(
        "/service-requests/{inquiry_id:str}/fee",
        opt={"scope": WRITE},
        tags=["services"],
        summary="Begin the payment of a request's fee at a terminal",
        description="Answers at once; watch the payment. Refused while another payment holds the fee.",
    )
    async def fee(
        request: ApiRequest,
        inquiry_id: FromPath[str],
        data: JSONBody[FeeIn],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[PaymentOut]:
        operator = operator_of(request)

        async def work(name: str) -> str:
            return await web.counter.pay_fee(inquiry_id, operator=operator, terminal=data.terminal, name=name)

        return _began(web, await once(web, request, idempotency_key, data, work))

    @post(
        "/service-requests/{inquiry_id:str}/payments",
        opt={"scope": WRITE},
        tags=["services"],
        summary="Begin one charge of what can be paid of an answer",
        description="Several keys are one charge with items. What was paid, alone or in a whole, is refused.",
    )
    async def pay(
        request: ApiRequest,
        inquiry_id: FromPath[str],
        data: JSONBody[PayAnswerIn],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[PaymentOut]:
        operator = operator_of(request)

        async def work(name: str) -> str:
            return await web.counter.pay_answer(
                inquiry_id, data.keys, operator=operator, terminal=data.terminal, name=name
            )

        return _began(web, await once(web, request, idempotency_key, data, work))

    return [fee, pay]


def _paper_routes(web: Web) -> list[Any]:
    @post(
        "/service-requests/{inquiry_id:str}/receipt",
        status_code=200,
        opt={"scope": WRITE},
        tags=["services"],
        summary="Print the receipt of a request's fee; a second one says that it is a copy",
    )
    async def receipt(request: ApiRequest, inquiry_id: FromPath[str]) -> ServiceOut:
        _permitted(web, request, inquiry_id)
        await web.counter.print_service_receipt(inquiry_id, operator=operator_of(request))
        return _out(web, inquiry_id)

    @post(
        "/service-requests/{inquiry_id:str}/ticket",
        status_code=200,
        opt={"scope": WRITE},
        tags=["services"],
        summary="Print the ticket of a request that waits",
    )
    async def ticket(request: ApiRequest, inquiry_id: FromPath[str]) -> ServiceOut:
        _permitted(web, request, inquiry_id)
        await web.counter.print_ticket(inquiry_id, operator=operator_of(request))
        return _out(web, inquiry_id)

    return [receipt, ticket]


def _answer_routes(web: Web) -> list[Any]:
    @post(
        "/service-requests/{inquiry_id:str}/shown",
        status_code=200,
        opt={"scope": WRITE},
        tags=["services"],
        summary="Say that the answer was shown to the customer; kept the first time",
    )
    async def shown(request: ApiRequest, inquiry_id: FromPath[str]) -> ServiceOut:
        _permitted(web, request, inquiry_id)
        await web.counter.show_service(inquiry_id, operator=operator_of(request))
        return _out(web, inquiry_id)

    @post(
        "/service-requests/{inquiry_id:str}/retry",
        status_code=200,
        opt={"scope": WRITE},
        tags=["services"],
        summary="Have a request asked again that was paid and has no result, without a second fee",
    )
    async def retry(request: ApiRequest, inquiry_id: FromPath[str]) -> ServiceOut:
        _permitted(web, request, inquiry_id)
        await web.counter.retry_service(inquiry_id, operator=operator_of(request))
        return _out(web, inquiry_id)

    return [shown, retry]


def _image_routes(web: Web) -> list[Any]:
    @post(
        "/service-requests/{inquiry_id:str}/images",
        status_code=200,
        opt={"scope": WRITE},
        tags=["services"],
        summary="Have the pictures of one item of an answer brought",
    )
    async def ask_image(request: ApiRequest, inquiry_id: FromPath[str], data: JSONBody[ImageIn]) -> ServiceOut:
        _permitted(web, request, inquiry_id)
        await web.counter.ask_image(inquiry_id, data.item, operator=operator_of(request))
        return _out(web, inquiry_id)

    @get(
        "/service-requests/{inquiry_id:str}/images/{item:str}/{number:int}",
        opt={"scope": READ},
        tags=["services"],
        summary="Fetch a picture: image/jpeg or image/png",
        media_type="image/jpeg",
    )
    async def image(
        request: ApiRequest, inquiry_id: FromPath[str], item: FromPath[str], number: FromPath[int]
    ) -> Response[bytes]:
        _permitted(web, request, inquiry_id)
        picture = web.counter.image(inquiry_id, item, number)
        if picture is None:
            raise OperatorError("service.no_images", item=item)
        return Response(picture.data, media_type=picture.media_type, headers={"Cache-Control": "no-store"})

    return [ask_image, image]


def _decide_routes(web: Web) -> list[Any]:
    @post(
        "/service-requests/{inquiry_id:str}/release",
        status_code=200,
        opt={"scope": DECIDE},
        tags=["services"],
        summary="Let an answer be shown by a manager's word that the receipt is in the customer's hand, or cannot be",
    )
    async def release(request: ApiRequest, inquiry_id: FromPath[str], data: JSONBody[ReleaseIn]) -> ServiceOut:
        _permitted(web, request, inquiry_id)
        await web.counter.release_service(
            inquiry_id, reason=data.reason, username=data.username, password=data.password
        )
        return _out(web, inquiry_id)

    return [release]
