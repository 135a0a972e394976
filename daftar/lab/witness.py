"""The central of the lab: `daftar.small_central` with keys and times that repeat."""

import hashlib
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from daftar.lab.chance import Chance
from daftar.small_central import KEY_NAMES, Keys, SmallCentral, link_to, witness_of
from edge.journal.views import CentralLink
from shared.ids import NETWORK_FEED, BoxId, OfficeId, journal_id, office_feed
from sync.messages import TOKEN_SIZE_BYTES

OFFICE: Final = OfficeId("72101001")
BOX: Final = BoxId("1")
JOURNAL: Final = journal_id(OFFICE, BOX, 1)
OFFICE_FEED: Final = office_feed(OFFICE)
FIRST_TOKEN: Final = b"\x01" * TOKEN_SIZE_BYTES
FEEDS: Final = (OFFICE_FEED, NETWORK_FEED)
_TIME: Final = "2026-11-22T08:00:00.000Z"
_TIME_S: Final = 1_700_000_000


def lab_key(name: str) -> Ed25519PrivateKey:
    """Return a key that its name determines."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"daftar lab {name}".encode()).digest())


_KEYS: Final[Keys] = {name: lab_key(name) for name in KEY_NAMES}

_WITNESS: Final = witness_of(_KEYS)


def central_link() -> CentralLink:
    """Return what an enrolment tells a box of this central."""
    return link_to("http://127.0.0.1:1", _KEYS, FEEDS, wrapping="00" * 31 + "09")


class Witness(SmallCentral):
    """Central with one journal and two feeds."""

    def __init__(self, public_key: bytes) -> None:
        super().__init__(
            JOURNAL,
            public_key,
            keys=lambda: _KEYS,
            witness=_WITNESS,
            feeds=FEEDS,
            first_token=FIRST_TOKEN,
            entropy=Chance("witness"),
        )
        self.ahead_s = 0
        """How much later it is than this central would have it: it took over from another one."""

    def _now(self) -> tuple[str, int]:
        # Between two requests a second passes.
        return _TIME, _TIME_S + self.ahead_s + len(self._answers)
