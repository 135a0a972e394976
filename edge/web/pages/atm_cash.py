"""Pages of the cash in ATMs: the sheet of a count, of the machine's own report, of a load."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from edge.web.atm_view import CASH_KINDS, HOWS, CashKind, sheet_of, typed_notes, words_of
from edge.web.found import find_atm
from edge.web.guards import ACT, own_form, signed_in
from edge.web.pages.atms import done, once, typed_form
from edge.web.pages.sent_forms import operator_name, seen_other
from edge.web.payment_view import paper_text
from edge.web.ports.atms import AtmEventView, AtmView
from edge.web.rendering import AnyRequest, Web, language_of, page
from shared.atm_typed import chosen
from shared.errors import OperatorError


def _kind_of(text: str) -> CashKind:
    return next((kind for kind in CASH_KINDS if kind == text), CASH_KINDS[0])


def find_sheet(web: Web, report_id: str) -> AtmEventView:
    """Return a count, a report or a load. Raises OperatorError `web.not_found`."""
    event = web.counter.queries.atms.event_named(report_id)
    if event is None:
        raise OperatorError("web.not_found")
    return event


def _cash_work(web: Web, request: AnyRequest, atm: AtmView, form: dict[str, str]) -> Callable[[str], Awaitable[str]]:
    """Return what a cash sheet asks for. Raises OperatorError naming the field of a figure that is none."""
    atms, operator = web.counter.atms, operator_name(request)
    notes = typed_notes(form, atm.cassettes, "notes")
    match _kind_of(form.get("what", "")):
        case "count":
            machine = typed_notes(form, atm.cassettes, "machine")
            note = form.get("note", "")
            return lambda name: atms.count_cash(
                atm.atm_id, notes, machine=machine, note=note, operator=operator, name=name
            )
        case "report":
            return lambda name: atms.report_cash(atm.atm_id, notes, operator=operator, name=name)
        case "load":
            how = chosen(form.get("how", ""), HOWS, field="how")
            return lambda name: atms.load_cash(atm.atm_id, notes, how=how, operator=operator, name=name)


def atm_cash_pages(web: Web) -> list[Any]:
    """Return the handlers of cash sheets."""

    def shown(request: AnyRequest, atm: AtmView, values: dict[str, str], problem: Any = None) -> Response[str]:
        return page(
            web,
            request,
            "atm_cash.html",
            status_code=422 if problem else 200,
            atm=atm,
            what=_kind_of(values.get("what", "")),
            values=values,
            problem_of=problem,
            **words_of(language_of(request)),
        )

    @get("/atms/{atm_id:str}/cash", guards=[signed_in], opt={ACT: "atm"})
    async def sheet(request: AnyRequest, atm_id: FromPath[str]) -> Response[str]:
        return shown(request, find_atm(web, atm_id), {"what": request.query_params.get("what", "")})

    @post("/atms/{atm_id:str}/cash", guards=[signed_in, own_form], opt={ACT: "atm"})
    async def record(request: AnyRequest, atm_id: FromPath[str]) -> Response[str] | Redirect:
        form, atm = await typed_form(request), find_atm(web, atm_id)

        async def work() -> str:
            return f"/atms/reports/{await once(web, request, form, _cash_work(web, request, atm, form))}"

        return await done(request, work, lambda problem: shown(request, atm, form, problem))

    @get("/atms/reports/{report_id:str}", guards=[signed_in], opt={ACT: "atm"})
    async def report(request: AnyRequest, report_id: FromPath[str]) -> Response[str]:
        event = find_sheet(web, report_id)
        jobs = web.counter.queries.print_jobs_for(report_id)
        return page(
            web,
            request,
            "atm_sheet.html",
            event=event,
            sheet=sheet_of(event),
            atm=find_atm(web, event.atm_id),
            paper=paper_text(jobs, sum(job.state == "printed" for job in jobs)),
            printed=sum(job.state == "printed" for job in jobs),
            **words_of(language_of(request)),
        )

    @post("/atms/reports/{report_id:str}/print", guards=[signed_in, own_form], opt={ACT: "atm"})
    async def print_slip(report_id: FromPath[str]) -> Redirect:
        await web.counter.print_cash_slip(report_id)
        return seen_other(f"/atms/reports/{report_id}")

    return [sheet, record, report, print_slip]
