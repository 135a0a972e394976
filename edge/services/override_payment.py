"""A supervisor decides a payment in doubt, by the slip and with a reason: a signed statement in the place of evidence.

Asked for only where nobody else can tell: the terminal, then the acquirer's records, come first. The statement frees
or holds the bill and gives the terminal back; evidence of a charge that comes later beats it.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Self

import msgspec

from edge.journal.writer import JournalWriter, StoreView
from edge.services.documents import spool_receipt
from edge.services.record_outcome import known
from edge.services.sign_in import SignIn
from edge.services.statement import checked_reason, checked_slip
from shared.entropy import Entropy
from shared.errors import OperatorError
from shared.events import Body, PaymentOverridden
from shared.payment import PaymentState


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What a supervisor states. Make it with `checked`."""

    charged: bool
    slip_number: str
    """Of the terminal's slip; may be empty where nothing was charged, and so nothing was printed."""
    reason: str

    @classmethod
    def checked(cls, *, charged: bool, slip_number: str, reason: str) -> Self:
        """Return a decision in good words. Raises OperatorError, see `edge.services.statement`."""
        return cls(
            charged=charged, slip_number=checked_slip(slip_number, needed=charged), reason=checked_reason(reason)
        )


class OverridePayment:
    """Takes supervisors' decisions."""

    def __init__(
        self,
        *,
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
            if known(view, payment_id).state is not PaymentState.IN_DOUBT:
                raise OperatorError("payment.not_in_doubt", payment_id=payment_id)
            if decision.charged:
                spool_receipt(view, self._entropy, payment_id)
            return [
                PaymentOverridden(
                    payment_id=payment_id,
                    charged=decision.charged,
                    operator=person.username,
                    reason=decision.reason,
                    slip_number=decision.slip_number,
                )
            ]

        await self._writer.commit(decide)
        if decision.charged:
            await self._on_charged(payment_id)
