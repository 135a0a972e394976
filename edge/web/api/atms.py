"""The API's routes of the office's ATMs: what stands, how they are, their cash, faults for the bank."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from edge.web.api.requests import ApiRequest, IdempotencyKey, Work, once, operator_of
from edge.web.found import find_atm, find_ticket
from edge.web.guards import ACT
from edge.web.ports.atms import AtmView, TicketView
from edge.web.rendering import Web
from shared.atm import Level, Source, TicketState
from shared.atm_typed import NOTES_MAX, TEXT_MAX
from shared.events import AtmState, FaultKind, FaultOutcome

READ = "atms:read"
WRITE = "atms:write"
_MAY = {ACT: "atm"}
_TAGS = ["atms"]

Notes = Annotated[int, msgspec.Meta(ge=0, le=NOTES_MAX)]
Words = Annotated[str, msgspec.Meta(max_length=TEXT_MAX)]


class CassetteOut(msgspec.Struct, frozen=True, kw_only=True):
    """A cassette; `notes` is null where nothing is known of it, `known_at` says how old the figure is."""

    cassette: int
    denomination_rial: int
    capacity: int
    notes: int | None
    source: Source | None
    known_at: str | None
    level: Level


class TicketOut(msgspec.Struct, frozen=True, kw_only=True):
    """A fault ticket."""

    ticket_id: str
    ticket: int
    atm_id: str
    kind: FaultKind
    detail: str
    state: TicketState
    opened_at: str
    moved_at: str
    bank_reference: str


class AtmOut(msgspec.Struct, frozen=True, kw_only=True):
    """A machine, with its tickets that are not closed."""

    atm_id: str
    bank: str
    number: str
    place: str
    state: AtmState | None
    state_note: str
    state_at: str | None
    removed_at: str | None
    cash_rial: int | None
    cassettes: list[CassetteOut]
    open_tickets: list[TicketOut]


class StateIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a machine stands."""

    state: AtmState
    note: Words = ""


class FigureIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Banknotes of a cassette; `machine` is what the machine's own counters said when it was counted."""

    cassette: Annotated[int, msgspec.Meta(ge=1, le=100)]
    notes: Notes
    machine: Notes | None = None


class CashIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Cash that was counted, reported by the machine, added, or put in place of what was there."""

    what: Literal["counted", "reported", "added", "replaced"]
    figures: Annotated[list[FigureIn], msgspec.Meta(min_length=1, max_length=20)]
    note: Words = ""


class FaultIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fault for the bank."""

    kind: FaultKind
    detail: Words = ""


class EndIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a ticket ended."""

    outcome: FaultOutcome
    text: Words = ""


def _ticket_out(ticket: TicketView) -> TicketOut:
    return TicketOut(**{name: getattr(ticket, name) for name in TicketOut.__struct_fields__})


def _atm_out(web: Web, atm: AtmView) -> AtmOut:
    named = {name: getattr(atm, name) for name in AtmOut.__struct_fields__ if name not in ("cassettes", "open_tickets")}
    tickets = web.counter.queries.atms.tickets(atm.atm_id, open_only=True)
    cassettes = [
        CassetteOut(**{name: getattr(one, name) for name in CassetteOut.__struct_fields__}) for one in atm.cassettes
    ]
    return AtmOut(**named, cassettes=cassettes, open_tickets=[_ticket_out(ticket) for ticket in tickets])


def atm_routes(web: Web) -> list[Any]:
    """Return the handlers of these routes."""
    return [*_machine_routes(web), *_ticket_routes(web)]


def _machine_routes(web: Web) -> list[Any]:
    @get("/atms", opt={"scope": READ, **_MAY}, tags=_TAGS, summary="The office's ATMs, those removed last")
    async def atms() -> list[AtmOut]:
        return [_atm_out(web, atm) for atm in web.counter.queries.atms.atms()]

    @get("/atms/{atm_id:str}", opt={"scope": READ, **_MAY}, tags=_TAGS, summary="Read an ATM")
    async def atm(atm_id: FromPath[str]) -> AtmOut:
        return _atm_out(web, find_atm(web, atm_id))

    @post("/atms/{atm_id:str}/state", opt={"scope": WRITE, **_MAY}, tags=_TAGS, summary="Say how an ATM stands")
    async def state(
        request: ApiRequest, atm_id: FromPath[str], data: JSONBody[StateIn], idempotency_key: IdempotencyKey = None
    ) -> AtmOut:
        async def work(name: str) -> str:
            return await web.counter.atms.report_state(
                atm_id, data.state, note=data.note, operator=operator_of(request), name=name
            )

        await once(web, request, idempotency_key, data, work)
        return _atm_out(web, find_atm(web, atm_id))

    @post(
        "/atms/{atm_id:str}/cash",
        opt={"scope": WRITE, **_MAY},
        tags=_TAGS,
        summary="Say what cash was counted, reported or loaded",
        description="A count keeps what was expected beside it: with `machine` in every figure, that.",
    )
    async def cash(
        request: ApiRequest, atm_id: FromPath[str], data: JSONBody[CashIn], idempotency_key: IdempotencyKey = None
    ) -> AtmOut:
        await once(web, request, idempotency_key, data, _cash_work(web, request, atm_id, data))
        return _atm_out(web, find_atm(web, atm_id))

    return [atms, atm, state, cash]


def _cash_work(web: Web, request: ApiRequest, atm_id: str, data: CashIn) -> Work:
    """Return what records the cash of a request."""
    notes = {figure.cassette: figure.notes for figure in data.figures}
    machine = {figure.cassette: figure.machine for figure in data.figures if figure.machine is not None}
    operator = operator_of(request)

    async def work(name: str) -> str:
        atms = web.counter.atms
        match data.what:
            case "counted":
                return await atms.count_cash(
                    atm_id, notes, machine=machine, note=data.note, operator=operator, name=name
                )
            case "reported":
                return await atms.report_cash(atm_id, notes, operator=operator, name=name)
            case "added" | "replaced" as how:
                return await atms.load_cash(atm_id, notes, how=how, operator=operator, name=name)

    return work


def _ticket_routes(web: Web) -> list[Any]:
    @post("/atms/{atm_id:str}/faults", opt={"scope": WRITE, **_MAY}, tags=_TAGS, summary="Report a fault to the bank")
    async def fault(
        request: ApiRequest, atm_id: FromPath[str], data: JSONBody[FaultIn], idempotency_key: IdempotencyKey = None
    ) -> Response[TicketOut]:
        async def work(name: str) -> str:
            return await web.counter.atms.open_fault(
                atm_id, data.kind, detail=data.detail, operator=operator_of(request), name=name
            )

        ticket_id = await once(web, request, idempotency_key, data, work)
        return Response(
            _ticket_out(find_ticket(web, ticket_id)), headers={"Location": f"/api/v1/atm-tickets/{ticket_id}"}
        )

    @get("/atm-tickets/{ticket_id:str}", opt={"scope": READ, **_MAY}, tags=_TAGS, summary="Read a fault ticket")
    async def ticket(ticket_id: FromPath[str]) -> TicketOut:
        return _ticket_out(find_ticket(web, ticket_id))

    @post("/atm-tickets/{ticket_id:str}/close", opt={"scope": WRITE, **_MAY}, tags=_TAGS, summary="End a fault ticket")
    async def close(request: ApiRequest, ticket_id: FromPath[str], data: JSONBody[EndIn]) -> TicketOut:
        await web.counter.atms.close_fault(ticket_id, data.outcome, text=data.text, operator=operator_of(request))
        return _ticket_out(find_ticket(web, ticket_id))

    return [fault, ticket, close]
