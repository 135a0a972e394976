from pathlib import Path

import msgspec
import pytest

from edge.journal.signer import FileSigner
from edge.store.creation import create_box
from edge.store.exchange_store import SqliteExchangeStore
from shared.errors import IntegrityError, OperatorError
from shared.events import JournalOpened
from shared.journal.entry import decode_entry
from tests.edge.store.boxes import BOX, JOURNAL, OFFICE, Box


def test_a_new_journal_says_whose_it_is(box: Box):
    assert box.queries.size() == 1
    pair = box.queries.entry(0)
    assert pair
    entry = decode_entry(pair[0])
    assert (entry.journal, entry.type) == (JOURNAL, "journal.opened")
    opened = msgspec.json.decode(entry.body, type=JournalOpened)
    assert (opened.office, opened.box, opened.public_key) == (OFFICE, BOX, box.signer.public_key.hex())
    assert box.queries.identity() == box.identity


def test_the_first_ratchet_token_waits_for_the_first_exchange(box: Box):
    assert SqliteExchangeStore(box.queries, box.writer).load().token == b"first token"


def test_a_box_is_never_made_over_another(tmp_path: Path):
    box = Box(tmp_path)
    before = box.path.read_bytes()
    with pytest.raises(OperatorError) as caught:
        box.create()
    assert caught.value.code == "store.exists"
    assert box.path.read_bytes() == before


def test_a_box_is_never_made_beside_what_another_left_in_its_wal(tmp_path: Path):
    wal = tmp_path / "box.sqlite-wal"
    wal.write_bytes(b"entries of a box whose file was moved away")
    with pytest.raises(OperatorError) as caught:
        Box(tmp_path)
    assert (caught.value.code, caught.value.data["path"]) == ("store.exists", str(wal))
    assert wal.read_bytes().startswith(b"entries")
    assert not (tmp_path / "box.sqlite").exists()


def test_a_creation_that_was_cut_off_may_be_made_again(tmp_path: Path):
    unfinished = tmp_path / "box.sqlite.creating"
    unfinished.write_bytes(b"half a box")
    box = Box(tmp_path)
    assert not unfinished.exists()
    with box:
        assert box.queries.size() == 1


def test_a_box_signs_with_the_key_its_journal_names(tmp_path: Path):
    box = Box(tmp_path)
    other = FileSigner.create(tmp_path / "other.key", box.entropy)
    with pytest.raises(IntegrityError) as caught:
        create_box(
            tmp_path / "b.sqlite", box.identity, signer=other, clock=box.clock, entropy=box.entropy, software="test"
        )
    assert caught.value.code == "signer.other_key"
    assert not (tmp_path / "b.sqlite").exists()


def test_only_its_owner_can_read_a_boxs_files(box: Box):
    box.write()
    files = list(box.path.parent.glob("box.sqlite*"))
    assert len(files) >= 2
    assert {file.name: file.stat().st_mode & 0o077 for file in files if not file.name.endswith(".lock")} == {
        file.name: 0 for file in files if not file.name.endswith(".lock")
    }
