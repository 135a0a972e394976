import pytest

from edge.journal.people import LastSignIn
from edge.services.people.presence import MINUTE_MS, Presence
from tests.edge.store.boxes import SteppingClock

SESSION = b"s"


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


def seated(clock: SteppingClock, lock_after_ms: int | None = 5 * MINUTE_MS) -> Presence:
    presence = Presence(clock, lock_after_ms)
    presence.opened(SESSION, LastSignIn(last=None))
    return presence


def test_a_page_nobody_is_at_locks_and_stays_locked_whatever_is_clicked(clock: SteppingClock):
    presence = seated(clock)
    clock.step(minutes=4)
    presence.seen(SESSION)
    clock.step(minutes=4)
    assert not presence.is_locked(SESSION)
    assert presence.left_ms(SESSION) == MINUTE_MS
    clock.step(minutes=1)
    presence.seen(SESSION)
    assert presence.is_locked(SESSION)
    presence.unlock(SESSION)
    assert presence.left_ms(SESSION) == 5 * MINUTE_MS


def test_a_page_locks_at_once_when_told_and_by_itself_only_where_that_is_set(clock: SteppingClock):
    presence = seated(clock, None)
    clock.step(hours=10)
    assert presence.left_ms(SESSION) is None
    presence.lock(SESSION)
    presence.seen(SESSION)
    assert presence.is_locked(SESSION)


def test_a_session_nobody_remembers_is_locked_until_its_password_is_given(clock: SteppingClock):
    presence = seated(clock)
    presence.keep_only(frozenset())
    assert presence.is_locked(SESSION)
    assert presence.greeting(SESSION) is None
    presence.unlock(SESSION)
    assert not presence.is_locked(SESSION)


def test_a_greeting_is_said_once(clock: SteppingClock):
    presence = seated(clock)
    assert presence.greeting(SESSION) == LastSignIn(last=None)
    assert presence.greeting(SESSION) is None
