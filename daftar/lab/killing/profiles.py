"""Terminals of the lab: the product's virtual ones with times so short that a thousand kills take no day."""

from pathlib import Path
from typing import Final

import msgspec

from edge.devices.catalogue import BUNDLED

QUICK: Final = "lab/quick"
CONFIRMING: Final = "lab/confirming"
"""A terminal that takes back what it is not told to keep."""
CARD_WAIT_MS: Final = 1_200
LATE_MS: Final = 300
LONGEST_MS: Final = 1_500
_TIMES: Final = {
    "connect_timeout_ms": 1_000,
    "ready_timeout_ms": 1_000,
    "answer_timeout_ms": LONGEST_MS,
    "longest_ms": LONGEST_MS,
    "query_timeout_ms": 1_000,
    "reconnect_first_ms": 20,
    "reconnect_longest_ms": 200,
}


def write_profiles(folder: Path) -> None:
    """Write the profiles where a box looks for more of them."""
    place = folder / "terminals" / "lab"
    place.mkdir(parents=True)
    for model, of in (("quick", "virtual"), ("confirming", "virtual_pna")):
        quick = msgspec.toml.decode((BUNDLED / "terminals" / "daftar" / f"{of}.toml").read_bytes())
        quick["identity"] |= {"maker": "lab", "model": model}
        quick["times"] |= _TIMES
        (place / f"{model}.toml").write_bytes(msgspec.toml.encode(quick))
