from pathlib import Path

import apsw
import pytest

from edge.services.journal.verify_whole import VerifyWhole
from shared.clock import SystemClock
from shared.errors import DeviceError, IntegrityError
from shared.events import AlarmRaised, JournalVerified
from shared.journal.tree import root
from tests.edge.store.boxes import Box, approved, requested, sent

ENTRIES = 700
"""More than one batch, and more than what a start looks at."""


@pytest.fixture
def verify(box: Box) -> VerifyWhole:
    box.writer.commit_blocking(lambda _: [AlarmRaised(kind="test", detail=str(count)) for count in range(ENTRIES)])
    box.write(requested("p1"), sent("p1"), approved("p1"))
    return VerifyWhole(box.path, box.identity, box.writer, SystemClock())


def tamper(path: Path, statement: str) -> None:
    """Change the file as a medium that forgets does: beneath all guards."""
    connection = apsw.Connection(str(path))
    for (trigger,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {trigger}")
    connection.execute(statement)
    connection.close()


def test_a_journal_that_holds_is_said_to(box: Box, verify: VerifyWhole):
    heard: list[JournalVerified] = []
    box.writer.subscribe(lambda records: heard.extend(r.body for r in records if isinstance(r.body, JournalVerified)))
    size = box.queries.size()
    verify.verify_now()
    box.writer.close()
    assert [(body.size, body.root) for body in heard] == [(size, root(size, box.queries.node).hex())]
    view = verify.view()
    assert (view.state, view.done, view.passed_size) == ("passed", size, size)


OTHER_WORD = "UPDATE entry SET data = CAST(replace(CAST(data AS TEXT), 'test', 'tost') AS BLOB) WHERE entry_index = 10"


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        (OTHER_WORD, "journal.wrong_signature"),
        ("UPDATE payment SET state = 'declined'", "store.projection_differs"),
        ("DELETE FROM alarm WHERE alarm_index = 10", "store.projection_differs"),
    ],
)
def test_one_that_does_not_hold_takes_nothing_in_this_run_and_the_next(
    box: Box, verify: VerifyWhole, statement: str, code: str
):
    tamper(box.path, statement)
    verify.verify_now()
    assert (verify.view().state, verify.view().why) == ("failed", code)
    with pytest.raises(IntegrityError, match=r"journal\.unsound"):
        box.write(AlarmRaised(kind="test"))
    # History is still there to be read.
    assert box.queries.payment("p1") is not None
    again = VerifyWhole(box.path, box.identity, box.writer, SystemClock())
    assert isinstance(again.set_aside(), IntegrityError)
    assert again.view().state == "failed"


def test_one_that_passes_after_all_takes_entries_again(box: Box, verify: VerifyWhole):
    (box.path.with_name("box.unsound")).write_bytes(b"nobody knows")
    unsound = verify.set_aside()
    assert unsound is not None
    box.writer.seal(unsound)
    sound: list[bool] = []
    verify.on_sound = lambda: sound.append(True)
    verify.verify_now()
    assert sound == [True]
    assert verify.set_aside() is None
    assert box.write(AlarmRaised(kind="test"))


def test_a_medium_that_does_not_read_is_no_verdict(box: Box, verify: VerifyWhole, monkeypatch: pytest.MonkeyPatch):
    def fails(*_: object, **__: object) -> int:
        raise DeviceError("store.unreadable", why="disk I/O error")

    monkeypatch.setattr("edge.services.journal.verify_whole.verify_journal", fails)
    verify.verify_now()
    assert verify.view().state == "unreadable"
    assert verify.set_aside() is None
    assert box.write(AlarmRaised(kind="test"))


def test_a_check_that_runs_ends_with_the_box(box: Box, verify: VerifyWhole):
    (box.path.with_name("box.unsound")).write_bytes(b"nobody knows")
    assert verify.set_aside() is not None
    verify.start()
    verify.stop()
    assert verify.view().state in ("failed", "running", "passed")
