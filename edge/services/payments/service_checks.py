"""What has to hold of a request for a service before money is taken for it. Read inside the write transaction."""

from collections.abc import Collection

from edge.journal.ports import ServiceReader
from edge.journal.services import ServiceRequestView
from edge.journal.views import PaymentView
from edge.journal.writer import StoreView
from edge.services.payments.same_debt import OtherAnswers, is_refused
from edge.services.sales.open_answer import OpenDocument, open_document
from edge.services.sales.pay_answer import obligation_of, same_debt
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


def debt_of(reader: ServiceReader, paid: PaymentRequested | PaymentView, own: Collection[str]) -> tuple[str, ...]:
    """Return what stands for what a payment pays: its `own` obligations, and a part or the whole of the same debt.

    The same debt may stand under another answer about the same applicant as well.

    Of an answer that cannot be read here nothing is known but what was paid of it.
    """
    if not paid.service or paid.purpose == "inquiry_fee" or paid.inquiry_id is None:
        return tuple(own)
    asked = reader.request(paid.inquiry_id)
    document = None if asked is None else open_document(reader, asked).document
    if document is None:
        return tuple(own)
    keys = [payable.key for payable in document.payables() if obligation_of(payable) in own]
    same = same_debt(document, keys)
    elsewhere = [] if asked is None else OtherAnswers(reader, asked, document).same_as(own)
    return tuple(dict.fromkeys((*own, *same, *elsewhere)))


def service_agrees(view: StoreView, wanted: PaymentRequested) -> None:
    """Check that a payment of a service is one that its request asks for, now.

    Raises OperatorError `inquiry.unknown`, `service.no_fee_due`, `service.ask_anew` (nothing could be shown for the
    fee), `service.answer_shut`, `service.payable_unknown`, `payment.obligation_held` (names who paid a part or the
    whole of the same debt).
    """
    inquiry_id = wanted.inquiry_id or ""
    if wanted.purpose == "inquiry_fee":
        _fee_is_due(view, known_request(view, inquiry_id), wanted)
        return
    asked, document = open_answer(view, inquiry_id)
    if document is None:
        raise OperatorError("service.answer_shut", inquiry_id=inquiry_id)
    asked_for = {item.obligation: item.amount_rial for item in wanted.items} or {wanted.obligation: wanted.amount_rial}
    offered: dict[str, Payable] = {
        named: payable for payable in document.payables() if (named := obligation_of(payable)) is not None
    }
    for obligation, amount_rial in asked_for.items():
        if obligation not in offered or offered[obligation].amount_rial != amount_rial:
            raise OperatorError("service.payable_unknown", key=wanted.payable)
    same = same_debt(document, [offered[obligation].key for obligation in asked_for])
    for obligation in (*same, *OtherAnswers(view.services, asked, document).same_as(asked_for)):
        held = view.holder_of(obligation)
        if held is None or (obligation not in same and is_refused(held, obligation)):
            # Another whole may be made of it: of an answer that is not known to be about the same.
            held = view.whole_of(obligation)
        if held is not None:
            raise OperatorError("payment.obligation_held", payment_id=held.payment_id)


def _fee_is_due(view: StoreView, asked: ServiceRequestView, wanted: PaymentRequested) -> None:
    is_the_fee = wanted.obligation == fee_obligation(asked.inquiry_id) and wanted.amount_rial == asked.fee_rial
    if not is_the_fee or asked.state not in PAYABLE_FEE:
        raise OperatorError("service.no_fee_due", inquiry_id=asked.inquiry_id)
    # An answer is sealed to the key that its request names: without it, or with one that is none, there is nothing to
    # be sold for the fee.
    opened = open_document(view.services, asked).state
    if opened == "unreadable" or view.services.private_key(asked.fields.key_id) is None:
        raise OperatorError("service.ask_anew", inquiry_id=asked.inquiry_id)
