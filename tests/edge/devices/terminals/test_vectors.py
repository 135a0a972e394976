"""Every documented frame is held by some test, byte for byte, or there is a reason why its family is not spoken."""

import json
from pathlib import Path
from typing import get_args

import pytest

from firmware_profiles.profile import ProtocolName
from tests.edge.devices.terminals import (
    test_asan_pardakht,
    test_behpardakht,
    test_pna,
    test_sadad,
    test_telium_e,
    test_zvt,
)

GOLDEN = Path(__file__).parents[3] / "golden" / "terminal_vectors.json"
ROWS: list[dict[str, str]] = json.loads(GOLDEN.read_bytes())

HELD = {
    "behpardakht": {*test_behpardakht.REQUESTS, *test_behpardakht.ANSWERS, "ready answer"},
    "pna_pec": set(test_pna.VECTORS),
    "sadad": {*test_sadad.REQUESTS, *test_sadad.ANSWERS},
    "asanpardakht": {*test_asan_pardakht.REQUESTS, *test_asan_pardakht.ANSWERS},
    "zvt_serial": {*test_zvt.REQUESTS, *test_zvt.ANSWERS},
    "zvt_tcp": {*test_zvt.REQUESTS, *test_zvt.ANSWERS},
    "telium_e": set(test_telium_e.VECTORS),
}
NOT_SPOKEN = {
    "pasargad": "one public program only, no way to ask what became of a sale: a lost answer could never be settled",
    "pax_poslink": "not handed out in Iran; its acknowledgements and its way to ask are not published",
}


def test_the_file_is_whole() -> None:
    assert len(ROWS) == 82
    assert len({(row["family"], row["name"]) for row in ROWS}) == len(ROWS)
    assert {row["status"] for row in ROWS} == {"confirmed-by-source", "computed", "reconstructed"}


def test_every_family_is_spoken_or_has_a_reason_not_to_be() -> None:
    assert {row["family"] for row in ROWS} == {*HELD, *NOT_SPOKEN}
    assert len({name.split("_")[0] for name in HELD}) == len(get_args(ProtocolName))


@pytest.mark.parametrize("family", HELD)
def test_every_frame_of_a_spoken_family_is_held_by_its_own_test(family: str) -> None:
    assert {row["name"] for row in ROWS if row["family"] == family} == HELD[family]
