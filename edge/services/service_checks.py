"""What has to hold of a request for a service before money is taken for it. Read inside the write transaction."""

from edge.journal.services import ServiceRequestView
from edge.journal.writer import StoreView
from edge.services.open_answer import OpenDocument, open_document
from edge.services.pay_answer import obligation_of, same_debt
from shared.answer_document import AnswerDocument, Payable
from shared.errors import OperatorError
from shared.events import PaymentRequested
from shared.ids import fee_obligation
from shared.service_state import PAYABLE_FEE, SEEN, ServiceState, service_state


def known_request(view: StoreView, inquiry_id: str) -> ServiceRequestView:
    """Return a request that must be there. Raises OperatorError `inquiry.unknown`."""
    asked = view.services.request(inquiry_id)
    if asked is None:
        raise OperatorError("inquiry.unknown", inquiry_id=inquiry_id)
    return asked


def opened_state(asked: ServiceRequestView, opened: OpenDocument) -> ServiceState:
    """Return where a request stands, its answer's document looked at."""
    return service_state(asked.facts(readable=opened.state != "unreadable"))


def open_answer(view: StoreView, inquiry_id: str) -> tuple[ServiceRequestView, AnswerDocument | None]:
    """Return a request whose answer may be seen, and the answer's document where there is one to be read.

    Raises OperatorError `inquiry.unknown`, `service.answer_shut`.
    """
    asked = known_request(view, inquiry_id)
    opened = open_document(view.services, asked)
    if opened_state(asked, opened) not in SEEN:
        raise OperatorError("service.answer_shut", inquiry_id=inquiry_id)
    return asked, opened.document


def service_agrees(view: StoreView, wanted: PaymentRequested) -> None:
    """Check that a payment of a service is one that its request asks for, now.

    Raises OperatorError `inquiry.unknown`, `service.no_fee_due`, `service.answer_shut`, `service.payable_unknown`,
    `payment.obligation_held` (names who paid a part or the whole of the same debt).
    """
    inquiry_id = wanted.inquiry_id or ""
    if wanted.purpose == "inquiry_fee":
        _fee_is_due(known_request(view, inquiry_id), wanted)
        return
    _, document = open_answer(view, inquiry_id)
    if document is None:
        raise OperatorError("service.answer_shut", inquiry_id=inquiry_id)
    asked_for = {item.obligation: item.amount_rial for item in wanted.items} or {wanted.obligation: wanted.amount_rial}
    offered: dict[str, Payable] = {
        named: payable for payable in document.payables() if (named := obligation_of(payable)) is not None
    }
    for obligation, amount_rial in asked_for.items():
        if obligation not in offered or offered[obligation].amount_rial != amount_rial:
            raise OperatorError("service.payable_unknown", key=wanted.payable)
    for obligation in same_debt(document, [offered[obligation].key for obligation in asked_for]):
        if held := view.holder_of(obligation):
            raise OperatorError("payment.obligation_held", payment_id=held.payment_id)


def _fee_is_due(asked: ServiceRequestView, wanted: PaymentRequested) -> None:
    is_the_fee = wanted.obligation == fee_obligation(asked.inquiry_id) and wanted.amount_rial == asked.fee_rial
    if not is_the_fee or asked.state not in PAYABLE_FEE:
        raise OperatorError("service.no_fee_due", inquiry_id=asked.inquiry_id)
