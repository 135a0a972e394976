"""A circuit breaker: after some failures in a row nobody is asked for a while; then one question tries the line.

A failure is no answer: nobody there, nothing in time, nothing that is of the provider's shape, our keys not taken. A
refusal that is well formed is an answer, known or not: the provider works, and one customer's odd request must not stop
everybody else's.
"""

import threading
from datetime import datetime
from typing import Final

from central.providers.connector import BreakerView
from shared.clock import Clock

FAILURES_MAX: Final = 5
OPEN_FOR_MS: Final = 30_000


class CircuitBreaker:
    """Closed: all pass. Open: none. Half open: one passes, and its outcome closes or opens it. Safe between threads."""

    def __init__(self, clock: Clock, *, failures_max: int = FAILURES_MAX, open_for_ms: int = OPEN_FOR_MS) -> None:
        self._clock = clock
        self._failures_max = failures_max
        self._open_for_ms = open_for_ms
        self._lock = threading.Lock()
        self._failures = 0
        self._opened_monotonic_ms: int | None = None
        self._opened_at: datetime | None = None
        self._trying = False

    def allow(self) -> bool:
        """Return whether a question may be asked now; whoever gets True must call `succeed`, `fail` or `forget`."""
        with self._lock:
            if self._opened_monotonic_ms is None:
                return True
            if self._trying or not self._has_waited():
                return False
            self._trying = True
            return True

    def succeed(self) -> None:
        """The provider answered."""
        with self._lock:
            self._failures, self._trying = 0, False
            self._opened_monotonic_ms, self._opened_at = None, None

    def fail(self) -> None:
        """The provider did not answer."""
        with self._lock:
            self._failures += 1
            if self._trying or self._failures >= self._failures_max:
                self._opened_monotonic_ms, self._opened_at = self._clock.monotonic_ms(), self._clock.now()
            self._trying = False

    def forget(self) -> None:
        """Nothing was asked after all."""
        with self._lock:
            self._trying = False

    def view(self) -> BreakerView:
        """Return how it stands."""
        with self._lock:
            if self._opened_monotonic_ms is None:
                return BreakerView(state="closed", failures=self._failures, opened_at=None)
            return BreakerView(
                state="half_open" if self._trying or self._has_waited() else "open",
                failures=self._failures,
                opened_at=self._opened_at,
            )

    def _has_waited(self) -> bool:
        opened = self._opened_monotonic_ms
        return opened is not None and self._clock.monotonic_ms() - opened >= self._open_for_ms
