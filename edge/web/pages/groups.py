"""Pages of bills that are paid together: putting them in a row, paying them, and how each of them stands.

The bills of a group that is not paid yet stand in the page's own address, so the page can be loaded again, left and
come back to, and works without script. From the press on, the group is its payments in the journal.
"""

from typing import Any, Final
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from edge.web.group_view import BILLS_MAX, Draft, group_shown, read_draft
from edge.web.guards import ACT, own_form, signed_in
from edge.web.in_the_way import InTheWay, standing_in_the_way
from edge.web.pages.bills import is_barcode
from edge.web.pages.sent_forms import form_digest, one_time_key, operator_name
from edge.web.rendering import AnyRequest, Web, language_of, page, part
from shared.error_texts import describe
from shared.errors import OperatorError
from shared.identifiers import Bill
from shared.ids import bill_obligation

PATH: Final = "/bills/group"
FIELDS: Final = ("barcode", "bill_id", "payment_id")
ONE: Final = "one"
"""The value of the button that charges all bills together; the other one charges each."""
_MAY: Final = {ACT: "group_bills"}


def _address(barcodes: list[str]) -> str:
    return f"{PATH}?{urlencode([('bill', barcode) for barcode in barcodes])}" if barcodes else PATH


def group_pages(web: Web) -> list[Any]:
    """Return the handlers of these pages."""
    return [*_draft_pages(web), *_begun_pages(web), *_begun_buttons(web)]


def _draft_page(
    web: Web,
    request: AnyRequest,
    draft: Draft,
    *,
    values: dict[str, str] | None = None,
    bill_error: dict[str, Any] | None = None,
    held: InTheWay | None = None,
    held_bill: Bill | None = None,
    error: OperatorError | None = None,
    status_code: int = 200,
) -> Response[str]:
    """Return the page on which bills are put together.

    `bill_error` is of the bill just read, `held` says why it, `held_bill`, cannot be paid; `error` is of paying all.
    """
    return page(
        web,
        request,
        "group.html",
        # The script that puts the page in place of the one that is shown takes no refusal for one.
        status_code=200 if request.headers.get("hx-request") else status_code,
        draft=draft,
        values=values or {},
        bill_error=bill_error,
        held=held,
        held_bill=held_bill,
        error_said=describe(error, language_of(request)) if error else None,
        draft_address=_address([line.bill.barcode for line in draft.lines]),
        address_of=lambda barcodes: _address(list(barcodes)),
    )


def _draft_pages(web: Web) -> list[Any]:
    @get(PATH, guards=[signed_in], opt=_MAY)
    async def group(request: AnyRequest) -> Response[str] | Redirect:
        draft = read_draft(web.counter, request.query_params.getall("bill", []))
        values = {name: request.query_params.get(name, "") for name in FIELDS}
        if not any(values.values()) and "add" not in request.query_params:
            return _draft_page(web, request, draft)
        # A scanner types all 26 digits into whatever field it is aimed at.
        scanned = next((value for value in values.values() if is_barcode(value)), None)
        given = (scanned, None) if scanned else (values["barcode"] or values["bill_id"], values["payment_id"] or None)
        try:
            bill = web.counter.read_bill(*given).bill
            _check_fits(draft, bill_obligation(bill.bill_id, bill.payment_id))
        except OperatorError as error:
            said = {"error": error, "said": describe(error, language_of(request))}
            kept = {} if error.code == "bill.twice" else values
            return _draft_page(web, request, draft, values=kept, bill_error=said, status_code=422)
        if (held := standing_in_the_way(web.counter, bill)) is not None:
            return _draft_page(web, request, draft, held=held, held_bill=bill, status_code=409)
        return Redirect(_address([*(line.bill.barcode for line in draft.lines), bill.barcode]), status_code=303)

    @post("/bills/groups", guards=[signed_in, own_form], opt=_MAY)
    async def pay(request: AnyRequest) -> Response[str] | Redirect:
        form = await request.form()
        barcodes = [str(barcode) for barcode in form.getall("bill", [])]
        charge, terminal = str(form.get("charge", ONE)), str(form.get("terminal", "")) or None
        key = one_time_key(str(form.get("key", "")))
        operator = operator_name(request)

        async def run(name: str) -> bytes:
            bills = [web.counter.read_bill(barcode).bill for barcode in barcodes]
            one_charge = charge == ONE
            began = await web.counter.groups.pay(
                bills, one_charge=one_charge, operator=operator, terminal=terminal, name=name
            )
            return began.encode()

        try:
            digest = form_digest(*barcodes, charge, terminal or "")
            began = await web.counter.idempotent(key, digest, f"page:{operator}", run)
        except OperatorError as error:
            # Each bill of the list says what stands in its way; the rest stays.
            return _draft_page(web, request, read_draft(web.counter, barcodes), error=error, status_code=409)
        return Redirect(f"/bills/groups/{began.decode()}", status_code=303)

    return [group, pay]


def _check_fits(draft: Draft, obligation: str) -> None:
    """Check that a bill may be added. Raises OperatorError `bill.twice`, `bill.too_many`."""
    for number, line in enumerate(draft.lines, start=1):
        if bill_obligation(line.bill.bill_id, line.bill.payment_id) == obligation:
            raise OperatorError("bill.twice", field="barcode", line=number)
    if len(draft.lines) >= BILLS_MAX:
        raise OperatorError("bill.too_many", field="barcode", count=len(draft.lines) + 1, count_max=BILLS_MAX)


def _begun_pages(web: Web) -> list[Any]:
    @get("/bills/groups/{group_id:str}", guards=[signed_in], opt=_MAY)
    async def begun(request: AnyRequest, group_id: FromPath[str]) -> Response[str]:
        shown = group_shown(web.counter, web.counter.groups.view(group_id))
        return page(web, request, "group_begun.html", live_part="group_live.html", shown=shown, error_said=None)

    @get("/bills/groups/{group_id:str}/live", guards=[signed_in], opt=_MAY)
    async def begun_live(request: AnyRequest, group_id: FromPath[str]) -> Response[str]:
        return part(web, request, "group_live.html", shown=group_shown(web.counter, web.counter.groups.view(group_id)))

    return [begun, begun_live]


def _begun_buttons(web: Web) -> list[Any]:
    @post("/bills/groups/{group_id:str}/again", guards=[signed_in, own_form], opt=_MAY)
    async def again(request: AnyRequest, group_id: FromPath[str]) -> Response[str] | Redirect:
        form = await request.form()
        obligations = [str(one) for one in form.getall("obligation", [])]
        charge, terminal = str(form.get("charge", ONE)), str(form.get("terminal", "")) or None
        key = one_time_key(str(form.get("key", "")))
        operator = operator_name(request)

        async def run(name: str) -> bytes:
            await web.counter.groups.pay_again(
                group_id,
                one_charge=charge == ONE,
                operator=operator,
                obligations=obligations,
                terminal=terminal,
                name=name,
            )
            return b""

        digest = form_digest(group_id, *obligations, charge, terminal or "")
        try:
            await web.counter.idempotent(key, digest, f"page:{operator}", run)
        except OperatorError as error:
            shown = group_shown(web.counter, web.counter.groups.view(group_id))
            return page(
                web,
                request,
                "group_begun.html",
                live_part="group_live.html",
                status_code=409,
                shown=shown,
                error_said=describe(error, language_of(request)),
            )
        return Redirect(f"/bills/groups/{group_id}", status_code=303)

    @post("/bills/groups/{group_id:str}/stop", guards=[signed_in, own_form], opt=_MAY)
    async def stop(group_id: FromPath[str]) -> Redirect:
        await web.counter.groups.stop(group_id)
        return Redirect(f"/bills/groups/{group_id}", status_code=303)

    @post("/bills/groups/{group_id:str}/slip", guards=[signed_in, own_form], opt=_MAY)
    async def slip(group_id: FromPath[str]) -> Redirect:
        await web.counter.groups.print_slip(group_id)
        return Redirect(f"/bills/groups/{group_id}", status_code=303)

    @post("/bills/groups/{group_id:str}/receipts", guards=[signed_in, own_form], opt=_MAY)
    async def receipts(group_id: FromPath[str]) -> Redirect:
        await web.counter.groups.print_receipts(group_id)
        return Redirect(f"/bills/groups/{group_id}", status_code=303)

    return [again, stop, slip, receipts]
