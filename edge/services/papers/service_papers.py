"""Papers of catalogue services: the fee's receipt, those of fines and orders, and the ticket of a request that waits.

What stands on them is opened when they are printed, as far as the month's key is still there. Whom a request is about
stands on paper by its last characters only, or as a plate.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, Literal, TypedDict

from edge.devices.printers.typeface import has_glyph
from edge.journal.services import ServiceRequestView
from edge.journal.views import PaymentView, PrintJob
from edge.services.papers.documents import FINE_RECEIPT, ORDER_RECEIPT, SERVICE_RECEIPT, SERVICE_TICKET, Letterhead
from edge.services.sales.open_answer import open_document, open_fields
from edge.services.sales.pay_answer import obligation_of
from edge.services.sales.service_view import ServiceViews
from edge.store.queries import Queries
from shared.answer_document import Item
from shared.calendar import parse_jalali_datetime
from shared.catalogue import Service
from shared.clock import parse_instant
from shared.errors import BugError, OperatorError
from shared.paper_facts import (
    FineReceiptFacts,
    Handed,
    OrderReceiptFacts,
    ServiceReceiptFacts,
    ServiceTicketFacts,
    Violation,
)
from shared.paper_filling import compose
from shared.payment import PaymentState
from shared.plates import CODE_DIGITS, motorcycle_text, plate_number
from shared.receipt import PlateNumber, Receipt, receipt_url, status_url
from shared.service_fields import applicant_of
from shared.service_state import fee_of

_TEXT_MAX: Final = 120
"""Characters of a text that a provider wrote, on paper."""
_HANDED: Final[Mapping[str, Literal["pin", "serial"]]] = {"pin": "pin", "serial": "serial"}


class _Charged(TypedDict):
    """What every receipt of a charge carries."""

    office_name: str
    office_code: str
    pan: str | None
    stan: str | None
    rrn: str | None
    terminal_number: str | None
    journal_index: int
    leaf: str
    verify_url: str
    amount_rial: int
    paid_at: datetime
    operator: str
    stated_by: str | None
    stated_slip: str | None


class ServicePapers:
    """Makes them, by the spool's job."""

    def __init__(self, queries: Queries, views: ServiceViews, head: Letterhead) -> None:
        self._queries = queries
        self._views = views
        self._head = head
        self.makers: Final[Mapping[str, Callable[[PrintJob], Receipt]]] = {
            SERVICE_TICKET: self._ticket,
            SERVICE_RECEIPT: self._fee_receipt,
            FINE_RECEIPT: self._fine_receipt,
            ORDER_RECEIPT: self._order_receipt,
        }
        """By document. Each raises OperatorError or BugError where there is nothing to print."""

    def _ticket(self, job: PrintJob) -> Receipt:
        asked = self._views.known(job.about)
        service = self._views.service_of(asked)
        paid = fee_of(asked.facts()) == "settled"
        facts = ServiceTicketFacts(
            office_name=self._head.office_name,
            office_code=self._head.office_code,
            ticket=asked.ticket,
            service=service.name.fa,
            applicant_tail=_printable(asked.applicant_tail),
            fee="none" if not asked.fee_rial else "paid" if paid else "due",
            fee_rial=asked.fee_rial or None,
            requested_at=parse_instant(asked.requested_at),
            journal_index=asked.requested_index,
            operator=asked.operator,
            status_url=status_url(self._head.verify_base, asked.inquiry_id),
        )
        return compose(facts, copy=job.copy, training=self._head.demo)

    def _fee_receipt(self, job: PrintJob) -> Receipt:
        payment, asked, service = self._of(job)
        tariff = service.tariff
        facts = ServiceReceiptFacts(
            **self._charged(payment),
            service=(service.fee_name or service.name).fa,
            plate=self._plate(asked, service),
            applicant=self._applicant(asked, service),
            vat_rial=(tariff.vat_rial or None) if tariff.fee_rial == payment.amount_rial else None,
            tracking_code=_printable(asked.track_id or "") or None,
            ticket=asked.ticket,
        )
        return compose(facts, copy=job.copy, training=self._head.demo)

    def _fine_receipt(self, job: PrintJob) -> Receipt:
        payment, asked, service = self._of(job)
        facts = FineReceiptFacts(
            **self._charged(payment),
            plate=self._plate(asked, service),
            applicant=self._applicant(asked, service),
            violations=self._violations(payment, asked),
            bill_id=payment.bill_id,
            bill_payment_id=payment.bill_payment_id,
            confirmation=payment.confirmation,
            provider_reference=payment.provider_reference,
            case_id=payment.case_id,
        )
        return compose(facts, copy=job.copy, training=self._head.demo)

    def _order_receipt(self, job: PrintJob) -> Receipt:
        payment, asked, service = self._of(job)
        handed = self._views.handed_over(asked, payment) or {}
        facts = OrderReceiptFacts(
            **self._charged(payment),
            service=(service.payable_name or service.name).fa,
            applicant=self._applicant(asked, service),
            order_id=payment.obligation.removeprefix("order:"),
            handed=tuple(
                Handed(name=_HANDED.get(name, "other"), value=_printable(value))
                for name, value in handed.items()
                if value
            ),
            confirmation=payment.confirmation,
            provider_reference=payment.provider_reference,
            case_id=payment.case_id,
        )
        return compose(facts, copy=job.copy, training=self._head.demo)

    def _of(self, job: PrintJob) -> tuple[PaymentView, ServiceRequestView, Service]:
        payment = self._queries.payment(job.about)
        if payment is None:
            raise OperatorError("payment.unknown", payment_id=job.about)
        asked = self._views.known(payment.inquiry_id or "")
        return payment, asked, self._views.service_of(asked)

    def _charged(self, payment: PaymentView) -> _Charged:
        if payment.outcome_index is None or payment.outcome_leaf is None or payment.outcome_at is None:
            raise BugError("print.nothing_to_print", about=payment.payment_id)
        head, stated = self._head, payment.state is PaymentState.OVERRIDDEN_CHARGED
        return _Charged(
            office_name=head.office_name,
            office_code=head.office_code,
            pan=payment.pan,
            stan=payment.stan,
            rrn=payment.rrn,
            terminal_number=payment.terminal_number,
            journal_index=payment.outcome_index,
            leaf=payment.outcome_leaf,
            verify_url=receipt_url(head.verify_base, head.journal_id, payment.outcome_index, payment.outcome_leaf),
            amount_rial=payment.amount_rial,
            paid_at=parse_instant(payment.outcome_at),
            operator=payment.operator,
            stated_by=payment.stated_by if stated else None,
            stated_slip=payment.stated_slip if stated else None,
        )

    def _plate(self, asked: ServiceRequestView, service: Service) -> PlateNumber | None:
        """Return the car's plate that a request is about, None for anything else."""
        field, fields = service.applicant, open_fields(self._queries.services, asked)
        if field is None or field.kind != "plate" or fields is None:
            return None
        code = applicant_of(service, fields)
        return plate_number(code) if len(code) == CODE_DIGITS else None

    def _applicant(self, asked: ServiceRequestView, service: Service) -> str | None:
        """Return whom a request is about as paper may say it, where no plate is drawn."""
        field, fields = service.applicant, open_fields(self._queries.services, asked)
        if field is None or fields is None:
            return f"…{_printable(asked.applicant_tail)}"
        if field.kind == "plate":
            return None
        if field.kind == "motorcycle_plate":
            return motorcycle_text(applicant_of(service, fields), "fa")
        return f"…{_printable(asked.applicant_tail)}"

    def _violations(self, payment: PaymentView, asked: ServiceRequestView) -> tuple[Violation, ...]:
        """Return what a payment paid one by one, as the answer names it; nothing where the whole was paid at once."""
        document = open_document(self._queries.services, asked).document
        items = () if document is None else document.items
        paid = set(payment.obligations)
        return tuple(
            _violation(item) for item in items if item.payable is not None and obligation_of(item.payable) in paid
        )


def _violation(item: Item) -> Violation:
    payable, values = item.payable, item.values
    return Violation(
        kind=_printable(values.get("type", "")) or item.key,
        amount_rial=0 if payable is None else payable.amount_rial,
        at=_when(values.get("date", "")),
        location=_printable(values.get("place", "")) or None,
        serial=_printable(values.get("serial", "")) or None,
        bill_id=None if payable is None else payable.bill_id,
        bill_payment_id=None if payable is None else payable.bill_payment_id,
    )


def _when(text: str) -> datetime | None:
    """Return when something was, by a provider's day or instant."""
    for read in (parse_instant, parse_jalali_datetime, lambda day: parse_jalali_datetime(f"12:00 {day}")):
        try:
            return read(text)
        except (ValueError, OverflowError, OperatorError):
            continue
    return None


def _printable(text: str) -> str:
    """Return a text of another program as far as paper can show it: a receipt must come out whatever stands in it."""
    return "".join(letter for letter in text[:_TEXT_MAX] if has_glyph(letter)).strip()
