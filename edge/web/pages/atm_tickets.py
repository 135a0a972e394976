"""Pages of ATMs' faults: opening a ticket for the bank, its history, writing on it, ending it."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from edge.web.atm_view import ticket_facts, words_of
from edge.web.found import find_atm, find_ticket
from edge.web.guards import ACT, own_form, signed_in
from edge.web.pages.atms import done, machine_page, once, typed_form
from edge.web.pages.sent_forms import operator_name
from edge.web.rendering import AnyRequest, Web, language_of, page, part
from shared.atm import may_move
from shared.atm_typed import chosen
from shared.atm_words import FAULT_KINDS, FAULT_OUTCOMES


def _shown(web: Web, request: AnyRequest, ticket_id: str, problem: Any = None, text: str = "") -> Response[str]:
    """Return a ticket's page, with what is wrong with its forms."""
    ticket = find_ticket(web, ticket_id)
    return page(
        web,
        request,
        "atm_ticket.html",
        live_part="atm_ticket_live.html",
        status_code=422 if problem else 200,
        may_note=may_move(ticket.state, "noted"),
        text=text,
        problem_of=problem,
        **words_of(language_of(request)),
        **ticket_facts(web.counter.queries.atms, ticket),
    )


def atm_ticket_pages(web: Web) -> list[Any]:
    """Return the handlers that open a fault and show it."""

    @post("/atms/{atm_id:str}/faults", guards=[signed_in, own_form], opt={ACT: "atm"})
    async def open_fault(request: AnyRequest, atm_id: FromPath[str]) -> Response[str] | Redirect:
        form, atm = await typed_form(request), find_atm(web, atm_id)

        async def work() -> str:
            kind = chosen(form.get("kind", ""), list(FAULT_KINDS), field="kind")
            detail, operator = form.get("detail", ""), operator_name(request)

            async def opened(name: str) -> str:
                return await web.counter.atms.open_fault(atm_id, kind, detail=detail, operator=operator, name=name)

            return f"/atms/tickets/{await once(web, request, form, opened)}"

        return await done(request, work, lambda problem: machine_page(web, request, atm, problem=problem, values=form))

    @get("/atms/tickets/{ticket_id:str}", guards=[signed_in], opt={ACT: "atm"})
    async def show(request: AnyRequest, ticket_id: FromPath[str]) -> Response[str]:
        return _shown(web, request, ticket_id)

    @get("/atms/tickets/{ticket_id:str}/live", guards=[signed_in], opt={ACT: "atm"})
    async def live(request: AnyRequest, ticket_id: FromPath[str]) -> Response[str]:
        facts = ticket_facts(web.counter.queries.atms, find_ticket(web, ticket_id))
        return part(web, request, "atm_ticket_live.html", **words_of(language_of(request)), **facts)

    return [open_fault, show, live]


def atm_ticket_forms(web: Web) -> list[Any]:
    """Return the handlers by which the office writes on a ticket and ends it."""

    @post("/atms/tickets/{ticket_id:str}/notes", guards=[signed_in, own_form], opt={ACT: "atm"})
    async def note(request: AnyRequest, ticket_id: FromPath[str]) -> Response[str] | Redirect:
        form = await typed_form(request)
        text, operator = form.get("text", ""), operator_name(request)

        async def work() -> str:
            async def noted(name: str) -> str:
                return await web.counter.atms.note_fault(ticket_id, text, operator=operator, name=name)

            await once(web, request, form, noted)
            return f"/atms/tickets/{ticket_id}"

        return await done(request, work, lambda problem: _shown(web, request, ticket_id, problem, text))

    @post("/atms/tickets/{ticket_id:str}/close", guards=[signed_in, own_form], opt={ACT: "atm"})
    async def close(request: AnyRequest, ticket_id: FromPath[str]) -> Response[str] | Redirect:
        form = await typed_form(request)
        text, operator = form.get("text", ""), operator_name(request)

        async def work() -> str:
            outcome = chosen(form.get("outcome", ""), list(FAULT_OUTCOMES), field="outcome")
            await web.counter.atms.close_fault(ticket_id, outcome, text=text, operator=operator)
            return f"/atms/tickets/{ticket_id}"

        return await done(request, work, lambda problem: _shown(web, request, ticket_id, problem, text))

    return [note, close]
