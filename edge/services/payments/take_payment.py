"""Take payments: intent in the journal, amount to a terminal, outcome in the journal. In that order, always.

    payment.requested   the operator pressed pay; a partial unique index lets one payment hold an obligation
    (queue)             one payment at a time at each terminal, the terminals side by side
    (connect, idle?)    the terminal confirms that it is idle; failing here is payment.not_sent
    payment.sent        durable before the first byte of the amount leaves
    (card dialogue)     may take minutes; the page watches, nothing waits for it
    outcome             approved, declined, cancelled or in doubt; with an approval the receipt is spooled, same commit
    payment.acknowledged  where the terminal takes back what it is not told to keep; only then the receipt

Here is the first line; the terminal's part is `edge.services.payments.terminal_worker`, what terminals say
`edge.services.payments.record_outcome`. Killed between any two lines, the box comes back and `edge.journal.recovery`
says which of them were reached.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence

from edge.journal.views import PaymentView
from edge.journal.writer import JournalWriter, StoreView
from edge.services.payments.choose_terminal import ChooseTerminal
from edge.services.payments.exposure import exposure_allows_together
from edge.services.payments.keep_sale import KeepSale
from edge.services.payments.may_pay import CHECKS, Check
from edge.services.payments.record_outcome import RecordOutcome
from edge.services.payments.same_debt import charges_of
from edge.services.payments.service_checks import debt_of
from edge.services.payments.terminal_port import Terminal
from edge.services.payments.terminal_worker import TerminalWorker
from edge.services.payments.wanted import Wanted
from edge.store.queries import Queries
from shared.clock import Clock
from shared.entropy import Entropy, random_name
from shared.errors import OperatorError
from shared.events import Body, PaymentRequested


class TakePayment:
    """Takes requests and gives each to the worker of its terminal."""

    def __init__(
        self,
        *,
        writer: JournalWriter,
        queries: Queries,
        terminals: Sequence[Terminal],
        clock: Clock,
        entropy: Entropy,
        on_progress: Callable[[str], None],
        bill_terminals: Collection[str] = (),
        checks: Sequence[Check] = CHECKS,
    ) -> None:
        """`bill_terminals` names those that pay a bill by its ids (`TerminalSettings.pays_bills`)."""
        self._writer = writer
        self._queries = queries
        self._entropy = entropy
        self._checks = checks
        self.outcomes = RecordOutcome(
            writer=writer, queries=queries, clock=clock, entropy=entropy, on_charged=self.charged
        )
        self.workers: dict[str, TerminalWorker] = {}
        """By our own name of the terminal, in the order of the settings."""
        for terminal in terminals:
            worker = TerminalWorker(
                terminal=terminal,
                writer=writer,
                queries=queries,
                outcomes=self.outcomes,
                on_progress=on_progress,
                pays_bills=terminal.name in bill_terminals,
            )
            terminal.on_late_answer = worker.late_answer
            terminal.on_stray_answer = worker.stray_answer
            self.workers[terminal.name] = worker
        self._keep = KeepSale(
            commit=self.outcomes.commit,
            queries=queries,
            entropy=entropy,
            terminals={terminal.name: terminal for terminal in terminals},
            is_second=self._is_second,
        )
        self.choosing = ChooseTerminal(list(self.workers.values()), queries)

    # --- what can be seen --------------------------------------------------------------------------------------------

    def progress(self, payment_id: str) -> str | None:
        """Return the word for what is happening to a payment now, None when nothing is."""
        return next((word for worker in self.workers.values() if (word := worker.progress(payment_id))), None)

    def queue_place(self, payment_id: str) -> int | None:
        """Return how many payments are ahead of one at its terminal, 0 when it is its turn, None when it is through."""
        places = (worker.place(payment_id) for worker in self.workers.values())
        return next((place for place in places if place is not None), None)

    def waited_ms(self, payment_id: str) -> int:
        """See `RecordOutcome.waited_ms`."""
        return self.outcomes.waited_ms(payment_id)

    # --- asked by people and programs --------------------------------------------------------------------------------

    async def request(
        self, wanted: Wanted, *, operator: str, payment_id: str | None = None, terminal: str | None = None
    ) -> str:
        """Journal the intent and let it wait for its terminal; return our payment id at once.

        A `payment_id` of the caller's own makes a repeated request the same payment: it begins nothing again. Without
        a `terminal` one is chosen (`edge.services.payments.choose_terminal`).
        Raises OperatorError `payment.unknown_terminal`, or what `edge.services.payments.may_pay.CHECKS` raise:
        `payment.obligation_held`, `payment.terminal_locked` (both name the payment), `payment.box_quarantined`,
        `inquiry.unknown`, `inquiry.other_bill`. Nothing was sent then.
        """
        name = payment_id or random_name(self._entropy, "p")
        await self.request_all({name: wanted}, operator=operator, terminal=terminal)
        return name

    async def request_all(
        self, wanted: Mapping[str, Wanted], *, operator: str, terminal: str | None = None
    ) -> list[str]:
        """Journal several intents, by our payment ids, in one commit: all of them or none; return the ids.

        They wait for the same terminal, one after another. Raises what `request` raises.
        """
        worker = self.choosing.choose(terminal, operator=operator)
        requests = [
            one.request(payment_id=payment_id, terminal=worker.name, operator=operator, entropy=self._entropy)
            for payment_id, one in wanted.items()
        ]
        # From now on: whoever chooses a terminal in the same moment sees this one as taken.
        worker.coming += len(requests)
        # A caller that goes away must not leave a payment that is journaled and that nobody works on.
        name = f"request {' '.join(wanted)}"
        await asyncio.shield(self.outcomes.to_the_end(name, self._begin(requests, worker)))
        return list(wanted)

    async def _begin(self, requests: Sequence[PaymentRequested], worker: TerminalWorker) -> None:
        def decide(view: StoreView) -> Sequence[Body]:
            # They were journaled together: where one stands, all do.
            if any(view.payment(wanted.payment_id) is not None for wanted in requests):
                return []
            for wanted in requests:
                for check in self._checks:
                    check(view, wanted)
            exposure_allows_together(view, requests)
            return requests

        try:
            began = await self._writer.commit(decide)
        finally:
            worker.coming -= len(requests)
        if began:
            for wanted in requests:
                worker.put(wanted)

    async def cancel(self, payment_id: str) -> None:
        """Ask for a payment to be dropped: before it was sent it will not be; at the terminal it is asked to.

        Raises OperatorError `payment.not_waiting` when nothing of it is under way.
        """
        for worker in self.workers.values():
            if await worker.cancel(payment_id):
                return
        raise OperatorError("payment.not_waiting", payment_id=payment_id)

    async def charged(self, payment_id: str) -> None:
        """Do what an approval asks for, once it is journaled: have the terminal keep the sale, and no other be made."""
        await self._keep.keep(payment_id)
        await self.call_back_others(payment_id)

    async def call_back_others(self, paid: str) -> None:
        """Have another payment of the same debt, or of a part of it, dropped while it still can be."""
        payment = self._queries.payment(paid)
        if payment is None:
            return
        debt = self._debt(payment)
        for worker in self.workers.values():
            for other in (worker.current, *worker.waiting):
                same = None if other in (None, paid) else self._queries.payment(other)
                # A bill that was scanned names no answer: then the other one's tells whether it is a part of it.
                if same and (debt & set(same.obligations) or self._debt(same) & set(payment.obligations)):
                    await worker.cancel(same.payment_id)

    def _debt(self, payment: PaymentView) -> set[str]:
        return set(debt_of(self._queries.services, payment, payment.obligations))

    def _is_second(self, payment: PaymentView) -> bool:
        """Return whether a charge that came to light late is the second one of its debt, or of a part of it."""
        if not payment.late:
            return False
        charges = charges_of(self._queries, self._debt(payment))
        return any(other.payment_id != payment.payment_id for other in charges)

    async def finish(self) -> None:
        """Wait for nothing: end what runs. What was sent stays `sent` and is in doubt at the next start.

        What the terminals already said is written to the end. Call it again after the terminals were closed: an answer
        may have come until then.
        """
        await asyncio.gather(*(worker.finish() for worker in self.workers.values()))
        await self.outcomes.finish()
