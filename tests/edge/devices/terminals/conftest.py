import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from edge.devices.catalogue import load_catalogue
from firmware_profiles.profile import TerminalProfile, TerminalTimes

GOLDEN = Path(__file__).parents[3] / "golden" / "terminal_vectors.json"


@pytest.fixture(scope="session")
def vectors() -> dict[str, bytes]:
    """The protocol's documented frames, by name."""
    return {
        row["name"]: bytes.fromhex(row["hex"])
        for row in json.loads(GOLDEN.read_bytes())
        if row["family"] == "behpardakht"
    }


@pytest.fixture(scope="session")
def quick() -> Callable[..., TerminalProfile]:
    """The virtual terminal's profile with times for tests: long where a thing should happen, short where not."""
    bundled = load_catalogue().terminal("daftar/virtual")
    patient = TerminalTimes(
        connect_timeout_ms=2_000,
        ready_timeout_ms=3_000,
        answer_timeout_ms=8_000,
        longest_ms=10_000,
        query_timeout_ms=3_000,
        frame_gap_ms=1_000,
        reconnect_first_ms=20,
        reconnect_longest_ms=100,
        heartbeat_every_ms=600_000,
    )

    def make(**times: int) -> TerminalProfile:
        return msgspec.structs.replace(bundled, times=msgspec.structs.replace(patient, **times))

    return make
