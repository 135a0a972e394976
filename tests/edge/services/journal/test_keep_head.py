from pathlib import Path

import pytest

from edge.journal.head_copy import HeadCopy, compare
from edge.services.journal.keep_head import KeepHead, read_in_time
from shared.errors import IntegrityError
from shared.events import AlarmRaised
from tests.edge.store.boxes import Box


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def keeper(box: Box, stick: Path | None, media: list[Path] | None = None) -> KeepHead:
    copy = HeadCopy(stick, box.identity, lambda: media or [])
    return KeepHead(copy, box.queries, box.signer, box.writer, box.clock)


def found(box: Box, stick: Path) -> list[int]:
    return [head.size for head in read_in_time(HeadCopy(stick, box.identity), box.queries)]


def test_the_head_follows_the_journal_and_is_found_again(box: Box, stick: Path):
    keep = keeper(box, stick)
    box.write(AlarmRaised(kind="a"))
    keep.write_now()
    assert found(box, stick) == [2]
    box.write(AlarmRaised(kind="b"))
    keep.write_now()
    assert found(box, stick) == [3]
    assert (keep.view().size, keep.view().failed) == (3, False)
    compare(box.queries, HeadCopy(stick, box.identity).read(box.queries))
    assert [one.name for one in stick.iterdir() if one.name.endswith(".writing")] == []


def test_a_thread_writes_it_after_commits_and_at_the_end(box: Box, stick: Path):
    keep = keeper(box, stick)
    box.writer.subscribe(lambda _: keep.wake())
    keep.start()
    box.write(AlarmRaised(kind="a"))
    keep.stop()
    assert found(box, stick) == [2]


def test_a_journal_shorter_than_its_copy_is_not_gone_on_with(tmp_path: Path, stick: Path):
    with Box(tmp_path) as box:
        box.writer.close()
        before = box.path.read_bytes(), [one.read_bytes() for one in tmp_path.glob("box.sqlite-*")]
    saved = before[0]
    with Box(tmp_path) as box:
        box.write(AlarmRaised(kind="lost"))
        keeper(box, stick).write_now()
    for one in tmp_path.glob("box.sqlite*"):
        one.unlink()
    (tmp_path / "box.sqlite").write_bytes(saved)
    with Box(tmp_path) as box:
        heads = HeadCopy(stick, box.identity).read(box.queries)
        with pytest.raises(IntegrityError, match=r"journal\.rollback"):
            compare(box.queries, heads)
        # A medium that is plugged in later says the same.
        keeper(box, None, [stick]).write_now()
        with pytest.raises(IntegrityError, match=r"journal\.unsound"):
            box.write(AlarmRaised(kind="refused"))
        # Another story of the same length is no better.
        assert box.queries.size() == 1


def test_another_story_of_the_same_length_is_found(tmp_path: Path, stick: Path):
    with Box(tmp_path) as box:
        box.writer.close()
    saved = (tmp_path / "box.sqlite").read_bytes()
    with Box(tmp_path) as box:
        box.write(AlarmRaised(kind="first story"))
        keeper(box, stick).write_now()
    (tmp_path / "box.sqlite").write_bytes(saved)
    with Box(tmp_path) as box:
        box.write(AlarmRaised(kind="second story"))
        with pytest.raises(IntegrityError, match=r"journal\.fork"):
            compare(box.queries, HeadCopy(stick, box.identity).read(box.queries))


def test_what_is_not_ours_on_a_medium_is_passed_over(box: Box, stick: Path):
    keep = keeper(box, stick)
    keep.write_now()
    (copy,) = stick.glob("daftar-head.*")
    copy.write_bytes(copy.read_bytes().replace(b"\n1\n", b"\n9\n"))
    assert found(box, stick) == []
    copy.write_bytes(b"\xff\x00 nonsense")
    assert found(box, stick) == []


def test_a_medium_that_is_missing_or_full_hinders_nothing(box: Box, stick: Path, tmp_path: Path):
    gone = keeper(box, tmp_path / "not plugged in")
    gone.write_now()
    assert gone.view().places == ()
    # A folder under the copy's own name cannot be replaced by a file.
    keep = keeper(box, stick)
    keep.write_now()
    (copy,) = stick.glob("daftar-head.*")
    copy.unlink()
    (copy.with_name(copy.name + ".writing")).mkdir()
    keep.write_now()
    assert keep.view().failed
    assert box.write(AlarmRaised(kind="goes on"))
