"""People of central: right and wrong passwords, limits on guessing, sessions that end."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import Engine, select, text

from central.store.people import person, person_session
from central.web.people import ADDRESS_FAILURES_MAX, NAME_FAILURES_MAX, SESSION, WINDOW, People, nobodys_verifier
from shared.clock import ClockQuality
from shared.entropy import SystemEntropy
from shared.errors import OperatorError
from tests.central.web.a_day import QUICK

pytestmark = pytest.mark.postgres
HERE = "192.0.2.7"


class SetClock:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic_ms(self) -> int:
        return 0

    def quality(self) -> ClockQuality:
        return "ntp"


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def people(kept_engine: Engine, clock: SetClock) -> People:
    with kept_engine.begin() as connection:
        connection.execute(text("TRUNCATE person, person_session, sign_in_failure"))
    people = People(kept_engine, clock, SystemEntropy(), hasher=QUICK)
    people.add("mina", name="مینا", password="گذرواژهٔ ۱۲۳")
    return people


def test_a_right_password_opens_a_session_that_tells_who_it_is(people: People) -> None:
    token = people.sign_in("Mina", "گذرواژهٔ ۱۲۳", address=HERE)
    found = people.person_of(token)
    assert found is not None
    assert (found.username, found.name, found.may_change) == ("mina", "مینا", True)
    people.sign_out(token)
    assert people.person_of(token) is None


def test_both_keyboards_type_the_same_password(people: People) -> None:
    assert people.sign_in("mina", "گذرواژهٔ 123", address=HERE)
    people.add("yek", name="یک", password="یک کلید یکتا")
    assert people.sign_in("yek", "يك كليد يكتا", address=HERE)


def test_nothing_stored_opens_a_door(people: People, kept_engine: Engine) -> None:
    token = people.sign_in("mina", "گذرواژهٔ ۱۲۳", address=HERE)
    with kept_engine.connect() as connection:
        verifier = connection.execute(select(person.c.verifier)).scalar_one()
        stored = connection.execute(select(person_session.c.token_sha256)).scalar_one()
    assert verifier.startswith("$argon2id$")
    assert token.encode() not in stored
    assert people.person_of(stored.hex()) is None


@pytest.mark.parametrize("username", ["mina", "nobody"])
def test_guessing_a_name_is_stopped_whether_it_exists_or_not(people: People, clock: SetClock, username: str) -> None:
    for _ in range(NAME_FAILURES_MAX):
        with pytest.raises(OperatorError, match=r"auth\.wrong"):
            people.sign_in(username, "wrong", address=HERE)
    with pytest.raises(OperatorError, match=r"auth\.too_many"):
        people.sign_in(username, "گذرواژهٔ ۱۲۳", address="198.51.100.1")
    clock.at += WINDOW + timedelta(seconds=1)
    with pytest.raises(OperatorError, match=r"auth\.wrong"):
        people.sign_in(username, "wrong", address=HERE)


def test_one_address_cannot_try_all_names(people: People) -> None:
    for number in range(ADDRESS_FAILURES_MAX):
        with pytest.raises(OperatorError, match=r"auth\.wrong"):
            people.sign_in(f"name-{number}", "wrong", address=HERE)
    with pytest.raises(OperatorError, match=r"auth\.too_many"):
        people.sign_in("mina", "گذرواژهٔ ۱۲۳", address=HERE)
    assert people.sign_in("mina", "گذرواژهٔ ۱۲۳", address="198.51.100.1")


def test_a_right_password_clears_the_failures_before_it(people: People) -> None:
    for _ in range(3):
        for _ in range(NAME_FAILURES_MAX - 1):
            with pytest.raises(OperatorError, match=r"auth\.wrong"):
                people.sign_in("mina", "wrong", address=HERE)
        assert people.sign_in("mina", "گذرواژهٔ ۱۲۳", address=HERE)


def test_a_session_ends_by_time_by_a_new_password_and_by_refusal(people: People, clock: SetClock) -> None:
    token = people.sign_in("mina", "گذرواژهٔ ۱۲۳", address=HERE)
    clock.at += SESSION - timedelta(seconds=1)
    assert people.person_of(token)
    clock.at += timedelta(seconds=2)
    assert people.person_of(token) is None

    token = people.sign_in("mina", "گذرواژهٔ ۱۲۳", address=HERE)
    people.set_password("mina", "another password")
    assert people.person_of(token) is None

    token = people.sign_in("mina", "another password", address=HERE)
    people.disable("mina")
    assert people.person_of(token) is None
    with pytest.raises(OperatorError, match=r"auth\.wrong"):
        people.sign_in("mina", "another password", address=HERE)


def test_adding_says_whether_the_name_was_new(people: People) -> None:
    assert people.add("nazanin", name="نازنین", password="گذرواژهٔ بلند") is True


def test_adding_again_changes_nothing(people: People) -> None:
    assert people.add("MINA", name="other", password="another password") is False
    assert people.sign_in("mina", "گذرواژهٔ ۱۲۳", address=HERE)


@pytest.mark.parametrize("hasher", [QUICK, PasswordHasher()])
def test_a_name_that_nobody_has_is_checked_like_any_other(hasher: PasswordHasher) -> None:
    verifier = nobodys_verifier(hasher)
    assert not hasher.check_needs_rehash(verifier), "it takes as long as those that are made now"
    with pytest.raises(VerifyMismatchError):  # and not InvalidHashError: that takes no time
        hasher.verify(verifier, b"a-password-for-tests")


@pytest.mark.parametrize(
    ("username", "password", "code"),
    [(" ", "long enough", "people.username_missing"), ("new", "short", "auth.password_short")],
)
def test_people_need_a_name_and_a_password(people: People, username: str, password: str, code: str) -> None:
    with pytest.raises(OperatorError, match=re.escape(code)):
        people.add(username, name="x", password=password)


def test_an_unknown_person_cannot_be_changed(people: People) -> None:
    with pytest.raises(OperatorError, match=r"people\.unknown"):
        people.set_password("nobody", "long enough")
    with pytest.raises(OperatorError, match=r"people\.unknown"):
        people.disable("nobody")
