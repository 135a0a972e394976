"""What an address of the pages or of the API names, or that there is no such thing."""

from edge.web.ports.atms import AtmView, TicketView
from edge.web.ports.counter import ClosedDay, InquiryView, PaymentView, RefundView
from edge.web.rendering import Web
from shared.errors import OperatorError


def find_payment(web: Web, payment_id: str) -> PaymentView:
    """Return a payment. Raises OperatorError `payment.unknown`."""
    payment = web.counter.queries.payment(payment_id)
    if payment is None:
        raise OperatorError("payment.unknown", payment_id=payment_id)
    return payment


def find_inquiry(web: Web, inquiry_id: str) -> InquiryView:
    """Return an inquiry. Raises OperatorError `inquiry.unknown`."""
    inquiry = web.counter.queries.inquiry(inquiry_id)
    if inquiry is None:
        raise OperatorError("inquiry.unknown", inquiry_id=inquiry_id)
    return inquiry


def find_refund(web: Web, refund_id: str) -> RefundView:
    """Return a request to give a payment back. Raises OperatorError `refund.unknown`."""
    refund = web.counter.queries.refund(refund_id)
    if refund is None:
        raise OperatorError("refund.unknown", refund_id=refund_id)
    return refund


def find_day(web: Web, close_id: str) -> ClosedDay:
    """Return a closed day. Raises OperatorError `day.unknown`."""
    day = web.counter.queries.closed_day(close_id)
    if day is None:
        raise OperatorError("day.unknown", close_id=close_id)
    return day


def find_atm(web: Web, atm_id: str) -> AtmView:
    """Return a machine. Raises OperatorError `atm.unknown`."""
    atm = web.counter.queries.atms.atm(atm_id)
    if atm is None:
        raise OperatorError("atm.unknown", atm_id=atm_id)
    return atm


def find_ticket(web: Web, ticket_id: str) -> TicketView:
    """Return a ticket. Raises OperatorError `atm.ticket_unknown`."""
    ticket = web.counter.queries.atms.ticket(ticket_id)
    if ticket is None:
        raise OperatorError("atm.ticket_unknown", ticket_id=ticket_id)
    return ticket
