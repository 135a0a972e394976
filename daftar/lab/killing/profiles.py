"""A terminal of the lab: the product's virtual one with times so short that a thousand kills take no day."""

from pathlib import Path
from typing import Final

import msgspec

from edge.devices.catalogue import BUNDLED

PROFILE: Final = "lab/quick"
CARD_WAIT_MS: Final = 1_500
LATE_MS: Final = 300
LONGEST_MS: Final = 2_000
_TIMES: Final = {
    "connect_timeout_ms": 1_000,
    "ready_timeout_ms": 1_000,
    "answer_timeout_ms": LONGEST_MS,
    "longest_ms": LONGEST_MS,
    "query_timeout_ms": 1_000,
    "reconnect_first_ms": 20,
    "reconnect_longest_ms": 200,
}


def write_profile(folder: Path) -> None:
    """Write the profile where a box looks for more of them."""
    quick = msgspec.toml.decode((BUNDLED / "terminals" / "daftar" / "virtual.toml").read_bytes())
    quick["identity"] |= {"maker": "lab", "model": "quick"}
    quick["times"] |= _TIMES
    place = folder / "terminals" / "lab"
    place.mkdir(parents=True)
    (place / "quick.toml").write_bytes(msgspec.toml.encode(quick))
