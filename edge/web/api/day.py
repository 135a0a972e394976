"""The API's routes of the day: what stands open, closing it, the days before, their slips."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from edge.web.api.requests import ApiRequest, Before, IdempotencyKey, Limit, once, operator_of
from edge.web.found import find_day
from edge.web.rendering import Web
from edge.web.schemas.day import ClosedDayOut, CloseIn, DaysOut, closed_day_out, open_day_out
from shared.events import TerminalBatch


def day_routes(web: Web) -> list[Any]:
    """Return the handlers under `/api/v1/days`."""

    @get("/days", opt={"scope": "payments:read"}, tags=["days"], summary="The open day, and closed days, newest first")
    async def days(before: Before = None, limit: Limit = 50) -> DaysOut:
        rows = web.counter.queries.closed_days(before, limit)
        return DaysOut(
            open=open_day_out(web.counter.queries.open_day()),
            days=[closed_day_out(row) for row in rows],
            before=rows[-1].number if len(rows) == limit else None,
        )

    @post(
        "/days",
        opt={"scope": "payments:write", "act": "day_close"},
        tags=["days"],
        summary="Close the day and print its slip",
        description=(
            "Works with payments in doubt and under way, and names them. The same key closes nothing twice. A body is "
            "needed only for what terminals' own reports say; a difference from the journal raises an alarm."
        ),
    )
    async def close(
        request: ApiRequest, data: JSONBody[CloseIn | None] = None, idempotency_key: IdempotencyKey = None
    ) -> Response[ClosedDayOut]:
        operator = operator_of(request)
        said = {} if data is None else data.reports
        reports = [
            TerminalBatch(terminal=terminal, count=report.count, amount_rial=report.amount_rial)
            for terminal, report in said.items()
        ]

        async def work(name: str) -> str:
            return await web.counter.close_day(operator=operator, name=name, reports=reports)

        close_id = await once(web, request, idempotency_key, data, work)
        return Response(closed_day_out(find_day(web, close_id)), headers={"Location": f"/api/v1/days/{close_id}"})

    @get("/days/{close_id:str}", opt={"scope": "payments:read"}, tags=["days"], summary="Read a closed day")
    async def day(close_id: FromPath[str]) -> ClosedDayOut:
        return closed_day_out(find_day(web, close_id))

    return [days, close, day]
