"""Holding what terminals took against what a journal says."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from edge.devices.virtual.terminal_memory import Transaction
from edge.journal.views import PaymentView
from shared.payment import CERTAINLY_UNCHARGED, CHARGED, PaymentState

_DOUBTFUL: Final = frozenset(
    {PaymentState.SENT, PaymentState.IN_DOUBT, PaymentState.REVERSAL_REQUESTED, PaymentState.REVERSAL_IN_DOUBT}
)
"""States in which the journal says that nobody knows."""
_TAKEN: Final = CHARGED - _DOUBTFUL
_BY_EVIDENCE: Final = _TAKEN - {PaymentState.OVERRIDDEN_CHARGED}


def _agrees(payment: PaymentView, charge: Transaction) -> bool:
    """Return whether a payment carries a charge's traces.

    A terminal that is given no number for a sale may tell a wrong trace with its first one, and nobody can know; two
    people of finance name a charge by its RRN alone. One that tells no RRN is known by its trace or receipt number.
    """
    if not charge.rrn:
        return not payment.rrn and (payment.stan in (charge.stan, None) or payment.receipt_number == charge.receipt)
    return payment.rrn == charge.rrn and (payment.stan in (charge.stan, None) or charge.number is None)


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
        captures.update(payment.obligations)
        if payment.state in CERTAINLY_UNCHARGED or payment.state is PaymentState.REQUESTED:
            yield f"I2 {payment.payment_id} is charged and the journal says {payment.state}"
        elif payment.state in _BY_EVIDENCE and not _agrees(payment, charge):
            yield f"I2 {payment.payment_id} carries another charge's traces"
    yield from (f"I2 {name} was charged {count} times" for name, count in captures.items() if count > 1)
    for payment in by_reference.values():
        if payment.state in _TAKEN and payment.payment_id not in told:
            yield f"I2 {payment.payment_id} is {payment.state} and nobody was charged"
    taken = sum(charge.amount_rial for charge in charges)
    known = sum(payment.amount_rial for payment in by_reference.values() if payment.state in _TAKEN)
    doubtful = sum(payment.amount_rial for payment in by_reference.values() if payment.state in _DOUBTFUL)
    if not known <= taken <= known + doubtful:
        yield f"the terminals took {taken} rial, the journal knows of {known}"
