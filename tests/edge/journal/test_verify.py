from pathlib import Path

import pytest

from edge.journal.verify import verify_journal
from edge.store.queries import Queries
from shared.errors import DaftarError, IntegrityError
from shared.events import AlarmRaised
from shared.journal.entry import leaf_hash
from shared.journal.tree import grown
from tests.edge.store.boxes import JOURNAL, Box


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a box that is off, with a journal of 41 entries."""
    with Box(tmp_path) as box:
        for count in range(40):
            box.write(AlarmRaised(kind="test", detail=f"entry number {count}"))
    return box.path


def verify(path: Path, public_key: bytes, *, journal: str = JOURNAL, first: int = 0) -> int:
    queries = Queries(path)
    try:
        return verify_journal(queries, journal, public_key, first=first)
    finally:
        queries.close()


def test_a_whole_journal_verifies_from_any_entry_on(path: Path):
    key = Box(path.parent).signer.public_key
    for first in (0, 1, 17, 40, 41):
        assert verify(path, key, first=first) == 41


@pytest.mark.parametrize("number", [0, 19, 39])
@pytest.mark.parametrize("bit", [0, 6])
def test_one_flipped_bit_of_an_entry_is_found(path: Path, number: int, bit: int):
    key = Box(path.parent).signer.public_key
    raw = bytearray(path.read_bytes())
    at = raw.find(f'entry number {number}"'.encode())
    assert at > 0
    raw[at + 3] ^= 1 << bit
    path.write_bytes(raw)
    with pytest.raises(DaftarError) as caught:
        verify(path, key)
    assert (caught.value.code, caught.value.data) == ("journal.wrong_signature", {"index": number + 1})


def test_another_key_or_another_name_does_not_pass(path: Path):
    box = Box(path.parent)
    with pytest.raises(IntegrityError) as caught:
        verify(path, bytes(32))
    assert caught.value.code == "journal.wrong_signature"
    with pytest.raises(IntegrityError) as caught:
        verify(path, box.signer.public_key, journal="daftar.journal/72101001/box1/2")
    assert caught.value.code == "journal.other_origin"


class Mixed:
    """Entries of different journals, with the tree that they make."""

    def __init__(self, pairs: list[tuple[bytes, bytes]]) -> None:
        self._pairs = pairs
        self._nodes: dict[tuple[int, int], bytes] = {}
        for index, (data, _) in enumerate(pairs):
            for level, position, digest in grown(index, leaf_hash(data), self.node):
                self._nodes[level, position] = digest

    def size(self) -> int:
        return len(self._pairs)

    def entries(self, first: int, limit: int) -> list[tuple[bytes, bytes]]:
        return self._pairs[first : first + limit]

    def node(self, level: int, position: int) -> bytes:
        return self._nodes[level, position]

    def nodes(self, first: int, limit: int) -> list[list[bytes]]:
        return [
            [digest for level, _, digest in grown(index, leaf_hash(self._pairs[index][0]), self.node)]
            for index in range(first, first + limit)
        ]

    def rotations(self) -> list[int]:
        return []


def test_an_entry_of_another_history_breaks_the_chain(tmp_path: Path):
    """All entries are well signed by the box's own key, dense, and in a right tree: only what they continue differs."""
    histories = []
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "box.key").write_bytes(bytes(range(32)))
        (folder / "box.key").chmod(0o600)
        with Box(folder) as box:
            box.write(AlarmRaised(kind="test", detail=name), AlarmRaised(kind="test"))
            histories.append(list(box.queries.entries(0, 3)))
    first, second = histories
    key = Box(tmp_path / "a").signer.public_key
    assert verify_journal(Mixed(first), JOURNAL, key) == 3
    with pytest.raises(IntegrityError) as caught:
        verify_journal(Mixed([*first[:2], second[2]]), JOURNAL, key)
    assert (caught.value.code, caught.value.data) == ("journal.broken_chain", {"index": 2})
    with pytest.raises(IntegrityError) as caught:
        verify_journal(Mixed([*first[:2], first[1]]), JOURNAL, key)
    assert (caught.value.code, caught.value.data) == ("journal.gap", {"index": 2})
