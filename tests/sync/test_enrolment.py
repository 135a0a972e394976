import pytest

from shared.errors import PeerError
from sync.enrolment import normal_code


@pytest.mark.parametrize("typed", ["abcd-efgh-jkmn", "ABCD EFGH JKMN", "abcdefghjkmn", " abcd-efghjkmn "])
def test_a_code_is_read_however_it_was_typed(typed: str) -> None:
    assert normal_code(typed) == "abcd-efgh-jkmn"


@pytest.mark.parametrize("typed", ["", "abcd", "abcd-efgh-jkm1", "abcd-efgh-jkmn-pqrs"])
def test_what_cannot_be_a_code_is_unknown(typed: str) -> None:
    with pytest.raises(PeerError, match=r"enrolment\.code_unknown"):
        normal_code(typed)
