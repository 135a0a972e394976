"""«تأیید تراکنش» without keeping a page waiting: a question may take as long as the terminal lets it, its asker not.

Pressed again, or by somebody else, while the question is under way, it is the same question.
"""

import asyncio
from typing import Final

import structlog

from edge.journal.views import PaymentView
from edge.services.events import BoxEvent, EventHub
from edge.services.payments.resolve_in_doubt import ResolveInDoubt
from edge.store.queries import Queries
from shared.errors import OperatorError

log = structlog.get_logger()

ASKER_WAITS_S: Final = 4.0
"""Most terminals answer sooner, and the page shows the answer at once; else it shows that the question is asked."""


class AskOnDemand:
    """Asks about payments for whoever presses, one question a payment at a time."""

    def __init__(self, resolve: ResolveInDoubt, queries: Queries, hub: EventHub) -> None:
        self._resolve = resolve
        self._queries = queries
        self._hub = hub
        self._asking: dict[str, asyncio.Task[PaymentView]] = {}

    def progress(self, payment_id: str) -> str | None:
        """Return `asking` while a question about a payment is under way."""
        return "asking" if payment_id in self._asking else None

    async def ask(self, payment_id: str, *, operator: str) -> PaymentView:
        """Have the terminal asked; return the payment as it stands then, or as it stands after ASKER_WAITS_S.

        Raises what `ResolveInDoubt.ask` raises, if it does so in that time.
        """
        task = self._asking.get(payment_id)
        if task is None:
            task = asyncio.create_task(self._resolve.ask(payment_id, operator=operator), name=f"ask {payment_id}")
            self._asking[payment_id] = task
            task.add_done_callback(lambda done: self._done(payment_id, done))
            self._hub.publish(BoxEvent("payment", payment_id))
        await asyncio.wait({task}, timeout=ASKER_WAITS_S)
        if task.done():
            return task.result()
        payment = self._queries.payment(payment_id)
        if payment is None:
            raise OperatorError("payment.unknown", payment_id=payment_id)
        return payment

    def _done(self, payment_id: str, task: asyncio.Task[PaymentView]) -> None:
        self._asking.pop(payment_id, None)
        self._hub.publish(BoxEvent("payment", payment_id))
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, OperatorError):
            log.error("asking about a payment failed", payment_id=payment_id, exc_info=error)

    async def finish(self) -> None:
        """Wait for no answer any more. What a terminal says of a charge while it is closed comes as a late answer."""
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
