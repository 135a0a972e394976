from collections.abc import Callable
from pathlib import Path

import pytest

from daftar.lab.patching import patched
from daftar.lab.upgrading import upgrade_faults, upgrade_points
from edge.store import database, upgrade

SEED = 5


def test_a_cut_at_any_io_of_an_upgrade_loses_nothing_and_the_next_start_goes_through():
    assert upgrade_points(SEED) > 20
    assert list(upgrade_faults(SEED, images=2)) == []


def nothing(_: Path) -> None:
    """Leave a step out."""


def names_later() -> Callable[[Path], None]:
    """Return a sync of names that forgets the first one: that the WAL is gone."""
    asked: list[Path] = []

    def sync(folder: Path) -> None:
        asked.append(folder)
        if len(asked) > 1:
            database.sync_folder(folder)

    return sync


@pytest.mark.parametrize(
    ("step", "wrong"), [("sync_file", nothing), ("_empty_wal", nothing), ("sync_folder", names_later())]
)
def test_an_upgrade_that_leaves_a_step_out_is_caught(step: str, wrong: Callable[[Path], None]):
    with patched(upgrade, step, wrong):
        assert next(upgrade_faults(SEED, images=12, last=3), None) is not None
