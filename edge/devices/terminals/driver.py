"""One card terminal, owned: its connection, its one operation at a time, its deadlines.

The session knows the protocol, the wire has socket and timer; here is the waiting. Nothing waits without a limit, and
no wait holds the event loop. The connection is kept open and re-opened by itself. Whoever waits for a sale may go away:
the sale stays with the session, and its answer then comes through `on_late_answer`.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from edge.devices.terminals.outcome import Phase, StatusAnswer, TerminalOutcome, TerminalState
from edge.devices.terminals.session import Event, LateAnswer, QueryEnded, ReadyEnded, SaleEnded, Session, StrayAnswer
from edge.devices.terminals.wire import Wire
from firmware_profiles.profile import TerminalProfile
from shared.clock import Clock
from shared.entropy import Entropy, random_digits
from shared.errors import DeviceError
from shared.events import Evidence

__all__ = ["StatusAnswer", "TerminalDriver", "TerminalOutcome", "TerminalState"]

T = TypeVar("T")

REQUEST_NUMBER_DIGITS: Final = 12
UNUSED_REFERENCE_DIGITS: Final = 18
TIMER_SLACK_MS: Final = 500
"""The session ends a wait by its own clock; this much later the waiter gives up by the event loop's."""


class TerminalDriver:
    """A terminal over TCP. All methods belong to one event loop; `state` may be read at any time."""

    def __init__(
        self, *, name: str, profile: TerminalProfile, host: str, port: int, clock: Clock, entropy: Entropy
    ) -> None:
        self.name = name
        self.profile = profile
        self.on_late_answer: Callable[[str, TerminalOutcome], None] | None = None
        """Called with (reference, outcome) when an answer settles a sale that no caller waits for any more. The
        outcome is approved, declined or cancelled, and is another than the sale had."""
        self.on_stray_answer: Callable[[Evidence], None] | None = None
        """Called with evidence of a charge that settles nothing: of a sale not known here, or in disagreement with
        it. A person must look."""
        self.on_change: Callable[[TerminalState], None] | None = None
        """Called after each change of `state` other than the time it was last seen."""
        self._address = f"{host}:{port}"
        self._clock = clock
        self._entropy = entropy
        self._session = Session(profile)
        self._wire = Wire(self._session, profile=profile, host=host, port=port, clock=clock, listener=self)
        self._lock = asyncio.Lock()
        self._link_is_new = asyncio.Event()
        self._heartbeat: asyncio.Task[None] | None = None
        self._number_asked = False
        self._idle_confirmed = False
        self._closed = False
        self._activity: Phase | None = None
        self._shown: TerminalState | None = None
        self._sale_end: asyncio.Future[TerminalOutcome] | None = None
        self._query_end: asyncio.Future[StatusAnswer] | None = None
        self._ready_end: asyncio.Future[bool] | None = None
        self._on_progress: Callable[[str], None] | None = None

    @property
    def state(self) -> TerminalState:
        """Return what is known of the terminal now."""
        connected = self._wire.is_up
        resting: Phase = "connected" if connected else "unreachable" if self._wire.last_error else "connecting"
        return TerminalState(
            name=self.name,
            address=self._address,
            phase="closed" if self._closed else self._activity or resting,
            connected=connected,
            answers=connected and self._wire.heard,
            unanswered_reference=self._session.unanswered(self._clock.monotonic_ms()),
            terminal_number=self._session.terminal_number,
            centre_link=self._session.centre_link,
            last_seen_at=self._wire.last_seen_at,
            last_error=self._wire.last_error,
        )

    # --- what can be asked of a terminal -----------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin keeping the connection; returns at once. Every other call starts it too."""
        if self._heartbeat is None and not self._closed:
            self._wire.start()
            self._heartbeat = asyncio.create_task(self._keep_alive())

    async def prepare(self) -> None:
        """Connect, learn the terminal's number, and have it confirm that it is idle. No byte of an amount leaves.

        Raises DeviceError `terminal.unreachable`, `terminal.not_ready` or `terminal.busy` (another operation runs).
        """
        await self._check("preparing")
        self._idle_confirmed = True

    async def sale(
        self,
        *,
        amount_rial: int,
        reference: str,
        on_progress: Callable[[str], None] | None = None,
        terminal_number: str | None = None,
    ) -> TerminalOutcome:
        """Write the amount and wait for the answer, until the profile's answer_timeout_ms at the latest.

        Device trouble never raises: it is `in_doubt`. A terminal not prepared on the present link is prepared first.
        `on_progress` gets `connecting` when that is so, `waiting_card`, and `cancelling` if asked to.
        `terminal_number` is the number the answer must carry (default: the one learnt). Cancelling the task leaves
        the sale with the driver: its answer comes late.
        Raises ValueError, before anything left, for an amount or reference the protocol cannot carry.
        """
        due = self._now() + self.profile.times.answer_timeout_ms
        try:
            await self._begin("waiting_card", due)
        except DeviceError:
            return TerminalOutcome(kind="in_doubt", reason="link_lost")
        try:
            self._on_progress = on_progress
            if not (self._idle_confirmed and self._wire.is_up):
                self._progress("connecting")
                await self._make_ready(due)
            self._idle_confirmed = False
            self._session.start_sale(
                amount_rial=amount_rial,
                reference=reference,
                terminal_number=terminal_number,
                now_ms=self._now(),
                due_ms=due,
            )
            return await self._await_sale(reference, due)
        except DeviceError:
            return TerminalOutcome(kind="in_doubt", reason="link_lost")
        finally:
            self._on_progress = None
            self._finish()

    async def query(self, *, reference: str, amount_rial: int, terminal_number: str | None = None) -> StatusAnswer:
        """Ask the terminal about a payment by its reference, within query_timeout_ms. Device trouble: `no_answer`.

        `terminal_number` is the number of the payment's own terminal, when the journal knows it.
        Raises ValueError, before anything left, for a reference the protocol cannot carry.
        """
        due = self._now() + self.profile.times.query_timeout_ms
        try:
            await self._begin("asking", due)
        except DeviceError:
            return StatusAnswer(kind="no_answer")
        try:
            await self._need_link(due)
            self._session.ask_status(
                reference=reference,
                amount_rial=amount_rial,
                terminal_number=terminal_number,
                request_number=self._request_number(),
                due_ms=due,
            )
            return await self._await_query(reference, due)
        except DeviceError:
            return StatusAnswer(kind="no_answer")
        finally:
            self._finish()

    async def cancel(self) -> None:
        """Ask the terminal to drop the sale it waits for a card for. The sale's own answer says whether it did.

        Also of use after a sale ended in doubt unanswered; does nothing when there is no such sale, or no link.
        """
        if not self._wire.is_up or not self.profile.capabilities.cancel_while_waiting:
            return
        if self._session.ask_cancel(self._now()):
            self._wire.pump()
            if self._sale_end is not None:
                self._activity = "cancelling"
                self._progress("cancelling")
            self.wire_changed()

    async def probe(self) -> None:
        """Ask whether the terminal is there and idle, making no transaction. Raises DeviceError as `prepare`."""
        await self._check(None)

    async def close(self) -> None:
        """End the connection and every wait; a sale still waited for ends in doubt, `link_lost`."""
        self._closed = True
        if self._heartbeat is not None:
            self._heartbeat.cancel()
            await asyncio.gather(self._heartbeat, return_exceptions=True)
        await self._wire.close()
        self.wire_changed()

    # --- steps of an operation ---------------------------------------------------------------------------------------

    def _now(self) -> int:
        return self._clock.monotonic_ms()

    def _request_number(self) -> str:
        return random_digits(self._entropy, REQUEST_NUMBER_DIGITS)

    async def _until(self, due_ms: int, waited: asyncio.Future[T]) -> bool:
        """Wait for a future without owning it. Returns whether it is done."""
        await asyncio.wait({waited}, timeout=max(0, due_ms - self._now()) / 1000)
        return waited.done()

    async def _check(self, activity: Phase | None) -> None:
        times = self.profile.times
        due = self._now() + times.connect_timeout_ms + 2 * times.ready_timeout_ms
        await self._begin(activity, due)
        try:
            await self._make_ready(due)
        finally:
            self._finish()

    async def _keep_alive(self) -> None:
        """Ask an idle terminal, now and then and on each new link, whether it is there; never while it may work."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.profile.times.heartbeat_every_ms / 1000):
                    await self._link_is_new.wait()
            self._link_is_new.clear()
            if self._wire.is_up and not self._lock.locked() and self._session.unanswered(self._now()) is None:
                with contextlib.suppress(DeviceError):
                    await self.probe()

    async def _begin(self, activity: Phase | None, due_ms: int) -> None:
        """Take the terminal for one operation. Raises DeviceError `terminal.busy`, or `terminal.closed` after close."""
        if self._closed:
            raise DeviceError("terminal.closed", terminal=self.name)
        await self.start()
        try:
            async with asyncio.timeout(max(0, due_ms - self._now()) / 1000):
                await self._lock.acquire()
        except TimeoutError as error:
            raise DeviceError("terminal.busy", terminal=self.name) from error
        self._activity = activity
        self.wire_changed()

    def _finish(self) -> None:
        self._activity = None
        self._lock.release()
        self.wire_changed()

    async def _need_link(self, due_ms: int) -> None:
        """Wait for the link, hurrying the next attempt. Raises DeviceError `terminal.unreachable`."""
        limit_ms = min(due_ms - self._now(), self.profile.times.connect_timeout_ms)
        if not await self._wire.need(max(0, limit_ms)):
            raise self._unreachable()

    def _unreachable(self) -> DeviceError:
        return DeviceError("terminal.unreachable", terminal=self.name, address=self._address)

    async def _make_ready(self, due_ms: int) -> None:
        """Have a link, the terminal's number and its word that it is idle. Raises DeviceError."""
        await self._need_link(due_ms)
        if not self._number_asked:
            await self._ask_number(due_ms)
        due_ms = min(due_ms, self._now() + self.profile.times.ready_timeout_ms)
        end: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._ready_end = end
        self._session.ask_ready(due_ms=due_ms)
        self._wire.pump()
        if await self._until(due_ms + TIMER_SLACK_MS, end) and end.result():
            return
        self._wire.last_error = "terminal.not_ready"
        if self._session.unanswered(self._now()) is None:
            # A word that comes late must not pass for the answer to the next question; a new link has no past.
            self._wire.drop()
        raise DeviceError("terminal.not_ready", terminal=self.name)

    async def _ask_number(self, due_ms: int) -> None:
        """Learn the terminal's own number before any amount is sent, by asking for a sale that does not exist.

        A terminal that does not say is no trouble: its number is then learnt from its first answer.
        """
        self._number_asked = True
        if not self.profile.capabilities.query_by_reference:
            return
        due_ms = min(due_ms, self._now() + self.profile.times.ready_timeout_ms)
        reference = random_digits(self._entropy, min(UNUSED_REFERENCE_DIGITS, self.profile.reference_digits_max))
        self._session.ask_number(reference=reference, request_number=self._request_number(), due_ms=due_ms)
        await self._await_query(reference, due_ms)
        if not self._wire.is_up:
            raise self._unreachable()

    async def _await_query(self, reference: str, due_ms: int) -> StatusAnswer:
        end: asyncio.Future[StatusAnswer] = asyncio.get_running_loop().create_future()
        self._query_end = end
        self._wire.pump()
        try:
            if await self._until(due_ms + TIMER_SLACK_MS, end):
                return end.result()
        except asyncio.CancelledError:
            self._query_end = None
            if end.done() and end.result().kind == "approved":
                self._deliver_late(reference, TerminalOutcome(kind="approved", evidence=end.result().evidence))
            raise
        return StatusAnswer(kind="no_answer")

    async def _await_sale(self, reference: str, due_ms: int) -> TerminalOutcome:
        end: asyncio.Future[TerminalOutcome] = asyncio.get_running_loop().create_future()
        self._sale_end = end
        self._wire.pump()
        self._progress("waiting_card")
        try:
            if await self._until(due_ms + TIMER_SLACK_MS, end):
                return end.result()
        except asyncio.CancelledError:
            self._sale_end = None
            if end.done():
                self._deliver_late(reference, end.result())
            raise
        finally:
            self._session.abandon_sale()
        return TerminalOutcome(kind="in_doubt", reason="no_answer")

    # --- what the wire says ------------------------------------------------------------------------------------------

    def wire_opened(self) -> None:
        """Take notice of a new link (called by the wire): another terminal may be there, with other work in hand."""
        self._number_asked = False
        self._idle_confirmed = False
        self._link_is_new.set()

    def wire_event(self, event: Event) -> None:
        """Hand on what happened (called by the wire)."""
        match event:
            case ReadyEnded(idle):
                if idle:
                    self._wire.last_error = None
                _resolve(self._ready_end, idle)
                self._ready_end = None
            case SaleEnded(reference, outcome):
                if self._sale_end is None:
                    self._deliver_late(reference, outcome)
                _resolve(self._sale_end, outcome)
                self._sale_end = None
            case QueryEnded(reference, answer):
                if self._query_end is None and answer.kind == "approved":
                    self._deliver_late(reference, TerminalOutcome(kind="approved", evidence=answer.evidence))
                _resolve(self._query_end, answer)
                self._query_end = None
            case LateAnswer(reference, outcome):
                self._deliver_late(reference, outcome)
            case StrayAnswer(evidence):
                if self.on_stray_answer is not None:
                    # Not from inside the socket's callback: an error there would close the link.
                    asyncio.get_running_loop().call_soon(self.on_stray_answer, evidence)

    def _deliver_late(self, reference: str, outcome: TerminalOutcome) -> None:
        if self.on_late_answer is not None and outcome.kind != "in_doubt":
            asyncio.get_running_loop().call_soon(self.on_late_answer, reference, outcome)

    def _progress(self, word: str) -> None:
        if self._on_progress is not None:
            # Not from here: an error there must not end a sale whose amount has left.
            asyncio.get_running_loop().call_soon(self._on_progress, word)

    def wire_changed(self) -> None:
        """Tell who watches (called by the wire too), when more changed than the time the terminal was heard."""
        state = self.state
        seen, self._shown = self._shown, state
        if self.on_change is not None and (seen is None or not _same(seen, state)):
            asyncio.get_running_loop().call_soon(self.on_change, state)


def _same(one: TerminalState, other: TerminalState) -> bool:
    """Return whether nothing changed but when the terminal was last heard."""
    return msgspec.structs.replace(one, last_seen_at=None) == msgspec.structs.replace(other, last_seen_at=None)


def _resolve(future: asyncio.Future[T] | None, value: T) -> None:
    """End a wait, if somebody still waits."""
    if future is not None and not future.done():
        future.set_result(value)
