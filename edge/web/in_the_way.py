"""Why a bill cannot be paid now, wherever it is shown: the payment that holds it, of this box or another."""

from typing import NamedTuple

from edge.web.elsewhere_view import elsewhere_status, elsewhere_text
from edge.web.payment_view import ahead_of
from edge.web.ports.counter import Counter, PaymentView, Reading
from shared.display import STATUSES, Status, payment_status
from shared.identifiers import Bill
from shared.ids import bill_obligation
from shared.payment import UNDER_WAY, PaymentState


class InTheWay(NamedTuple):
    """The payment because of which a bill cannot be paid now."""

    payment_id: str
    status: Status
    text: str
    """The key of the sentence that says so."""


def line_status(counter: Counter, payment: PaymentView, confirmation: str) -> Status:
    """Return how a bill stands by its payment and its own provider's word."""
    if ahead_of(counter, payment) is not None:
        return STATUSES["waiting_for_terminal"]
    return payment_status(payment.state, confirmation)


def standing_in_the_way(counter: Counter, bill: Bill) -> InTheWay | None:
    """Return the payment because of which a bill cannot be paid now, of this box or another."""
    reading = counter.read_bill(bill.bill_id, bill.payment_id)
    if reading.earlier is None and reading.elsewhere is not None:
        held = reading.elsewhere
        return InTheWay(held.payment_id, elsewhere_status(held), elsewhere_text(held))
    earlier, text = _of_this_box(counter, reading)
    if earlier is None:
        return None
    return InTheWay(earlier.payment_id, line_status(counter, earlier, earlier.confirmation), text)


def _of_this_box(counter: Counter, reading: Reading) -> tuple[PaymentView | None, str]:
    obligation = bill_obligation(reading.bill.bill_id, reading.bill.payment_id)
    earlier = reading.earlier
    if earlier is None:
        disputed = counter.disputed(obligation)
        return disputed, "dispute.bill" if disputed else ""
    if earlier.state in UNDER_WAY:
        return earlier, "bill.held_running"
    return earlier, "bill.held_in_doubt" if earlier.state is PaymentState.IN_DOUBT else "bill.held_paid"
