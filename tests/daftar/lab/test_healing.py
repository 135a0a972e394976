"""A medium that fails in mid-run, at any I/O, and comes back: no restart, no false answer, nothing lost."""

from typing import get_args

import pytest

from daftar.lab.healing import Passing, healings


@pytest.mark.parametrize("kind", get_args(Passing))
def test_the_box_refuses_in_words_goes_on_by_itself_and_every_answer_was_true(kind: Passing) -> None:
    found = list(healings(kind, step=5))
    assert [(one.at, one.faults) for one in found if one.faults] == []
    assert sum(bool(one.refusals) for one in found) > len(found) // 4
