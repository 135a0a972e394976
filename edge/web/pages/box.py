"""Pages around the counter: the terminal check; and the header's live part."""

from collections.abc import Iterable
from typing import Any, Final

from litestar import Response, get

from edge.web.guards import signed_in
from edge.web.pages.devices import tested
from edge.web.payment_view import bill_type_of
from edge.web.rendering import AnyRequest, Web, language_of, page, part

QUEUE_SHOWN: Final = 8
"""Of those who wait at one terminal; how many there are is said in full."""


def _device_facts(web: Web, request: AnyRequest) -> dict[str, Any]:
    """Return what the page of the devices shows beside the header's facts."""
    language = language_of(request)

    def rows(payment_ids: Iterable[str]) -> list[dict[str, Any]]:
        found = (web.counter.queries.payment(payment_id) for payment_id in payment_ids)
        return [{"payment": row, "type": bill_type_of(row.bill_id)} for row in found if row is not None]

    waiting = {
        terminal.name: rows([terminal.payment_id, *terminal.queue[:QUEUE_SHOWN]])
        if terminal.payment_id
        else rows(terminal.queue[:QUEUE_SHOWN])
        for terminal in web.counter.terminals()
    }
    tests = {name: tested(web.counter.terminal_test(name), language) for name in waiting}
    return {"box": web.counter.queries.status(), "waiting": waiting, "tests": tests}


def box_pages(web: Web) -> list[Any]:
    """Return the handlers of these pages."""

    @get("/gauges", guards=[signed_in])
    async def header_live(request: AnyRequest) -> Response[str]:
        return part(web, request, "gauges_live.html")

    @get("/terminal", guards=[signed_in])
    async def terminal(request: AnyRequest) -> Response[str]:
        return page(web, request, "terminal.html", live_part="terminal_live.html", **_device_facts(web, request))

    @get("/terminal/live", guards=[signed_in])
    async def terminal_live(request: AnyRequest) -> Response[str]:
        return part(web, request, "terminal_live.html", **_device_facts(web, request))

    @get("/terminal/choice", guards=[signed_in])
    async def terminal_choice(request: AnyRequest) -> Response[str]:
        return part(web, request, "terminal_choice.html")

    return [header_live, terminal, terminal_live, terminal_choice]
