"""Have a confirming terminal keep a sale: journal approved, then acknowledge, then journal acknowledged.

Such a terminal takes back by itself what it is not told to keep, so its approval stands only with the last of the
three; the receipt is spooled with it. When the terminal was not told, or did not say that it heard, the payment is in
doubt again and asking settles it: what it took back it does not tell as its last transaction any more. One that goes on
telling the sale, and never says that it keeps it, would lock itself for ever: an alarm calls a person.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from edge.devices.terminals.outcome import OrderAnswer
from edge.journal.views import PaymentView
from edge.journal.writer import Decide, Recorded, StoreView
from edge.services.papers.documents import spool_receipt
from edge.services.payments.terminal_port import Terminal
from edge.store.queries import Queries
from shared.entropy import Entropy
from shared.events import AlarmRaised, Body, PaymentAcknowledged, PaymentInDoubt

NOT_ACKNOWLEDGED: Final = "not_acknowledged"
"""The reason of a payment whose terminal did not say that it keeps the sale."""
SALE_NOT_KEPT: Final = "sale_not_kept"
"""Alarm: asked again and again, a terminal tells a sale and does not say that it keeps it. A person decides."""
ASKED_BEFORE_CALLING: Final = 2
"""Questions after which a terminal that was at its slip, or lost its line for a moment, would have said so."""


class KeepSale:
    """Acknowledges approvals to the terminals that ask for it."""

    def __init__(
        self,
        *,
        commit: Callable[[Decide], Awaitable[list[Recorded]]],
        queries: Queries,
        entropy: Entropy,
        terminals: Mapping[str, Terminal],
        is_second: Callable[[PaymentView], bool],
    ) -> None:
        """`is_second` says whether another charge stands for the debt of a payment, or for a part of it."""
        self._commit = commit
        self._queries = queries
        self._entropy = entropy
        self._terminals = terminals
        self._is_second = is_second

    async def keep(self, payment_id: str) -> None:
        """Tell the terminal of an approved payment to keep the sale, and journal what came of it.

        Does nothing where nobody has to be told.
        """
        payment = self._queries.payment(payment_id)
        if payment is None or not payment.unacknowledged:
            return
        answer = await self._tell(payment)

        def decide(view: StoreView) -> Sequence[Body]:
            now = view.payment(payment_id)
            if now is None or not now.unacknowledged:
                return []
            if answer.kind != "done":
                doubt = PaymentInDoubt(payment_id=payment_id, reason=NOT_ACKNOWLEDGED, evidence=answer.evidence)
                calls = now.asked_count >= ASKED_BEFORE_CALLING and not view.alarms_about(payment_id)
                return [doubt, *([AlarmRaised(kind=SALE_NOT_KEPT, payment_id=payment_id)] if calls else [])]
            spool_receipt(view, self._entropy, payment_id)
            return [PaymentAcknowledged(payment_id=payment_id)]

        await self._commit(decide)

    async def _tell(self, payment: PaymentView) -> OrderAnswer:
        terminal = self._terminals.get(payment.terminal)
        if terminal is None or payment.stan is None or payment.doubled or self._is_second(payment):
            # The second charge of an obligation, or of a debt, is better taken back than kept.
            return OrderAnswer(kind="refused")
        return await terminal.acknowledge(
            amount_rial=payment.amount_rial, stan=payment.stan, terminal_number=payment.terminal_number
        )
