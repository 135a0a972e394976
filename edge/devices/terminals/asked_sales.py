"""The sales that one terminal was asked for, and what becomes of each: it ends once, and what comes late is judged.

Pure. What happened goes to the list of events that it was given. Each protocol names its sales in its own way (by our
reference, a part of it, or not at all); one whose answers name none remembers its newest only.
"""

from typing import Literal

from edge.devices.terminals.judgement import AskedSale, is_stray, settles
from edge.devices.terminals.outcome import DoubtReason, StatusAnswer, TerminalOutcome
from edge.devices.terminals.session import Event, LateAnswer, SaleEnded, StrayAnswer


class AskedSales:
    """At most one sale that is waited for, and the last few whose answers may still come."""

    def __init__(self, events: list[Event], *, remembered_max: int = 1) -> None:
        self._events = events
        self._remembered_max = remembered_max
        self._sales: dict[str, AskedSale] = {}
        self._due_ms = 0
        self.open: AskedSale | None = None
        """The one that is waited for."""

    # --- asking ------------------------------------------------------------------------------------------------------

    def start(self, sale: AskedSale, *, due_ms: int, name: str = "") -> None:
        """Wait for a sale until then. `name` is what its answer will call it."""
        self.remember(sale, name=name)
        self.open, self._due_ms = sale, due_ms

    def remember(self, sale: AskedSale, *, name: str) -> None:
        """Know a sale by its name, as the newest; the oldest of too many is forgotten."""
        self._sales.pop(name, None)
        self._sales[name] = sale
        while len(self._sales) > self._remembered_max:
            del self._sales[next(iter(self._sales))]

    # --- looking -----------------------------------------------------------------------------------------------------

    @property
    def newest(self) -> AskedSale | None:
        """The newest sale, waited for or not."""
        return next(reversed(self._sales.values()), None)

    def all(self) -> list[AskedSale]:
        """Return the sales, the oldest first."""
        return list(self._sales.values())

    def named(self, name: str | None) -> AskedSale | None:
        """Return the sale of that name, or None."""
        return None if name is None else self._sales.get(name)

    def source(self, sale: AskedSale | None) -> Literal["answer", "late_answer"]:
        """Return what an answer to a sale is: the one that is waited for, or a late one."""
        return "answer" if sale is not None and sale is self.open else "late_answer"

    def unanswered(self, now_ms: int) -> str | None:
        """Return the reference of the oldest sale that the terminal may still be working on, or None."""
        return next((sale.reference for sale in self._sales.values() if sale.may_be_worked_on(now_ms)), None)

    # --- time --------------------------------------------------------------------------------------------------------

    def deadline(self) -> int | None:
        """Return when `tick` has something to do, or None."""
        return None if self.open is None else self._due_ms

    def tick(self, now_ms: int) -> None:
        """End the wait that has lasted long enough."""
        if now_ms >= self._due_ms:
            self.doubt("no_answer")

    # --- what becomes of them ----------------------------------------------------------------------------------------

    def doubt(self, reason: DoubtReason) -> None:
        """End the wait, if there is one, without an answer."""
        if self.open is not None:
            self.settle(self.open, TerminalOutcome(kind="in_doubt", reason=reason))

    def abandon(self) -> None:
        """Stop waiting; the answer will come as a LateAnswer."""
        if self.open is not None:
            self.open.outcome = TerminalOutcome(kind="in_doubt", reason="no_answer")
            self.open = None

    def settle(self, sale: AskedSale, outcome: TerminalOutcome) -> None:
        """Apply what was said of a sale, in time or after its wait had ended."""
        if sale is not self.open:
            self.settle_late(sale, outcome)
            return
        self.open = None
        sale.outcome = outcome
        self._events.append(SaleEnded(sale.reference, outcome))

    def settle_late(self, sale: AskedSale, outcome: TerminalOutcome) -> None:
        """Apply what was said of a sale, and end no wait by it."""
        before = sale.outcome or outcome
        if settles(outcome, before):
            sale.outcome = outcome
            self._events.append(LateAnswer(sale.reference, outcome))
        elif outcome.evidence is not None and is_stray(outcome, before):
            self._events.append(StrayAnswer(outcome.evidence))

    def learn(self, reference: str, status: StatusAnswer) -> None:
        """Take notice of a charge that a question told of: said again, it is no news."""
        for sale in self._sales.values():
            if sale.reference == reference and status.kind == "approved":
                sale.outcome = TerminalOutcome(kind="approved", evidence=status.evidence)
