"""The whole journal, checked in parts by several processes: as one check would."""

from pathlib import Path

import apsw
import pytest

from edge.store import verify_file as module
from edge.store.verify_file import verify_file
from shared.errors import IntegrityError
from shared.events import AlarmRaised
from tests.edge.store.boxes import Box

ENTRIES = 45


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A box's file of a few parts."""
    with Box(tmp_path) as box:
        box.write(*(AlarmRaised(kind="test", detail=str(number)) for number in range(ENTRIES)))
        path = box.path
    monkeypatch.setattr(module, "PART_MIN", 10)
    return path


@pytest.mark.parametrize("processes", [1, 2])
def test_a_whole_journal_holds(file: Path, processes: int) -> None:
    assert verify_file(file, processes=processes) == ENTRIES + 1


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("UPDATE entry SET signature = zeroblob(64) WHERE entry_index = 31", "journal.wrong_signature"),
        ("UPDATE entry SET data = (SELECT data FROM entry WHERE entry_index = 5) WHERE entry_index = 20", ""),
        # A node below which a later part begins: the part before it finds it.
        (
            "UPDATE entry SET nodes = CAST(substr(nodes, 1, 96) || zeroblob(32) AS BLOB) WHERE entry_index = 7",
            "journal.wrong_tree",
        ),
        (
            "UPDATE entry SET nodes = CAST(zeroblob(32) || substr(nodes, 33) AS BLOB) WHERE entry_index = 9",
            "journal.wrong_tree",
        ),
        ("UPDATE entry SET nodes = CAST(nodes || zeroblob(32) AS BLOB) WHERE entry_index = 12", "journal.wrong_tree"),
        ("UPDATE entry SET nodes = substr(nodes, 1, 64) WHERE entry_index = 39", "journal.no_node"),
    ],
)
def test_one_wrong_place_is_found_wherever_it_is(file: Path, change: str, code: str, processes: int) -> None:
    connection = apsw.Connection(str(file))
    for verb in ("update", "delete"):
        connection.execute(f"DROP TRIGGER entry_no_{verb}")
    connection.execute(change)
    connection.close()
    with pytest.raises(IntegrityError) as caught:
        verify_file(file, processes=processes)
    assert caught.value.code == code or (not code and caught.value.code.startswith("journal."))
