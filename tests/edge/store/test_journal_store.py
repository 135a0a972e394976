import hashlib
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from edge.journal.writer import JournalWriter
from edge.store.journal_store import SqliteJournalStore
from shared.errors import BugError, IntegrityError, OperatorError
from shared.events import FeedOpened
from shared.journal.entry import leaf_hash
from shared.journal.tree import root
from tests.edge.store.boxes import OBLIGATION, OFFICE_FEED, Box, approved, requested, sent


@pytest.fixture
def raw(box: Box) -> Iterator[apsw.Connection]:
    """A bare connection, as a careless tool would open it, to a journal with facts of each kind."""
    box.write(requested("p1"), sent("p1"), approved("p1"))
    box.receive(OFFICE_FEED, [box.central.office.say(FeedOpened(public_key="00"))])
    connection = apsw.Connection(str(box.path))
    yield connection
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET signature = zeroblob(64)",
        "DELETE FROM entry WHERE entry_index = 3",
        "INSERT OR REPLACE INTO entry SELECT * FROM entry WHERE entry_index = 1",
        "INSERT OR IGNORE INTO entry VALUES (9, zeroblob(32), zeroblob(64), x'00')",
        "INSERT INTO entry VALUES (5, x'', zeroblob(64), x'00')",
        "INSERT INTO entry VALUES (5, zeroblob(33), zeroblob(64), x'00')",
        "UPDATE entry SET nodes = zeroblob(32)",
        "UPDATE feed_entry SET data = x'00'",
        "DELETE FROM feed_entry",
        "REPLACE INTO feed_entry SELECT * FROM feed_entry",
        "INSERT INTO feed_entry VALUES ('a feed', 1, x'00', zeroblob(64))",
    ],
)
def test_facts_are_only_ever_added_to(raw: apsw.Connection, statement: str):
    with pytest.raises(apsw.ConstraintError):
        raw.execute(statement)


@pytest.mark.parametrize("item", [0, 7])
def test_a_second_charge_does_not_fit_even_where_every_rule_above_failed(raw: apsw.Connection, item: int):
    with pytest.raises(apsw.ConstraintError, match="obligation"):
        raw.execute(
            "INSERT INTO holding (payment_id, item, obligation, amount_rial, requested_index, state) "
            "SELECT 'p2', ?, obligation, amount_rial, 99, 'requested' FROM payment",
            (item,),
        )


def test_a_held_obligation_is_refused_with_the_payment_that_holds_it(box: Box):
    box.write(requested("p1"))
    with pytest.raises(OperatorError) as caught:
        box.write(requested("p2"))
    assert (caught.value.code, caught.value.data) == ("payment.obligation_held", {"payment_id": "p1"})
    assert box.queries.size() == 2
    held = box.queries.payment_by_obligation(OBLIGATION)
    assert held
    assert held.payment_id == "p1"


def test_a_move_the_table_does_not_list_writes_nothing(box: Box):
    box.write(requested("p1"))
    with pytest.raises(BugError) as caught:
        box.write(sent("p1"), requested("p3", obligation="bill:2:2"), approved("p3"))
    assert caught.value.code == "payment.move_not_allowed"
    assert box.queries.size() == 2
    assert box.queries.payment("p3") is None


def test_a_fact_that_does_not_fit_the_tables_is_refused_alone(box: Box):
    box.write(requested("p1", obligation="bill:1:1"))
    with pytest.raises(BugError) as caught:
        box.write(requested("p1", obligation="bill:2:2"))
    assert caught.value.code == "journal.not_projected"
    assert box.write(sent("p1"))[0].index == 2


def plain_root(leaves: list[bytes]) -> bytes:
    """Return RFC 6962's MTH, written as the RFC defines it."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + plain_root(leaves[:split]) + plain_root(leaves[split:])).digest()


def test_the_stored_tree_is_the_tree_of_the_entries(box: Box):
    for count in range(12):
        box.write(requested(f"p{count}", obligation=f"bill:{count}:1"))
        leaves = [leaf_hash(data) for data, _ in box.queries.entries(0, 100)]
        assert root(len(leaves), box.queries.node) == plain_root(leaves)


def test_a_writer_beside_the_box_stops_the_journal(box: Box):
    with SqliteJournalStore(apsw.Connection(str(box.path)), None, box.clock, box.entropy) as beside:
        other = JournalWriter(beside, box.signer, box.clock, box.entropy)
        with other:
            other.commit_blocking(lambda _: [requested("p1")])
    with pytest.raises(IntegrityError) as caught:
        box.write(requested("p2", obligation="bill:2:2"))
    assert caught.value.code == "journal.head_moved"
    assert box.writer.failure is caught.value
    assert box.queries.size() == 2


def test_opening_gives_the_lock_back_when_it_fails(tmp_path: Path):
    box = Box(tmp_path)
    connection = apsw.Connection(str(box.path))
    connection.execute("DELETE FROM setting")
    connection.close()
    for _ in range(2):
        with pytest.raises(IntegrityError) as caught:
            SqliteJournalStore.open(box.path, box.clock, box.entropy)
        assert caught.value.code == "store.no_identity"
