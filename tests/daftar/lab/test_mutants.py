import pytest

from daftar.lab.mutants import MUTANTS, Mutant, hunt


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_box_that_is_known_to_be_bad_is_caught(mutant: Mutant):
    assert hunt(mutant).violations


def test_mutants_have_names_of_their_own():
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
