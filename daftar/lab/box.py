"""A whole box of the lab on one file: the product's store, writer, recovery, people and uplink, joined as its app does.

Only the wire to central is replaced (by a call), and sealing (whose random bytes could not repeat).
"""

import asyncio
import base64
import hashlib
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import apsw

from daftar.lab.chance import Chance, LabClock
from daftar.lab.patching import patched
from daftar.lab.witness import BOX, FIRST_TOKEN, JOURNAL, OFFICE, Witness, central_link
from edge.journal import data_keys, recovery
from edge.journal.ports import Decide, StoreView
from edge.journal.recovery import Recovered
from edge.journal.signer import FileSigner
from edge.journal.views import Identity
from edge.journal.writer import JournalWriter, Recorded
from edge.services.bills import ask_inquiry
from edge.store import creation
from edge.store.exchange_store import SqliteExchangeStore
from edge.store.journal_store import SqliteJournalStore
from edge.store.people import People
from edge.store.queries import Queries
from edge.uplink.client import ExchangeResult, Uplink, UplinkSettings
from shared.clock import Clock
from shared.errors import PeerError
from shared.events import Body
from shared.sealed import Sealed

T = TypeVar("T")

SOFTWARE: Final = "lab"
FILE: Final = "box.sqlite"
SIGNER: Final = FileSigner(hashlib.sha256(b"daftar lab box").digest())
IDENTITY: Final = Identity(
    office=OFFICE, box=BOX, journal_id=JOURNAL, public_key=SIGNER.public_key.hex(), central=central_link()
)
_WAIT_S: Final = 20.0

Wire = Callable[[bytes], bytes]
"""Takes a request's bytes, returns the answer's. Raises PeerError when there is none."""


def create(path: Path) -> None:
    """Make the lab's box at a path, as an enrolment would."""
    creation.create_box(
        path,
        IDENTITY,
        signer=SIGNER,
        clock=LabClock(),
        entropy=Chance("create"),
        software=SOFTWARE,
        token=FIRST_TOKEN,
    )


@contextmanager
def repeatable(wal_pages: int) -> Iterator[None]:
    """Have sealing give the same bytes each time, and let a WAL of so many pages be brought into the file.

    The product leaves that at SQLite's 1,000 pages: short workloads would never come to it.
    """

    def shorten(connection: apsw.Connection) -> None:
        connection.wal_autocheckpoint(wal_pages)

    apsw.connection_hooks.append(shorten)
    try:
        with patched(data_keys, "seal", _seal), patched(ask_inquiry, "seal", _seal):
            yield
    finally:
        apsw.connection_hooks.remove(shorten)


def _seal(plaintext: bytes, *, key_id: str, public_key: bytes, purpose: str) -> Sealed:
    digest = hashlib.shake_128(plaintext + public_key + purpose.encode()).digest(32 + len(plaintext) + 16)
    return Sealed(key_id=key_id, ciphertext=base64.b64encode(digest).decode())


class WatchedWriter(JournalWriter):
    """The product's writer; someone hears of every answer the moment it is given."""

    on_answer: Callable[[Sequence[Recorded]], None] | None = None

    def _hand_in(self, decide: Decide) -> "Future[list[Recorded]]":
        answer = super()._hand_in(decide)
        on_answer = self.on_answer
        if on_answer is None:
            return answer
        heard: Future[list[Recorded]] = Future()

        def pass_on(answer: "Future[list[Recorded]]") -> None:
            if error := answer.exception():
                heard.set_exception(error)
                return
            on_answer(answer.result())
            heard.set_result(answer.result())

        # Whoever asked goes on when this has been told of: else it depends on threads what is noted first.
        answer.add_done_callback(pass_on)
        return heard


class _CalledUplink(Uplink):
    """The product's uplink, over a call in place of HTTPS."""

    wire: Wire

    async def _post(self, request: bytes) -> bytes:
        return self.wire(request)


class LabBox:
    """One run of the box's program over a file. `with` closes it in the order of the product."""

    def __init__(self, path: Path, boot: object, run: Callable[[Coroutine[Any, Any, T]], T]) -> None:
        """Open the file; raises what the product raises. `run` runs a coroutine to its end."""
        self.path = path
        self.clock: Clock = LabClock()
        self.entropy = Chance("box", boot)
        self._run: Callable[[Coroutine[Any, Any, Any]], Any] = run
        with ExitStack() as stack:
            self.store = stack.enter_context(SqliteJournalStore.open(path, self.clock, self.entropy))
            self.queries = Queries(path)
            stack.callback(self.queries.close)
            self.people = People(path)
            stack.callback(self.people.close)
            self.writer = WatchedWriter(self.store, SIGNER, self.clock, self.entropy)
            self.exchange_store = SqliteExchangeStore(self.queries, self.writer)
            self.writer.start()
            stack.callback(self.writer.close)
            self._open = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._open.close()
        except (apsw.IOError, apsw.FullError):
            # SQLite ignores trouble while its last connection empties the WAL, and so does a real close; apsw shows
            # what a VFS in Python raised there. The connection is closed; the lock is not given back yet.
            self.store.close()

    def recover(self) -> Recovered:
        """Do what the product does first at every start."""
        return recovery.recover(self.writer, self.queries, IDENTITY, SIGNER.public_key, software=SOFTWARE)

    def write(self, *bodies: Body) -> list[Recorded]:
        """Journal facts as they are."""
        return self.writer.commit_blocking(lambda _: bodies)

    def ask(self, kind: Any, parameter: str, operator: str) -> str:
        """Take an inquiry by the product's own service; return its id."""
        service = ask_inquiry.AskInquiry(self.writer, self.entropy)
        inquiry_id: str = self._run(service.request(kind, parameter, operator=operator))
        return inquiry_id

    def together(self, decisions: Sequence[Decide]) -> None:
        """Hand in decisions so that they share one transaction; return when all are answered."""
        began, go_on = threading.Event(), threading.Event()

        def hold(_: StoreView) -> Sequence[Body]:
            began.set()
            go_on.wait(_WAIT_S)
            return []

        async def hand_in() -> None:
            first = asyncio.create_task(self.writer.commit(hold))
            await asyncio.sleep(0)
            # The writer needs nothing of this loop to come to `hold`.
            began.wait(_WAIT_S)
            rest = [asyncio.create_task(self.writer.commit(decide)) for decide in decisions]
            await asyncio.sleep(0)
            go_on.set()
            await asyncio.gather(first, *rest)

        self._run(hand_in())

    def exchange(self, wire: Wire) -> ExchangeResult:
        """Exchange once over a call. Raises nothing for trouble with the wire."""
        uplink = _CalledUplink(
            UplinkSettings(central_url="http://127.0.0.1:1"),
            journal_id=JOURNAL,
            boot=self.writer.boot,
            trust=central_link().trust,
            store=self.exchange_store,
            journal=self.queries,
            signer=SIGNER,
            clock=self.clock,
            entropy=self.entropy,
        )
        uplink.wire = wire
        result: ExchangeResult = self._run(uplink.exchange_once())
        return result

    def exchange_all(self, witness: Witness) -> ExchangeResult:
        """Exchange over a perfect line until there is nothing more to say."""
        for _ in range(_EXCHANGES_MAX):
            result = self.exchange(witness.receive)
            if not result.backlog:
                return result
        raise PeerError("exchange.refused", status=0, reason="no end of exchanges")


_EXCHANGES_MAX: Final = 50
