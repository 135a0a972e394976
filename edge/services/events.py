"""What pages are told when something changed: one hub, any number of listeners, nothing kept for the absent."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final, Literal

import msgspec

from edge.journal.writer import Recorded
from shared.events import (
    ATM_FACTS,
    FeedReceived,
    ImageAsked,
    InquiryRequested,
    ReceiptPrinted,
    ServiceReleased,
    ServiceRequested,
    ServiceRetried,
    ServiceShown,
)

BoxEventKind = Literal["payment", "inquiry", "printer", "terminal", "line", "notice", "atm"]

_WAITING_MAX: Final = 200
"""Events a slow listener may leave unread before the oldest go: a page that missed some reads the state anew."""


_OF_INQUIRIES: Final = (
    InquiryRequested,
    ServiceRequested,
    ServiceRetried,
    ServiceReleased,
    ServiceShown,
    ImageAsked,
)


class BoxEvent(msgspec.Struct, frozen=True):
    """Something of this kind changed; `id` names it, None means any of them."""

    kind: BoxEventKind
    id: str | None = None


def events_of(recorded: Recorded) -> list[BoxEvent]:
    """Return what a committed entry changes on a page."""
    body = recorded.body
    if isinstance(body, FeedReceived):
        return [BoxEvent("payment"), BoxEvent("inquiry"), BoxEvent("notice"), BoxEvent("atm")]
    if isinstance(body, _OF_INQUIRIES):
        return [BoxEvent("inquiry", body.inquiry_id)]
    if isinstance(body, ReceiptPrinted):
        return [BoxEvent("printer", body.about), BoxEvent("payment", body.about)]
    if isinstance(body, ATM_FACTS):
        return [BoxEvent("atm", getattr(body, "atm_id", None))]
    payment_id = getattr(body, "payment_id", None)
    return [BoxEvent("payment", payment_id)] if isinstance(payment_id, str) else []


class EventHub:
    """Carries events from any thread to listeners on one event loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listeners: set[asyncio.Queue[BoxEvent]] = set()

    def open(self) -> None:
        """Begin to carry events, to listeners on the running loop."""
        self._loop = asyncio.get_running_loop()

    def publish(self, event: BoxEvent) -> None:
        """Hand an event to all listeners. Callable from any thread; without an open loop nobody listens."""
        loop = self._loop
        if self._listeners and loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._deliver, event)

    def committed(self, records: Sequence[Recorded]) -> None:
        """Listen to the journal writer: publish what its entries changed."""
        for record in records:
            for event in events_of(record):
                self.publish(event)

    def _deliver(self, event: BoxEvent) -> None:
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(event)

    async def subscribe(self) -> AsyncIterator[BoxEvent]:
        """Yield events from now on, until the listener goes."""
        queue: asyncio.Queue[BoxEvent] = asyncio.Queue(_WAITING_MAX)
        self._listeners.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._listeners.discard(queue)
