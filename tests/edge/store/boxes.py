"""Real boxes for tests: a file, a key, a writer; a central that signs feeds; a clock and chance that repeat."""

import hashlib
import tempfile
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Self, TypeVar
from unittest.mock import patch

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from edge.journal.signer import FileSigner
from edge.journal.views import CentralLink, Identity
from edge.journal.writer import JournalWriter, Recorded, StoreView
from edge.store import creation
from edge.store.creation import create_box
from edge.store.journal_store import SqliteJournalStore
from edge.store.queries import Queries
from edge.store.upgrade import make_schema
from shared.clock import ClockQuality
from shared.events import (
    Body,
    Evidence,
    InquiryRequested,
    PaymentApproved,
    PaymentDeclined,
    PaymentInDoubt,
    PaymentItem,
    PaymentRequested,
    PaymentSent,
    Split,
)
from shared.ids import NETWORK_FEED, BoxId, OfficeId, bill_obligation, journal_id, office_feed
from shared.journal.cosignature import witness_key
from shared.journal.entry import (
    FEED_PAYLOAD,
    GENESIS_PREV,
    VERSION,
    Entry,
    Signed,
    encode_body,
    encode_entry,
    leaf_hash,
    pre_authentication,
)
from shared.journal.note import NoteKey
from shared.sealed import Sealed
from sync.enrolment import CentralTrust

T = TypeVar("T")

OFFICE = "72101001"
BOX = "box1"
JOURNAL = journal_id(OfficeId(OFFICE), BoxId(BOX), 1)
OFFICE_FEED = office_feed(OfficeId(OFFICE))
BILL_ID, BILL_PAYMENT_ID, BILL_RIAL = "7748317800142", "1770160", 17_000
OBLIGATION = bill_obligation(BILL_ID, BILL_PAYMENT_ID)


class SteppingClock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
        self.ms = 1_000

    def now(self) -> datetime:
        return self.at

    def monotonic_ms(self) -> int:
        return self.ms

    def quality(self) -> ClockQuality:
        return "ntp"

    def step(self, **of_timedelta: float) -> None:
        """Let time pass."""
        by = timedelta(**of_timedelta)
        self.at += by
        self.ms += int(by.total_seconds() * 1000)


class CountedEntropy:
    """Bytes that look random and are the same each time."""

    def __init__(self, seed: str = "box") -> None:
        self._seed = seed
        self._count = 0
        self._lock = threading.Lock()

    def token_bytes(self, size_bytes: int) -> bytes:
        with self._lock:
            self._count += 1
            return hashlib.shake_256(f"{self._seed}/{self._count}".encode()).digest(size_bytes)


def _key(seed: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed.encode()).digest())


class Feed:
    """A feed as central signs it."""

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        self.name = name
        self._key = key
        self._index = 0
        self._prev = GENESIS_PREV

    def say(self, body: Body) -> tuple[bytes, bytes]:
        """Return the next entry and its signature."""
        return self.say_raw(body.type, bytes(encode_body(body)))

    def say_raw(self, kind: str, body: bytes) -> tuple[bytes, bytes]:
        entry = Entry(
            v=VERSION,
            journal=self.name,
            index=self._index,
            prev=self._prev,
            boot="central",
            at="2026-11-22T08:00:00.000Z",
            monotonic_ms=0,
            clock="central",
            type=kind,
            body=msgspec.Raw(body),
        )
        data = encode_entry(entry)
        self._index, self._prev = self._index + 1, leaf_hash(data).hex()
        return data, self.sign(data)

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(pre_authentication(FEED_PAYLOAD, data))


class Central:
    """The keys of central, and the two feeds a box reads."""

    def __init__(self) -> None:
        self.feed_key = _key("feed")
        self.wrapping_key = X25519PrivateKey.from_private_bytes(hashlib.sha256(b"wrapping").digest())
        self.office = Feed(OFFICE_FEED, self.feed_key)
        self.network = Feed(NETWORK_FEED, self.feed_key)

    def link(self) -> CentralLink:
        """Return what an enrolment tells a box."""
        return CentralLink(
            url="http://127.0.0.1:1",
            feeds=(OFFICE_FEED, NETWORK_FEED),
            trust=CentralTrust(
                witness=witness_key("central/witness", _key("witness").public_key().public_bytes_raw()).text(),
                feed=NoteKey("central/feed", self.feed_key.public_key().public_bytes_raw()).text(),
                exchange=NoteKey("central/exchange", _key("exchange").public_key().public_bytes_raw()).text(),
                wrapping=self.wrapping_key.public_key().public_bytes_raw().hex(),
            ),
        )


@cache
def _empty_tables() -> bytes:
    """Return the file of a box before its first entry."""
    with tempfile.TemporaryDirectory(prefix="daftar-test-tables-") as folder:
        path = Path(folder) / "box.sqlite"
        make_schema(path)
        assert [one.name for one in Path(folder).iterdir()] == [path.name], "everything is in the file"
        return path.read_bytes()


class Box:
    """A box's file in a folder, made at first use; `with` runs its writer."""

    def __init__(self, folder: Path, *, enrolled: bool = True) -> None:
        self.path = folder / "box.sqlite"
        self.clock = SteppingClock()
        self.entropy = CountedEntropy(folder.name)
        self.central = Central()
        key = folder / "box.key"
        self.signer = FileSigner.load(key) if key.exists() else FileSigner.create(key, self.entropy)
        self.identity = Identity(
            office=OFFICE,
            box=BOX,
            journal_id=JOURNAL,
            public_key=self.signer.public_key.hex(),
            central=self.central.link() if enrolled else None,
        )
        if not self.path.exists():
            self.create()

    def create(self) -> None:
        # Its tables are a copy: making them takes as long as all the rest.
        with patch.object(creation, "make_schema", lambda path: path.write_bytes(_empty_tables())):
            create_box(
                self.path,
                self.identity,
                signer=self.signer,
                clock=self.clock,
                entropy=self.entropy,
                software="test",
                token=b"first token",
            )

    def __enter__(self) -> Self:
        self.store = SqliteJournalStore.open(self.path, self.clock, self.entropy)
        self.writer = JournalWriter(self.store, self.signer, self.clock, self.entropy)
        self.writer.start()
        self.queries = Queries(self.path)
        return self

    def __exit__(self, *_: object) -> None:
        self.queries.close()
        self.writer.close()
        self.store.close()

    def write(self, *bodies: Body) -> list[Recorded]:
        """Journal facts as they are."""
        return self.writer.commit_blocking(lambda _: bodies)

    def within(self, act: Callable[[StoreView], T]) -> T:
        """Do something inside the write transaction that journals nothing; return what it returned."""
        returned: list[T] = []

        def decide(view: StoreView) -> Sequence[Body]:
            returned.append(act(view))
            return []

        self.writer.commit_blocking(decide)
        return returned[0]

    def receive(self, feed: str, entries: Sequence[tuple[bytes, bytes]]) -> list[Recorded]:
        """Take feed entries."""

        def decide(view: StoreView) -> Sequence[Body]:
            received = view.store_feed_entries(feed, entries)
            return [] if received is None else [received]

        return self.writer.commit_blocking(decide)


def requested(payment_id: str, *, obligation: str = OBLIGATION, amount_rial: int = BILL_RIAL) -> PaymentRequested:
    """Return the intent of paying the bill of these tests, or another obligation."""
    _, bill_id, bill_payment_id = obligation.split(":")
    digits = int.from_bytes(hashlib.sha256(payment_id.encode()).digest()[:8], "big") % 10**18
    return PaymentRequested(
        payment_id=payment_id,
        obligation=obligation,
        purpose="bill",
        amount_rial=amount_rial,
        split=Split(gross_rial=amount_rial, company_rial=amount_rial),
        method="pcpos",
        terminal="terminal-1",
        reference=f"{digits:018}",
        operator="sara",
        bill_id=bill_id,
        bill_payment_id=bill_payment_id,
    )


def requested_of(payment_id: str, obligations: Sequence[str], *, group_id: str = "") -> PaymentRequested:
    """Return the intent of one charge for these obligations, each of the same bill's amount."""
    if len(obligations) == 1:
        return msgspec.structs.replace(requested(payment_id, obligation=obligations[0]), group_id=group_id)
    items = tuple(PaymentItem(obligation=one, amount_rial=BILL_RIAL) for one in obligations)
    amount_rial = BILL_RIAL * len(items)
    return msgspec.structs.replace(
        requested(payment_id, obligation=obligations[0]),
        obligation=f"group:{payment_id}",
        amount_rial=amount_rial,
        split=Split(gross_rial=amount_rial, company_rial=amount_rial),
        bill_id=None,
        bill_payment_id=None,
        items=items,
        group_id=group_id,
    )


def sent(payment_id: str) -> PaymentSent:
    return PaymentSent(payment_id=payment_id, terminal_number="00001234")


def evidence(code: str = "00") -> Evidence:
    return Evidence(
        source="answer",
        response_code=code,
        amount_rial=BILL_RIAL,
        stan="000123",
        rrn="123456789012",
        terminal_number="00001234",
        pan="610433******8596",
    )


def approved(payment_id: str) -> PaymentApproved:
    return PaymentApproved(payment_id=payment_id, evidence=evidence())


def declined(payment_id: str) -> PaymentDeclined:
    return PaymentDeclined(payment_id=payment_id, evidence=evidence("51"))


def in_doubt(payment_id: str, reason: str = "no_answer") -> PaymentInDoubt:
    return PaymentInDoubt(payment_id=payment_id, reason=reason)


def asked(inquiry_id: str, *, ticket: int = 1) -> InquiryRequested:
    return InquiryRequested(
        inquiry_id=inquiry_id,
        ticket=ticket,
        service="bill_inquiry",
        kind="electricity",
        parameter=Sealed(key_id="k", ciphertext="AAAA"),
        parameter_tail="789",
        operator="sara",
    )


def signed(pair: tuple[bytes, bytes]) -> Signed:
    return Signed(*pair)
