"""Cookies of training apart from those of the office's box.

A browser gives one host's cookies to every port of it: signing in to training would sign the counter out. So what the
box calls `daftar_session` is called `daftar_training_session` on the wire.
"""

from http.cookies import CookieError, SimpleCookie
from typing import Final

from litestar.types import ASGIApp, Message, Receive, Scope, Send

_OURS: Final = "daftar_"
_WIRE: Final = "daftar_training_"


def _heard(header: bytes) -> bytes:
    """Return a Cookie header as the box of training understands it: its own cookies, under the box's names."""
    try:
        cookies = SimpleCookie(header.decode("latin-1"))
    except CookieError:
        return b""
    own = [(name.removeprefix(_WIRE), one) for name, one in cookies.items() if name.startswith(_WIRE)]
    return "; ".join(f"{_OURS}{name}={one.coded_value}" for name, one in own).encode("latin-1")


def _said(header: bytes) -> bytes:
    """Return a Set-Cookie header with the name that goes over the wire."""
    return header.replace(_OURS.encode(), _WIRE.encode(), 1) if header.startswith(_OURS.encode()) else header


def with_own_cookies(app: ASGIApp) -> ASGIApp:
    """Return the application with every cookie renamed, both ways."""

    async def renamed(scope: Scope, receive: Receive, send: Send) -> None:
        if "method" not in scope:
            await app(scope, receive, send)
            return

        async def send_renamed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [
                    (name, _said(value) if name.lower() == b"set-cookie" else value)
                    for name, value in message["headers"]
                ]
                message["headers"] = headers
            await send(message)

        scope["headers"] = [(name, _heard(value) if name == b"cookie" else value) for name, value in scope["headers"]]
        await app(scope, receive, send_renamed)

    return renamed
