import apsw

from edge.store.rebuild import rebuild_projections
from tests.edge.store.boxes import Box, approved, asked, requested, sent


def test_the_projections_come_out_of_the_facts_again(box: Box):
    box.write(requested("p1"), sent("p1"), approved("p1"), asked("q1"))
    assert rebuild_projections(box.path) == []


def test_a_projection_that_was_changed_by_hand_is_found(box: Box):
    box.write(requested("p1"), sent("p1"), approved("p1"), asked("q1"))
    connection = apsw.Connection(str(box.path))
    connection.execute("UPDATE payment SET state = 'reversed'")
    connection.execute("DELETE FROM inquiry")
    connection.execute("INSERT INTO alarm VALUES (9, 'invented', NULL, '', '')")
    connection.close()
    payment, holding, inquiry, alarm, queued = rebuild_projections(box.path)
    assert payment.stored
    assert payment.rebuilt
    assert (payment.table, payment.key) == ("payment", "p1")
    assert (payment.stored["state"], payment.rebuilt["state"]) == ("reversed", "approved")
    assert holding.stored
    assert (holding.table, holding.key, holding.stored["state"]) == ("holding", "p1 0", "reversed")
    assert (inquiry.table, inquiry.stored) == ("inquiry", None)
    assert (alarm.table, alarm.key, alarm.rebuilt) == ("alarm", "9", None)
    assert (queued.table, queued.rebuilt) == ("queued_sum", {"only": 1, "count": 1, "amount_rial": 17_000})


def test_a_tree_that_is_not_that_of_the_entries_is_found(box: Box):
    box.write(requested("p1"))
    connection = apsw.Connection(str(box.path))
    connection.execute("DROP TRIGGER entry_no_update")
    connection.execute(
        "UPDATE entry SET nodes = CAST(substr(nodes, 1, 32) || zeroblob(32) AS BLOB) WHERE entry_index = 1"
    )
    connection.close()
    (found,) = rebuild_projections(box.path)
    assert (found.table, found.key) == ("entry", "1")
