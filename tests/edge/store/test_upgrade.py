import errno
import hashlib
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest
from sqlite_utils import Database, Migrations

from edge.store import projections
from edge.store.queries import Queries
from edge.store.rebuild import rebuild_projections
from edge.store.schema.migrations import MIGRATIONS, first_box
from edge.store.schema.payment_tables import HOLDS_OBLIGATION
from edge.store.upgrade import Step, upgrade
from shared.errors import DeviceError, IntegrityError
from shared.events import FEED_BODIES, PaymentConfirmed
from shared.payment import CERTAINLY_UNCHARGED
from tests.edge.store.boxes import Box, approved, requested, sent


def next_release(step: Callable[[Database], None]) -> Migrations:
    """Return the migrations of a release with one more step."""
    migrations = Migrations("daftar-edge")
    migrations(name="0001_box")(first_box)
    migrations(name="0002_step")(step)
    return migrations


def add_colour(database: Database) -> None:
    database.execute("ALTER TABLE notice ADD COLUMN colour TEXT")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a box that has taken a payment and is now off."""
    with Box(tmp_path) as box:
        box.write(requested("p1"), sent("p1"), approved("p1"))
    return box.path


def facts(path: Path) -> list[tuple[object, ...]]:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    found = list(connection.execute("SELECT entry_index, data, signature FROM entry ORDER BY 1"))
    connection.close()
    return found


def columns(path: Path) -> set[str]:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    found = {row[1] for row in connection.execute("PRAGMA table_info(notice)")}
    connection.close()
    return found


def test_a_file_of_this_release_is_left_alone(path: Path):
    before = hashlib.sha256(path.read_bytes()).digest()
    assert upgrade(path) is False
    assert hashlib.sha256(path.read_bytes()).digest() == before


def test_a_newer_release_brings_the_file_along_with_every_fact(path: Path):
    before = facts(path)
    assert upgrade(path, next_release(add_colour)) is True
    assert facts(path) == before
    assert "colour" in columns(path)
    assert upgrade(path, next_release(add_colour)) is False


def test_what_only_the_newer_release_understands_is_projected_by_its_upgrade(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with Box(tmp_path) as box:
        box.write(requested("p1", obligation="bill:p1:1"), sent("p1"), approved("p1"))
        with monkeypatch.context() as older:
            known = {kind: body for kind, body in FEED_BODIES.items() if body is not PaymentConfirmed}
            older.setattr(projections, "FEED_BODIES", known)
            office = box.central.office
            confirmed = PaymentConfirmed(
                payment_id="p1",
                provider="x",
                track_id="t",
                provider_reference="r",
                confirmed_at="2026-01-01T00:00:00.000Z",
            )
            box.receive(office.name, [office.say(confirmed)])
        assert [payment.confirmation for payment in box.queries.payments(None, 5)] == ["queued"]
    upgrade(box.path, next_release(add_colour))
    assert rebuild_projections(box.path) == []
    queries = Queries(box.path)
    assert [payment.confirmation for payment in queries.payments(None, 5)] == ["confirmed"]
    queries.close()


def test_an_upgrade_keeps_the_file_its_owners_alone(path: Path):
    upgrade(path, next_release(add_colour))
    assert path.stat().st_mode & 0o077 == 0


def test_the_guards_still_stand_after_an_upgrade(path: Path):
    upgrade(path, next_release(add_colour))
    connection = apsw.Connection(str(path))
    with pytest.raises(apsw.ConstraintError, match="append-only"):
        connection.execute("DELETE FROM entry")
    connection.close()


def test_a_file_of_a_newer_release_is_refused(path: Path):
    upgrade(path, next_release(add_colour))
    with pytest.raises(IntegrityError) as caught:
        upgrade(path, MIGRATIONS)
    assert caught.value.code == "store.newer_schema"


def no_room_for_the_copy(source: Path, target: Path) -> None:
    target.write_bytes(source.read_bytes()[:5_000])
    raise OSError(errno.ENOSPC, "No space left on device")


def no_room_for_the_step(database: Database) -> None:
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    database.execute(f"PRAGMA max_page_count = {pages}")
    database.execute("CREATE TABLE filler AS SELECT zeroblob(100000) AS filling")


@pytest.mark.parametrize("what", ["copy", "step"])
def test_without_room_the_file_is_as_it_was_and_goes_on_once_there_is(
    path: Path, what: str, monkeypatch: pytest.MonkeyPatch
):
    before = path.read_bytes()
    with monkeypatch.context() as full:
        if what == "copy":
            full.setattr(shutil, "copy", no_room_for_the_copy)
        with pytest.raises((OSError, DeviceError), match=r"No space|store\.unreadable"):
            upgrade(path, next_release(add_colour if what == "copy" else no_room_for_the_step))
    assert path.read_bytes() == before
    assert list(path.parent.glob("*.migrating*")) == [], "what fills the medium is gone"
    assert upgrade(path, next_release(add_colour)) is True


class Cut(Exception):  # noqa: N818 - stands for the power
    """The power went."""


@pytest.mark.parametrize("at", list(Step))
def test_a_cut_at_any_step_leaves_a_whole_file(path: Path, at: Step):
    before = facts(path)
    bytes_before = path.read_bytes()

    def cut(step: Step) -> None:
        if step is at:
            raise Cut

    with pytest.raises(Cut):
        upgrade(path, next_release(add_colour), cut)
    if at is not Step.RENAMED:
        assert path.read_bytes() == bytes_before
    assert facts(path) == before
    # Whatever the cut left beside it, the next start goes through.
    upgrade(path, next_release(add_colour))
    assert facts(path) == before
    assert "colour" in columns(path)
    assert rebuild_projections(path) == []


def drop_entries(database: Database) -> None:
    database.execute("DROP TRIGGER entry_no_delete")
    database.execute("DELETE FROM entry WHERE entry_index = 3")


def transform_entries(database: Database) -> None:
    database.table("entry").transform(rename={"data": "data"})


def change_signature(database: Database) -> None:
    (sql,) = database.execute("SELECT sql FROM sqlite_schema WHERE name = 'entry_no_update'").fetchone()
    database.execute("DROP TRIGGER entry_no_update")
    database.execute("UPDATE entry SET signature = zeroblob(64) WHERE entry_index = 2")
    database.execute(sql)


def break_off(database: Database) -> None:
    database.execute("ALTER TABLE notice ADD COLUMN colour TEXT")
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("step", "code", "what"),
    [
        (drop_entries, "store.migration_lost", "entry_no_delete"),
        (transform_entries, "store.migration_lost", "entry_no_update"),
        (change_signature, "store.migration_lost", "entry"),
        (break_off, "store.migration_failed", None),
    ],
)
def test_a_bad_migration_leaves_the_old_file_as_it_was(
    path: Path, step: Callable[[Database], None], code: str, what: str | None
):
    before = path.read_bytes()
    with pytest.raises(IntegrityError) as caught:
        upgrade(path, next_release(step))
    assert caught.value.code == code
    assert caught.value.data.get("what") == what
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*.migrating*"))
    assert rebuild_projections(path) == []


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from edge.store.upgrade import Step, upgrade
    from tests.edge.store.test_upgrade import add_colour, next_release

    def kill(step):
        if step == sys.argv[2]:
            os.kill(os.getpid(), signal.SIGKILL)

    # One child a step: importing once is what costs.
    for step in Step:
        sys.argv[2:] = [step]
        path = Path(sys.argv[1]) / step / "box.sqlite"
        child = os.fork()
        if child == 0:
            upgrade(path, next_release(add_colour), kill)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
"""


def test_a_kill_at_any_step_leaves_a_whole_file(tmp_path: Path):
    for step in Step:
        (tmp_path / step).mkdir()
        with Box(tmp_path / step) as box:
            box.write(requested("p1"), sent("p1"))
    subprocess.run([sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path)], check=True)
    for step in Step:
        path = tmp_path / step / "box.sqlite"
        upgraded = "colour" in columns(path)
        assert upgraded is (step is Step.RENAMED)
        assert len(facts(path)) == 3
        upgrade(path, next_release(add_colour))
        assert rebuild_projections(path) == []


def test_the_index_names_every_state_that_frees_an_obligation(path: Path):
    connection = apsw.Connection(str(path))
    (sql,) = next(connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'holding_one_charge'"))
    connection.close()
    assert HOLDS_OBLIGATION in str(sql)
    for state in CERTAINLY_UNCHARGED:
        assert f"'{state}'" in str(sql)
