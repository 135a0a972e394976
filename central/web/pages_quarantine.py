"""A journal in quarantine: who asks in its name, what stands beside it, and what two people decide."""

from collections.abc import Callable
from typing import Any, Final

import anyio.to_thread
from litestar import Response, get, post
from litestar.params import FromPath

from central.ingest import quarantine
from central.ledger.elsewhere import posting_for_all
from central.web.guards import may_change, own_form, signed_in
from central.web.office_reads import alarms, aside_types, journal_of
from central.web.pages_settlement import username_of
from central.web.rendering import AnyRequest, Web, page, query_text, said, see_other
from shared.errors import OperatorError

FIELDS: Final = ("kind", "asker", "book_aside", "reason")


def quarantine_page(
    web: Web, request: AnyRequest, journal_id: str, *, status_code: int = 200, **context: Any
) -> Response[str]:
    """Return the page of one journal's quarantine. Raises OperatorError `web.not_found`."""
    with web.engine.connect() as connection:
        journal = journal_of(connection, journal_id)
        if journal is None:
            raise OperatorError("web.not_found")
        decisions = quarantine.decisions(connection, journal_id)
        raised = [alarm for alarm in alarms(connection, office_id=journal.office_id) if alarm.journal_id == journal_id]
        everything = {"told": None, "wrong": None, **context}
        typed = {**dict.fromkeys(FIELDS, ""), **everything.pop("typed", {})}
        return page(
            web,
            request,
            "quarantine.html",
            status_code=status_code,
            journal=journal,
            alarms=raised,
            askers=quarantine.askers(connection, journal_id),
            aside=aside_types(connection, journal_id),
            decisions=decisions,
            waiting=next((one for one in decisions if one.state == "proposed"), None),
            typed=typed,
            **everything,
        )


def quarantine_pages(web: Web) -> list[Any]:
    """Return the handlers of quarantine."""

    @get("/quarantine", guards=[signed_in], sync_to_thread=True)
    def show_quarantine(request: AnyRequest) -> Response[str]:
        return quarantine_page(web, request, request.query_params.get("journal", ""))

    @post("/quarantine", guards=[may_change, own_form])
    async def propose(request: AnyRequest) -> Response[str]:
        form = await request.form()
        journal_id, by = str(form.get("journal", "")), username_of(request)
        typed = {name: str(form.get(name, "")) for name in FIELDS}

        def work() -> None:
            quarantine.propose(
                web.engine,
                journal_id,
                kind=typed["kind"],
                asker=typed["asker"],
                book_aside=typed["book_aside"] == "yes",
                reason=typed["reason"],
                by=by,
                clock=web.clock,
            )

        return await _done(web, request, journal_id, work, typed)

    @post("/quarantine/{decision_id:int}/agree", guards=[may_change, own_form])
    async def agree(request: AnyRequest, decision_id: FromPath[int]) -> Response[str]:
        form = await request.form()
        by = username_of(request)

        def work() -> None:
            quarantine.agree(web.engine, decision_id, posting_for_all(web.append_feed), by=by, clock=web.clock)

        return await _done(web, request, str(form.get("journal", "")), work)

    @post("/quarantine/{decision_id:int}/drop", guards=[may_change, own_form])
    async def drop(request: AnyRequest, decision_id: FromPath[int]) -> Response[str]:
        form = await request.form()
        by = username_of(request)

        def work() -> None:
            quarantine.drop(web.engine, decision_id, by=by, clock=web.clock)

        return await _done(web, request, str(form.get("journal", "")), work)

    return [show_quarantine, propose, agree, drop]


async def _done(
    web: Web, request: AnyRequest, journal_id: str, work: Callable[[], None], typed: dict[str, str] | None = None
) -> Response[str]:
    """Do it and go back to the journal; a refusal is said there, beside what was typed."""
    try:
        await anyio.to_thread.run_sync(work)
    except OperatorError as error:
        told = {"told": said(error, request), "wrong": error.field, "typed": typed or {}}
        return await anyio.to_thread.run_sync(
            lambda: quarantine_page(web, request, journal_id, status_code=422, **told)
        )
    return see_other(f"/quarantine?{query_text(journal=journal_id)}")
