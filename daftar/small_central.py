"""A central in memory around the real `sync.central_session`: one journal, its feeds, and nothing that outlives it.

The labs judge boxes against it, and training has it in the place of the centre.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Self

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.journal.views import CentralLink
from shared.entropy import Entropy
from shared.events import Body
from shared.journal.cosignature import cosign, witness_key
from shared.journal.entry import (
    FEED_PAYLOAD,
    GENESIS_PREV,
    VERSION,
    Entry,
    encode_body,
    encode_entry,
    leaf_hash,
    pre_authentication,
)
from shared.journal.note import NoteKey, format_note
from shared.journal.rotation import Rotation
from shared.journal.tree import EMPTY_ROOT
from sync.central_session import Alarm, Held, Verdict, judge, make_response
from sync.checked_request import Checked, check_request
from sync.enrolment import CentralTrust
from sync.envelope import REQUEST_SIZE_MAX_BYTES, unpack
from sync.messages import TOKEN_SIZE_BYTES, SignedPair, decode_request
from sync.window import window

_FEED_ENTRIES_MAX: Final = 4
KEY_NAMES: Final = ("witness", "feed", "exchange")

Keys = Mapping[str, Ed25519PrivateKey]
"""A key for each of KEY_NAMES."""


def witness_of(keys: Keys) -> NoteKey:
    """Return the key that cosigns, as boxes know it."""
    return witness_key("central/witness", keys["witness"].public_key().public_bytes_raw())


def link_to(url: str, keys: Keys, feeds: Sequence[str], *, wrapping: str) -> CentralLink:
    """Return what an enrolment would tell a box of such a central; `wrapping` is 64 hex digits (X25519)."""
    return CentralLink(
        url=url,
        feeds=tuple(feeds),
        trust=CentralTrust(
            witness=witness_of(keys).text(),
            feed=NoteKey("central/feed", keys["feed"].public_key().public_bytes_raw()).text(),
            exchange=NoteKey("central/exchange", keys["exchange"].public_key().public_bytes_raw()).text(),
            wrapping=wrapping,
        ),
    )


class SmallCentral(ABC):
    """Central with one journal and its feeds."""

    def __init__(
        self,
        journal: str,
        public_key: bytes,
        *,
        keys: Callable[[], Keys],
        witness: NoteKey,
        feeds: Sequence[str],
        first_token: bytes,
        entropy: Entropy,
    ) -> None:
        """Hold nothing yet of a journal that was opened with this key. `keys` are asked for at each use."""
        self._journal = journal
        self._public_key = public_key
        self._keys = keys
        self._entropy = entropy
        self._witness = witness
        self._token = first_token
        self._spent: bytes | None = None
        self._nodes: dict[tuple[int, int], bytes] = {}
        self._aside: set[bytes] = set()
        self._answers: dict[bytes, bytes] = {}
        self._feeds: dict[str, list[SignedPair]] = {feed: [] for feed in feeds}
        self._cosigned_at_s = 0
        self._rotations: list[Rotation] = []
        self.main: list[bytes] = []
        """Leaf hashes of the main branch."""
        self.root = EMPTY_ROOT
        self.cosigned_size = 0
        self.quarantined = False
        self.alarms: list[Alarm] = []

    @abstractmethod
    def _now(self) -> tuple[str, int]:
        """Return the time as an instant's text and as seconds of the epoch; the latter never fall."""

    @property
    def size(self) -> int:
        """How many entries central holds as good."""
        return len(self.main)

    def copy(self) -> Self:
        """Return central as it is now; the two go their own ways."""
        other = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, list | dict | set):
                setattr(other, name, copy.copy(value))
        other._feeds = {name: list(pairs) for name, pairs in self._feeds.items()}  # noqa: SLF001 - our own kind
        other._entropy = copy.copy(self._entropy)  # noqa: SLF001 - our own kind
        return other

    # --- sync.central_session.Branches ---

    def leaf(self, index: int) -> bytes | None:
        """Return the main branch's leaf hash at an index."""
        return self.main[index] if index < len(self.main) else None

    def node(self, level: int, position: int) -> bytes:
        """Return a complete subtree of the main branch."""
        return self._nodes[level, position]

    def is_known(self, leaf: bytes) -> bool:
        """Return whether an entry is held, in any branch."""
        return leaf in self._aside or leaf in self.main

    # --- the feeds and the exchange ---

    def publish(self, feed: str, body: Body) -> None:
        """Put an entry at the end of a feed."""
        pairs = self._feeds[feed]
        entry = Entry(
            v=VERSION,
            journal=feed,
            index=len(pairs),
            prev=leaf_hash(pairs[-1][0]).hex() if pairs else GENESIS_PREV,
            boot="central",
            at=self._now()[0],
            monotonic_ms=0,
            clock="central",
            type=body.type,
            body=msgspec.Raw(bytes(encode_body(body))),
        )
        data = encode_entry(entry)
        pairs.append((data, self._keys()["feed"].sign(pre_authentication(FEED_PAYLOAD, data))))

    def receive(self, wire: bytes) -> bytes:
        """Answer a request; the same bytes get the same answer. Raises PeerError; nothing has changed then."""
        envelope = unpack(wire, size_max_bytes=REQUEST_SIZE_MAX_BYTES)
        request = decode_request(envelope.payload)
        checked = check_request(envelope, request, self._public_key)
        earlier = self._answers.get(checked.sha256)
        if earlier is not None:
            return earlier
        verdict = judge(checked, self._held(), self, self._witness)
        self._keep(verdict)
        token = self._renew() if verdict.renew_token else None
        note = ""
        if verdict.status == "ok":
            self._cosigned_at_s = self._now()[1]
            sign = self._keys()["witness"].sign
            note = format_note(cosign(checked.note, self._witness, sign, time_s=self._cosigned_at_s))
            self.cosigned_size = verdict.size
        feeds: dict[str, tuple[SignedPair, ...]] = {}
        if not self.quarantined:
            for feed, pairs in self._feeds.items():
                first = request.feeds.get(feed, 0)
                if len(pairs) > first:
                    feeds[feed] = window(pairs[first:], entries_max=_FEED_ENTRIES_MAX)
        answer = make_response(
            checked,
            status=verdict.status,
            next_index=verdict.next,
            note_text=note,
            token=token,
            feeds=feeds,
            more=any(request.feeds.get(name, 0) + len(sent) < len(self._feeds[name]) for name, sent in feeds.items()),
            central_time=self._now()[0],
            sign=self._keys()["exchange"].sign,
        )
        self._answers[checked.sha256] = answer
        return answer

    def _held(self) -> Held:
        return Held(
            journal=self._journal,
            public_key=self._public_key,
            size=len(self.main),
            root=self.root,
            token=self._token,
            spent_token=self._spent,
            cosigned_size=self.cosigned_size,
            cosigned_at_s=self._cosigned_at_s,
            quarantined=self.quarantined,
            rotations=tuple(self._rotations),
        )

    def _keep(self, verdict: Verdict) -> None:
        main: tuple[Checked, ...] = verdict.main
        self.main += [entry.leaf for entry in main]
        self._nodes.update({(level, position): digest for level, position, digest in verdict.nodes})
        self.root = verdict.root
        self._aside.update(entry.leaf for entry in verdict.aside)
        self.alarms += verdict.alarms
        self._rotations += verdict.rotations
        self.quarantined = self.quarantined or verdict.quarantine

    def _renew(self) -> bytes:
        token = self._entropy.token_bytes(TOKEN_SIZE_BYTES)
        self._token, self._spent = token, self._token
        return token
