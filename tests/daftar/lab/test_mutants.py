from pathlib import Path

import pytest

from daftar.lab.mutants import MUTANTS, Mutant, hunt


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_box_that_is_known_to_be_bad_is_caught(mutant: Mutant):
    assert hunt(mutant).violations


def test_mutants_have_names_of_their_own():
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


def test_the_page_about_the_proof_lists_them_as_they_are():
    page = (Path(__file__).parents[3] / "docs" / "proof.md").read_text(encoding="utf-8")
    rows = [f"| `{mutant.name}` | {mutant.what} | {mutant.disk} |" for mutant in MUTANTS]
    assert [row for row in rows if row not in page] == []
