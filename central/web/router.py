"""All pages of central as one router, with what guards and explains them; `central.app` puts it beside the rest."""

from typing import Final

from litestar import Router
from litestar.static_files import create_static_files_router
from litestar.types import ExceptionHandlersMap
from sqlalchemy import Engine

from central.reconciliation.answering import AppendFeed
from central.web.error_pages import error_pages
from central.web.guards import Visit
from central.web.pages_atms import atm_answers, atm_pages
from central.web.pages_board import board_pages
from central.web.pages_cases import case_forms, case_pages, closing_forms
from central.web.pages_corrections import correction_forms
from central.web.pages_days import day_pages
from central.web.pages_offices import log_pages, office_pages
from central.web.pages_payments import ledger_pages, payment_pages
from central.web.pages_policies import policy_pages
from central.web.pages_providers import provider_pages
from central.web.pages_quarantine import quarantine_pages
from central.web.pages_receipt import receipt_pages
from central.web.pages_services import service_pages
from central.web.pages_settlement import file_pages, run_pages
from central.web.pages_sign_in import sign_in_pages
from central.web.pages_statements import statement_forms
from central.web.pages_status import status_pages
from central.web.people import People
from central.web.rendering import ASSETS_PATH, OwnRouter, Web, assets_folder
from shared.clock import Clock
from shared.entropy import Entropy

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


FORM_SIZE_MAX_BYTES: Final = 64 * 1024
"""Of a form; those that carry a file say so themselves."""


def open_web(
    *,
    engine: Engine,
    clock: Clock,
    entropy: Entropy,
    version: str,
    append_feed: AppendFeed,
    people: People | None = None,
) -> Web:
    """Return what the pages work with. `people` is given by tests, to hash passwords quickly."""
    return Web(
        engine=engine,
        clock=clock,
        entropy=entropy,
        people=people or People(engine, clock, entropy),
        version=version,
        append_feed=append_feed,
    )


def create_pages(web: Web) -> list[Router]:
    """Return the routers of pages and of what they load."""
    pages = OwnRouter(
        "/",
        route_handlers=[
            *sign_in_pages(web),
            *board_pages(web),
            *office_pages(web),
            *day_pages(web),
            *log_pages(web),
            *quarantine_pages(web),
            *payment_pages(web),
            *statement_forms(web),
            *ledger_pages(web),
            *provider_pages(web),
            *service_pages(web),
            *policy_pages(web),
            *atm_pages(web),
            *atm_answers(web),
            *file_pages(web),
            *correction_forms(web),
            *run_pages(web),
            *case_pages(web),
            *case_forms(web),
            *closing_forms(web),
            *receipt_pages(web),
            *status_pages(web),
        ],
        middleware=[Visit(web)],
        exception_handlers=error_pages(web),
        response_headers=SECURITY_HEADERS,
        request_max_body_size=FORM_SIZE_MAX_BYTES,
        include_in_schema=False,
    )
    return [pages, create_static_files_router(ASSETS_PATH, [assets_folder()])]


def page_errors(web: Web) -> ExceptionHandlersMap:
    """Return handlers for the whole application, so that an unknown address gets a page too."""
    return error_pages(web)
