"""Killing the real server under load, at moments of the terminals' own, and judging its file after each kill.

The server is a process with real sockets and a real disk. Terminals and central live here, so they outlive it; so do
the people, who use its HTTP API and press again under the same key when it was gone. The seed draws which moments come
and what customers do; what a real process does in between is its own.
"""

import asyncio
import contextlib
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from daftar.lab.chance import Chance
from daftar.lab.killing.office import UNCERTAIN, KillTally, Office
from daftar.lab.killing.people import Person
from daftar.lab.killing.terminals import MOMENTS, Moment
from shared.payment import PaymentState

PEOPLE: Final = 6
MOMENT_TIMEOUT_S: Final = 30.0
"""How long a moment is waited for; when it does not come the server is killed anyway. All of them can come: only a
machine that is very busy gets there."""
REST_WITHIN_S: Final = 120.0


async def _live(office: Office, kills: int, progress: Callable[[KillTally], None], *, stop_at_first: bool) -> None:
    chance = Chance("moments", office.seed)
    to_come: list[Moment] = []
    async with httpx.AsyncClient(base_url=office.base, timeout=5, trust_env=False) as client:
        async with _people(office):
            while office.tally.kills < kills:
                # Each once, in any order, then each again: a run of so many kills has them all.
                to_come = to_come or list(MOMENTS)
                moment = to_come.pop(chance.below(len(to_come)))
                await _one_life(office, moment, chance, client)
                office.tally.kills = office.server.kills
                office.judge(office.tally.kills)
                progress(office.tally)
                if stop_at_first and office.tally.violations:
                    return
        office.server.launch()
        await office.server.ready(client)
        for terminal in office.terminals:
            terminal.customers.wish = None
        await _rest(office, client)
    office.server.kill()
    office.judge(office.tally.kills)
    office.judge_whole(office.tally.kills)


async def _one_life(office: Office, moment: Moment, chance: Chance, client: httpx.AsyncClient) -> None:
    """Start the server and kill it at a moment."""
    office.killed.clear()
    office.server.launch()
    if moment == "start":
        await asyncio.sleep(chance.below(600) / 1_000)
        office.kill(moment)
        return
    if not await office.server.ready(client):
        office.server.kill()
        office.server.kills += 1
        office.tally.violations.append((office.server.kills, f"the server does not start: {office.server.log_tail()}"))
        return
    for terminal in office.terminals:
        terminal.customers.wish = moment
    office.armed = moment
    office.up.set()
    try:
        async with asyncio.timeout(MOMENT_TIMEOUT_S):
            await office.killed.wait()
    except TimeoutError:
        office.kill("time")


async def _rest(office: Office, client: httpx.AsyncClient) -> None:
    """Let nobody begin anything; wait until nothing is open, asking about what is in doubt."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(REST_WITHIN_S):
            while True:
                if await _is_at_rest(office, client):
                    return
                await asyncio.sleep(0.2)


async def _is_at_rest(office: Office, client: httpx.AsyncClient) -> bool:
    """Return whether nothing is open; ask about what is in doubt."""
    headers = {"authorization": f"Bearer {office.token}"}
    path = "/api/v1/payments"
    states: dict[str, Any] = {"state": [str(state) for state in UNCERTAIN], "limit": 100}
    try:
        answer = await client.get(path, params=states, headers=headers)
        uncertain = answer.raise_for_status().json()["payments"]
        for payment in uncertain:
            if payment["state"] == PaymentState.IN_DOUBT:
                await client.post(f"{path}/{payment['payment_id']}/check", headers=headers)
    except httpx.HTTPError:
        return False
    return not uncertain


@asynccontextmanager
async def _people(office: Office) -> Any:
    tasks = [asyncio.create_task(Person(office, number).work()) for number in range(PEOPLE)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                office.tally.violations.append((office.server.kills, f"the lab itself failed: {ended!r}"))


def kill(
    kills: int,
    seed: int,
    progress: Callable[[KillTally], None] = lambda _: None,
    *,
    mutant: str | None = None,
    stop_at_first: bool = False,
) -> KillTally:
    """Kill the server, or a known-bad one, so many times; return what was found."""
    with tempfile.TemporaryDirectory(prefix="daftar-kill-") as name, _free_port() as port:

        async def run() -> KillTally:
            office = Office(Path(name), seed, port, mutant)
            await office.furnish(port)
            try:
                await _live(office, kills, progress, stop_at_first=stop_at_first)
            finally:
                office.server.kill()
                for terminal in office.terminals:
                    await terminal.stop()
                await office.centre.stop()
            return office.tally

        return asyncio.run(run())


@contextmanager
def _free_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    yield port
