"""One office of the kill lab: its folder, its server and terminals, and what its file is held against after a kill."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Final

import msgspec

from daftar.lab.killing.centre import LabCentre
from daftar.lab.killing.profiles import CONFIRMING, QUICK, write_profiles
from daftar.lab.killing.server import Server
from daftar.lab.killing.terminals import LabConfirmingTerminal, LabTerminal, Moment
from daftar.lab.money import money_faults
from edge.journal.signer import FileSigner
from edge.journal.verify import verify_journal
from edge.journal.views import Identity, PaymentView
from edge.services.people.sign_in import new_token, token_sha256
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
"""The last of them takes back what it is not told to keep."""
EVERYTHING: Final = 1_000_000
UNCERTAIN: Final = (PaymentState.REQUESTED, PaymentState.SENT, PaymentState.IN_DOUBT)
_OFFICE: Final = OfficeId("72101001")
_BOX: Final = BoxId("1")
_SCOPES: Final = ("payments:read", "payments:write", "services:read", "services:write", "status:read")


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
    a_persons: int = 0
    """Payments left in doubt that no word of their terminal can settle, at the end."""
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
                "a_persons": self.a_persons,
                "violations": len(self.violations),
                "moments": dict(sorted(self.moments.items())),
                "states": dict(sorted(self.states.items())),
            }
        )


class Office:
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
        self.confirming = LabConfirmingTerminal(TERMINALS - 1, seed, self._passing)
        self.terminals: list[LabTerminal | LabConfirmingTerminal] = [
            *(LabTerminal(number, seed, self._passing) for number in range(TERMINALS - 1)),
            self.confirming,
        ]
        self.answered: dict[str, str] = {}
        """Payment ids the API gave, by key."""
        self.asked: dict[str, str] = {}
        """Ids of requests for services that the API gave, by key."""
        self.leaves: list[bytes] = []
        self.bills = 0
        self.token = ""
        self._path = folder / STORE_NAME
        self._signer = FileSigner.create(folder / KEY_NAME, SystemEntropy())

    async def furnish(self, port: int) -> None:
        """Make the box, its central, its settings and its terminals."""
        name = journal_id(_OFFICE, _BOX, 1)
        self.centre = LabCentre(_OFFICE, name, self._signer.public_key)
        identity = Identity(
            office=_OFFICE,
            box=_BOX,
            journal_id=name,
            public_key=self._signer.public_key.hex(),
            central=await self.centre.start(),
        )
        create_box(
            self._path,
            identity,
            signer=self._signer,
            clock=SystemClock(),
            entropy=SystemEntropy(),
            software="lab",
            token=self.centre.first_token,
        )
        write_profiles(self.folder / "profiles")
        terminals = [
            TerminalSettings(
                name=name_of(number),
                host="127.0.0.1",
                port=await one.start(),
                profile=CONFIRMING if one is self.confirming else QUICK,
            )
            for number, one in enumerate(self.terminals)
        ]
        settings = Settings(
            office_name="lab",
            terminals=tuple(terminals),
            printer=PrinterSettings(host="127.0.0.1", port=1, profile="daftar/virtual_80mm"),
            port=port,
            verify_base="http://127.0.0.1:1",
            doubt_every_s=1,
            exchange_every_s=1,
            profiles_folder=str(self.folder / "profiles"),
        )
        save_settings(self.folder, settings)
        self.token = new_token(SystemEntropy())
        people = People(self._path)
        try:
            people.save_api_token(token_sha256(self.token), name="lab", scopes=_SCOPES)
        finally:
            people.close()

    # --- moments -----------------------------------------------------------------------------------------------------

    def _passing(self, moment: Moment) -> bool:
        if moment != self.armed or not self.server.running:
            return False
        self.kill(moment)
        return True

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
        self.confirming.server_gone()
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
            gone = (name for name in self.asked.values() if queries.services.request(name) is None)
            found += [f"I1 request {name} was answered and is gone" for name in gone]
            known = [payment for payment in payments.values() if payment.state is not PaymentState.REQUESTED]
            given = {(payment.reference, payment.amount_rial) for payment in known}
            charges = []
            for one in self.terminals:
                left = one.given_by(known)
                found += [f"I2 an amount left of which the journal does not know ({name})" for name in left - given]
                charges += one.charges_by(known)
            found += money_faults(charges, [_as_told(payment) for payment in payments.values()])
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
            uncertain = queries.payments(None, EVERYTHING, UNCERTAIN)
        except DaftarError as error:
            self.tally.violations.append((kill, f"the journal does not verify: {error}"))
            return
        finally:
            queries.close()
        self.tally.a_persons = sum(_is_a_persons(one) for one in uncertain)
        found = [
            f"I10 {one.payment_id} is still {one.state} at {one.terminal}: {one.last_answer}"
            for one in uncertain
            if not _is_a_persons(one)
        ]
        found += [f"I8 {one.table} {one.key} is not what the journal says" for one in rebuild_projections(self._path)]
        self.tally.violations += [(kill, what) for what in found]


def _is_a_persons(payment: PaymentView) -> bool:
    """Return whether nothing its terminal can say settles a doubt, so that a person or the acquirer must.

    A not-found proves nothing where the terminal had not told its number before the amount left: it may be another's.
    That comes when this process is so slow that the box waits for the number in vain. At rest all others are settled.
    """
    return payment.state is PaymentState.IN_DOUBT and payment.terminal_number is None


def name_of(number: int) -> str:
    """Return a terminal's name in the settings."""
    return f"terminal-{number}"


def _as_told(payment: PaymentView) -> PaymentView:
    """Return a payment with what nobody can know said as such: a terminal not told to keep a sale may take it back."""
    return msgspec.structs.replace(payment, state=PaymentState.IN_DOUBT) if payment.unacknowledged else payment
