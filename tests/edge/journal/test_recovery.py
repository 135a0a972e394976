import subprocess
import sys
import textwrap
from pathlib import Path

import apsw
import pytest

from edge.journal.ports import StoreView
from edge.journal.recovery import TAIL_ENTRIES, recover
from edge.journal.signer import FileSigner
from edge.journal.verify import verify_journal
from edge.store.rebuild import rebuild_projections
from shared.errors import IntegrityError
from shared.events import AlarmRaised, Body, BootStarted
from shared.payment import PaymentState
from tests.edge.store.boxes import JOURNAL, Box, approved, in_doubt, requested, sent


def start(box: Box) -> BootStarted:
    """Recover a running box; return what the start said of itself."""
    heard: list[object] = []
    box.writer.subscribe(lambda records: heard.extend(recorded.body for recorded in records))
    recover(box.writer, box.queries, box.identity, box.signer.public_key, software="test")
    box.writer.close()
    assert isinstance(heard[0], BootStarted)
    return heard[0]


def test_a_start_settles_what_the_last_run_left_open(box: Box):
    box.write(requested("p1", obligation="bill:1:1"))
    box.write(requested("p2", obligation="bill:2:2"), sent("p2"))
    box.write(requested("p3", obligation="bill:3:3"), sent("p3"), approved("p3"))
    box.write(requested("p4", obligation="bill:4:4"), sent("p4"), in_doubt("p4"))
    recovered = recover(box.writer, box.queries, box.identity, box.signer.public_key, software="test")
    assert (recovered.not_sent, recovered.in_doubt) == (("p1",), ("p2",))
    assert (recovered.found_size, recovered.cosigned_size) == (10, 0)
    found = {payment.payment_id: payment for payment in box.queries.payments(None, 10)}
    assert {name: payment.state for name, payment in found.items()} == {
        "p1": PaymentState.NOT_SENT,
        "p2": PaymentState.IN_DOUBT,
        "p3": PaymentState.APPROVED,
        "p4": PaymentState.IN_DOUBT,
    }
    assert (found["p1"].not_sent_reason, found["p2"].in_doubt_reason) == ("restart", "restart")
    assert found["p4"].in_doubt_reason == "no_answer"
    assert box.queries.size() == 13


def test_a_start_says_what_it_found(box: Box):
    box.write(AlarmRaised(kind="a"))
    assert start(box) == BootStarted(found_size=2, cosigned_size=0, software="test")


def test_a_second_start_finds_nothing_to_settle(box: Box):
    box.write(requested("p1"), sent("p1"))
    for settled in (("p1",), ()):
        recovered = recover(box.writer, box.queries, box.identity, box.signer.public_key, software="test")
        assert recovered.in_doubt == settled


class OfAnotherRelease(Body, frozen=True, kw_only=True):
    """An entry that this release does not know."""

    type = "payment.blessed"
    payment_id: str


def test_an_entry_of_another_release_is_carried_and_keeps_nothing_from_starting(tmp_path: Path):
    with Box(tmp_path) as box:
        box.write(requested("p1"), sent("p1"), OfAnotherRelease(payment_id="p1"), approved("p1"))
    with Box(tmp_path) as box:
        recover(box.writer, box.queries, box.identity, box.signer.public_key, software="test")
        found = box.queries.payment("p1")
        assert found
        assert found.state is PaymentState.APPROVED
        verify_journal(box.queries, JOURNAL, box.signer.public_key)
    assert rebuild_projections(box.path) == []


def test_another_boxes_key_does_not_go_on(box: Box, tmp_path: Path):
    other = FileSigner.create(tmp_path / "other.key", box.entropy)
    with pytest.raises(IntegrityError) as caught:
        recover(box.writer, box.queries, box.identity, other.public_key, software="test")
    assert caught.value.code == "signer.other_key"
    assert box.queries.size() == 1


@pytest.mark.parametrize(
    ("statements", "code"),
    [
        (["DROP TRIGGER entry_no_delete", "DELETE FROM entry WHERE entry_index = 2"], "journal.gap"),
        (
            ["DROP TRIGGER entry_no_update", "UPDATE entry SET signature = zeroblob(64) WHERE entry_index = 3"],
            "journal.wrong_signature",
        ),
        (
            [
                "DROP TRIGGER entry_no_update",
                "UPDATE entry SET nodes = CAST(substr(nodes, 1, 64) || zeroblob(32) AS BLOB) WHERE entry_index = 3",
            ],
            "journal.wrong_tree",
        ),
        (
            ["DROP TRIGGER entry_no_update", "UPDATE entry SET nodes = substr(nodes, 1, 32) WHERE entry_index = 1"],
            "journal.no_node",
        ),
    ],
)
def test_a_damaged_journal_does_not_go_on(box: Box, statements: list[str], code: str):
    box.write(*(AlarmRaised(kind=str(count)) for count in range(3)))
    connection = apsw.Connection(str(box.path))
    for statement in statements:
        connection.execute(statement)
    connection.close()
    with pytest.raises(IntegrityError) as caught:
        recover(box.writer, box.queries, box.identity, box.signer.public_key, software="test")
    assert caught.value.code == code
    assert box.queries.size() == 4


def test_only_the_end_is_verified_at_a_start(box: Box):
    box.write(*(AlarmRaised(kind=str(count)) for count in range(TAIL_ENTRIES)))
    connection = apsw.Connection(str(box.path))
    connection.execute("DROP TRIGGER entry_no_update")
    connection.execute("UPDATE entry SET signature = zeroblob(64) WHERE entry_index = 0")
    connection.close()
    recover(box.writer, box.queries, box.identity, box.signer.public_key, software="test")
    with pytest.raises(IntegrityError) as caught:
        verify_journal(box.queries, JOURNAL, box.signer.public_key)
    assert caught.value.data == {"index": 0}


COMMITTING = """
    import asyncio, sys
    from pathlib import Path
    from tests.edge.store.boxes import Box, approved, requested, sent

    async def lives(box, worker):
        count = box.queries.size()
        while True:
            name = f"{worker}-{count}"
            for body in (requested(name, obligation=f"bill:{worker}:{count}"), sent(name), approved(name)):
                (recorded,) = await box.writer.commit(lambda _, body=body: [body])
                print(recorded.index, recorded.leaf.hex(), flush=True)
            count += 1

    async def main():
        with Box(Path(sys.argv[1])) as box:
            await asyncio.gather(*(lives(box, worker) for worker in range(4)))

    asyncio.run(main())
"""


def test_every_acknowledged_entry_survives_a_kill(tmp_path: Path):
    Box(tmp_path)
    acknowledged: dict[int, str] = {}
    for wanted in (5, 150):
        child = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(COMMITTING), str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout
        for count, line in enumerate(child.stdout, start=1):
            if count == wanted:
                child.kill()
            # What the pipe still holds was acknowledged too; a last line that the kill cut short was not.
            if line.endswith("\n"):
                index, leaf = line.split()
                acknowledged[int(index)] = leaf
        child.stdout.close()
        assert child.wait(10) == -9
        with Box(tmp_path) as box:
            size = verify_journal(box.queries, JOURNAL, box.signer.public_key)
            assert size > max(acknowledged)
            for number, leaf in acknowledged.items():
                assert box.queries.node(0, number).hex() == leaf
            recover(box.writer, box.queries, box.identity, box.signer.public_key, software="test")
            open_states = {PaymentState.REQUESTED, PaymentState.SENT}
            assert box.queries.payments(None, 10, open_states) == []
        assert rebuild_projections(box.path) == []


def test_a_journal_shorter_than_what_central_cosigned_takes_no_more(box: Box):
    def lose(view: StoreView) -> list[Body]:
        view.update_exchange(cosigned_size=5)
        return []

    box.writer.commit_blocking(lose)
    with pytest.raises(IntegrityError) as caught:
        recover(box.writer, box.queries, box.identity, box.signer.public_key, software="test")
    assert caught.value.code == "journal.rollback"
    assert box.queries.size() == 1
