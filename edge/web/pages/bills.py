"""Pages of the counter itself: the home page, a bill, a payment."""

import re
from typing import Any, Final

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from edge.web.elsewhere_view import elsewhere_do, elsewhere_status, elsewhere_text
from edge.web.found import find_payment
from edge.web.guards import ACT, own_form, signed_in
from edge.web.pages.sent_forms import form_digest, one_time_key, operator_name, seen_other
from edge.web.payment_view import payment_page, status_key_now
from edge.web.ports.counter import BoxStatus, Reading
from edge.web.rendering import AnyRequest, Web, catalogue_for, language_of, page, part
from edge.web.under_way import under_way
from shared.display import STATUSES, payment_status
from shared.error_texts import describe
from shared.errors import OperatorError
from shared.identifiers import BARCODE_DIGITS
from shared.ids import bill_obligation
from shared.payment import UNDER_WAY, PaymentState
from shared.text import fold_number, is_digits

ALARMS_MAX: Final = 3
NOTICES_MAX: Final = 3
ITEM_DIGITS_MAX: Final = 3
_IN_PLACE: Final = re.compile(r"/(?:requests|bills)/[A-Za-z0-9_/-]{1,80}(?:\?q=[0-9]{1,26})?")
"""Pages that show a payment where it began."""
_IN_THE_WAY: Final = frozenset(
    {"payment.obligation_held", "payment.held_elsewhere", "payment.charge_disputed", "payment.terminal_locked"}
)
"""Codes of a payment that another one stands in the way of; the bill's page shows which."""


async def _back(request: AnyRequest, payment_id: str) -> Redirect:
    """Go on where the button stood: at the payment's own page, or where the payment was shown in place."""
    form = await request.form()
    wanted = str(form.get("next", ""))
    return seen_other(wanted if _IN_PLACE.fullmatch(wanted) else f"/payments/{payment_id}")


def _home(web: Web, request: AnyRequest, *, status_code: int = 200, **context: Any) -> Response[str]:
    form: dict[str, Any] = {
        "values": {},
        "inquiry_values": {},
        "bill_error": None,
        "inquiry_error": None,
    }
    facts = {**form, **home_facts(web), **context}
    return page(web, request, "home.html", status_code=status_code, live_part="home_live.html", **facts)


def home_facts(web: Web) -> dict[str, Any]:
    """Return what the live part of the home page shows."""
    status: BoxStatus = web.counter.queries.status()
    return {
        "rows": under_way(web.counter),
        "in_doubt": web.counter.queries.in_doubt(),
        "doubt_status": STATUSES["in_doubt"],
        "reversal_doubt_status": STATUSES["reversal_in_doubt"],
        "refunds": len(web.counter.queries.open_refunds()),
        "box": status,
        "others_awaited": web.counter.queries.others.are_awaited(),
        "journal_stopped": web.counter.journal_failure() is not None,
        "alarms": list(status.alarms)[:ALARMS_MAX],
        "notices": web.counter.queries.notices(NOTICES_MAX),
    }


def _obligation(reading: Reading) -> str:
    return bill_obligation(reading.bill.bill_id, reading.bill.payment_id)


def _locking(web: Web, terminal: str | None) -> str | None:
    """Return the payment in doubt because of which nothing can be paid: at this terminal, or at the only one free."""
    usable = [one for one in web.counter.terminals() if one.state != "removed" and terminal in {None, one.name}]
    locked = [one.locked_by for one in usable if one.locked_by]
    return locked[0] if locked and len(locked) == len(usable) else None


def _bill_page(
    web: Web,
    request: AnyRequest,
    reading: Reading,
    inquiry_id: str | None,
    *,
    refused_at: str | None = None,
    status_code: int = 200,
) -> Response[str]:
    earlier, elsewhere = reading.earlier, reading.elsewhere
    disputed = web.counter.disputed(_obligation(reading))
    # Locked as a whole only when no terminal is left; else another one can be chosen.
    locked_by = _locking(web, None)
    refused_by = _locking(web, refused_at) if refused_at else None
    context: dict[str, Any] = {"chosen_terminal": lambda: refused_at} if refused_at else {}
    return page(
        web,
        request,
        "bill.html",
        status_code=status_code,
        bill=reading.bill,
        amount_rial=reading.amount_rial,
        earlier=earlier,
        # Nobody holds the bill: whatever was tried before was certainly not charged.
        tried_before=bool(web.counter.queries.payments_of(_obligation(reading))),
        earlier_status=STATUSES[status_key_now(web.counter, earlier)] if earlier else None,
        earlier_running=earlier is not None and earlier.state in UNDER_WAY,
        earlier_in_doubt=earlier is not None and earlier.state is PaymentState.IN_DOUBT,
        elsewhere=elsewhere,
        elsewhere_status=elsewhere_status(elsewhere) if elsewhere else None,
        elsewhere_text=elsewhere_text(elsewhere) if elsewhere else "",
        disputed=disputed,
        disputed_status=payment_status(disputed.state, disputed.confirmation) if disputed else None,
        locked_by=locked_by,
        refused_by=refused_by,
        inquiry_id=inquiry_id,
        **context,
    )


def bill_pages(web: Web) -> list[Any]:
    """Return the handlers of these pages."""

    @get("/", guards=[signed_in])
    async def home(request: AnyRequest) -> Response[str]:
        return _home(web, request)

    @get("/live", guards=[signed_in])
    async def home_live(request: AnyRequest) -> Response[str]:
        return part(web, request, "home_live.html", **home_facts(web))

    @get("/bill", guards=[signed_in], opt={ACT: "bills"})
    async def bill(request: AnyRequest) -> Response[str]:
        values = {name: request.query_params.get(name, "") for name in ("barcode", "bill_id", "payment_id")}
        inquiry_id = request.query_params.get("inquiry_id") or None
        try:
            # A scanner types all 26 digits into whatever field it is aimed at.
            scanned = next((value for value in values.values() if is_barcode(value)), None)
            given = (
                (scanned, None) if scanned else (values["barcode"] or values["bill_id"], values["payment_id"] or None)
            )
            reading = web.counter.read_bill(*given)
        except OperatorError as error:
            said = describe(error, language_of(request))
            return _home(web, request, status_code=422, values=values, bill_error={"error": error, "said": said})
        return _bill_page(web, request, reading, inquiry_id)

    @post("/payments", guards=[signed_in, own_form], opt={ACT: "bills"})
    async def pay(request: AnyRequest) -> Response[str] | Redirect:
        form = await request.form()
        bill_id, payment_id = str(form.get("bill_id", "")), str(form.get("payment_id", ""))
        inquiry_id = str(form.get("inquiry_id", "")) or None
        terminal = str(form.get("terminal", "")) or None
        key = one_time_key(str(form.get("key", "")))
        operator = operator_name(request)

        async def run(name: str) -> bytes:
            began = await web.counter.pay_bill(
                bill_id, payment_id, operator=operator, inquiry_id=inquiry_id, terminal=terminal, name=name
            )
            return began.encode()

        digest = form_digest(bill_id, payment_id, inquiry_id or "", terminal or "")
        try:
            began = await web.counter.idempotent(key, digest, f"page:{operator}", run)
        except OperatorError as error:
            if error.code not in _IN_THE_WAY:
                raise
            # The page of the bill shows which payment stands in the way.
            reading = web.counter.read_bill(bill_id, payment_id)
            return _bill_page(web, request, reading, inquiry_id, refused_at=terminal, status_code=409)
        return seen_other(f"/payments/{began.decode()}")

    return [home, home_live, bill, pay, *_payment_pages(web)]


def _payment(web: Web, request: AnyRequest, payment_id: str) -> Response[str]:
    own = web.counter.queries.payment(payment_id)
    if own is None:
        held = web.counter.queries.others.payment(payment_id)
        if held is None:
            raise OperatorError("payment.unknown", payment_id=payment_id)
        facts: dict[str, Any] = {"held": held, "status": elsewhere_status(held), "do_text": elsewhere_do(held)}
        return page(web, request, "elsewhere.html", **facts)
    shown = payment_page(web.counter, own, catalogue_for(web, request))
    return page(web, request, "payment.html", live_part="payment_live.html", shown=shown, payment=shown.payment)


def _payment_pages(web: Web) -> list[Any]:
    @get("/payments/{payment_id:str}", guards=[signed_in])
    async def payment(request: AnyRequest, payment_id: FromPath[str]) -> Response[str]:
        with web.counter.queries.one_moment():
            return _payment(web, request, payment_id)

    @get("/payments/{payment_id:str}/live", guards=[signed_in])
    async def payment_live(request: AnyRequest, payment_id: FromPath[str]) -> Response[str]:
        shown = payment_page(web.counter, find_payment(web, payment_id), catalogue_for(web, request))
        return part(web, request, "payment_live.html", shown=shown, payment=shown.payment)

    @post("/payments/{payment_id:str}/check", guards=[signed_in, own_form])
    async def check(request: AnyRequest, payment_id: FromPath[str]) -> Redirect:
        await web.counter.check_payment(find_payment(web, payment_id).payment_id, operator=operator_name(request))
        return await _back(request, payment_id)

    @post("/payments/{payment_id:str}/cancel", guards=[signed_in, own_form])
    async def cancel(request: AnyRequest, payment_id: FromPath[str]) -> Redirect:
        try:
            await web.counter.cancel_payment(find_payment(web, payment_id).payment_id, operator=operator_name(request))
        except OperatorError as error:
            # It ended while the button was on its way: its page says how, which is the better answer.
            if error.code != "payment.not_waiting":
                raise
        return await _back(request, payment_id)

    @post("/payments/{payment_id:str}/print", guards=[signed_in, own_form])
    async def print_receipt(request: AnyRequest, payment_id: FromPath[str]) -> Redirect:
        item = str((await request.form()).get("item", ""))
        await web.counter.print_receipt(
            find_payment(web, payment_id).payment_id,
            operator=operator_name(request),
            item=int(item) if is_digits(item) and len(item) <= ITEM_DIGITS_MAX else None,
        )
        return await _back(request, payment_id)

    return [payment, payment_live, check, cancel, print_receipt]


def is_barcode(query: str) -> bool:
    """Return whether a text is the digits of a bill's barcode, in any of our digits."""
    digits = fold_number(query)
    return len(digits) == BARCODE_DIGITS and digits.isascii() and digits.isdecimal()
