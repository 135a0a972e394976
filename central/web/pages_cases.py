"""Cases: differences and refunds in people's hands."""

from collections.abc import Callable
from typing import Any, Final

import anyio.to_thread
from litestar import Response, get, post
from litestar.params import FromPath

from central.ledger.cases import CASE_NAMES
from central.ledger.closings import OUTCOME_NAMES, takes_two
from central.reconciliation import queries
from central.reconciliation.cases import assign_case, note_case, open_break
from central.reconciliation.closing import agree_closing, closings, drop_closing, outcomes_offered, propose_closing
from central.web.guards import may_change, own_form, signed_in
from central.web.lists import before_of, older_query
from central.web.pages_settlement import username_of
from central.web.rendering import PAGE_ROWS, AnyRequest, Web, page, said, see_other
from shared.errors import OperatorError

STATES: Final = ("open", "assigned", "closed")


def case_page(web: Web, request: AnyRequest, case_id: str, *, status_code: int = 200, **context: Any) -> Response[str]:
    """Return the page of one case. Raises OperatorError `web.not_found`."""
    with web.engine.connect() as connection:
        found = queries.case(connection, case_id)
        if found is None:
            raise OperatorError("web.not_found")
        proposed = closings(connection, case_id)
        offered = outcomes_offered(connection, found, web.clock.now())
    everything = {"told": None, "typed": "", "closing_told": None, "wrong": None, **context}
    typed = {"outcome": "", "reason": "", **everything.pop("closing_typed", {})}
    return page(
        web,
        request,
        "case.html",
        closing_typed=typed,
        status_code=status_code,
        view=found,
        closings=proposed,
        waiting=next((one for one in proposed if one.state == "proposed"), None),
        outcomes=[(outcome, OUTCOME_NAMES[outcome], takes_two(found.case.kind, outcome)) for outcome in offered],
        outcome_names=OUTCOME_NAMES,
        **everything,
    )


def case_pages(web: Web) -> list[Any]:
    """Return the handlers that show cases."""

    @get("/cases", guards=[signed_in], sync_to_thread=True)
    def show_cases(request: AnyRequest) -> Response[str]:
        state, kind = request.query_params.get("state", ""), request.query_params.get("kind", "")
        with web.engine.connect() as connection:
            rows = queries.cases(
                connection,
                state=state if state in STATES else None,
                kind=kind if kind in CASE_NAMES else None,
                before=before_of(request),
                limit=PAGE_ROWS,
            )
        return page(
            web,
            request,
            "cases.html",
            cases=rows,
            state=state,
            kind=kind,
            kinds=CASE_NAMES,
            states=STATES,
            older=older_query(request, [row.ordinal for row in rows]),
        )

    @get("/cases/{case_id:str}", guards=[signed_in], sync_to_thread=True)
    def show_case(request: AnyRequest, case_id: FromPath[str]) -> Response[str]:
        return case_page(web, request, case_id)

    return [show_cases, show_case]


def case_forms(web: Web) -> list[Any]:
    """Return the handlers that change cases."""

    @post("/runs/{run_id:int}/cases", guards=[may_change, own_form])
    async def open_one(request: AnyRequest, run_id: FromPath[int]) -> Response[str]:
        form = await request.form()
        number, by = str(form.get("number", "")), username_of(request)
        if not (number.isascii() and number.isdecimal()):
            raise OperatorError("recon.unknown_decision", run_id=run_id)

        def work() -> str:
            return open_break(web.engine, run_id, int(number), by=by, clock=web.clock)

        return see_other(f"/cases/{await anyio.to_thread.run_sync(work)}")

    @post("/cases/{case_id:str}/take", guards=[may_change, own_form])
    async def take(request: AnyRequest, case_id: FromPath[str]) -> Response[str]:
        by = username_of(request)

        def work() -> None:
            assign_case(web.engine, case_id, to=by, by=by, clock=web.clock)

        await anyio.to_thread.run_sync(work)
        return see_other(f"/cases/{case_id}")

    @post("/cases/{case_id:str}/notes", guards=[may_change, own_form])
    async def write_note(request: AnyRequest, case_id: FromPath[str]) -> Response[str]:
        form = await request.form()
        words, by = str(form.get("text", "")), username_of(request)

        def work() -> None:
            note_case(web.engine, case_id, words, by=by, clock=web.clock)

        try:
            await anyio.to_thread.run_sync(work)
        except OperatorError as error:
            if error.code != "case.empty_note":
                raise
            return case_page(web, request, case_id, status_code=422, told=said(error, request), typed=words)
        return see_other(f"/cases/{case_id}")

    return [open_one, take, write_note]


def closing_forms(web: Web) -> list[Any]:
    """Return the handlers that close cases, by one person or by two."""

    @post("/cases/{case_id:str}/closings", guards=[may_change, own_form])
    async def propose(request: AnyRequest, case_id: FromPath[str]) -> Response[str]:
        form = await request.form()
        typed = {name: str(form.get(name, "")) for name in ("outcome", "reason")}
        by = username_of(request)

        def work() -> None:
            propose_closing(web.engine, case_id, **typed, by=by, clock=web.clock)

        return await _done(web, request, case_id, work, typed)

    @post("/cases/{case_id:str}/closings/{closing_id:int}/agree", guards=[may_change, own_form])
    async def agree(request: AnyRequest, case_id: FromPath[str], closing_id: FromPath[int]) -> Response[str]:
        by = username_of(request)

        def work() -> None:
            agree_closing(web.engine, case_id, closing_id, by=by, clock=web.clock)

        return await _done(web, request, case_id, work)

    @post("/cases/{case_id:str}/closings/{closing_id:int}/drop", guards=[may_change, own_form])
    async def drop(request: AnyRequest, case_id: FromPath[str], closing_id: FromPath[int]) -> Response[str]:
        by = username_of(request)

        def work() -> None:
            drop_closing(web.engine, case_id, closing_id, by=by, clock=web.clock)

        return await _done(web, request, case_id, work)

    return [propose, agree, drop]


async def _done(
    web: Web, request: AnyRequest, case_id: str, work: Callable[[], None], typed: dict[str, str] | None = None
) -> Response[str]:
    """Do it and go back to the case; a refusal is said there, beside what was typed."""
    try:
        await anyio.to_thread.run_sync(work)
    except OperatorError as error:
        if error.code == "case.unknown":
            raise
        told = {"closing_told": said(error, request), "wrong": error.field, "closing_typed": typed or {}}
        return await anyio.to_thread.run_sync(lambda: case_page(web, request, case_id, status_code=422, **told))
    return see_other(f"/cases/{case_id}")
