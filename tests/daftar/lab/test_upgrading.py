import pytest

from daftar.lab.patching import patched
from daftar.lab.upgrading import upgrade_faults, upgrade_points
from edge.store import upgrade


def test_a_cut_at_any_io_of_an_upgrade_loses_nothing_and_the_next_start_goes_through():
    assert upgrade_points(0) > 20
    assert list(upgrade_faults(0)) == []


@pytest.mark.parametrize("skipped", ["sync_file", "_empty_wal"])
def test_an_upgrade_that_leaves_a_step_out_is_caught(skipped: str):
    with patched(upgrade, skipped, lambda _: None):
        assert next(upgrade_faults(0), None) is not None
