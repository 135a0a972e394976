"""The file of every released schema, every queue full: opens, is brought forward, verifies, and drains."""

import asyncio
import gzip
import hashlib
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from daftar.lab.box import FILE, SIGNER, LabBox, repeatable
from daftar.lab.judging import Bench
from daftar.lab.recording import scratch
from daftar.lab.upgrading import next_release
from daftar.lab.witness import JOURNAL, Witness
from edge.journal.verify import verify_journal
from edge.store.database import open_at_rest
from edge.store.rebuild import rebuild_projections
from edge.store.schema.migrations import MIGRATIONS
from edge.store.upgrade import Step, _known, upgrade
from shared.events import PaymentApproved, PaymentReversed
from shared.journal.entry import decode_entry, leaf_hash
from shared.journal.tree import grown, root
from shared.payment import PaymentState
from tests.golden.write_schema import evidence, feed_bodies, make

FOLDER = Path(__file__).parents[2] / "golden" / "schemas"
FIXTURES = sorted(FOLDER.glob("*.sqlite.gz"))
NEWEST = f"{_known(MIGRATIONS)[-1]}.sqlite.gz"
OPEN = (PaymentState.REQUESTED, PaymentState.SENT, PaymentState.REVERSAL_REQUESTED)


@pytest.fixture(params=FIXTURES, ids=[path.name.removesuffix(".sqlite.gz") for path in FIXTURES])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with scratch() as folder, asyncio.Runner() as runner, repeatable(1000):
        made = Bench(folder, runner)
        data = gzip.decompress(request.param.read_bytes())
        if request.param.name == NEWEST and tables_of(data) != tables_of(make()):
            # No release has this schema yet, and it has changed since its file was kept: as the release will make it.
            data = make()
        made.lay({FILE: data})
        yield made


def test_what_the_feed_may_say_is_what_the_newest_step_of_the_schema_was_released_with():
    """A box carries what it does not understand yet, and projects it when its file is brought to a later step.

    So a new body of the feed, or a wider one, needs such a step: one that changes no table will do.
    """
    known = (FOLDER / NEWEST.replace(".sqlite.gz", ".feed.json")).read_bytes()
    assert feed_bodies() == known, "add a step to the schema, or, before a release has this one, write_schema.py"


def tables_of(data: bytes) -> set[str]:
    """Return the statements that made a file's tables."""
    with scratch() as folder:
        path = folder / FILE
        path.write_bytes(data)
        connection = open_at_rest(path)
        found = {str(sql) for (sql,) in connection.execute("SELECT sql FROM sqlite_schema")}
        connection.close()
        return found


def central_of(box: LabBox) -> Witness:
    """Return the central that knows what the file says it knows."""
    state = box.exchange_store.load()
    witness = Witness(SIGNER.public_key)
    witness.main = [leaf_hash(data) for data, _ in box.queries.entries(0, state.cosigned_size)]
    for index, leaf in enumerate(witness.main):
        nodes = grown(index, leaf, lambda level, position: witness._nodes[level, position])
        witness._nodes.update({(level, position): digest for level, position, digest in nodes})
    witness.root = root(state.cosigned_size, box.queries.node)
    assert state.token is not None
    witness._token, witness.cosigned_size = state.token, state.cosigned_size
    witness.ahead_s = 1_000
    connection = apsw.Connection(str(box.path), flags=apsw.SQLITE_OPEN_READONLY)
    for feed, data, signature in connection.execute(
        "SELECT feed, data, signature FROM feed_entry ORDER BY entry_index"
    ):
        witness._feeds[feed].append((data, signature))
    connection.close()
    return witness


def test_every_schema_of_this_release_has_its_file():
    assert NEWEST in {path.name for path in FIXTURES}, "run python tests/golden/write_schema.py"


def test_it_opens_verifies_and_every_queue_drains(bench: Bench):
    upgrade(bench.path)
    with bench.open("drain") as box:
        before = {payment.payment_id: payment.state for payment in box.queries.payments(None, 100)}
        assert set(before.values()) == set(PaymentState)
        assert box.exchange_store.pending() is not None
        assert box.people.begin_request("kiosk", "key-2", b"r" * 32) == b"answer"
        witness = central_of(box)
        box.recover()
        after = {payment.payment_id: payment.state for payment in box.queries.payments(None, 100)}
        assert not set(after.values()) & set(OPEN)
        for number, state in enumerate(PaymentState):
            if after[str(state)] is PaymentState.IN_DOUBT:
                box.write(PaymentApproved(payment_id=str(state), evidence=evidence(number)))
            elif after[str(state)] is PaymentState.REVERSAL_IN_DOUBT:
                box.write(PaymentReversed(payment_id=str(state), evidence=evidence(number)))
        for job in box.queries.print_jobs_in(("waiting",)):
            box.writer.commit_blocking(lambda view, job=job: view.mark_print(job.job_id, "printed") or [])  # type: ignore[misc]
        result = box.exchange_all(witness)
        assert (result.kind, witness.alarms) == ("ok", [])
        assert box.queries.in_doubt() == []
        assert box.queries.print_jobs_in(("waiting", "printing")) == []
        assert box.queries.status().unsent_count == 0
        assert box.exchange_store.pending() is None
        assert verify_journal(box.queries, JOURNAL, SIGNER.public_key) == box.queries.size()
        assert {decode_entry(data).journal for data, _ in box.queries.entries(0, 1000)} == {JOURNAL}
    assert rebuild_projections(bench.path) == []


class Cut(Exception):  # noqa: N818 - stands for the power
    """The power went."""


@pytest.mark.parametrize("at", list(Step))
def test_a_cut_on_the_way_to_the_next_release_leaves_it_as_it_was(bench: Bench, at: Step):
    upgrade(bench.path)
    before = hashlib.sha256(bench.path.read_bytes()).digest()

    def cut(step: Step) -> None:
        if step is at:
            raise Cut

    with pytest.raises(Cut):
        upgrade(bench.path, next_release(), cut)
    if at is not Step.RENAMED:
        assert hashlib.sha256(bench.path.read_bytes()).digest() == before
    upgrade(bench.path, next_release())
    assert rebuild_or_nothing(bench.path) == []


def rebuild_or_nothing(path: Path) -> list[object]:
    """Return what the journal does not say; the next release's own column is none of this one's."""
    return [one for one in rebuild_projections(path) if one.table != "notice"]
