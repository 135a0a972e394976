"""Questions to the services' providers: confirmations and inquiries, and what became of them."""

from typing import Any, Final

from litestar import Response, get
from litestar.params import FromPath

from central.providers import queries
from central.web.guards import signed_in
from central.web.lists import before_of, older_query
from central.web.rendering import PAGE_ROWS, AnyRequest, Web, page
from shared.errors import OperatorError

STATES: Final = ("waiting", "asking", "done")
KINDS: Final = ("confirm", "inquire", "serve", "image")


def provider_pages(web: Web) -> list[Any]:
    """Return the handlers of questions and inquiries."""

    @get("/providers", guards=[signed_in], sync_to_thread=True)
    def show_tasks(request: AnyRequest) -> Response[str]:
        state, kind = request.query_params.get("state", ""), request.query_params.get("kind", "")
        with web.engine.connect() as connection:
            rows = queries.tasks(
                connection,
                state=state if state in STATES else None,
                kind=kind if kind in KINDS else None,
                before=before_of(request),
                limit=PAGE_ROWS,
            )
            counts = queries.task_counts(connection)
        return page(
            web,
            request,
            "providers.html",
            tasks=rows,
            counts=counts,
            state=state,
            kind=kind,
            older=older_query(request, [row.ordinal for row in rows]),
        )

    @get("/inquiries", guards=[signed_in], sync_to_thread=True)
    def show_inquiries(request: AnyRequest) -> Response[str]:
        with web.engine.connect() as connection:
            rows = queries.inquiries(connection, before=before_of(request), limit=PAGE_ROWS)
        return page(
            web,
            request,
            "inquiries.html",
            inquiries=rows,
            older=older_query(request, [row.ordinal for row in rows]),
        )

    @get("/inquiries/{office_id:str}/{inquiry_id:str}", guards=[signed_in], sync_to_thread=True)
    def show_inquiry(request: AnyRequest, office_id: FromPath[str], inquiry_id: FromPath[str]) -> Response[str]:
        with web.engine.connect() as connection:
            found = queries.inquiry(connection, office_id, inquiry_id)
            if found is None:
                raise OperatorError("web.not_found")
            tasks = queries.subject_tasks(connection, office_id, inquiry_id)
        return page(web, request, "inquiry.html", inquiry=found, tasks=tasks)

    return [show_tasks, show_inquiries, show_inquiry]
