from pathlib import Path

import apsw
import pytest

from daftar.lab.chance import Chance
from daftar.lab.disk import SECTOR_BYTES, Disk, Medium, Operation
from edge.store.database import open_for_writing, open_read_only
from shared.errors import DaftarError

FILE = "a"
OLD, NEW = b"o" * (4 * SECTOR_BYTES), b"n" * (4 * SECTOR_BYTES)


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    apsw.Connection(str(tmp_path / FILE)).execute("CREATE TABLE t (x)")
    return Disk(tmp_path, Chance("test"))


def some_work(disk: Disk) -> None:
    connection = open_for_writing(disk.folder / FILE)
    try:
        for number in range(3):
            connection.execute("INSERT INTO t VALUES (?)", (f"{number}" * 3_000,))
    finally:
        connection.close()


def sectors(data: bytes) -> list[bytes]:
    return [data[at : at + SECTOR_BYTES] for at in range(0, len(data), SECTOR_BYTES)]


def test_what_was_synced_is_there_and_of_the_rest_each_sector_by_a_coin():
    medium = Medium({FILE: OLD})
    medium.step(Operation("write", FILE, 0, NEW))
    images = [medium.image(Chance(seed), "sectors")[FILE] for seed in range(200)]
    assert {sector for image in images for sector in sectors(image)} == {OLD[:SECTOR_BYTES], NEW[:SECTOR_BYTES]}
    assert len(set(images)) == 16
    medium.step(Operation("sync", FILE))
    assert {medium.image(Chance(seed), "none")[FILE] for seed in range(60)} == {NEW}


def test_a_prefix_ends_torn_and_nothing_after_it_is_there():
    medium = Medium({FILE: b""})
    for place in range(8):
        medium.step(Operation("write", FILE, place * len(OLD), bytes([65 + place]) * len(OLD)))
    lengths = set()
    for seed in range(40):
        data = medium.image(Chance(seed), "prefix").get(FILE, b"")
        whole = len(data) // len(OLD)
        assert all(data[at] == 65 + at // len(OLD) for at in range(max(0, whole - 1) * len(OLD)))
        lengths.add(len(data))
    assert len(lengths) > 5


def test_a_sync_of_one_file_leaves_another_in_the_air():
    medium = Medium({})
    medium.step(Operation("write", "a", 0, NEW))
    medium.step(Operation("write", "b", 0, NEW))
    medium.step(Operation("sync", "a"))
    assert medium.image(Chance(0), "none") == {"a": NEW}


def test_a_lie_is_found_out_by_the_cut_and_mended_by_the_next_true_sync():
    deaf, lying = Medium({}, lies=1.0), Medium({}, lies=0.5, seed=1)
    for medium in (deaf, lying):
        for _ in range(20):
            medium.step(Operation("write", FILE, 0, NEW))
            medium.step(Operation("sync", FILE))
    assert deaf.image(Chance(0), "none") == {}
    assert deaf.lied
    assert lying.lied
    assert lying.image(Chance(0), "none") == {FILE: NEW}


def test_a_deleted_file_may_come_back_until_its_folder_is_synced():
    for synced, seen in ((0, {True, False}), (1, {False})):
        medium = Medium({FILE: OLD})
        medium.step(Operation("delete", FILE, size=synced))
        assert {FILE in medium.image(Chance(seed), "sectors") for seed in range(20)} == seen


def test_a_cut_stops_everything_after_the_very_io_that_a_replay_of_the_notes_stops_at(disk: Disk, tmp_path: Path):
    whole = tmp_path / "whole"
    whole.mkdir()
    (whole / FILE).write_bytes((tmp_path / FILE).read_bytes())
    reference = Disk(whole, Chance("test"))
    with reference.in_use():
        some_work(reference)
    disk.faults.cut_at = 20
    with disk.in_use(), pytest.raises(apsw.IOError):
        some_work(disk)
    assert not disk.powered
    assert disk.operations == reference.operations[:20]


def test_the_same_chance_gives_the_same_bytes(disk: Disk, tmp_path: Path):
    base = (tmp_path / FILE).read_bytes()
    runs = []
    for _ in range(2):
        (tmp_path / FILE).write_bytes(base)
        again = Disk(tmp_path, Chance("test"))
        with again.in_use():
            some_work(again)
        runs.append(again.operations)
    assert runs[0] == runs[1]
    assert runs[0]


def test_the_product_s_own_way_of_opening_is_the_one_on_the_disk(disk: Disk):
    with disk.in_use():
        some_work(disk)
        reader = open_read_only(disk.folder / FILE)
        assert next(reader.execute("SELECT count(*) FROM t")) == (3,)
        reader.close()
    names = {operation.name for operation in disk.operations}
    assert names == {FILE, f"{FILE}-wal", f"{FILE}-journal"}
    assert sum(operation.kind == "sync" for operation in disk.operations) >= 3
    assert disk.read_count > 0


def test_no_room_is_no_room_for_what_grows(disk: Disk):
    with disk.in_use():
        connection = open_for_writing(disk.folder / FILE)
        connection.execute("INSERT INTO t VALUES (1)")
        disk.faults.room_bytes = 1_000
        with pytest.raises(apsw.FullError):
            connection.execute("INSERT INTO t VALUES (?)", ("x" * 9_000,))
        disk.faults.room_bytes = None
        connection.execute("INSERT INTO t VALUES (2)")
        assert list(connection.execute("SELECT x FROM t")) == [(1,), (2,)]
        connection.close()


def test_a_read_can_come_back_with_one_bit_wrong(disk: Disk):
    data = bytes(100)
    disk.faults.flip_read_at = 2
    first, second, third = disk.read(data), disk.read(data), disk.read(data)
    assert first == third == data
    assert sum(byte.bit_count() for byte in second) == 1


def test_the_default_is_given_back(disk: Disk):
    before = apsw.vfs_names()
    with pytest.raises(DaftarError), disk.in_use():
        open_for_writing(disk.folder / "missing")
    assert apsw.vfs_names() == before


def test_a_renaming_is_durable_with_its_folder():
    medium = Medium({FILE: NEW})
    medium.step(Operation("rename", FILE, data=b"b"))
    assert medium.image(Chance(0), "none") == {FILE: NEW}
    assert medium.image(Chance(0), "all") == {"b": NEW}
    medium.step(Operation("sync_names", "b"))
    assert medium.image(Chance(0), "none") == {"b": NEW}
