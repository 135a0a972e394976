"""Which terminal a payment goes to: the one that was named, else the operator's own, else the shortest queue."""

from collections.abc import Collection, Sequence
from typing import Final

from edge.services.payments.terminal_worker import TerminalWorker
from edge.store.queries import Queries
from shared.errors import OperatorError

PAYMENTS_LOOKED_AT: Final = 200
"""Newest payments that are read for what each operator used last, once after a start."""


class ChooseTerminal:
    """Knows the terminal each operator used last: after a start from the newest payments, then from each choice."""

    def __init__(self, workers: Sequence[TerminalWorker], queries: Queries) -> None:
        self._workers = {worker.name: worker for worker in workers}
        self._queries = queries
        self._last: dict[str, str] | None = None

    def last_of(self, operator: str) -> str | None:
        """Return the terminal an operator used last, None when there was none or it is no longer set up."""
        name = self._used_last().get(operator)
        return name if name in self._workers else None

    def choose(self, name: str | None, *, operator: str) -> TerminalWorker:
        """Return the terminal of this name, and remember it; without a name the one that suits best.

        Raises OperatorError `payment.unknown_terminal`.
        """
        if name is not None:
            worker = self._workers.get(name)
            if worker is None:
                raise OperatorError("payment.unknown_terminal", terminal=name)
        else:
            worker = self.best(operator)
        self._used_last()[operator] = worker.name
        return worker

    def best(self, operator: str) -> TerminalWorker:
        """Return the terminal that suits an operator best now."""
        own = self.last_of(operator)
        locked = self._queries.locked_terminals()
        return min(self._workers.values(), key=lambda worker: _rank(worker, own, locked))

    def _used_last(self) -> dict[str, str]:
        if self._last is None:
            newest = self._queries.payments(None, PAYMENTS_LOOKED_AT)
            self._last = {payment.operator: payment.terminal for payment in reversed(newest)}
        return self._last


def _rank(worker: TerminalWorker, own: str | None, locked: Collection[str]) -> tuple[bool, bool, bool, int]:
    """Return what is smallest for the terminal to take; equal ones go by their order in the settings."""
    return worker.name in locked, worker.standing not in ("idle", "busy"), worker.name != own, worker.load
