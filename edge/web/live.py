"""The stream of changes that keeps pages and programs new: names only, never the facts, which each reader fetches."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import msgspec
from litestar.response import ServerSentEvent
from litestar.response.sse import ServerSentEventMessage

from edge.web.ports.counter import BoxEvent
from edge.web.rendering import Web

PING_S: Final = 5.0
"""When it is quiet, a `ping` this often: a box without power ends no stream, so pages count the silence."""
PING: Final = "{}"
"""Not empty: a browser drops an event without data."""
RETRY_MS: Final = 2_000


class Change(msgspec.Struct, frozen=True):
    """What a message of the stream says: something of `kind` changed; `id` null means any of them."""

    kind: str
    id: str | None


def _message(event: BoxEvent) -> ServerSentEventMessage:
    return ServerSentEventMessage(event="change", data=msgspec.json.encode(Change(event.kind, event.id)))


async def _messages(web: Web, ping_s: float) -> AsyncIterator[ServerSentEventMessage]:
    """Yield changes; between them, when it is quiet, pings."""
    changes = web.counter.subscribe()
    waiting: asyncio.Future[BoxEvent] = asyncio.ensure_future(anext(changes))
    # At once: proxies and browsers hold a stream back until its first bytes.
    yield ServerSentEventMessage(event="ping", data=PING, retry=RETRY_MS)
    try:
        while True:
            done, _ = await asyncio.wait({waiting}, timeout=ping_s)
            if not done:
                yield ServerSentEventMessage(event="ping", data=PING)
                continue
            event = waiting.result()
            waiting = asyncio.ensure_future(anext(changes))
            yield _message(event)
    except StopAsyncIteration:
        return
    finally:
        waiting.cancel()


def change_stream(web: Web, ping_s: float = PING_S) -> ServerSentEvent:
    """Return the stream as an answer. It ends when the reader goes."""
    return ServerSentEvent(_messages(web, ping_s))
