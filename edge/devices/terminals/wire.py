"""A session joined to a link and to the event loop's timer: bytes both ways, and its deadlines kept.

What a session cannot stomach is its own fault, and must not take the box's event loop with it: it is logged, the link
is given up, and what was waited for is in doubt.
"""

import asyncio
from typing import Protocol

import structlog

from edge.devices.terminals.session import Event, Session
from edge.devices.transport import KeptLink, RequestedLink, Way
from firmware_profiles.profile import TerminalProfile
from shared.clock import Clock, instant_text

_log = structlog.get_logger(__name__)


class WireListener(Protocol):
    """Who the wire belongs to. Called from the event loop; must not raise."""

    def wire_opened(self) -> None:
        """Take notice of a new link."""

    def wire_event(self, event: Event) -> None:
        """Take what the session says happened."""

    def wire_changed(self) -> None:
        """Take notice that something that can be seen from outside may have changed."""


class Wire:
    """Moves bytes and time between a session and the world."""

    def __init__(
        self, session: Session, *, profile: TerminalProfile, way: Way, clock: Clock, listener: WireListener
    ) -> None:
        self._session = session
        self._clock = clock
        self._listener = listener
        times = profile.times
        longest_ms = way.retry_longest_ms or times.reconnect_longest_ms
        self._link: KeptLink | RequestedLink
        if profile.connection == "kept":
            self._link = KeptLink(
                way,
                listener=self,
                connect_timeout_ms=times.connect_timeout_ms,
                reconnect_first_ms=times.reconnect_first_ms,
                reconnect_longest_ms=max(times.reconnect_first_ms, min(times.reconnect_longest_ms, longest_ms)),
            )
        else:
            self._link = RequestedLink(
                way,
                listener=self,
                connect_timeout_ms=times.connect_timeout_ms,
                retry_ms=times.reconnect_first_ms,
            )
        self._kept = profile.connection == "kept"
        self._hanging_up = False
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self.last_seen_at: str | None = None
        """When bytes last came, as an instant's text."""
        self.heard = False
        """Whether bytes came on the present link."""
        self.last_error: str | None = None
        """Code of the last trouble, None since things go well again."""

    @property
    def is_up(self) -> bool:
        """Return whether there is a link now, as far as the socket knows."""
        return self._link.is_up

    @property
    def is_there(self) -> bool:
        """Return whether the terminal can be reached, as far as is known."""
        return self._link.is_there

    async def run(self) -> None:
        """Keep the link, where it is kept, until cancelled."""
        await self._link.run()

    def failed(self) -> None:
        """Write down a fault of the box's own (called while it is handled)."""
        _log.exception("a fault in driving a terminal; its link is made anew")
        self.last_error = "terminal.driver_failed"
        self._listener.wire_changed()

    async def need(self, timeout_ms: int) -> bool:
        """Return whether there is a link, after one more attempt at once if there was none."""
        return await self._link.need(timeout_ms)

    def drop(self) -> None:
        """Give up the present link; another is made."""
        self._link.drop()

    def hang_up(self) -> None:
        """End the present link, if there is one: it did what it was made for, and its end is no trouble."""
        self._hanging_up = True
        self._link.drop()
        self._hanging_up = False

    async def close(self) -> None:
        """End the link and make no other; every wait of the session ends."""
        self._closed = True
        await self._link.close()
        self.pump()

    def pump(self) -> None:
        """Send what is to leave, hand on what happened, set the timer for what may happen next."""
        data = self._session.data_to_send()
        if data and not self._link.send(data):
            self._session.link_lost()
        for event in self._session.events():
            self._listener.wire_event(event)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._session.deadline()
        if due is not None and not self._closed:
            wait_s = max(0, due - self._clock.monotonic_ms()) / 1000
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._tick)
        self._listener.wire_changed()

    def _tick(self) -> None:
        self._timer = None
        try:
            self._session.tick(self._clock.monotonic_ms())
            self.pump()
        except Exception:  # noqa: BLE001 - whatever it was, who waits must not wait for ever
            self._give_up()

    def _give_up(self) -> None:
        self.failed()
        if self._link.is_up:
            self._link.drop()
        else:
            self._session.link_lost()
            self.pump()

    # --- what the link says ------------------------------------------------------------------------------------------

    def link_opened(self) -> None:
        """Begin a conversation (called by the link)."""
        self.heard = False
        if self.last_error != "terminal.not_ready":
            # Somebody who takes connections and says nothing is not there again because a new one was taken.
            self.last_error = None
        self._session.link_opened()
        self._listener.wire_opened()
        self.pump()

    def link_data(self, data: bytes) -> None:
        """Take bytes (called by the link)."""
        self.heard = True
        self.last_seen_at = instant_text(self._clock.now())
        try:
            self._session.receive_data(data, self._clock.monotonic_ms())
            self.pump()
        except Exception:  # noqa: BLE001 - whatever a terminal sent, the box goes on
            self._give_up()

    def link_lost(self) -> None:
        """End every wait (called by the link)."""
        # A terminal that wants a connection for each request may end it when it has answered.
        awaited = self._kept or self._session.deadline() is not None
        if awaited and not (self._closed or self._hanging_up):
            self.last_error = self.last_error or "terminal.link_lost"
        self._session.link_lost()
        self.pump()

    def link_refused(self) -> None:
        """Take notice that nobody is there (called by the link)."""
        self.last_error = "terminal.unreachable"
        self._listener.wire_changed()
