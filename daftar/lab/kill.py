"""Killing the real server under load, at moments of the terminals' own, and judging its file after each kill.

The server is a process with real sockets and a real disk. Terminals live here, so they outlive it; so do the people,
who use its HTTP API and press again under the same key when it was gone. The seed draws which moments come and what
customers do; what a real process does in between is its own.
"""

import asyncio
import contextlib
import socket
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from daftar.lab.chance import Chance
from daftar.lab.killing.profiles import PROFILE, write_profile
from daftar.lab.killing.server import Server
from daftar.lab.killing.terminals import MOMENTS, LabTerminal, Moment
from daftar.lab.money import money_faults
from daftar.lab.simulation.counter_people import bill_of
from edge.journal.signer import FileSigner
from edge.journal.verify import verify_journal
from edge.journal.views import Identity
from edge.services.sign_in import new_token, token_sha256
from edge.settings import KEY_NAME, STORE_NAME, PrinterSettings, Settings, TerminalSettings, save_settings
from edge.store.creation import create_box
from edge.store.people import People
from edge.store.queries import Queries
from edge.store.rebuild import rebuild_projections
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.errors import DaftarError
from shared.ids import BoxId, OfficeId, journal_id
from shared.journal.entry import leaf_hash
from shared.payment import PaymentState

TERMINALS: Final = 4
PEOPLE: Final = 6
MOMENT_TIMEOUT_S: Final = 4.0
"""How long a moment is waited for; when it does not come the server is killed anyway."""
REST_WITHIN_S: Final = 60.0
EVERYTHING: Final = 1_000_000
_OFFICE: Final = OfficeId("72101001")
_BOX: Final = BoxId("1")
_UNCERTAIN: Final = (PaymentState.REQUESTED, PaymentState.SENT, PaymentState.IN_DOUBT)


class KillTally(msgspec.Struct):
    """What was done and found."""

    kills: int = 0
    payments: int = 0
    charges: int = 0
    entries: int = 0
    moments: Counter[str] = msgspec.field(default_factory=Counter)
    """At which moments the server was killed; `time` is none of them."""
    states: Counter[str] = msgspec.field(default_factory=Counter)
    """Of all payments, at the end."""
    violations: list[tuple[int, str]] = msgspec.field(default_factory=list)
    """After which kill, and what."""

    def as_json(self) -> bytes:
        """Return the figures in one line."""
        return msgspec.json.encode(
            {
                "kills": self.kills,
                "payments": self.payments,
                "charges": self.charges,
                "entries": self.entries,
                "violations": len(self.violations),
                "moments": dict(sorted(self.moments.items())),
                "states": dict(sorted(self.states.items())),
            }
        )


class _Office:
    """The folder of a box, its server, its terminals and the people at it."""

    def __init__(self, folder: Path, seed: int, port: int, mutant: str | None) -> None:
        self.folder = folder
        self.seed = seed
        self.tally = KillTally()
        self.server = Server(folder, port, mutant)
        self.base = f"http://127.0.0.1:{port}"
        self.armed: Moment | None = None
        self.killed = asyncio.Event()
        self.up = asyncio.Event()
        self.terminals = [LabTerminal(number, seed, self._passing) for number in range(TERMINALS)]
        self.answered: dict[str, str] = {}
        """Payment ids the API gave, by key."""
        self.leaves: list[bytes] = []
        self.bills = 0
        self.token = ""
        self._path = folder / STORE_NAME
        self._signer = FileSigner.create(folder / KEY_NAME, SystemEntropy())

    async def furnish(self, port: int) -> None:
        """Make the box, its settings and its terminals."""
        identity = Identity(
            office=_OFFICE,
            box=_BOX,
            journal_id=journal_id(_OFFICE, _BOX, 1),
            public_key=self._signer.public_key.hex(),
            central=None,
        )
        create_box(
            self._path, identity, signer=self._signer, clock=SystemClock(), entropy=SystemEntropy(), software="lab"
        )
        write_profile(self.folder / "profiles")
        terminals = [
            TerminalSettings(name=f"terminal-{number}", host="127.0.0.1", port=await one.start(), profile=PROFILE)
            for number, one in enumerate(self.terminals)
        ]
        settings = Settings(
            office_name="lab",
            terminals=tuple(terminals),
            printer=PrinterSettings(host="127.0.0.1", port=1, profile="daftar/virtual_80mm"),
            port=port,
            verify_base="http://127.0.0.1:1",
            doubt_every_s=1,
            profiles_folder=str(self.folder / "profiles"),
        )
        save_settings(self.folder, settings)
        self.token = new_token(SystemEntropy())
        people = People(self._path)
        try:
            people.save_api_token(
                token_sha256(self.token), name="lab", scopes=("payments:read", "payments:write", "status:read")
            )
        finally:
            people.close()

    # --- moments -----------------------------------------------------------------------------------------------------

    def _passing(self, moment: Moment) -> None:
        if moment == self.armed:
            self.kill(moment)

    def passed(self, moment: Moment) -> None:
        """Come past a moment of the API's."""
        self._passing(moment)

    def kill(self, moment: str) -> None:
        """Kill the server now."""
        if not self.server.running:
            return
        self.armed = None
        self.up.clear()
        self.server.kill()
        self.tally.moments[moment] += 1
        self.killed.set()

    # --- judging -----------------------------------------------------------------------------------------------------

    def judge(self, kill: int) -> None:
        """Hold the file against what happened, while no server runs."""
        found: list[str] = []
        queries = Queries(self._path)
        try:
            leaves = [leaf_hash(data) for data, _ in queries.entries(len(self.leaves), EVERYTHING)]
            before = [] if not self.leaves else queries.entries(len(self.leaves) - 1, 1)
            if self.leaves and [leaf_hash(data) for data, _ in before] != self.leaves[-1:]:
                found.append("I4 the journal is not the one it was")
            self.leaves += leaves
            payments = {payment.payment_id: payment for payment in queries.payments(None, EVERYTHING)}
            found += [f"I1 {name} was answered and is gone" for name in self.answered.values() if name not in payments]
            sent = {one.reference: one for one in payments.values() if one.state is not PaymentState.REQUESTED}
            for reference, amount_rial in (given for one in self.terminals for given in one.given):
                if reference not in sent or sent[reference].amount_rial != amount_rial:
                    found.append(f"I2 an amount left of which the journal does not know ({reference})")
            charges = [charge for one in self.terminals for charge in one.charges]
            found += money_faults(charges, payments.values())
            self.tally.payments, self.tally.charges = len(payments), len(charges)
            self.tally.entries = len(self.leaves)
            self.tally.states = Counter(str(payment.state) for payment in payments.values())
        finally:
            queries.close()
        self.tally.violations += [(kill, what) for what in found]

    def judge_whole(self, kill: int) -> None:
        """Verify the whole journal and rebuild what is made from it."""
        queries = Queries(self._path)
        try:
            verify_journal(queries, queries.identity().journal_id, self._signer.public_key)
            uncertain = queries.payments(None, EVERYTHING, _UNCERTAIN)
        except DaftarError as error:
            self.tally.violations.append((kill, f"the journal does not verify: {error}"))
            return
        finally:
            queries.close()
        found = [f"I10 {payment.payment_id} is still {payment.state}" for payment in uncertain]
        found += [f"I8 {one.table} {one.key} is not what the journal says" for one in rebuild_projections(self._path)]
        self.tally.violations += [(kill, what) for what in found]


class _Person:
    """Somebody who pays bills over the API, one after another."""

    def __init__(self, office: _Office, number: int) -> None:
        self._office = office
        self._chance = Chance("person", office.seed, number)
        self._number = number
        self._keys = 0
        headers = {"authorization": f"Bearer {office.token}"}
        self._client = httpx.AsyncClient(base_url=f"{office.base}/api/v1", headers=headers, timeout=10, trust_env=False)

    async def work(self) -> None:
        """Pay for ever."""
        try:
            while True:
                await self._office.up.wait()
                if self._chance.coin(0.85) or not self._office.bills:
                    self._office.bills += 1
                    await self._pay(self._office.bills)
                else:
                    await self._pay(1 + self._chance.below(self._office.bills))
                await asyncio.sleep(self._chance.below(50) / 1_000)
        finally:
            await self._client.aclose()

    async def _call(self, method: str, path: str, **named: Any) -> httpx.Response | None:
        """Ask the server; None when it is gone."""
        try:
            return await self._client.request(method, path, **named)
        except httpx.HTTPError:
            return None

    async def _pay(self, number: int) -> None:
        self._keys += 1
        key = f"{self._number}-{self._keys}"
        bill_id, payment_id = bill_of(self._office.seed % 900 * 1_000 + number)
        body = {"bill_id": bill_id, "payment_id": payment_id}
        while True:
            answer = await self._call("POST", "/payments", json=body, headers={"Idempotency-Key": key})
            if answer is not None and answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                break
            # The same key: whether the first one arrived nobody can say.
            await asyncio.sleep(0.05)
            await self._office.up.wait()
        if not answer.is_success:
            await asyncio.sleep(0.1)
            return
        payment: str = answer.json()["payment_id"]
        if self._office.answered.setdefault(key, payment) != payment:
            self._office.tally.violations.append(
                (self._office.server.kills, f"I1 {key} was answered twice differently")
            )
        self._office.passed("answered")
        await self._watch(payment)

    async def _watch(self, payment: str) -> None:
        while True:
            await asyncio.sleep(0.05)
            await self._office.up.wait()
            answer = await self._call("GET", f"/payments/{payment}")
            if answer is None or not answer.is_success:
                continue
            state = answer.json()["state"]
            if state not in _UNCERTAIN:
                return
            if state == PaymentState.IN_DOUBT:
                await self._call("POST", f"/payments/{payment}/check")
                await asyncio.sleep(0.2)
            elif self._office.armed == "cancel" or self._chance.coin(0.02):
                await self._call("POST", f"/payments/{payment}/cancel")


async def _live(office: _Office, kills: int, progress: Callable[[KillTally], None], *, stop_at_first: bool) -> None:
    chance = Chance("moments", office.seed)
    async with httpx.AsyncClient(base_url=office.base, timeout=5, trust_env=False) as client:
        async with _people(office):
            while office.tally.kills < kills:
                moment = chance.pick(MOMENTS)
                await _one_life(office, moment, chance, client)
                office.tally.kills = office.server.kills
                office.judge(office.tally.kills)
                progress(office.tally)
                if stop_at_first and office.tally.violations:
                    return
        office.server.launch()
        await office.server.ready(client)
        for terminal in office.terminals:
            terminal.wish = None
        await _rest(office, client)
    office.server.kill()
    office.judge(office.tally.kills)
    office.judge_whole(office.tally.kills)


async def _one_life(office: _Office, moment: Moment, chance: Chance, client: httpx.AsyncClient) -> None:
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
        terminal.wish = moment
    office.armed = moment
    office.up.set()
    try:
        async with asyncio.timeout(MOMENT_TIMEOUT_S):
            await office.killed.wait()
    except TimeoutError:
        office.kill("time")


async def _rest(office: _Office, client: httpx.AsyncClient) -> None:
    """Let nobody begin anything; wait until nothing is open, asking about what is in doubt."""
    headers = {"authorization": f"Bearer {office.token}"}
    path = "/api/v1/payments"
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(REST_WITHIN_S):
            while True:
                states: dict[str, Any] = {"state": [str(state) for state in _UNCERTAIN], "limit": 100}
                answer = await client.get(path, params=states, headers=headers)
                uncertain = answer.json()["payments"]
                if not uncertain:
                    return
                for payment in uncertain:
                    if payment["state"] == PaymentState.IN_DOUBT:
                        await client.post(f"{path}/{payment['payment_id']}/check", headers=headers)
                await asyncio.sleep(0.2)


@asynccontextmanager
async def _people(office: _Office) -> Any:
    tasks = [asyncio.create_task(_Person(office, number).work()) for number in range(PEOPLE)]
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
            office = _Office(Path(name), seed, port, mutant)
            await office.furnish(port)
            try:
                await _live(office, kills, progress, stop_at_first=stop_at_first)
            finally:
                office.server.kill()
                for terminal in office.terminals:
                    await terminal.stop()
            return office.tally

        return asyncio.run(run())


@contextmanager
def _free_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    yield port
