import pytest

from daftar.lab.service_mutants import SERVICE_MUTANTS, hunt_in_days
from daftar.lab.simulate import simulate


def test_ten_days_on_which_everything_goes_wrong_break_no_rule():
    tally = simulate(10, 41)
    assert tally.violations == []
    assert tally.payments_least >= 40
    for what in (
        *("kill", "power cut", "payment.in_doubt", "payment.not_charged", "alarm.raised", "feed.received"),
        *("payment.acknowledged", "given back by itself", "given back by order", "payment.reversed", "refund.agreed"),
        *("payment.overridden", "day.closed", "key.rotated", "service.shown", "charged bill by its terminal"),
        *("charged inquiry_fee of a service", "charged order of a service", "charged whole of fines"),
    ):
        assert tally.counts[what] > 0, what


def test_a_seed_gives_the_same_day_to_the_byte():
    # Two days, since the first one finds the caches of the program empty.
    once, again = simulate(2, 7), simulate(2, 7)
    assert once.digests == again.digests
    assert len(set(once.digests)) == 2


@pytest.mark.parametrize("mutant", SERVICE_MUTANTS, ids=lambda mutant: mutant.name)
def test_every_mutant_of_the_services_is_caught(mutant):
    tally = hunt_in_days(mutant)
    assert tally.violations, f"{mutant.name} survived {tally.days} days"
