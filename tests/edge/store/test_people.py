import threading
from collections.abc import Iterator

import pytest

from edge.store.people import ApiCaller, Attempts, OperatorView, People
from shared.errors import OperatorError
from shared.events import AlarmRaised
from tests.edge.store.boxes import Box

TOKEN = bytes(32)
SARA = OperatorView(username="sara", name="سارا", role="operator")


@pytest.fixture
def people(box: Box) -> Iterator[People]:
    """The people of a running box, with one operator who signed in."""
    found = People(box.path)
    found.save_operator("sara", name="سارا", verifier="verifier 1", role="operator")
    found.open_session(TOKEN, "sara", boot="b1", monotonic_ms=5_000)
    yield found
    found.close()


def test_a_session_leads_to_its_operator(people: People):
    session = people.session(TOKEN)
    assert session
    assert (session.operator, session.boot, session.opened_monotonic_ms) == (SARA, "b1", 5_000)
    assert people.session(b"x" * 32) is None
    people.end_session(TOKEN)
    people.end_session(TOKEN)
    assert people.session(TOKEN) is None


def test_a_denial_acts_at_once(people: People):
    people.set_disabled("sara", disabled=True)
    assert people.session(TOKEN) is None
    assert people.verifier("sara") is None
    people.set_disabled("sara", disabled=False)
    assert people.verifier("sara") == "verifier 1"
    assert people.session(TOKEN) is None


def test_a_new_password_ends_sessions_and_a_newer_verifier_does_not(people: People):
    people.change_verifier("sara", "verifier 2")
    assert people.session(TOKEN)
    assert people.verifier("sara") == "verifier 2"
    people.save_operator("sara", name="سارا", verifier="verifier 3", role="manager")
    assert people.session(TOKEN) is None
    assert [each.role for each in people.operators()] == ["manager"]


def test_sessions_of_other_boots_and_old_ones_go(people: People):
    people.open_session(b"1" * 32, "sara", boot="b2", monotonic_ms=100)
    people.open_session(b"2" * 32, "sara", boot="b2", monotonic_ms=900)
    people.end_sessions(boot="b2", opened_before_ms=500)
    assert people.session(TOKEN) is None
    assert people.session(b"1" * 32) is None
    assert people.session(b"2" * 32)


def test_a_programs_token_is_replaced_and_revoked(people: People):
    people.save_api_token(b"a" * 32, name="till", scopes={"payments:write", "payments:read"})
    people.save_api_token(b"b" * 32, name="till", scopes={"payments:read"})
    assert people.api_caller(b"a" * 32) is None
    assert people.api_caller(b"b" * 32) == ApiCaller(name="till", scopes=frozenset({"payments:read"}))
    people.revoke_api_token("till")
    assert people.api_callers() == []


def test_a_token_made_for_a_person_ends_with_the_person(people: People):
    people.save_api_token(b"a" * 32, name="till", scopes={"refunds:write"}, person="sara")
    caller = people.api_caller(b"a" * 32)
    assert caller is not None
    assert (caller.person, caller.operator) == ("sara", "api:till/sara")
    people.set_disabled("sara", disabled=True)
    assert people.api_caller(b"a" * 32) is None
    assert people.api_callers() == [caller]
    people.set_disabled("sara", disabled=False)
    assert people.api_caller(b"a" * 32) == caller


def test_wrong_attempts_are_counted_until_one_is_right(people: People):
    for count in (1, 2, 3):
        assert people.count_failure("sara", boot="b1", monotonic_ms=count) == count
    assert people.attempts("sara") == Attempts(failed_count=3, boot="b1", failed_monotonic_ms=3)
    people.clear_failures("sara")
    assert people.attempts("sara") is None


def test_a_key_is_answered_once_and_only_for_its_request(people: People):
    assert people.begin_request("till", "k1", b"request") is None
    assert people.begin_request("till", "k1", b"request") is None
    people.finish_request("till", "k1", b"answer")
    assert people.begin_request("till", "k1", b"request") == b"answer"
    with pytest.raises(OperatorError) as caught:
        people.begin_request("till", "k1", b"another")
    assert caught.value.code == "api.idempotency_conflict"
    assert people.begin_request("other", "k1", b"another") is None


def test_a_key_whose_request_was_refused_is_free_again(people: People):
    people.begin_request("till", "k1", b"request")
    people.abandon_request("till", "k1")
    assert people.begin_request("till", "k1", b"corrected") is None
    people.finish_request("till", "k1", b"answer")
    people.abandon_request("till", "k1")
    assert people.begin_request("till", "k1", b"corrected") == b"answer"


def test_people_and_journal_write_beside_one_another(box: Box, people: People):
    def count() -> None:
        for number in range(30):
            people.count_failure("sara", boot="b", monotonic_ms=number)
            people.begin_request("till", str(number), b"request")

    thread = threading.Thread(target=count)
    thread.start()
    for number in range(30):
        box.write(AlarmRaised(kind=str(number)))
    thread.join(10)
    attempts = people.attempts("sara")
    assert attempts
    assert (attempts.failed_count, box.queries.size()) == (30, 31)
