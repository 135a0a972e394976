"""The JSON API of the box, for other programs of the office: scoped tokens, and a key for each payment."""

from typing import Final

from litestar import Router

from edge.web.api.atms import atm_routes
from edge.web.api.box import box_routes
from edge.web.api.day import day_routes
from edge.web.api.groups import group_routes
from edge.web.api.inquiries import inquiry_routes
from edge.web.api.money import money_routes
from edge.web.api.payments import payment_routes
from edge.web.api.services import service_routes
from edge.web.guards import TokenHolder, scoped
from edge.web.rendering import OwnRouter, Web

BODY_MAX_BYTES: Final = 16_384


def api_router(web: Web) -> Router:
    """Return the routes under `/api/v1`."""
    handlers = [
        *payment_routes(web),
        *inquiry_routes(web),
        *box_routes(web),
        *day_routes(web),
        *atm_routes(web),
        *group_routes(web),
        *money_routes(web),
        *service_routes(web),
    ]
    return OwnRouter(
        "/api/v1",
        route_handlers=handlers,
        middleware=[TokenHolder(web)],
        guards=[scoped(web)],
        security=[{"token": []}],
        request_max_body_size=BODY_MAX_BYTES,
    )
