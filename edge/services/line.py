"""How the line to central stands, as far as exchanges tell. Re-judged at each attempt, never latched."""

from typing import Literal

import msgspec

from edge.services.events import BoxEvent, EventHub

LineState = Literal["good", "bad", "none"]


class LineView(msgspec.Struct, frozen=True, kw_only=True):
    """`good`: the last exchange was answered. `bad`: central answered wrongly. `none`: nobody answered."""

    state: LineState
    last_exchange_at: str | None
    last_error: str | None


class Line:
    """Remembers the outcome of the newest exchange and tells pages when it changes."""

    def __init__(self, hub: EventHub) -> None:
        self._hub = hub
        self._state: LineState = "none"

    @property
    def state(self) -> LineState:
        """Return the state as of the newest attempt."""
        return self._state

    def attempted(self, error_code: str | None) -> None:
        """Take note of an attempt: None when it was answered, else the code of what went wrong."""
        state: LineState = "good" if error_code is None else "none" if error_code in _NOBODY else "bad"
        changed, self._state = state != self._state, state
        if changed:
            self._hub.publish(BoxEvent("line"))


_NOBODY = frozenset({"exchange.unreachable", "exchange.timeout"})
"""Codes of an attempt to which nothing answered at all."""
