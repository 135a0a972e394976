"""ATMs of all offices (خودپردازها): faults first, machines, and the bank's answer to a fault."""

from typing import Any, Final

import anyio.to_thread
from litestar import Response, get, post
from litestar.params import FromPath

from central.ledger.atms import answer_ticket
from central.store.atms import office_atm, office_atm_ticket
from central.web import atm_reads
from central.web.guards import may_change, own_form, signed_in
from central.web.pages_settlement import username_of
from central.web.rendering import AnyRequest, Web, language_of, page, said, see_other
from shared.atm import WAITS_FOR_BANK, difference_rial, expected_rial, sum_rial
from shared.atm_words import (
    ATM_STATES,
    FAULT_KINDS,
    FAULT_OUTCOMES,
    LEVELS,
    NOT_REPORTED,
    TICKET_ANSWERS,
    TICKET_STATES,
)
from shared.banks import bank_text
from shared.errors import OperatorError
from shared.text import Language

FIELDS: Final = ("answer", "text", "reference")


def _words(language: Language) -> dict[str, Any]:
    return {
        "atm_states": ATM_STATES,
        "not_reported": NOT_REPORTED,
        "levels": LEVELS,
        "fault_kinds": FAULT_KINDS,
        "fault_outcomes": FAULT_OUTCOMES,
        "ticket_states": TICKET_STATES,
        "ticket_answers": TICKET_ANSWERS,
        "bank_name": lambda code: bank_text(code, language),
        "sum_rial": sum_rial,
        "expected_rial": expected_rial,
        "difference_rial": difference_rial,
    }


def _ticket_page(
    web: Web, request: AnyRequest, office: str, ticket_id: str, *, told: Any = None, typed: dict[str, str] | None = None
) -> Response[str]:
    """Return a ticket's page, with what is wrong with an answer."""
    with web.engine.connect() as connection:
        found = atm_reads.ticket(connection, office, ticket_id)
        events = atm_reads.events(connection, office, ticket_id=ticket_id)
    if found is None:
        raise OperatorError("web.not_found")
    return page(
        web,
        request,
        "atm_ticket.html",
        status_code=422 if told else 200,
        ticket=found,
        events=events,
        told=told,
        typed=typed or dict.fromkeys(FIELDS, ""),
        **_words(language_of(request)),
    )


def atm_pages(web: Web) -> list[Any]:
    """Return the handlers of ATMs."""

    @get("/atms", guards=[signed_in], sync_to_thread=True)
    def show_all(request: AnyRequest) -> Response[str]:
        office = request.query_params.get("office", "")
        mine = (office_atm_ticket.c.office_id == office,) if office else ()
        standing = (office_atm.c.removed.is_(False), *((office_atm.c.office_id == office,) if office else ()))
        with web.engine.connect() as connection:
            tickets = atm_reads.tickets(connection, *mine)
            machines = atm_reads.machines(connection, *standing)
        return page(
            web,
            request,
            "atms.html",
            tickets=tickets,
            machines=machines,
            office=office,
            waiting=sum(one.state in WAITS_FOR_BANK for one in tickets),
            **_words(language_of(request)),
        )

    @get("/atms/{office:str}/{atm_id:str}", guards=[signed_in], sync_to_thread=True)
    def show_machine(request: AnyRequest, office: FromPath[str], atm_id: FromPath[str]) -> Response[str]:
        with web.engine.connect() as connection:
            found = atm_reads.machine(connection, office, atm_id)
            events = atm_reads.events(connection, office, atm_id=atm_id)
        if found is None:
            raise OperatorError("web.not_found")
        return page(web, request, "atm.html", machine=found, events=events, **_words(language_of(request)))

    @get("/atms/{office:str}/tickets/{ticket_id:str}", guards=[signed_in], sync_to_thread=True)
    def show_ticket(request: AnyRequest, office: FromPath[str], ticket_id: FromPath[str]) -> Response[str]:
        return _ticket_page(web, request, office, ticket_id)

    return [show_all, show_machine, show_ticket]


def atm_answers(web: Web) -> list[Any]:
    """Return the handler by which a person signs the bank's word for an office."""

    @post("/atms/{office:str}/tickets/{ticket_id:str}/answers", guards=[may_change, own_form])
    async def answer(request: AnyRequest, office: FromPath[str], ticket_id: FromPath[str]) -> Response[str]:
        form = await request.form()
        typed = {name: str(form.get(name, "")) for name in FIELDS}
        by = username_of(request)

        def work() -> Response[str]:
            try:
                with web.engine.begin() as connection:
                    answer_ticket(
                        connection, office, ticket_id, **typed, by=by, at=web.clock.now(), append=web.append_feed
                    )
            except OperatorError as error:
                if error.field is None and error.code != "atm.ticket_closed":
                    raise
                return _ticket_page(web, request, office, ticket_id, told=said(error, request), typed=typed)
            return see_other(f"/atms/{office}/tickets/{ticket_id}")

        return await anyio.to_thread.run_sync(work)

    return [answer]
