"""Pictures of a provider: only from its own hosts, only of a kind that boxes show, only of a size that a feed carries.

An address comes out of an answer, so it is not trusted: https (http where the provider itself is asked so), a host that
is the provider's own or configured, no redirect. What is too large for an entry of the feed is drawn anew, smaller.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from PIL import Image

from central.providers.connector import Picture, Pictured, PictureReply, Trouble
from central.providers.wire import Received, Wire
from shared.clock import Clock

PICTURE_SIZE_MAX_BYTES: Final = 44 * 1024
"""Sealed and written as base64 it has to fit an entry of the feed."""
FETCHED_SIZE_MAX_BYTES: Final = 2 * 1024 * 1024
PIXELS_MAX: Final = 16_000_000
PICTURES_MAX: Final = 6
_SIDES_PX: Final = (1280, 960, 720, 480, 240)
_QUALITIES: Final = (80, 65, 50)
_HEADS: Final = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}
_OK: Final = 200
_GONE: Final = (404, 410)


class PictureWire:
    """Fetches pictures. Holds an HTTP client; `close` it."""

    def __init__(self, base_url: str, *, hosts: tuple[str, ...], clock: Clock, deadline_ms: int) -> None:
        own = urlsplit(base_url)
        self._base_url = base_url
        self._origins = {(own.scheme, own.netloc.lower())} | {("https", host.lower()) for host in hosts}
        self._wire = Wire("", clock=clock, deadline_ms=deadline_ms)

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    def fetch_named(self, members: Mapping[str, Any], **names: str) -> PictureReply:
        """Return the pictures whose addresses stand in members of an answer: by label, the member's name."""
        wanted = [(label, members.get(name)) for label, name in names.items()]
        return self.fetch([(label, url) for label, url in wanted if isinstance(url, str) and url])

    def fetch(self, wanted: Sequence[tuple[str, str]]) -> PictureReply:
        """Return the pictures at these addresses, labelled. One that may not or cannot be had is there without bytes.

        A provider that does not answer is no picture missing: all are asked for again later.
        """
        found = []
        for label, url in wanted[:PICTURES_MAX]:
            if not self._is_allowed(url):
                found.append(Picture(label=label, image=None))
                continue
            received = self._wire.ask("GET", url, size_max_bytes=FETCHED_SIZE_MAX_BYTES)
            if isinstance(received, Trouble) and received.why == "DecodingError":
                found.append(Picture(label=label, image=None))
            elif not isinstance(received, Received):
                return received
            elif received.status_code != _OK and received.status_code not in _GONE:
                return Trouble(why=f"HTTP {received.status_code} for a picture")
            else:
                found.append(Picture(label=label, image=_checked(received)))
        return Pictured(pictures=tuple(found))

    def _is_allowed(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
            return (parts.scheme, parts.netloc.lower()) in self._origins
        except ValueError:
            return False


def _checked(received: Received) -> bytes | None:
    head = _HEADS.get(received.media_type)
    if head is None or not received.body.startswith(head):
        return None
    return received.body if len(received.body) <= PICTURE_SIZE_MAX_BYTES else shrunk(received.body)


def shrunk(image: bytes) -> bytes | None:
    """Return a picture that fits, drawn anew as JPEG; None for what is no picture or is too large to be opened."""
    try:
        with Image.open(io.BytesIO(image), formats=("JPEG", "PNG")) as opened:
            if opened.width * opened.height > PIXELS_MAX:
                return None
            drawn = opened.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    for side in _SIDES_PX:
        drawn.thumbnail((side, side))
        for quality in _QUALITIES:
            written = io.BytesIO()
            drawn.save(written, "JPEG", quality=quality, optimize=True)
            if written.tell() <= PICTURE_SIZE_MAX_BYTES:
                return written.getvalue()
    return None
