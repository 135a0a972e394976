"""Pages that the frame leads to: all services and the search among them, rules, support, the app, about."""

from typing import Any

from litestar import Response, get
from litestar.response import Redirect

from edge.web.guards import signed_in
from edge.web.menu import find, suggest
from edge.web.pages.bills import is_barcode
from edge.web.rendering import AnyRequest, Web, catalogue_of, menu_for, page, part


def frame_pages(web: Web) -> list[Any]:
    """Return the handlers of these pages."""

    @get("/services", guards=[signed_in])
    async def services(request: AnyRequest) -> Response[str] | Redirect:
        query = request.query_params.get("q", "")
        if is_barcode(query):
            return Redirect("/bill", query_params={"barcode": query}, status_code=303)
        found = find(menu_for(web, request), query)
        if len(found) == 1:
            return Redirect(found[0].path, status_code=303)
        return page(web, request, "services.html", q=query, found=found)

    @get("/services/suggest", guards=[signed_in])
    async def suggestions(request: AnyRequest) -> Response[str]:
        query = request.query_params.get("q", "")
        return part(web, request, "suggestions.html", q=query.strip(), found=suggest(menu_for(web, request), query))

    @get("/rules", guards=[signed_in])
    async def rules(request: AnyRequest) -> Response[str]:
        sold = [service for service in catalogue_of(web).services if service.active]
        return page(web, request, "rules.html", services=sold)

    @get("/support", guards=[signed_in])
    async def support(request: AnyRequest) -> Response[str]:
        return page(web, request, "support.html", box=web.counter.queries.status())

    @get("/app", guards=[signed_in])
    async def app(request: AnyRequest) -> Response[str]:
        return page(web, request, "app.html", address=f"{request.url.scheme}://{request.url.netloc}/")

    @get("/about", guards=[signed_in])
    async def about(request: AnyRequest) -> Response[str]:
        queries = web.counter.queries
        return page(
            web,
            request,
            "about.html",
            box=queries.status(),
            profiles=web.counter.profiles(),
            others=queries.others.journals(),
            predecessor=queries.others.predecessor(),
        )

    return [services, suggestions, rules, support, app, about]
