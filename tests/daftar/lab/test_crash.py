import hashlib

import pytest

from daftar.lab.crash import Plan, crash
from daftar.lab.mutants import named
from daftar.lab.recording import record

DAYS = (0, 1, 3, 6)
"""Seeds of days that between them come to everything that is judged, and to two thousand I/Os; see below."""


@pytest.mark.parametrize("seed", DAYS)
def test_a_power_cut_after_any_io_breaks_no_rule(seed: int):
    tally = crash(Plan(runs=1, seed=seed, every_io=True))
    assert tally.violations == []
    assert tally.second_cuts > 0
    assert tally.crash_points == tally.operations + 1 + tally.second_cuts


@pytest.mark.parametrize("disk", ["lying", "deaf"])
def test_of_a_disk_that_lies_every_loss_that_central_could_know_of_is_found(disk):
    tally = crash(Plan(runs=4, seed=1040, disk=disk))
    assert tally.violations == []
    assert tally.found["at_open"] > 0
    assert tally.found["nothing_lost"] > 0
    assert disk == "lying" or tally.found["at_exchange"] > 0


def test_a_seed_gives_the_same_day_to_the_byte():
    digests = set()
    for _ in range(2):
        recording = record(3)
        happened = recording.truth.all(len(recording.operations))
        plain = [one for one in happened if one.kind != "witness"]
        digests.add(hashlib.sha256(repr((recording.operations, recording.leaves, plain)).encode()).digest())
    assert len(digests) == 1


def test_a_violation_is_seen_again_by_its_seed_and_place():
    mutant = named("wire_first")
    with mutant.apply():
        plan = Plan(runs=20, seed=0, habits=mutant.habits, stop_at_first=True, share=False)
        first = crash(plan).violations[0]
        again = crash(Plan(runs=1, seed=first.seed, at=first.at, habits=mutant.habits, share=False))
    assert again.crash_points <= 2
    assert first in again.violations


def test_cuts_that_share_a_judgement_are_those_a_judge_would_judge_alike():
    shared = crash(Plan(runs=1, seed=20))
    in_full = crash(Plan(runs=1, seed=20, share=False))
    assert shared.violations == in_full.violations == []
    assert shared.crash_points >= 20
    assert in_full.in_full == in_full.crash_points
    assert shared.in_full < shared.crash_points


def test_the_days_come_to_everything_that_is_judged():
    days = [record(seed) for seed in DAYS]
    assert sum(len(day.operations) + 1 for day in days) >= 2_000
    assert {day.wal_pages for day in days} == {24, 64, 1000}
    assert {one.kind for day in days for one in day.truth.all(100_000)} == {
        "acknowledged",
        "handed_over",
        "charged",
        "told_late",
        "settled_late",
        "printed",
        "spooled",
        "operator",
        "session",
        "answered",
        "cosigned",
        "witness",
    }
