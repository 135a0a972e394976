"""Services of the catalogue: what offices sell and for how much, and what customers asked for."""

from typing import Any

from litestar import Response, get
from litestar.params import FromPath

from central.fleet.catalogues import in_force
from central.fleet.publishing import standing
from central.providers import service_queries
from central.web.guards import signed_in
from central.web.lists import before_of, older_query
from central.web.office_reads import offices
from central.web.rendering import PAGE_ROWS, AnyRequest, Web, page
from shared.catalogue import CATEGORIES
from shared.catalogue_files import BUILT_IN
from shared.errors import OperatorError
from shared.events import CataloguePublished


def service_pages(web: Web) -> list[Any]:
    """Return the handlers of the catalogue and of requests."""

    @get("/catalogue", guards=[signed_in], sync_to_thread=True)
    def show_catalogue(request: AnyRequest) -> Response[str]:
        office = request.query_params.get("office", "")
        with web.engine.connect() as connection:
            known = offices(connection, now=web.clock.now())
            if office not in [one.office_id for one in known]:
                office = ""
            catalogue = in_force(connection, office or None)
            published = standing(connection, CataloguePublished)
        body = next((one for one in published if one.body.catalogue_id == catalogue.catalogue_id), None)
        groups = [(name, catalogue.in_category(name)) for name in CATEGORIES]
        return page(
            web,
            request,
            "catalogue.html",
            offices=known,
            office=office,
            catalogue=catalogue,
            published=body,
            is_built_in=catalogue.catalogue_id == BUILT_IN,
            groups=[(name, services) for name, services in groups if services],
            off_sale=[service for service in catalogue.services if not service.active],
        )

    @get("/requests", guards=[signed_in], sync_to_thread=True)
    def show_requests(request: AnyRequest) -> Response[str]:
        open_only = request.query_params.get("state") == "open"
        with web.engine.connect() as connection:
            rows = service_queries.requests(connection, open_only=open_only, before=before_of(request), limit=PAGE_ROWS)
        return page(
            web,
            request,
            "requests.html",
            requests=rows,
            open_only=open_only,
            older=older_query(request, [row.ordinal for row in rows]),
        )

    @get("/requests/{office_id:str}/{inquiry_id:str}", guards=[signed_in], sync_to_thread=True)
    def show_request(request: AnyRequest, office_id: FromPath[str], inquiry_id: FromPath[str]) -> Response[str]:
        with web.engine.connect() as connection:
            found = service_queries.request(connection, office_id, inquiry_id)
        if found is None:
            raise OperatorError("web.not_found")
        return page(web, request, "request.html", found=found, asked=found.row)

    return [show_catalogue, show_requests, show_request]
