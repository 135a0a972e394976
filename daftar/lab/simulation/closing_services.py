"""Judging a day's services at its end: what was asked for, what was paid for it, and what central holds of both."""

from collections.abc import Iterator
from typing import Final

from daftar.lab.simulation.office import Office
from daftar.lab.simulation.office_central import OfficeCentral, Request
from edge.journal.services import ServiceRequestView
from edge.store.queries import Queries
from shared.payment import CHARGED
from shared.service_state import ServiceState

EVERYTHING: Final = 1_000_000


def restless_services(office: Office, queries: Queries) -> Iterator[str]:
    """Return what still goes on: an answer that has not come, or a request that central is to put and does not."""
    central = office.line.central
    for asked in queries.services.requests(None, EVERYTHING):
        request = central.requests.get(asked.inquiry_id)
        if request is None:
            yield f"request {asked.inquiry_id} is not at central"
        elif request.asked == "waits":
            yield f"request {asked.inquiry_id} waits for its provider"
        elif request.outcome != asked.outcome:
            yield f"request {asked.inquiry_id} was answered {request.outcome}, the box has {asked.outcome}"


def service_faults(office: Office, queries: Queries) -> Iterator[str]:
    """Return what is lost, doubled, or told otherwise by the box and by central."""
    central = office.line.central
    found = {asked.inquiry_id: asked for asked in queries.services.requests(None, EVERYTHING)}
    yield from (f"I1 request {one} is gone" for one in office.truth.services.keys() - found.keys())
    for inquiry_id, request in central.requests.items():
        asked = found.get(inquiry_id)
        if asked is None:
            yield f"I5 central has request {inquiry_id}, and the box has not"
        else:
            yield from _fee_faults(central, request, asked)
    yield from _book_faults(central, queries)


def _fee_faults(central: OfficeCentral, request: Request, asked: ServiceRequestView) -> Iterator[str]:
    """Return whether the box and central say the same of a fee, and of what comes for it."""
    name, gone = asked.inquiry_id, asked.fee_back and asked.gate == "fee_first"
    stands = asked.fee_state in CHARGED and not asked.fee_back
    if stands != (central.fee_of(request) is not None):
        yield f"I9 the fee of {name} is {asked.fee_state} at the box, and at central it is not so"
    if stands and request.outcome is None and request.asked == "no":
        yield f"I9 the fee of {name} is paid and nobody is asked"
    if stands and request.outcome is None and asked.state is not ServiceState.WAITING:
        yield f"I9 the fee of {name} is paid, no answer came, and it is shown as {asked.state}"
    if gone and request.outcome is None and (asked.state is not ServiceState.REFUSED or asked.is_asked):
        yield f"I9 the fee of {name} goes back, nobody is asked, and it is shown as {asked.state}"
    if request.outcome is not None and asked.case_id != request.case_id:
        yield f"I9 the box knows case {asked.case_id} of {name}, central has {request.case_id}"


def _book_faults(central: OfficeCentral, queries: Queries) -> Iterator[str]:
    """Return payments of which central's books say something else than the box."""
    payments = {payment.payment_id: payment for payment in queries.payments(None, EVERYTHING)}
    for payment_id in payments.keys() | central.books.keys():
        payment, book = payments.get(payment_id), central.books.get(payment_id)
        if payment is None or book is None:
            yield f"I5 {payment_id} stands on one side only"
        elif (payment.state, payment.pays_bill, payment.unacknowledged) != (
            book.state,
            book.pays_bill,
            book.unacknowledged,
        ):
            yield f"I5 {payment_id} is {payment.state} at the box and {book.state} at central"
        elif (
            payment.state in CHARGED and payment.purpose != "inquiry_fee" and payment.confirmation != book.confirmation
        ):
            yield f"I5 {payment_id} is {payment.confirmation} at the box and {book.confirmation} at central"
