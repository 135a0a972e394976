"""A central in memory around the real `sync.central_session`: what a box of the lab exchanges with.

Its state is copied at every request, so that after a cut the box meets the central of that moment.
"""

import copy
import hashlib
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from daftar.lab.chance import Chance
from edge.journal.views import CentralLink
from shared.events import Body
from shared.ids import NETWORK_FEED, BoxId, OfficeId, journal_id, office_feed
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

OFFICE: Final = OfficeId("72101001")
BOX: Final = BoxId("1")
JOURNAL: Final = journal_id(OFFICE, BOX, 1)
OFFICE_FEED: Final = office_feed(OFFICE)
FIRST_TOKEN: Final = b"\x01" * TOKEN_SIZE_BYTES
_FEED_ENTRIES_MAX: Final = 4
_TIME: Final = "2026-11-22T08:00:00.000Z"


def lab_key(name: str) -> Ed25519PrivateKey:
    """Return a key that its name determines."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"daftar lab {name}".encode()).digest())


_KEYS: Final = {name: lab_key(name) for name in ("witness", "feed", "exchange")}
_WITNESS: Final = witness_key("central/witness", _KEYS["witness"].public_key().public_bytes_raw())


def central_link() -> CentralLink:
    """Return what an enrolment tells a box of this central."""
    return CentralLink(
        url="http://127.0.0.1:1",
        feeds=(OFFICE_FEED, NETWORK_FEED),
        trust=CentralTrust(
            witness=_WITNESS.text(),
            feed=NoteKey("central/feed", _KEYS["feed"].public_key().public_bytes_raw()).text(),
            exchange=NoteKey("central/exchange", _KEYS["exchange"].public_key().public_bytes_raw()).text(),
            wrapping="00" * 31 + "09",
        ),
    )


class Witness:
    """Central with one journal and two feeds."""

    def __init__(self, public_key: bytes) -> None:
        self._public_key = public_key
        self._chance = Chance("witness")
        self._token = FIRST_TOKEN
        self._spent: bytes | None = None
        self._nodes: dict[tuple[int, int], bytes] = {}
        self._aside: set[bytes] = set()
        self._answers: dict[bytes, bytes] = {}
        self._feeds: dict[str, list[SignedPair]] = {OFFICE_FEED: [], NETWORK_FEED: []}
        self._time_s = 1_700_000_000
        self._rotations: list[Rotation] = []
        self.main: list[bytes] = []
        """Leaf hashes of the main branch."""
        self.root = EMPTY_ROOT
        self.cosigned_size = 0
        self.quarantined = False
        self.alarms: list[Alarm] = []

    @property
    def size(self) -> int:
        """How many entries central holds as good."""
        return len(self.main)

    def copy(self) -> "Witness":
        """Return central as it is now; the two go their own ways."""
        other = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, list | dict | set):
                setattr(other, name, copy.copy(value))
        other._feeds = {name: list(pairs) for name, pairs in self._feeds.items()}  # noqa: SLF001 - our own kind
        other._chance = copy.copy(self._chance)  # noqa: SLF001 - our own kind
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
            at=_TIME,
            monotonic_ms=0,
            clock="central",
            type=body.type,
            body=msgspec.Raw(bytes(encode_body(body))),
        )
        data = encode_entry(entry)
        pairs.append((data, _KEYS["feed"].sign(pre_authentication(FEED_PAYLOAD, data))))

    def receive(self, wire: bytes) -> bytes:
        """Answer a request; the same bytes get the same answer. Raises PeerError; nothing has changed then."""
        envelope = unpack(wire, size_max_bytes=REQUEST_SIZE_MAX_BYTES)
        request = decode_request(envelope.payload)
        checked = check_request(envelope, request, self._public_key)
        earlier = self._answers.get(checked.sha256)
        if earlier is not None:
            return earlier
        verdict = judge(checked, self._held(), self, _WITNESS)
        self._keep(verdict)
        token = self._renew() if verdict.renew_token else None
        note = ""
        if verdict.status == "ok":
            self._time_s += 1
            note = format_note(cosign(checked.note, _WITNESS, _KEYS["witness"].sign, time_s=self._time_s))
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
            central_time=_TIME,
            sign=_KEYS["exchange"].sign,
        )
        self._answers[checked.sha256] = answer
        return answer

    def _held(self) -> Held:
        return Held(
            journal=JOURNAL,
            public_key=self._public_key,
            size=len(self.main),
            root=self.root,
            token=self._token,
            spent_token=self._spent,
            cosigned_size=self.cosigned_size,
            cosigned_at_s=self._time_s,
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
        token = self._chance.token_bytes(TOKEN_SIZE_BYTES)
        self._token, self._spent = token, self._token
        return token
