import errno
from pathlib import Path

import apsw
import pytest

from edge.services.health.watch_disk import WatchDisk
from edge.store.reserve import Reserve, Usage
from shared.errors import OperatorError
from tests.edge.store.boxes import Box

SIZE = 64 * 1024
GB = 1024**3


class Medium:
    """How full a medium says it is."""

    def __init__(self, percent: int) -> None:
        self.percent = percent
        self.free_bytes: int | None = None

    def __call__(self, _: Path) -> Usage:
        if self.free_bytes is not None:
            return Usage(100 * GB - self.free_bytes, self.free_bytes)
        return Usage(self.percent * GB, (100 - self.percent) * GB)


@pytest.fixture
def medium() -> Medium:
    return Medium(10)


@pytest.fixture
def disk(tmp_path: Path, medium: Medium) -> WatchDisk:
    watch = WatchDisk(tmp_path, Reserve(tmp_path, SIZE), medium)
    watch.prepare()
    return watch


def kinds(box: Box) -> list[str]:
    return [alarm.kind for alarm in reversed(box.queries.status().alarms)]


async def test_each_level_is_journaled_once_for_each_crossing(disk: WatchDisk, medium: Medium, box: Box):
    seen = []
    for percent in (79, 80, 85, 91, 90, 89, 91, 95, 99, 94, 96, 60, 81):
        medium.percent = percent
        await disk.look(box.writer)
        seen.append((percent, disk.view().level))
    assert seen == [
        (79, "ok"),
        (80, "filling"),
        (85, "filling"),
        (91, "nearly_full"),
        (90, "nearly_full"),
        (89, "nearly_full"),
        (91, "nearly_full"),
        (95, "full"),
        (99, "full"),
        (94, "full"),
        (96, "full"),
        (60, "ok"),
        (81, "filling"),
    ]
    assert kinds(box) == ["disk_filling", "disk_nearly_full", "disk_full", "disk_filling"]


async def test_at_the_last_level_nothing_new_begins_until_there_is_room(disk: WatchDisk, medium: Medium, box: Box):
    disk.check_room()
    medium.percent = 95
    await disk.look(box.writer)
    with pytest.raises(OperatorError, match=r"disk\.full") as refused:
        disk.check_room()
    assert refused.value.data == {"percent": 95}
    medium.percent = 70
    await disk.look(box.writer)
    disk.check_room()


def test_the_reserve_is_kept_from_the_start(disk: WatchDisk, tmp_path: Path):
    assert (tmp_path / "box.reserve").stat().st_blocks * 512 >= SIZE
    assert disk.view().reserve_kept


@pytest.mark.parametrize("error", [apsw.FullError("full"), OSError(errno.ENOSPC, "no space")])
async def test_a_write_without_room_gets_the_reserve_and_new_work_waits_until_it_is_kept_again(
    disk: WatchDisk, medium: Medium, box: Box, tmp_path: Path, error: Exception
):
    disk.failed(apsw.IOError("the medium"))
    assert disk.view().reserve_kept
    medium.free_bytes = SIZE
    disk.failed(error)
    assert not (tmp_path / "box.reserve").exists()
    with pytest.raises(OperatorError, match=r"disk\.full"):
        disk.check_room()
    await disk.look(box.writer)
    assert not disk.view().reserve_kept
    medium.free_bytes = None
    await disk.look(box.writer)
    assert disk.view().reserve_kept
    disk.check_room()


def test_a_start_without_room_for_the_index_file_gets_the_reserve(tmp_path: Path, medium: Medium):
    Reserve(tmp_path, SIZE).make()
    medium.free_bytes = 4096
    watch = WatchDisk(tmp_path, Reserve(tmp_path, SIZE), medium)
    watch.prepare()
    assert not watch.view().reserve_kept
    assert not watch.view().takes_new


def test_a_medium_that_does_not_say_how_full_it_is_hinders_nothing(tmp_path: Path):
    def fails(_: Path) -> Usage:
        raise OSError(errno.EIO, "input/output error")

    watch = WatchDisk(tmp_path, Reserve(tmp_path, SIZE), fails)
    watch.prepare()
    watch.check_room()
