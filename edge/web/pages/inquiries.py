"""Pages of inquiries: ask, wait with a ticket, see the answer, pay it in place."""

from typing import Any, Final, get_args

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from edge.web.bill_kinds import KIND_TEXTS
from edge.web.found import find_inquiry
from edge.web.guards import ACT, own_form, signed_in
from edge.web.in_the_way import InTheWay, standing_in_the_way
from edge.web.pages.sent_forms import form_digest, one_time_key, operator_name
from edge.web.payment_view import paper_text, status_key_now
from edge.web.ports.counter import InquiryView
from edge.web.rendering import AnyRequest, Web, language_of, page, part
from shared.display import STATUSES, inquiry_status
from shared.error_texts import describe
from shared.errors import OperatorError
from shared.events import BillKind
from shared.identifiers import parse_bill
from shared.ids import bill_obligation

KINDS: Final[tuple[BillKind, ...]] = get_args(BillKind)
_SENTENCES: Final[dict[str, str]] = {
    "owed": "inquiry.owed",
    "nothing_owed": "inquiry.nothing_owed",
    "wrong_parameter": "inquiry.wrong_parameter",
    "refused": "inquiry.refused",
}


def kind_of(text: str) -> BillKind:
    """Return the kind a form named. Raises OperatorError `inquiry.kind_unknown`."""
    for kind in KINDS:
        if kind == text:
            return kind
    raise OperatorError("inquiry.kind_unknown", field="kind")


def _sentence(web: Web, inquiry: InquiryView) -> str:
    if inquiry.outcome is not None:
        return _SENTENCES[inquiry.outcome]
    return "inquiry.waiting_no_line" if web.counter.line().state == "none" else "inquiry.waiting"


def _was_tried(web: Web, inquiry: InquiryView) -> bool:
    """Return whether the answer's bill was tried before; nobody holds it, so it was certainly not charged."""
    if inquiry.payment_id or inquiry.bill_id is None or inquiry.bill_payment_id is None:
        return False
    return bool(web.counter.queries.payments_of(bill_obligation(inquiry.bill_id, inquiry.bill_payment_id)))


def _held(web: Web, inquiry: InquiryView) -> InTheWay | None:
    """Return what keeps the answer's bill from being paid though no payment of this box holds it."""
    if inquiry.outcome != "owed" or inquiry.payment_id or inquiry.bill_id is None or inquiry.bill_payment_id is None:
        return None
    try:
        return standing_in_the_way(web.counter, parse_bill(inquiry.bill_id, inquiry.bill_payment_id))
    except OperatorError:
        # A provider's ids that are none: pressing pay says what is wrong with them.
        return None


def _facts(web: Web, inquiry: InquiryView) -> dict[str, Any]:
    payment = web.counter.queries.payment(inquiry.payment_id) if inquiry.payment_id else None
    jobs = web.counter.queries.print_jobs_for(inquiry.inquiry_id)
    return {
        "inquiry": inquiry,
        "kind_text": KIND_TEXTS[inquiry.kind],
        "status": inquiry_status(inquiry.outcome),
        "sentence_text": _sentence(web, inquiry),
        "payment": payment,
        "held": _held(web, inquiry),
        "tried_before": _was_tried(web, inquiry),
        "payment_status": STATUSES[status_key_now(web.counter, payment)] if payment else None,
        "paper_text": paper_text(jobs, inquiry.printed),
        "printed": inquiry.printed,
        "live": inquiry.outcome is None or payment is not None,
    }


def inquiry_pages(web: Web) -> list[Any]:
    """Return the handlers of these pages."""

    def _form(
        request: AnyRequest, values: dict[str, str], error: OperatorError | None, status_code: int
    ) -> Response[str]:
        return page(
            web,
            request,
            "inquiry_new.html",
            status_code=status_code,
            inquiry_values=values,
            inquiry_error={"error": error, "said": describe(error, language_of(request))} if error else None,
        )

    @get("/inquiries/new", guards=[signed_in], opt={ACT: "bill_inquiry"})
    async def new(request: AnyRequest) -> Response[str]:
        return _form(request, {"kind": request.query_params.get("kind", "")}, None, 200)

    @post("/inquiries", guards=[signed_in, own_form], opt={ACT: "bill_inquiry"})
    async def ask(request: AnyRequest) -> Response[str] | Redirect:
        form = await request.form()
        values = {name: str(form.get(name, "")) for name in ("kind", "parameter", "key")}
        operator = operator_name(request)

        async def run(name: str) -> bytes:
            kind = kind_of(values["kind"])
            asked = await web.counter.ask_inquiry(kind, values["parameter"], operator=operator, name=name)
            return asked.encode()

        try:
            key = one_time_key(values["key"])
            digest = form_digest(values["kind"], values["parameter"])
            asked = await web.counter.idempotent(key, digest, f"page:{operator}", run)
        except OperatorError as error:
            if error.field is None:
                raise
            return _form(request, values, error, 422)
        return Redirect(f"/inquiries/{asked.decode()}", status_code=303)

    @get("/inquiries/{inquiry_id:str}", guards=[signed_in])
    async def inquiry(request: AnyRequest, inquiry_id: FromPath[str]) -> Response[str]:
        facts = _facts(web, find_inquiry(web, inquiry_id))
        return page(web, request, "inquiry.html", live_part="inquiry_live.html", **facts)

    @get("/inquiries/{inquiry_id:str}/live", guards=[signed_in])
    async def inquiry_live(request: AnyRequest, inquiry_id: FromPath[str]) -> Response[str]:
        return part(web, request, "inquiry_live.html", **_facts(web, find_inquiry(web, inquiry_id)))

    @post("/inquiries/{inquiry_id:str}/print", guards=[signed_in, own_form])
    async def print_ticket(request: AnyRequest, inquiry_id: FromPath[str]) -> Redirect:
        await web.counter.print_ticket(find_inquiry(web, inquiry_id).inquiry_id, operator=operator_name(request))
        return Redirect(f"/inquiries/{inquiry_id}", status_code=303)

    return [new, ask, inquiry, inquiry_live, print_ticket]
