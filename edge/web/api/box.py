"""The routes of the API for the box itself: how it stands, its terminals, and what changes."""

from typing import Any

import msgspec
from litestar import get
from litestar.response import ServerSentEvent

from edge.web.live import change_stream
from edge.web.rendering import Web
from edge.web.schemas.box import LineOut, StatusOut, TerminalsOut, box_members, terminal_out
from edge.web.schemas.day import exposure_out


def box_routes(web: Web) -> list[Any]:
    """Return the handlers of these routes."""

    @get("/status", opt={"scope": "status:read"}, tags=["box"], summary="How box, terminals, printer and line stand")
    async def status() -> StatusOut:
        line = web.counter.line()
        known = {
            **box_members(web.counter.queries.status()),
            "software": web.version,
            "terminals": [terminal_out(terminal) for terminal in web.counter.terminals()],
            "printer_state": web.counter.printer().state,
            "exposure": exposure_out(web.counter.exposure()),
            "line": LineOut(state=line.state, last_exchange_at=line.last_exchange_at, last_error=line.last_error),
        }
        return msgspec.convert(known, StatusOut)

    @get(
        "/terminals",
        opt={"scope": "payments:read"},
        tags=["box"],
        summary="The card terminals, how each stands and who waits for it",
    )
    async def terminals() -> TerminalsOut:
        return TerminalsOut(terminals=[terminal_out(terminal) for terminal in web.counter.terminals()])

    @get(
        "/events",
        opt={"scope": "status:read"},
        tags=["box"],
        summary="Server-sent events: `change` with {kind, id}",
        media_type="text/event-stream",
    )
    async def events() -> ServerSentEvent:
        return change_stream(web)

    return [status, terminals, events]
