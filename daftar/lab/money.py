"""Holding what terminals took against what a journal says."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from edge.devices.virtual.terminal_memory import Transaction
from edge.journal.views import PaymentView
from shared.payment import CERTAINLY_UNCHARGED, CHARGED, PaymentState


def money_faults(charges: Sequence[Transaction], payments: Iterable[PaymentView]) -> Iterator[str]:
    """Return what does not agree, at any moment: lost, invented, doubled, or another's."""
    by_reference = {payment.reference: payment for payment in payments}
    captures: Counter[str] = Counter()
    told = set()
    for charge in charges:
        payment = by_reference.get(charge.reference or "")
        if payment is None:
            yield f"I2 a charge without a payment ({charge.reference})"
            continue
        told.add(payment.payment_id)
        captures[payment.obligation] += 1
        if payment.state in CERTAINLY_UNCHARGED or payment.state is PaymentState.REQUESTED:
            yield f"I2 {payment.payment_id} is charged and the journal says {payment.state}"
        elif payment.state in CHARGED and (payment.rrn, payment.stan) != (charge.rrn, charge.stan):
            yield f"I2 {payment.payment_id} carries another charge's traces"
    yield from (f"I2 {name} was charged {count} times" for name, count in captures.items() if count > 1)
    for payment in by_reference.values():
        if payment.state in CHARGED and payment.payment_id not in told:
            yield f"I2 {payment.payment_id} is {payment.state} and nobody was charged"
    taken = sum(charge.amount_rial for charge in charges)
    known = sum(payment.amount_rial for payment in by_reference.values() if payment.state in CHARGED)
    open_states = (PaymentState.SENT, PaymentState.IN_DOUBT)
    doubtful = sum(payment.amount_rial for payment in by_reference.values() if payment.state in open_states)
    if not known <= taken <= known + doubtful:
        yield f"the terminals took {taken} rial, the journal knows of {known}"
