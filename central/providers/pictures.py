"""Pictures of a provider: only from its own hosts, only of a kind that boxes show, only of a size that a feed carries.

An address comes out of an answer, so it is not trusted: https (http where the provider itself is asked so), a host that
is the provider's own or configured, no redirect. A box gets the bytes as they are, sealed; it draws them anew.
"""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from central.providers.connector import Picture, Pictured, PictureReply, Trouble
from central.providers.wire import Received, Wire
from shared.clock import Clock

PICTURE_SIZE_MAX_BYTES: Final = 44 * 1024
"""Sealed and written as base64 it has to fit an entry of the feed."""
PICTURES_MAX: Final = 6
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

    def fetch(self, wanted: Sequence[tuple[str, str]]) -> PictureReply:
        """Return the pictures at these addresses, labelled. One that may not or cannot be had is there without bytes.

        A provider that does not answer is no picture missing: all are asked for again later.
        """
        found = []
        for label, url in wanted[:PICTURES_MAX]:
            if not self._is_allowed(url):
                found.append(Picture(label=label, image=None))
                continue
            received = self._wire.ask("GET", url, size_max_bytes=4 * PICTURE_SIZE_MAX_BYTES)
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
    fits = len(received.body) <= PICTURE_SIZE_MAX_BYTES
    return received.body if head is not None and received.body.startswith(head) and fits else None
