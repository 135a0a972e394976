"""One request to a provider: one deadline for all of it, a limit on what it may send, and nothing raised.

Redirects are not followed and the environment's proxies not used: the provider's address is given, and whoever else
answers is not the provider.
"""

import functools
import ssl
from typing import Any, Final, TypeVar

import httpx
import msgspec

from central.providers.connector import Trouble, Unreached
from shared.clock import Clock

CALL_DEADLINE_MS: Final = 10_000
CONNECT_TIMEOUT_MS: Final = 3_000
ANSWER_SIZE_MAX_BYTES: Final = 256 * 1024
_T = TypeVar("_T")


class Received(msgspec.Struct, frozen=True):
    """What came, whatever it is."""

    status_code: int
    media_type: str
    body: bytes


@functools.cache
def _trusted() -> ssl.SSLContext:
    """Return whose certificates are believed, read once: that takes longer than a question and its answer."""
    return httpx.create_ssl_context(trust_env=False)


def decoded(received: Received, kind: type[_T], *, named: str = "answer") -> _T | Trouble:
    """Return what came as a provider's shape has it, or that it is none, whatever the HTTP status says."""
    try:
        return msgspec.json.decode(received.body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Trouble(why=f"HTTP {received.status_code}, not an {named}")


class Wire:
    """Requests to one address. Holds one HTTP client; `close` it."""

    def __init__(
        self, base_url: str, *, clock: Clock, headers: dict[str, str] | None = None, deadline_ms: int = CALL_DEADLINE_MS
    ) -> None:
        self._clock = clock
        self._deadline_ms = deadline_ms
        self._client = httpx.Client(
            base_url=base_url,
            headers=headers or {},
            timeout=httpx.Timeout(deadline_ms / 1000, connect=min(CONNECT_TIMEOUT_MS, deadline_ms) / 1000),
            follow_redirects=False,
            trust_env=False,
            verify=_trusted(),
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        size_max_bytes: int = ANSWER_SIZE_MAX_BYTES,
    ) -> Received | Unreached | Trouble:
        """Return what came, or why nothing did. `Unreached` is said only when no byte can have left."""
        try:
            request = self._client.build_request(method, path, params=query, json=body, headers=headers)
            return self._fetch(request, size_max_bytes)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return Unreached(why=type(error).__name__)
        except httpx.TimeoutException:
            return Trouble(why="no answer in time")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Trouble(why=type(error).__name__)

    def _fetch(self, request: httpx.Request, size_max_bytes: int) -> Received:
        """Return what came. Raises httpx.HTTPError, ReadTimeout when all of it takes too long."""
        ends_ms = self._clock.monotonic_ms() + self._deadline_ms
        received = bytearray()
        response = self._client.send(request, stream=True)
        try:
            for part in response.iter_bytes():
                received += part
                if len(received) > size_max_bytes:
                    raise httpx.DecodingError("answer too large")
                # Timeouts of the client are between two bytes; a provider that drips would hold us for ever.
                if self._clock.monotonic_ms() > ends_ms:
                    raise httpx.ReadTimeout("deadline")
            media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            return Received(response.status_code, media_type, bytes(received))
        finally:
            response.close()
