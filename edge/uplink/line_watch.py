"""Noticing that a dead line is back, before the back-off ends: the smallest question that only central answers."""

import asyncio
from typing import Final

import httpx

from edge.uplink.address import CentralAddress
from edge.uplink.trusted import trusted

PROBE_EVERY_MS: Final = 1_000
PROBE_TIMEOUT_MS: Final = 3_000


class LineWatch:
    """Tells when central can be reached over the line.

    It takes an answer to say so: a line that opens connections and resets them is as dead as any.
    """

    def __init__(self, central_url: str, address: CentralAddress, *, every_ms: int = PROBE_EVERY_MS) -> None:
        self._url = central_url.rstrip("/") + "/health"
        self._address = address
        self._every_ms = every_ms

    async def reachable_again(self, *, seen_down: bool) -> bool:
        """Return when central answers, having not answered before; never, while it answers all along.

        A central that answers this although no exchange gets through is not a line that came back. `seen_down` counts
        the failed exchange as not having answered. Returns whether this watch itself saw central not answer.
        """
        down = False
        async with httpx.AsyncClient(
            timeout=PROBE_TIMEOUT_MS / 1000, trust_env=False, verify=trusted(dates=False)
        ) as client:
            while True:
                if not await self._answers(client):
                    down = True
                elif down or seen_down:
                    return down
                await asyncio.sleep(self._every_ms / 1000)

    async def _answers(self, client: httpx.AsyncClient) -> bool:
        if not await self._address.is_known(PROBE_TIMEOUT_MS):
            return False
        try:
            return (await client.get(self._url)).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False
