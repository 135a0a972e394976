"""What the acquirer's word about a payment adds to the journal. Pure; judged again, the same word adds nothing.

Its records count like any other evidence. Of a sale: a charge that agrees is an approval, late or not; one that does
not agree is an alarm; *not charged* settles a doubt only where nobody ever spoke of a charge
(`edge.services.payments.judge_outcome`), and rules out a charge that was spoken of before it, of a payment that counts
as not charged anyway (`edge.services.payments.disagreement`). Of a reversal: it settles one in doubt, and nothing else
does of these; that a sale stands which was said to be undone is an alarm.
"""

from collections.abc import Collection, Iterable
from typing import Final

from edge.journal.refunds import TOLD_REFUND, AcquirerAnswer, RefundView
from edge.journal.views import AlarmView, PaymentView
from edge.services.payments.disagreement import disagreement_stands
from edge.services.payments.judge_outcome import (
    ANSWER_MISMATCH,
    ANSWERS_DISAGREE,
    CHARGE_MISMATCH,
    SECOND_CHARGE,
    SPEAKS_OF_CHARGE,
    charge_spoken_of,
    judge_approval,
    judge_no_charge,
    other_numbers,
)
from shared.events import AlarmRaised, Body, ChargeRuledOut, Evidence, PaymentReversed, ReversalRefused
from shared.payment import CERTAINLY_UNCHARGED, CHARGED, PaymentState

ACQUIRER: Final = "acquirer"
"""The reason of a sale that stands by the acquirer's records."""

_NOT_NOW: Final = frozenset({PaymentState.REQUESTED, PaymentState.SENT, PaymentState.REVERSAL_REQUESTED})
"""States in which the terminal still has the word."""
_UNDOING: Final = frozenset({PaymentState.REVERSAL_IN_DOUBT, PaymentState.REVERSED})
"""States in which words about the sale are old ones: it was charged, and told to be undone since."""


def judge_acquirer(
    payment: PaymentView, alarms: Collection[AlarmView], answers: Collection[AcquirerAnswer]
) -> list[Body]:
    """Return what the acquirer's answers about a payment, in their order, add to it as it stands.

    Only one step at a time: where this returns a move, ask again with the payment as it then is. A *not charged* that a
    later answer took back counts for nothing.
    """
    if payment.state in _NOT_NOW:
        return []
    said_charged = any(answer.charged for answer in answers if answer.about == "sale")
    for answer in answers:
        if answer.about == "reversal":
            bodies = _undone(payment, answer)
        elif payment.state in _UNDOING:
            bodies = []
        elif answer.charged:
            bodies = _charged(payment, evidence_of(answer))
        elif not said_charged:
            bodies = _not_charged(payment, alarms, answer)
        else:
            bodies = []
        if new := [body for body in bodies if not _raised_before(body, alarms)]:
            return new
    return []


def about_now(answers: Iterable[AcquirerAnswer], refunds: Iterable[RefundView]) -> list[AcquirerAnswer]:
    """Return the answers but those about an earlier reversal than the last one; `refunds` oldest first."""
    told = [refund.refund_id for refund in refunds if refund.state in TOLD_REFUND]
    return [answer for answer in answers if answer.about == "sale" or answer.refund_id in {None, *told[-1:]}]


def evidence_of(answer: AcquirerAnswer) -> Evidence:
    """Return the answer as evidence. An acquirer's record has no response code."""
    return Evidence(
        source="acquirer",
        response_code="",
        amount_rial=answer.amount_rial,
        stan=answer.stan,
        rrn=answer.rrn,
        terminal_number=answer.terminal_number,
    )


def _charged(payment: PaymentView, evidence: Evidence) -> list[Body]:
    payment_id, state = payment.payment_id, payment.state
    other_place = payment.terminal_number and evidence.terminal_number not in {None, payment.terminal_number}
    if evidence.amount_rial != payment.amount_rial or other_place:
        return [_alarm(CHARGE_MISMATCH, payment_id, evidence)]
    if other_numbers(payment, evidence):
        return [_alarm(SECOND_CHARGE if state in CHARGED else CHARGE_MISMATCH, payment_id, evidence)]
    return judge_approval(payment_id, state, evidence)


def _undone(payment: PaymentView, answer: AcquirerAnswer) -> list[Body]:
    """Return what a word about the reversal adds."""
    payment_id, evidence = payment.payment_id, evidence_of(answer)
    if answer.charged:
        if payment.state is PaymentState.REVERSAL_IN_DOUBT:
            return [ReversalRefused(payment_id=payment_id, reason=ACQUIRER, evidence=evidence)]
        # Somebody said that it was undone; until a person looks, the bill is not paid again.
        return [_alarm(CHARGE_MISMATCH, payment_id, evidence)] if payment.state is PaymentState.REVERSED else []
    if payment.state is PaymentState.REVERSAL_IN_DOUBT:
        if answer.amount_rial not in {None, payment.amount_rial}:
            return [_alarm(ANSWER_MISMATCH, payment_id, evidence)]
        return [PaymentReversed(payment_id=payment_id, evidence=evidence)]
    return [_alarm(ANSWERS_DISAGREE, payment_id, evidence)] if payment.state in CHARGED else []


def _not_charged(payment: PaymentView, alarms: Collection[AlarmView], answer: AcquirerAnswer) -> list[Body]:
    if payment.state in CERTAINLY_UNCHARGED:
        spoken_at = max((alarm.index for alarm in alarms if alarm.kind in SPEAKS_OF_CHARGE), default=-1)
        if answer.received_index > spoken_at and disagreement_stands(payment, alarms):
            return [ChargeRuledOut(payment_id=payment.payment_id, source="acquirer")]
        return []
    spoken_before = charge_spoken_of(alarms)
    disagrees = (payment.state is PaymentState.IN_DOUBT and spoken_before) or (
        # An approval that came later than this word has its own alarm.
        payment.state in CHARGED and not payment.late
    )
    if disagrees:
        detail = f"not charged by {answer.source} of {answer.acquirer}"
        return [AlarmRaised(kind=ANSWERS_DISAGREE, payment_id=payment.payment_id, detail=detail)]
    return judge_no_charge(payment, spoken_before=spoken_before, asked_count=payment.asked_count, source="acquirer")


def _alarm(kind: str, payment_id: str, evidence: Evidence) -> AlarmRaised:
    detail = (
        f"acquirer: amount {evidence.amount_rial} rrn {evidence.rrn} stan {evidence.stan} "
        f"terminal {evidence.terminal_number}"
    )
    return AlarmRaised(kind=kind, payment_id=payment_id, detail=detail)


def _raised_before(body: Body, alarms: Collection[AlarmView]) -> bool:
    if not isinstance(body, AlarmRaised):
        return False
    return any((alarm.kind, alarm.detail) == (body.kind, body.detail) for alarm in alarms)
