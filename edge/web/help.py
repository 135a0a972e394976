"""What a box serves that cannot start: one page that says why and whom to call; and what supervisors of any box read.

It opens nothing and takes nothing. Without it a box whose file is damaged would only be started again, for ever.
"""

from typing import Any, Final

from litestar import Litestar, Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.static_files import create_static_files_router
from litestar.status_codes import HTTP_503_SERVICE_UNAVAILABLE

from edge.web.ports.counter import Counter
from edge.web.rendering import HTML, render_alone
from edge.web.router import secure
from edge.web.templating import ASSETS_PATH, assets_folder
from shared.error_texts import describe
from shared.errors import DaftarError

_PATHS: Final = ["/", "/{path:path}"]


def create_help(error: DaftarError, *, support_line: str, version: str, clears: bool = False) -> Litestar:
    """Return the application. `error` is what keeps the box from starting; `clears`: it is tried again by itself."""

    @get(_PATHS, sync_to_thread=False)
    def help_page(request: Request[Any, Any, Any]) -> Response[str]:  # noqa: ARG001 - every address says the same
        body = render_alone(
            "help.html",
            fa=describe(error, "fa"),
            en=describe(error, "en"),
            code=error.code,
            clears=clears,
            support_line=support_line,
            version=version,
        )
        return Response(
            body,
            media_type=HTML,
            status_code=HTTP_503_SERVICE_UNAVAILABLE,
            headers={"Cache-Control": "no-store", "Retry-After": "10" if clears else "60"},
        )

    @get("/health", sync_to_thread=False)
    def health() -> Response[dict[str, str]]:
        clearing = "by itself" if clears else "no"
        said = {"status": "not_started", "code": error.code, "clears": clearing, "call": support_line}
        return Response(said, status_code=HTTP_503_SERVICE_UNAVAILABLE)

    assets = create_static_files_router(path=ASSETS_PATH, directories=[assets_folder()], name="assets")
    return Litestar([help_page, health, assets], openapi_config=None, before_send=[secure])


def health_route(counter: Counter, *, support_line: str) -> HTTPRouteHandler:
    """Return the address for supervisors of a box that started: whether it takes entries, nothing of the office."""

    @get("/health", sync_to_thread=False)
    def health() -> Response[dict[str, str]]:
        trouble = counter.health().trouble
        if trouble is None:
            return Response({"status": "ok"})
        said = {"status": "journal_stopped", "code": trouble.code, "since": trouble.since}
        said |= {"clears": "by itself" if trouble.clears else "no", "call": support_line}
        return Response(said, status_code=HTTP_503_SERVICE_UNAVAILABLE)

    return health
