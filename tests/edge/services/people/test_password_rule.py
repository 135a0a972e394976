import pytest

from edge.services.people.password_rule import check_password
from shared.errors import OperatorError


@pytest.mark.parametrize(
    "password", ["کوه بلند آبی", "correct horse", "sara and the sea", "72101001 goes well", "98712304"]
)
def test_a_password_with_something_of_its_own_is_taken(password: str):
    check_password(password, username="sara", office="72101001")


@pytest.mark.parametrize(
    "password",
    [
        "12345678",
        "87654321",
        "۱۲۳۴۵۶۷۸",
        "78901234",
        "abcdefgh",
        "aaaaaaaa",
        "sarasara",
        "Sara.123",
        "sara123456",
        "72101001",
        "721010011",
        "٧٢١٠١٠٠١",
    ],
)
def test_what_anybody_would_try_first_is_refused(password: str):
    with pytest.raises(OperatorError, match=r"auth\.password_easy"):
        check_password(password, username="sara", office="72101001")


def test_a_short_password_is_refused_by_its_length():
    with pytest.raises(OperatorError, match=r"auth\.password_short") as told:
        check_password("k9#dQ2!", field="new")
    assert (told.value.field, told.value.data["letters"]) == ("new", 8)
