"""A real HTTP server in a thread that has bad days, and a box's exchange state in memory."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import uvicorn
from litestar import Litestar, Request, Response, get, post

from edge.uplink.ports import ExchangeState, FeedCursor, Settlement
from shared.errors import BugError
from sync.envelope import WIRE_MEDIA_TYPE
from tests.sync.models import BoxModel

START_TIMEOUT_S = 20
REFUSALS = {
    "500 before": b'{"detail":"out of order"}',
    "words of another code page": '{"message":"خطا"}'.encode("cp1256"),
}
"""What a day's server, or a proxy before it, says in central's place."""


class MemoryExchangeStore:
    """`ExchangeStore` over a box model's fields."""

    def __init__(self, box: BoxModel) -> None:
        self.box = box
        self.last_error: str | None = None
        self.last_exchange_at: str | None = None
        self.settlements: list[Settlement] = []

    def load(self) -> ExchangeState:
        box = self.box
        return ExchangeState(
            token=box.token,
            cosigned_size=box.cosigned_size,
            cosigned_note=box.cosigned_note,
            next_index=box.next_index,
            quarantined=box.quarantined,
            feeds=(FeedCursor(feed=box.feed, next=box.feed_next, head=box.feed_head),),
            last_exchange_at=self.last_exchange_at,
            last_error=self.last_error,
        )

    def pending(self) -> bytes | None:
        return self.box.pending

    async def save_pending(self, request: bytes) -> None:
        if self.box.pending is not None:
            raise BugError("exchange.pending")
        self.box.pending = request

    async def settle(self, settlement: Settlement) -> None:
        box = self.box
        self.settlements.append(settlement)
        box.token = settlement.token or box.token
        box.cosigned_size = settlement.cosigned_size or box.cosigned_size
        box.cosigned_note = settlement.cosigned_note or box.cosigned_note
        box.next_index, box.quarantined = settlement.next_index, settlement.quarantined
        for piece in settlement.feeds:
            box.received += [entry.data for entry in piece.entries]
            box.feed_next, box.feed_head = piece.first + len(piece.entries), piece.head
        box.pending, self.last_error, self.last_exchange_at = None, None, settlement.answered_at

    async def note_failure(self, code: str) -> None:
        self.last_error = code


class Day:
    """What the server does with the next requests. Each arrival and each change wakes who waits."""

    def __init__(self, receive: Callable[[bytes], bytes]) -> None:
        self.receive = receive
        self.arrived: list[bytes] = []
        self.moods: list[str] = []
        """Taken one for each request; good when there is none."""
        self.slow_ms = 0
        """How long each request is on its way."""

    def answer(self, body: bytes) -> Response[Any]:
        self.arrived.append(body)
        mood = self.moods.pop(0) if self.moods else "good"
        if mood in REFUSALS:
            return Response(REFUSALS[mood], status_code=502, media_type="application/json")
        answer = self.receive(body)
        if mood == "500 after":
            return Response({"detail": "out of order"}, status_code=500)
        if mood == "html":
            return Response("<html>sign in to the line first</html>", media_type="text/html")
        if mood == "garbage":
            return Response(b"\0" * 40, media_type=WIRE_MEDIA_TYPE)
        if mood == "cut":
            # Promises the whole answer and sends half of it; the server then closes the connection.
            headers = {"content-length": str(len(answer))}
            return Response(answer[: len(answer) // 2], media_type=WIRE_MEDIA_TYPE, headers=headers)
        return Response(answer, media_type=WIRE_MEDIA_TYPE)


def make_app(day: Day) -> Litestar:
    @post("/exchange", status_code=200)
    async def exchange(request: Request[Any, Any, Any]) -> Response[Any]:
        body = await request.body()
        await asyncio.sleep(day.slow_ms / 1000)
        return day.answer(body)

    @get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    return Litestar([exchange, health], logging_config=None, openapi_config=None)


@contextlib.contextmanager
def serving(app: Any, port: int = 0, certificate: Path | None = None) -> Iterator[str]:
    """Serve an application on 127.0.0.1 from a thread, over HTTPS with a certificate and its key; yield its address."""
    listener = socket.create_server(("127.0.0.1", port))
    config = uvicorn.Config(
        app, log_level="critical", lifespan="on", timeout_graceful_shutdown=1, ssl_certfile=certificate
    )
    server = uvicorn.Server(config)
    ready = threading.Event()
    started = server.startup

    async def startup(*args: Any, **kwargs: Any) -> None:
        await started(*args, **kwargs)
        ready.set()

    server.startup = startup  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        assert ready.wait(START_TIMEOUT_S)
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(START_TIMEOUT_S)
        listener.close()
