import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
import pytest

from edge.journal.ports import StoreView
from edge.journal.recovery import recover
from edge.journal.signer import FileSigner, next_key_path, settle_next
from edge.journal.verify import current_key, verify_journal
from edge.journal.writer import JournalWriter
from edge.services.journal.rotate_key import open_signer, rotate_key
from edge.store.journal_store import SqliteJournalStore
from edge.store.queries import Queries
from edge.store.rebuild import rebuild_projections
from shared.errors import IntegrityError, OperatorError
from shared.events import AlarmRaised, Body
from shared.journal import rotation
from shared.journal.rotation import rotated
from tests.edge.store.boxes import JOURNAL, Box, CountedEntropy, SteppingClock

CHANCE = CountedEntropy("rotation")


def rotate(folder: Path) -> bytes:
    return rotate_key(folder / "box.sqlite", folder / "box.key", clock=SteppingClock(), entropy=CHANCE)


def start(folder: Path) -> tuple[bytes, int]:
    """Start the box as its program does; return its public key and the journal's size after it wrote."""
    path, clock = folder / "box.sqlite", SteppingClock()
    queries = Queries(path)
    try:
        with SqliteJournalStore.open(path, clock, CHANCE) as store:
            identity = queries.identity()
            signer = settle_next(folder / "box.key", current_key(queries, identity))
            with JournalWriter(store, signer, clock, CHANCE) as writer:
                recover(writer, queries, identity, signer.public_key, software="test")
                writer.commit_blocking(lambda _: [AlarmRaised(kind="after")])
        size = verify_journal(queries, JOURNAL, bytes.fromhex(identity.public_key))
    finally:
        queries.close()
    assert rebuild_projections(path) == []
    assert FileSigner.load(folder / "box.key").public_key == signer.public_key
    assert not next_key_path(folder / "box.key").exists()
    return signer.public_key, size


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a box that is off."""
    with Box(tmp_path) as box:
        box.write(AlarmRaised(kind="before"))
    return tmp_path


def test_a_box_goes_on_with_its_new_key(folder: Path):
    old = FileSigner.load(folder / "box.key").public_key
    new = rotate(folder)
    assert new != old
    assert start(folder) == (new, 5)
    assert start(folder) == (new, 7)


def test_a_key_is_rotated_again_and_again(folder: Path):
    keys = [rotate(folder) for _ in range(3)]
    assert len(set(keys)) == 3
    assert start(folder) == (keys[-1], 7)


def test_not_while_the_box_runs(folder: Path):
    clock = SteppingClock()
    with (
        SqliteJournalStore.open(folder / "box.sqlite", clock, CHANCE),
        pytest.raises(OperatorError, match=r"store\.in_use"),
    ):
        rotate(folder)
    assert not next_key_path(folder / "box.key").exists()


def test_not_more_often_than_can_be_shown(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("edge.services.journal.rotate_key.ROTATIONS_MAX", 1)
    rotate(folder)
    with pytest.raises(OperatorError, match=r"signer\.too_many_rotations"):
        rotate(folder)


CALLS = [
    *((os, name) for name in ("open", "fdopen", "fsync", "close")),
    (Path, "replace"),
    (Path, "unlink"),
    (JournalWriter, "commit_blocking"),
]
COMPLETE, CUT = 0, 1


def end_at(count: int, *, after: bool) -> None:
    """Make this process end before or after its `count`-th call of those that change anything: no clean-up runs."""
    seen = 0

    def wrap(real: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            nonlocal seen
            seen += 1
            number = seen
            if number == count and not after:
                os._exit(CUT)
            result = real(*args, **kwargs)
            if number == count:
                os._exit(CUT)
            return result

        return call

    for owner, name in CALLS:
        setattr(owner, name, wrap(getattr(owner, name)))


def rotate_and_die(folder: Path, count: int, *, after: bool) -> int:
    """Rotate in a process that ends at the `count`-th step; return how it ended."""
    child = os.fork()
    if child == 0:
        try:
            end_at(count, after=after)
            rotate(folder)
        finally:
            os._exit(COMPLETE)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("after", [False, True])
def test_whatever_step_it_is_killed_at_the_next_start_has_the_right_key(tmp_path: Path, *, after: bool):
    went_on_with = {"old": 0, "new": 0}
    for count in range(1, 100):
        folder = tmp_path / str(count)
        folder.mkdir()
        with Box(folder) as box:
            box.write(AlarmRaised(kind="before"))
        old = FileSigner.load(folder / "box.key").public_key
        ended = rotate_and_die(folder, count, after=after)
        key, _ = start(folder)
        went_on_with["old" if key == old else "new"] += 1
        if ended == COMPLETE:
            break
        # And it can be asked for again.
        again = rotate(folder)
        assert start(folder)[0] == again
    else:
        pytest.fail("it never came to an end")
    assert min(went_on_with.values()) >= 4


def test_half_a_new_key_is_thrown_away(folder: Path):
    unfinished = next_key_path(folder / "box.key")
    unfinished.write_bytes(b"half")
    unfinished.chmod(0o600)
    old = FileSigner.load(folder / "box.key").public_key
    assert start(folder)[0] == old


def test_a_strangers_key_is_not_taken(folder: Path):
    rotate(folder)
    (folder / "box.key").write_bytes(bytes(range(32)))
    with pytest.raises(IntegrityError, match=r"signer\.other_key"):
        start(folder)


def told(bodies: list[Body], _: StoreView) -> list[Body]:
    return bodies


def test_a_rotation_that_proves_nothing_ends_the_journal(folder: Path):
    """What no box writes: a key named by its holder's enemy, or proved for another place."""
    stranger = FileSigner.create(folder / "other.key", CHANCE)
    for place in (3, 2):
        clock = SteppingClock()
        body = rotated(
            JOURNAL,
            place,
            old_key=FileSigner.load(folder / "box.key").public_key,
            new_key=stranger.public_key,
            sign=stranger.sign,
        )
        with (
            SqliteJournalStore.open(folder / "box.sqlite", clock, CHANCE) as store,
            JournalWriter(store, FileSigner.load(folder / "box.key"), clock, CHANCE) as writer,
        ):
            writer.commit_blocking(partial(told, [body]))
        queries = Queries(folder / "box.sqlite")
        with pytest.raises(IntegrityError) as caught:
            verify_journal(queries, JOURNAL, bytes.fromhex(queries.identity().public_key))
        assert caught.value.code == "journal.bad_rotation"
        queries.close()
    assert rotation.KEY_ROTATION.endswith("v1")


@pytest.mark.parametrize("damage", ["entry", "key"])
def test_a_damaged_rotation_leaves_both_keys_for_whoever_repairs_it(folder: Path, damage: str):
    rotate(folder)
    key, unfinished = folder / "box.key", next_key_path(folder / "box.key")
    unfinished.write_bytes(bytes(range(32)))
    unfinished.chmod(0o600)
    if damage == "key":
        key.write_bytes(bytes(range(32, 64)))
    queries = Queries(folder / "box.sqlite")
    identity = queries.identity()
    if damage == "entry":
        identity = msgspec.structs.replace(identity, public_key="ab" * 32)
    before = (key.read_bytes(), unfinished.read_bytes())
    assert open_signer(key, queries, identity).public_key == FileSigner.load(key).public_key
    assert (key.read_bytes(), unfinished.read_bytes()) == before
    key.chmod(0o644)
    with pytest.raises(IntegrityError, match=r"signer\.unsafe"):
        open_signer(key, queries, identity)
    queries.close()
