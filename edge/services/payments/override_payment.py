"""A supervisor decides a doubt, by the slip and with a reason: a signed statement in the place of evidence.

Asked for only where nobody else can tell: the terminal, then the acquirer's records, come first. The statement frees
or holds the bill and gives the terminal back; evidence of a charge that comes later beats it. It is about a payment in
doubt, or about one that counts as not charged while a charge of it was spoken of
(`edge.services.payments.disagreement`).
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Self

import msgspec

from edge.journal.views import AlarmView, PaymentView
from edge.journal.writer import JournalWriter, StoreView
from edge.services.papers.documents import spool_receipt
from edge.services.payments.disagreement import disagreement_stands
from edge.services.payments.record_outcome import known
from edge.services.payments.statement import checked_reason, checked_slip
from edge.services.people.sign_in import SignIn
from edge.services.people.two_people import check_two
from shared.entropy import Entropy
from shared.errors import OperatorError
from shared.events import Body, ChargeRuledOut, PaymentOverridden, ReversalDecided
from shared.payment import TRANSITIONS, PaymentState


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What a supervisor states. Make it with `checked`."""

    charged: bool
    slip_number: str
    """Of the terminal's slip; may be empty where nothing was charged, and so nothing was printed."""
    reason: str

    @classmethod
    def checked(cls, *, charged: bool, slip_number: str, reason: str) -> Self:
        """Return a decision in good words. Raises OperatorError, see `edge.services.payments.statement`."""
        return cls(
            charged=charged, slip_number=checked_slip(slip_number, needed=charged), reason=checked_reason(reason)
        )


class ReversalWord(msgspec.Struct, frozen=True, kw_only=True):
    """What is stated of an undoing in doubt. Make it with `checked`."""

    undone: bool
    slip_number: str
    """Of the slip of the undoing, or of the statement that shows it; may be empty where the sale stands."""
    reason: str

    @classmethod
    def checked(cls, *, undone: bool, slip_number: str, reason: str) -> Self:
        """Return it in good words. Raises OperatorError, see `edge.services.payments.statement`."""
        return cls(undone=undone, slip_number=checked_slip(slip_number, needed=undone), reason=checked_reason(reason))


def check_reversal(payment: PaymentView) -> None:
    """Raise OperatorError `reversal.not_in_doubt` where there is no undoing to decide about."""
    if payment.state is not PaymentState.REVERSAL_IN_DOUBT:
        raise OperatorError("reversal.not_in_doubt", payment_id=payment.payment_id)


def words_taken(payment: PaymentView, alarms: Iterable[AlarmView]) -> tuple[bool, ...]:
    """Return which words of a supervisor about a payment are taken: charged (True), not charged (False), or none.

    Of a sale that was given back another charge may only be ruled out: what it took is back.
    """
    if payment.state is PaymentState.IN_DOUBT:
        return (True, False)
    if not disagreement_stands(payment, alarms):
        return ()
    return (True, False) if PaymentState.OVERRIDDEN_CHARGED in TRANSITIONS[payment.state] else (False,)


def check_decision(payment: PaymentView, alarms: Iterable[AlarmView], *, charged: bool) -> None:
    """Check that there is something to decide. Raises OperatorError `payment.not_in_doubt`, `payment.given_back`."""
    words = words_taken(payment, alarms)
    if not words:
        raise OperatorError("payment.not_in_doubt", payment_id=payment.payment_id)
    if charged not in words:
        raise OperatorError("payment.given_back", payment_id=payment.payment_id)


def word_of(payment: PaymentView, decision: Decision, operator: str) -> Body:
    """Return the entry of a decision about a payment that may be decided."""
    said = {"operator": operator, "reason": decision.reason, "slip_number": decision.slip_number}
    if decision.charged or payment.state is PaymentState.IN_DOUBT:
        return PaymentOverridden(payment_id=payment.payment_id, charged=decision.charged, **said)
    return ChargeRuledOut(payment_id=payment.payment_id, source="manager", **said)


class OverridePayment:
    """Takes supervisors' decisions."""

    def __init__(
        self,
        writer: JournalWriter,
        sign_in: SignIn,
        entropy: Entropy,
        on_charged: Callable[[str], Awaitable[None]],
    ) -> None:
        self._writer = writer
        self._sign_in = sign_in
        self._entropy = entropy
        self._on_charged = on_charged

    async def override(self, payment_id: str, decision: Decision, *, username: str, password: str) -> None:
        """Journal the decision; a charged one gets its receipt, which says by whose word.

        Raises OperatorError `payment.unknown`, `payment.not_in_doubt`, or as `SignIn.manager` does.
        """
        person = await self._sign_in.manager(username, password)

        def decide(view: StoreView) -> Sequence[Body]:
            # The last moment: an answer may have settled it while the form was filled in.
            payment = known(view, payment_id)
            check_decision(payment, view.alarms_about(payment_id), charged=decision.charged)
            if decision.charged:
                spool_receipt(view, self._entropy, payment_id)
            return [word_of(payment, decision, person.username)]

        await self._writer.commit(decide)
        if decision.charged:
            await self._on_charged(payment_id)

    async def decide_reversal(
        self, payment_id: str, word: ReversalWord, *, operator: str, username: str, password: str
    ) -> None:
        """Journal what two people say became of an undoing in doubt: whoever serves states it, a manager agrees.

        Raises OperatorError `payment.unknown`, `reversal.not_in_doubt`, or as `check_two` and `SignIn.manager` do.
        """
        person = await self._sign_in.manager(username, password)
        check_two(operator, person.username, payment_id=payment_id)

        def decide(view: StoreView) -> Sequence[Body]:
            check_reversal(known(view, payment_id))
            return [
                ReversalDecided(
                    payment_id=payment_id,
                    undone=word.undone,
                    operator=operator,
                    agreed_by=person.username,
                    reason=word.reason,
                    slip_number=word.slip_number,
                )
            ]

        await self._writer.commit(decide)
