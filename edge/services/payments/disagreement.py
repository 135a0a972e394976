"""A payment that counts as not charged, and of which a charge was spoken all the same: its bill waits for better words.

The terminal or the acquirer told of a charge that does not agree with a payment (an alarm of
`judge_outcome.SPEAKS_OF_CHARGE`), and the payment is declined, cancelled, not sent, not charged or given back. Nobody
knows then whether the card was charged, so the bill is not paid again. The disagreement ends

    charged      by evidence that agrees, from the terminal or the acquirer: approved, late
                 by a supervisor's word: overridden_charged
    not charged  by the acquirer's records, told after the charge was spoken of: `payment.charge_ruled_out`
                 by a supervisor's word: the same

A payment in doubt of which a charge was spoken is no disagreement yet: it holds its bill anyway.
"""

from collections.abc import Iterable
from typing import Protocol

from edge.journal.views import AlarmView, PaymentView
from edge.services.payments.judge_outcome import charge_spoken_of
from shared.payment import CERTAINLY_UNCHARGED


class Told(Protocol):
    """What is read of payments and their alarms, inside the write transaction and outside."""

    def payments_of(self, obligation: str) -> list[PaymentView]:
        """Return all payments of an obligation, oldest first."""

    def wholes_of(self, obligation: str) -> list[PaymentView]:
        """Return all payments of a whole that an obligation is a part of, oldest first."""

    def alarms_about(self, payment_id: str) -> list[AlarmView]:
        """Return the alarms about a payment, oldest first."""


def disagreement_stands(payment: PaymentView, alarms: Iterable[AlarmView]) -> bool:
    """Return whether a charge was spoken of, and not ruled out since, of a payment that counts as not charged."""
    if payment.state not in CERTAINLY_UNCHARGED:
        return False
    settled = -1 if payment.ruled_out_index is None else payment.ruled_out_index
    return charge_spoken_of(alarm for alarm in alarms if alarm.index > settled)


def disputed(told: Told, obligation: str) -> PaymentView | None:
    """Return the oldest payment of an obligation, or of a whole that it is a part of, of which that is so."""
    return next(
        (
            payment
            for payment in (*told.payments_of(obligation), *told.wholes_of(obligation))
            # Its alarms are read only where they can matter.
            if payment.state in CERTAINLY_UNCHARGED
            and disagreement_stands(payment, told.alarms_about(payment.payment_id))
        ),
        None,
    )
