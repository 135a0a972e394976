from pathlib import Path

import apsw
import pytest

from edge.store.database import StoreLock, check_pragmas, open_for_writing, open_read_only
from edge.store.people import People
from shared.errors import IntegrityError, OperatorError
from tests.edge.store.boxes import Box


def test_a_file_that_cannot_have_a_wal_is_refused():
    with pytest.raises(IntegrityError) as caught:
        open_for_writing(Path(":memory:"))
    assert caught.value.code == "store.unsafe_setting"
    assert caught.value.data == {"setting": "journal_mode", "found": "memory", "wanted": "wal"}


@pytest.mark.parametrize(
    ("setting", "value"),
    [("synchronous", "NORMAL"), ("synchronous", "OFF"), ("foreign_keys", "OFF"), ("recursive_triggers", "OFF")],
)
def test_a_setting_that_loses_money_is_refused(box: Box, setting: str, value: str):
    connection = open_for_writing(box.path)
    check_pragmas(connection)
    connection.execute(f"PRAGMA {setting} = {value}")
    with pytest.raises(IntegrityError) as caught:
        check_pragmas(connection)
    connection.close()
    assert caught.value.data["setting"] == setting


def test_nothing_is_made_by_opening_a_wrong_path(tmp_path: Path):
    for opening in (open_for_writing, open_read_only, People):
        with pytest.raises(OperatorError) as caught:
            opening(tmp_path / "no.sqlite")
        assert caught.value.code == "store.missing"
    assert list(tmp_path.iterdir()) == []


def test_another_file_is_not_taken_for_a_box(tmp_path: Path):
    path = tmp_path / "letter.sqlite"
    path.write_bytes(b"Dear customer, " * 1000)
    with pytest.raises(IntegrityError) as caught:
        open_for_writing(path)
    assert caught.value.code == "store.not_a_store"
    assert path.read_bytes() == b"Dear customer, " * 1000


def test_two_boxes_never_run_on_one_file(box: Box):
    with pytest.raises(OperatorError) as caught:
        StoreLock(box.path)
    assert caught.value.code == "store.in_use"


def test_the_read_side_cannot_write(box: Box):
    connection = open_read_only(box.path)
    with pytest.raises(apsw.ReadOnlyError):
        connection.execute("DELETE FROM payment")
    connection.close()
