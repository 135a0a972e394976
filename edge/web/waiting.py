"""What a box serves while its medium cannot be read: why, and then the box itself, without anybody starting it again.

An SD card that does not answer for a while, or a disk that comes up after the box, would otherwise leave an office with
a page that only a restart takes away. The box is tried again, with growing pauses; damage that no waiting mends ends
the trying.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, Protocol, cast

import structlog
from litestar import Litestar
from litestar.types import Scope

from shared.errors import BugError, DaftarError, DeviceError, OperatorError

AGAIN_FIRST_S: Final = 1.0
AGAIN_LONGEST_S: Final = 60.0
"""Pauses before the box is tried once more."""

_log = structlog.get_logger()


class HelpOf(Protocol):
    """Makes the page that says why there is no box."""

    def __call__(self, error: DaftarError, *, clears: bool) -> Litestar:
        """Return it. `clears`: the box is tried again by itself."""


class Waiting:
    """An ASGI application in the place of the box's own, until that can be made."""

    def __init__(
        self,
        error: DaftarError,
        *,
        again: Callable[[], Awaitable[Litestar]],
        help_of: HelpOf,
    ) -> None:
        """`error` is why there was no box the first time; `again` makes its application, or raises why not."""
        self._again = again
        self._help_of = help_of
        self._said = error.code
        self._app = help_of(error, clears=True)
        self._stop = asyncio.Event()

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        """Serve whatever there is now; as ASGI 3 has it, its lifespan included."""
        if scope["type"] != "lifespan":
            await self._app(cast("Scope", scope), receive, send)
            return
        await receive()
        async with self.lifespan():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Try again until there is a box, and keep it alive."""
        trying = asyncio.create_task(self._until_stopped(), name="trying to start the box")
        try:
            yield
        finally:
            self._stop.set()
            await trying

    async def _until_stopped(self) -> None:
        pause_s = AGAIN_FIRST_S
        while not await self._stopped_within(pause_s):
            pause_s = min(2 * pause_s, AGAIN_LONGEST_S)
            try:
                app = await self._again()
                _log.info("the box started after all")
                await self._live(app)
            except (DeviceError, OperatorError) as error:
                # An operator's error too: a medium that is not there yet is a file that is missing.
                self._say(error, clears=True)
            except DaftarError as error:
                self._say(error, clears=False)
                return
            except Exception:  # noqa: BLE001 - logged and said
                # The page would say for ever that the box tries again, which nobody does any more.
                _log.exception("the box cannot start")
                self._say(BugError("box.start_fault"), clears=False)
                return
            else:
                return

    async def _live(self, app: Litestar) -> None:
        """Serve the box itself until the end; whatever its start raises is raised."""
        try:
            async with app.lifespan():
                self._app = app
                await self._stop.wait()
        except Exception as error:  # noqa: BLE001 - raised, or logged at the end
            if not self._stop.is_set():
                raise _only(error) from None
            _log.exception("the box did not stop cleanly")

    async def _stopped_within(self, pause_s: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._stop.wait()
        return self._stop.is_set()

    def _say(self, error: DaftarError, *, clears: bool) -> None:
        if error.code != self._said or not clears:
            _log.critical("the box still cannot start", code=error.code, why=str(error), clears=clears)
            self._said, self._app = error.code, self._help_of(error, clears=clears)


def _only(error: Exception) -> Exception:
    """Return the one error in a group of one, in groups of one, or the error itself."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
