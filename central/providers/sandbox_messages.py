"""A gateway of text messages to try with: keeps what it was given, shows it, and has bad days.

The sandbox of providers is one; so is the telephone on the demo's desk.

`POST /control/messages {"mode": …}`: `good`; `busy` (429: not taken), `refused` (400), `lost` (kept, then 500 is said).
"""

from collections.abc import Callable
from typing import Any, Literal

import msgspec
from litestar import Request, Response, get, post

Mode = Literal["good", "busy", "refused", "lost"]


class Message(msgspec.Struct, frozen=True):
    """What a gateway is given."""

    to: str
    text: str
    name: str = ""
    sender: str = ""


class _Mode(msgspec.Struct, frozen=True):
    mode: Mode


class Messages:
    """All messages of a gateway's life."""

    def __init__(self, on_change: Callable[[], None] = lambda: None) -> None:
        self.kept: list[Message] = []
        self.mode: Mode = "good"
        self.on_change = on_change


def message_routes(messages: Messages) -> list[Any]:
    """Return the routes of a gateway."""

    @post("/messages", status_code=200)
    async def take(request: Request[Any, Any, Any]) -> Response[dict[str, str]]:
        given = msgspec.json.decode(await request.body(), type=Message)
        if messages.mode == "busy":
            return Response({"error": "busy"}, status_code=429)
        if messages.mode == "refused":
            return Response({"error": "refused"}, status_code=400)
        messages.kept.append(given)
        messages.on_change()
        if messages.mode == "lost":
            return Response({"error": "lost"}, status_code=500)
        return Response({"id": f"m-{len(messages.kept)}"})

    @post("/control/messages", status_code=200)
    async def behave(request: Request[Any, Any, Any]) -> dict[str, str]:
        messages.mode = msgspec.json.decode(await request.body(), type=_Mode).mode
        return {"mode": messages.mode}

    @get("/control/messages")
    async def shown() -> list[Message]:
        return messages.kept

    return [take, behave, shown]
