"""A provider of services to play with, in both public shapes: behaves like a real one, and misbehaves when told to.

Bills follow from the subscriber's number, so every asker sees the same debt; numbers that end in 00 owe nothing, in 99
do not exist. Any bill whose check digits are right can be paid once. `POST /control/bad-day` scripts trouble:

    slow        wait `ms`, then answer                 error_500   fail before doing anything
    html        a page instead of an answer            wrong_json  JSON of another shape
    pending     PENDING now, DONE once it is asked     unknown     UNKNOWN, likewise
    lost        do it, then cut the answer short       busy        FAILED, SERVICE_CALL_ERROR: may be sent again
    refused     the service is not given               wrong_parameter, other_track, wrong_amount
    paid_already, expired_offer, changed_amount        of a bill or an order

Each `on` one kind of call: inquiry, confirm, status, service, order, approve, image, or any.
`POST /control/good-day` ends them, `POST /control/bills` makes a bill paid, expired or open, `POST /control/debts`
sets what a subscriber owes, `POST /control/answers` the result of a service's call, `GET /control/state` shows all,
`POST /control/forget` starts anew.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import uvicorn
from litestar import Litestar, Request, get, post
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.params import QueryParameter

from central.providers.sandbox_days import envelope_of_a_day, shown
from central.providers.sandbox_messages import Messages, message_routes
from central.providers.sandbox_routes import service_routes
from central.providers.sandbox_state import (
    BadDay,
    BillMark,
    Call,
    Debt,
    Envelope,
    Sandbox,
    SandboxState,
    failed,
    kind_of,
    made_bill,
)
from shared.calendar import tehran_date
from shared.clock import Clock

STATE_FILE: Final = "provider.json"
GRACEFUL_SHUTDOWN_S: Final = 2

_TrackId = Annotated[str, QueryParameter(name="trackId", min_length=1, max_length=40)]


class ConfirmBody(msgspec.Struct, rename="camel"):
    """What is told of a paid bill."""

    bill_id: str
    pay_id: str
    amount: int
    rrn: str = ""
    stan: str = ""
    paid_at: str = ""


class MadeBill(msgspec.Struct):
    """A bill the sandbox would show for a subscriber."""

    bill_id: str
    payment_id: str
    amount_rial: int


def create_sandbox_app(clock: Clock, *, folder: Path | None = None) -> Litestar:
    """Return the sandbox provider; with a folder, what it remembers outlives it."""
    sandbox = Sandbox(None if folder is None else folder / STATE_FILE)

    async def answer(call: Call, track_id: str, work: Callable[[], Envelope]) -> Any:
        sandbox.heard(call, track_id)
        response = await envelope_of_a_day(sandbox, call, track_id, work)
        sandbox.save()
        return response

    @get("/billing/v2/clients/{client:str}/billingInquiry")
    async def inquiry(
        track_id: _TrackId,
        type_word: Annotated[str, QueryParameter(name="type")],
        parameter: Annotated[str, QueryParameter(name="parameter", max_length=40)],
    ) -> Any:
        kind = kind_of(type_word)
        if kind is None:
            return shown(failed(track_id, "VALIDATION_ERROR", "Bill Wrong Type"))
        today = tehran_date(clock.now())
        return await answer("inquiry", track_id, lambda: sandbox.inquire(kind, parameter, track_id, today))

    @post("/billing/v2/clients/{client:str}/billPaymentConfirm")
    async def confirm(track_id: _TrackId, request: Request[Any, Any, Any]) -> Any:
        told = msgspec.json.decode(await request.body(), type=ConfirmBody)
        return await answer(
            "confirm", track_id, lambda: sandbox.confirm(told.bill_id, told.pay_id, told.amount, track_id)
        )

    @get("/billing/v2/clients/{client:str}/trackStatus")
    async def status(track_id: _TrackId) -> Any:
        return await answer("status", track_id, lambda: sandbox.status(track_id))

    return Litestar(
        route_handlers=[
            inquiry,
            confirm,
            status,
            *service_routes(sandbox, clock),
            *message_routes(Messages()),
            *_control(sandbox),
            _health,
        ],
        openapi_config=OpenAPIConfig(
            title="Sandbox provider", version="1", path="/schema", render_plugins=[JsonRenderPlugin()]
        ),
        logging_config=None,
    )


@get("/health", sync_to_thread=False)
def _health() -> dict[str, str]:
    return {"status": "ok"}


def _control(sandbox: Sandbox) -> list[Any]:
    """Return the handlers by which a person or a test scripts the provider."""

    @post("/control/bad-day")
    async def bad_day(request: Request[Any, Any, Any]) -> BadDay:
        day = msgspec.json.decode(await request.body(), type=BadDay)
        day.left = day.times
        sandbox.state.bad_days.append(day)
        sandbox.save()
        return day

    @post("/control/good-day", sync_to_thread=False)
    def good_day() -> dict[str, str]:
        sandbox.state.bad_days.clear()
        sandbox.save()
        return {"status": "ok"}

    @post("/control/bills")
    async def bills(request: Request[Any, Any, Any]) -> BillMark:
        mark = msgspec.json.decode(await request.body(), type=BillMark)
        sandbox.state.bills[f"{mark.bill_id}:{mark.payment_id}"] = mark.state
        sandbox.save()
        return mark

    @post("/control/debts")
    async def debts(request: Request[Any, Any, Any]) -> MadeBill:
        debt = msgspec.json.decode(await request.body(), type=Debt)
        amount_rial = debt.amount_rial // 1000 * 1000
        sandbox.state.debts[f"{debt.kind}:{debt.parameter}"] = amount_rial
        sandbox.save()
        if not amount_rial:
            return MadeBill(bill_id="", payment_id="", amount_rial=0)
        bill_id, payment_id = made_bill(debt.kind, debt.parameter, amount_rial)
        return MadeBill(bill_id=bill_id, payment_id=payment_id, amount_rial=amount_rial)

    @post("/control/forget", sync_to_thread=False)
    def forget() -> dict[str, str]:
        sandbox.state = SandboxState()
        sandbox.save()
        return {"status": "ok"}

    @get("/control/state", sync_to_thread=False)
    def state() -> SandboxState:
        return sandbox.state

    return [bad_day, good_day, bills, debts, forget, state]


def serve_sandbox(clock: Clock, *, host: str, port: int, folder: Path | None) -> None:
    """Serve the sandbox until it is told to stop."""
    uvicorn.run(
        create_sandbox_app(clock, folder=folder),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_S,
    )
