"""One terminal's session and wire, used by one operation at a time: taking it, having a link, waiting for an answer.

Nothing waits without a limit, and no wait holds the event loop. What the session says while nobody waits for it goes
to `on_unawaited`.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeVar

from edge.devices.terminals.engines import make_session
from edge.devices.terminals.outcome import Phase
from edge.devices.terminals.session import Event
from edge.devices.terminals.wire import Wire
from edge.devices.ways import way_to
from firmware_profiles.addresses import Address
from firmware_profiles.profile import TerminalProfile
from shared.clock import Clock
from shared.entropy import Entropy, random_digits
from shared.errors import DeviceError

E = TypeVar("E", bound=Event)

TIMER_SLACK_MS: Final = 500
"""The session ends a wait by its own clock; this much later the waiter gives up by the event loop's."""
REQUEST_NUMBER_DIGITS: Final = 12


def request_number(entropy: Entropy) -> str:
    """Return a number that tells one request from all others, where answers repeat it."""
    return random_digits(entropy, REQUEST_NUMBER_DIGITS)


class Exchange:
    """Session, wire and the lock of whoever uses them. All methods belong to one event loop."""

    def __init__(
        self,
        *,
        name: str,
        profile: TerminalProfile,
        address: Address,
        clock: Clock,
        on_opened: Callable[[], None],
        on_unawaited: Callable[[Event], None],
        on_changed: Callable[[], None],
    ) -> None:
        self.name = name
        self.profile = profile
        self.address = address.text
        way = way_to(address, profile)
        self.session = make_session(profile, address.kind, clock)
        self.wire = Wire(self.session, profile=profile, way=way, clock=clock, listener=self)
        self.activity: Phase | None = None
        """What the operation that has the terminal is doing, None when it has nothing to show."""
        self._clock = clock
        self._lock = asyncio.Lock()
        self._waits: dict[type[Any], asyncio.Future[Any]] = {}
        self._closed = False
        self._on_opened = on_opened
        self._on_unawaited = on_unawaited
        self._on_changed = on_changed

    @property
    def closed(self) -> bool:
        """Return whether `close` was called."""
        return self._closed

    @property
    def at_rest(self) -> bool:
        """Return whether nobody uses the terminal, and no sale is in it that has no answer yet."""
        return not self._lock.locked() and self.session.unanswered(self.now()) is None

    def now(self) -> int:
        """Return the monotonic clock, in milliseconds."""
        return self._clock.monotonic_ms()

    def is_awaited(self, kind: type[Event]) -> bool:
        """Return whether somebody waits for such an event."""
        return kind in self._waits

    # --- taking the terminal -----------------------------------------------------------------------------------------

    async def begin(self, activity: Phase | None, due_ms: int) -> None:
        """Take the terminal for one operation. Raises DeviceError `terminal.busy`, or `terminal.closed` after close."""
        if self._closed:
            raise DeviceError("terminal.closed", terminal=self.name)
        try:
            async with asyncio.timeout(max(0, due_ms - self.now()) / 1000):
                await self._lock.acquire()
        except TimeoutError as error:
            raise DeviceError("terminal.busy", terminal=self.name) from error
        self.activity = activity
        self._on_changed()

    def finish(self) -> None:
        """Give the terminal back."""
        self.activity = None
        self.let_link_go()
        self._lock.release()
        self._on_changed()

    def let_link_go(self) -> None:
        """End a link that was made for one request, unless a sale's late answer may still come on it."""
        if self.profile.connection == "per_request" and not self.session.is_listening(self.now()):
            self.wire.hang_up()

    async def close(self) -> None:
        """End the link and every wait."""
        self._closed = True
        await self.wire.close()
        self._on_changed()

    # --- the link ----------------------------------------------------------------------------------------------------

    async def need_link(self, due_ms: int, *, limit_ms: int | None = None) -> None:
        """Wait for a link that takes a request: the kept one, or a new one. Raises DeviceError `terminal.unreachable`.

        It is waited for until `due_ms`, for `limit_ms` at most (default: the profile's connect_timeout_ms).
        Raises DeviceError `terminal.busy` while a sale's answer may still come on the one link there can be.
        """
        if self.profile.connection == "per_request":
            if self.session.is_listening(self.now()):
                raise DeviceError("terminal.busy", terminal=self.name)
            self.wire.hang_up()
        longest_ms = self.profile.times.connect_timeout_ms if limit_ms is None else limit_ms
        if not await self.wire.need(max(0, min(due_ms - self.now(), longest_ms))):
            raise self.unreachable()

    def unreachable(self) -> DeviceError:
        """Return the error that says nobody is there."""
        return DeviceError("terminal.unreachable", terminal=self.name, address=self.address)

    # --- waiting -----------------------------------------------------------------------------------------------------

    async def answer(self, kind: type[E], due_ms: int, *, on_left: Callable[[], None] | None = None) -> E | None:
        """Send what was asked and wait for the session's word of this kind; None when it does not come at all.

        `on_left` is called when the bytes have left. Cancelled, it leaves the word to `on_unawaited`.
        """
        end: asyncio.Future[E] = asyncio.get_running_loop().create_future()
        self._waits[kind] = end
        self.wire.pump()
        if on_left is not None:
            on_left()
        try:
            await asyncio.wait({end}, timeout=max(0, due_ms + TIMER_SLACK_MS - self.now()) / 1000)
        except asyncio.CancelledError:
            if end.done():
                self._on_unawaited(end.result())
            raise
        finally:
            if self._waits.get(kind) is end:
                del self._waits[kind]
        return end.result() if end.done() else None

    # --- what the wire says ------------------------------------------------------------------------------------------

    def wire_opened(self) -> None:
        """Pass on (called by the wire)."""
        self._on_opened()

    def wire_event(self, event: Event) -> None:
        """Hand what happened to who waits for it (called by the wire)."""
        end = self._waits.pop(type(event), None)
        if end is None or end.done():
            self._on_unawaited(event)
        else:
            end.set_result(event)

    def wire_changed(self) -> None:
        """Pass on (called by the wire)."""
        self._on_changed()
