"""What an answer adds to the journal, by the payment's state and by what was said of it before. Pure.

Two rules hold for every source, be it the terminal's own answer, a status query or the acquirer. An approval that
agrees is applied to every state. Evidence of *no* charge (declined, cancelled, not found, not in the settlement)
settles an open payment only while nobody ever spoke of a charge of it: after such word only an approval or a
supervisor's override ends the doubt.
"""

from collections.abc import Iterable
from typing import Final, Literal

from edge.devices.terminals.outcome import StatusAnswer, TerminalOutcome
from edge.journal.views import AlarmView, PaymentView
from shared.errors import BugError
from shared.events import (
    AlarmRaised,
    Body,
    Evidence,
    PaymentApproved,
    PaymentCancelled,
    PaymentDeclined,
    PaymentInDoubt,
    PaymentNotCharged,
    PaymentReversed,
    ReversalRefused,
)
from shared.payment import CHARGED, LATE, OPEN, TRANSITIONS, PaymentState

CHARGE_MISMATCH: Final = "charge_mismatch"
"""Alarm: the terminal or the acquirer spoke of a charge that does not agree with the payment."""
ANSWER_MISMATCH: Final = "answer_mismatch"
"""Alarm: an answer that speaks of no charge does not agree with the payment."""
STRAY_APPROVAL: Final = "stray_approval"
"""Alarm: the terminal spoke of a charge that no payment here accounts for."""

SECOND_CHARGE: Final = "second_charge"
"""Alarm: the terminal spoke of another charge under the reference of a payment that is charged already."""
ANSWERS_DISAGREE: Final = "answers_disagree"
"""Alarm: somebody says that a payment was not charged of which a charge was spoken before."""

SPEAKS_OF_CHARGE: Final = frozenset({CHARGE_MISMATCH, STRAY_APPROVAL, SECOND_CHARGE})
"""Alarms after which no evidence of *no* charge settles the payment they are about."""

STANDS: Final = "stands"
"""The reason of a sale that the terminal still knows after it was told to undo it."""

_ENDABLE: Final = OPEN - {PaymentState.REQUESTED}
"""States that an outcome which speaks of no charge may still end."""


def charge_spoken_of(alarms: Iterable[AlarmView]) -> bool:
    """Return whether anybody ever spoke of a charge that does not agree with the payment these alarms are about."""
    return any(alarm.kind in SPEAKS_OF_CHARGE for alarm in alarms)


def judge(
    payment_id: str,
    state: PaymentState,
    outcome: TerminalOutcome,
    *,
    spoken_before: bool,
    speaks_of_charge: bool = False,
) -> list[Body]:
    """Return the entries that an outcome adds to a payment in this state.

    Evidence of a charge beats evidence of none: an approval is applied to every state that is not charged yet, and to
    a state that was settled as not charged it adds an alarm. The other outcomes only ever end a payment that is still
    open; said of a settled one they are noise and add nothing. `spoken_before` is `charge_spoken_of` the payment's
    alarms; `speaks_of_charge` says whether the code of a doubtful answer means an approval.
    Raises BugError `payment.no_evidence`.
    """
    if outcome.kind == "approved":
        return judge_approval(payment_id, state, outcome.evidence)
    if state not in _ENDABLE:
        return []
    evidence = outcome.evidence
    if outcome.kind == "in_doubt" or evidence is None:
        return _doubt(payment_id, state, outcome, CHARGE_MISMATCH if speaks_of_charge else ANSWER_MISMATCH)
    if spoken_before:
        return _held(payment_id, state, evidence, f"{outcome.kind} by {evidence.source}")
    if outcome.kind == "declined":
        return [PaymentDeclined(payment_id=payment_id, evidence=evidence)]
    return [PaymentCancelled(payment_id=payment_id, evidence=evidence)]


def judge_not_found(payment: PaymentView, *, spoken_before: bool, asked_count: int, enough: bool) -> list[Body]:
    """Return what one more not-found of the terminal settles. `enough`: as many as are needed have counted by now.

    Nothing where a charge was spoken of: the question and its answer are in the journal anyway.
    """
    return judge_no_charge(payment, spoken_before=spoken_before, asked_count=asked_count) if enough else []


def judge_no_charge(
    payment: PaymentView, *, spoken_before: bool, asked_count: int, source: Literal["terminal", "acquirer"] = "terminal"
) -> list[Body]:
    """Return what settles a payment in doubt of which its `source` certainly knows no charge; nothing for any other."""
    if payment.state is not PaymentState.IN_DOUBT or spoken_before:
        return []
    return [PaymentNotCharged(payment_id=payment.payment_id, asked_count=asked_count, source=source)]


def judge_reversal(payment: PaymentView, answer: StatusAnswer, *, believed: bool, enough: bool) -> list[Body]:
    """Return what a terminal's answer about a sale adds that it was told to undo, and that is in doubt since.

    It still knows the sale: the sale stands. It does not, asked often enough (`enough`): it was undone. Nothing where
    it is not `believed`: until its longest time is over the terminal may still be undoing it. Another sale of the same
    amount, which a terminal may tell as its last one, says nothing about this one.
    """
    if payment.state is not PaymentState.REVERSAL_IN_DOUBT or answer.evidence is None or not believed:
        return []
    if answer.kind == "approved" and not other_numbers(payment, answer.evidence):
        return [ReversalRefused(payment_id=payment.payment_id, reason=STANDS, evidence=answer.evidence)]
    if answer.kind == "not_found" and enough:
        return [PaymentReversed(payment_id=payment.payment_id, evidence=answer.evidence)]
    return []


def is_second_charge(payment: PaymentView, evidence: Evidence) -> bool:
    """Return whether an approval is of another charge than the one the payment is, or was until it was undone."""
    return payment.state in CHARGED | {PaymentState.REVERSED} and other_numbers(payment, evidence)


def other_numbers(payment: PaymentView, evidence: Evidence) -> bool:
    """Return whether RRN or STAN, where both sides know it, is another one; leading zeros do not count."""
    pairs = ((payment.rrn, evidence.rrn), (payment.stan, evidence.stan))
    return any(known and said and known.lstrip("0") != said.lstrip("0") for known, said in pairs)


def agrees(payment: PaymentView, evidence: Evidence) -> bool:
    """Return whether an approval is of this payment: reference, amount and, where it is known, terminal number."""
    return (
        evidence.reference == payment.reference
        and evidence.amount_rial == payment.amount_rial
        and payment.terminal_number in {None, evidence.terminal_number}
    )


def charge_alarm(kind: str, evidence: Evidence, payment_id: str | None) -> AlarmRaised:
    """Return an alarm about a charge; its detail is what a person needs to find it at the acquirer."""
    detail = f"amount {evidence.amount_rial} rrn {evidence.rrn} stan {evidence.stan}"
    return AlarmRaised(kind=kind, payment_id=payment_id, detail=detail)


def judge_approval(payment_id: str, state: PaymentState, evidence: Evidence | None) -> list[Body]:
    """Return what an approval that agrees adds to a payment in this state. Raises BugError `payment.no_evidence`."""
    if evidence is None:
        raise BugError("payment.no_evidence", payment_id=payment_id)
    if state in CHARGED and state is not PaymentState.OVERRIDDEN_CHARGED:
        return []
    if PaymentState.APPROVED not in TRANSITIONS[state]:
        return [_alarm("approval_out_of_place", payment_id, f"state {state}")]
    approved = PaymentApproved(payment_id=payment_id, evidence=evidence)
    return [approved, _alarm("late_approval", payment_id, f"state {state}")] if state in LATE else [approved]


def _doubt(payment_id: str, state: PaymentState, outcome: TerminalOutcome, mismatch: str) -> list[Body]:
    alarms: list[Body] = [_alarm(mismatch, payment_id, "")] if outcome.reason == "mismatch" else []
    if state is PaymentState.IN_DOUBT:
        return alarms
    return [PaymentInDoubt(payment_id=payment_id, reason=outcome.reason, evidence=outcome.evidence), *alarms]


def _held(payment_id: str, state: PaymentState, evidence: Evidence, said: str) -> list[Body]:
    """Return what evidence of no charge adds where a charge was spoken of: doubt, and the answer kept as an alarm."""
    numbers = f"code {evidence.response_code} rrn {evidence.rrn} stan {evidence.stan}"
    alarm = _alarm(ANSWERS_DISAGREE, payment_id, f"{said}, {numbers}")
    if state is PaymentState.IN_DOUBT:
        return [alarm]
    return [PaymentInDoubt(payment_id=payment_id, reason="mismatch", evidence=evidence), alarm]


def _alarm(kind: str, payment_id: str, detail: str) -> AlarmRaised:
    return AlarmRaised(kind=kind, payment_id=payment_id, detail=detail)
