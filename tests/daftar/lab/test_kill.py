import pytest

from daftar.lab.kill import kill
from daftar.lab.killing.terminals import OF_CONFIRMING

pytestmark = [pytest.mark.system]


def test_thirty_kills_of_the_real_server_lose_and_double_nothing():
    tally = kill(30, 1)
    assert tally.violations == []
    assert tally.kills == 30
    assert tally.charges > 0
    assert len(tally.moments) >= 5
    # At the terminal that is told to keep its sales: not heard, heard, and too late; what was heard stands.
    assert tally.moments.keys() >= OF_CONFIRMING
    assert tally.states["acknowledged"] > 0


@pytest.mark.parametrize("mutant", ["failed_not_in_doubt", "tail_dropped"])
def test_a_bad_server_is_caught(mutant: str):
    assert kill(20, 1, mutant=mutant, stop_at_first=True).violations
