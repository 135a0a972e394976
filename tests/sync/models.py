"""A box and a central in memory, joined by nothing: tests carry the bytes between them, or fail to."""

import copy
import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.clock import ClockQuality
from shared.events import Body, NoticePublished, StatusQueried
from shared.journal.cosignature import cosign, witness_key
from shared.journal.entry import (
    FEED_PAYLOAD,
    GENESIS_PREV,
    JOURNAL_PAYLOAD,
    VERSION,
    Entry,
    encode_body,
    encode_entry,
    leaf_hash,
    pre_authentication,
)
from shared.journal.note import NoteKey, format_note
from shared.journal.tree import EMPTY_ROOT, grown
from sync.central_session import Alarm, Held, judge, make_response
from sync.checked_request import Checked, check_request
from sync.edge_session import Answer, FeedStanding, Standing, make_request, read_answer
from sync.enrolment import CentralTrust
from sync.envelope import REQUEST_SIZE_MAX_BYTES, unpack
from sync.messages import SignedPair, decode_request
from sync.window import window

JOURNAL = "daftar.journal/72101001/1/1"
FEED = "daftar.feed/office/72101001"
BoxSign = Callable[[bytes], bytes]


class SteppingClock:
    """A clock that a test moves by looking at it: a second each time."""

    def __init__(self) -> None:
        self._now = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)

    def now(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now

    def monotonic_ms(self) -> int:
        return 0

    def quality(self) -> ClockQuality:
        return "ntp"


class CountedEntropy:
    """Bytes that never repeat and are the same in each run. Copies of it go different ways from `diverge` on."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._count = 0

    def token_bytes(self, size_bytes: int) -> bytes:
        self._count += 1
        return hashlib.shake_256(f"{self._seed}/{self._count}".encode()).digest(size_bytes)

    def diverge(self, name: str) -> None:
        self._seed += f"/{name}"


def private_key(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


class Log:
    """An append-only log with its tree, signed by one key."""

    def __init__(self, name: str, key_name: str, payload_type: str) -> None:
        self.name = name
        self.key_name = key_name
        self.payload_type = payload_type
        self.pairs: list[SignedPair] = []
        self.leaves: list[bytes] = []
        self.nodes: dict[tuple[int, int], bytes] = {}

    def sign(self, data: bytes) -> bytes:
        return private_key(self.key_name).sign(data)

    def append(self, body: Body, *, boot: str = "boot-1", kind: str | None = None) -> None:
        entry = Entry(
            v=VERSION,
            journal=self.name,
            index=len(self.pairs),
            prev=self.leaves[-1].hex() if self.leaves else GENESIS_PREV,
            boot=boot,
            at="2026-11-22T08:00:00.000Z",
            monotonic_ms=0,
            clock="ntp",
            type=kind or body.type,
            body=encode_body(body),
        )
        self.append_bytes(encode_entry(entry))

    def append_bytes(self, data: bytes) -> None:
        leaf = leaf_hash(data)
        for level, position, digest in grown(len(self.pairs), leaf, self.node):
            self.nodes[level, position] = digest
        self.pairs.append((data, self.sign(pre_authentication(self.payload_type, data))))
        self.leaves.append(leaf)

    def size(self) -> int:
        return len(self.pairs)

    def entries(self, first: int, limit: int) -> Sequence[SignedPair]:
        return self.pairs[first : first + limit]

    def node(self, level: int, position: int) -> bytes:
        return self.nodes[level, position]

    def rotations(self) -> list[int]:
        return [index for index, (data, _) in enumerate(self.pairs) if b'"type":"key.rotated"' in data]


def trust() -> CentralTrust:
    return CentralTrust(
        witness=witness_key("central/witness", public_bytes(private_key("witness"))).text(),
        feed=NoteKey("central/feed", public_bytes(private_key("feed"))).text(),
        exchange=NoteKey("central/exchange", public_bytes(private_key("exchange"))).text(),
        wrapping=("00" * 31) + "09",
    )


class BoxModel:
    """A box: what is in its fields is durable, so killing it at any line changes nothing."""

    def __init__(self, token: bytes, *, journal: str = JOURNAL, key_name: str = "box", feed: str = FEED) -> None:
        self.log = Log(journal, key_name, JOURNAL_PAYLOAD)
        self.clock = SteppingClock()
        self.entropy = CountedEntropy(f"{journal}/{key_name}")
        self.trust = trust()
        self.feed = feed
        self.token: bytes = token
        self.boot = "boot-1"
        self.next_index = 0
        self.cosigned_size = 0
        self.cosigned_note = ""
        self.quarantined = False
        self.feed_next = 0
        self.feed_head = GENESIS_PREV
        self.received: list[bytes] = []
        self.pending: bytes | None = None
        self.written = 0
        self.name = "A"

    def image(self, name: str) -> "BoxModel":
        """Another box made of a copy of this one's card."""
        other = copy.deepcopy(self)
        other.name = name
        other.entropy.diverge(name)
        return other

    def write(self, count: int = 1) -> None:
        for _ in range(count):
            self.written += 1
            self.log.append(StatusQueried(payment_id=f"{self.name}-{self.written}", outcome="no_answer"))

    def request(self) -> bytes:
        if self.pending is None:
            self.pending = make_request(
                Standing(
                    journal=self.log.name,
                    public_key=public_bytes(private_key(self.log.key_name)),
                    boot=self.boot,
                    token=self.token,
                    witnessed=self.cosigned_note,
                    next_index=self.next_index,
                    feeds={self.feed: self.feed_next},
                ),
                self.log,
                clock=self.clock,
                entropy=self.entropy,
                sign=self.log.sign,
            )
        return self.pending

    def receive(self, wire: bytes) -> Answer | None:
        """Read an answer and settle it; None when nothing was asked."""
        if self.pending is None:
            return None
        answer = read_answer(
            wire,
            request_wire=self.pending,
            cosigned_size=self.cosigned_size,
            feeds={self.feed: FeedStanding(next=self.feed_next, head=self.feed_head)},
            trust=self.trust,
        )
        assert not answer.feed_faults
        self.token = answer.token or self.token
        if answer.cosigned_size is not None and answer.cosigned_note is not None:
            assert answer.cosigned_size >= self.cosigned_size
            self.cosigned_size, self.cosigned_note = answer.cosigned_size, answer.cosigned_note
        if answer.status != "stale":
            self.next_index = answer.next_index
            self.quarantined = answer.status == "quarantined"
        for batch in answer.feeds:
            self.received += [signed.data for signed in batch.entries]
            self.feed_next, self.feed_head = batch.first + len(batch.entries), batch.head
        self.pending = None
        return answer


class CentralModel:
    """Central with one journal, its state in fields."""

    def __init__(self, *, journal: str = JOURNAL, key_name: str = "box") -> None:
        self.entropy = CountedEntropy("central")
        self.clock = SteppingClock()
        self.journal = journal
        self.public_key = public_bytes(private_key(key_name))
        self.token = self.entropy.token_bytes(32)
        self.spent_token: bytes | None = None
        self.root = EMPTY_ROOT
        self.cosigned_at_s = 0
        self.quarantined = False
        self.main: list[Checked] = []
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.aside: dict[bytes, Checked] = {}
        self.alarms: list[Alarm] = []
        self.answers: dict[bytes, bytes] = {}
        self.feed = Log(FEED, "feed", FEED_PAYLOAD)
        self.cosigned_sizes: list[int] = []

    def copy(self) -> "CentralModel":
        """Central as a backup taken now would bring it back."""
        return copy.deepcopy(self)

    def leaf(self, index: int) -> bytes | None:
        return self.main[index].leaf if index < len(self.main) else None

    def node(self, level: int, position: int) -> bytes:
        return self.nodes[level, position]

    def is_known(self, leaf: bytes) -> bool:
        return leaf in self.aside or any(entry.leaf == leaf for entry in self.main)

    def publish(self, count: int = 1) -> None:
        for number in range(count):
            self.feed.append(NoticePublished(notice_id=f"n{number}", title="", text=""))

    def receive(self, wire: bytes) -> bytes:
        """Answer a request. Raises PeerError; nothing has changed then."""
        envelope = unpack(wire, size_max_bytes=REQUEST_SIZE_MAX_BYTES)
        request = decode_request(envelope.payload)
        checked = check_request(envelope, request, self.public_key)
        if checked.sha256 in self.answers:
            return self.answers[checked.sha256]
        witness = witness_key("central/witness", public_bytes(private_key("witness")))
        held = Held(
            journal=self.journal,
            public_key=self.public_key,
            size=len(self.main),
            root=self.root,
            token=self.token,
            spent_token=self.spent_token,
            cosigned_size=self.cosigned_sizes[-1] if self.cosigned_sizes else 0,
            cosigned_at_s=self.cosigned_at_s,
            quarantined=self.quarantined,
        )
        verdict = judge(checked, held, self, witness)
        self.main += verdict.main
        self.nodes.update({(level, position): digest for level, position, digest in verdict.nodes})
        self.root = verdict.root
        assert len(self.main) == verdict.size
        self.aside.update({entry.leaf: entry for entry in verdict.aside})
        self.alarms += verdict.alarms
        self.quarantined = self.quarantined or verdict.quarantine
        token = None
        if verdict.renew_token:
            token = self.entropy.token_bytes(32)
            self.token, self.spent_token = token, self.token
        note = ""
        if verdict.status == "ok":
            self.cosigned_at_s = int(self.clock.now().timestamp())
            note = format_note(cosign(checked.note, witness, private_key("witness").sign, time_s=self.cosigned_at_s))
            self.cosigned_sizes.append(verdict.size)
        pairs = window(self.feed.pairs[request.feeds.get(FEED, 0) :], entries_max=3)
        answer = make_response(
            checked,
            status=verdict.status,
            next_index=verdict.next,
            note_text=note,
            token=token,
            feeds={FEED: pairs} if pairs and not self.quarantined else {},
            more=False,
            central_time="2026-11-22T08:00:00.000Z",
            sign=private_key("exchange").sign,
        )
        self.answers[checked.sha256] = answer
        return answer

    def has(self, box: BoxModel, first: int = 0) -> bool:
        """Whether every entry of the box is stored, in whichever branch."""
        known = {entry.leaf for entry in self.main} | set(self.aside)
        return set(box.log.leaves[first:]) <= known


def exchange(box: BoxModel, central: CentralModel) -> Answer:
    """One exchange over a perfect line."""
    answer = box.receive(central.receive(box.request()))
    assert answer is not None
    return answer


def new_pair() -> tuple[BoxModel, CentralModel]:
    central = CentralModel()
    return BoxModel(central.token), central
