from pathlib import Path

import pytest

from edge.journal.recovery import recover
from edge.journal.signer import FileSigner
from edge.journal.verify import verify_journal
from edge.services.journal.close_journal import close_journal
from edge.services.journal.rotate_key import rotate_key
from edge.store.exchange_store import SqliteExchangeStore
from edge.store.rebuild import rebuild_projections
from edge.uplink.ports import FeedPiece, Settlement
from shared.errors import OperatorError
from shared.events import AlarmRaised, JournalClosed, NoticePublished
from shared.payment import PaymentState
from tests.edge.store.boxes import (
    JOURNAL,
    OFFICE_FEED,
    Box,
    CountedEntropy,
    SteppingClock,
    approved,
    in_doubt,
    requested,
    sent,
    signed,
)

CHANCE = CountedEntropy("closing")


def close(folder: Path) -> tuple[int, tuple[str, ...]]:
    return close_journal(
        folder / "box.sqlite",
        folder / "box.key",
        reason="replaced",
        operator="maryam",
        software="test",
        clock=SteppingClock(),
        entropy=CHANCE,
    )


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    with Box(tmp_path) as box:
        box.write(requested("p1", obligation="bill:1:1"), sent("p1"), approved("p1"))
        box.write(requested("p2", obligation="bill:2:2"), sent("p2"), in_doubt("p2"))
        box.write(requested("p3", obligation="bill:3:3"), sent("p3"))
        box.write(requested("p4", obligation="bill:4:4"))
    size, left = close(tmp_path)
    assert left == ("p2", "p3")
    assert size == 14
    return tmp_path


def test_the_last_entry_names_what_is_in_doubt_and_all_of_it_holds(closed: Path):
    with Box(closed) as box:
        states = {payment.payment_id: payment.state for payment in box.queries.payments(None, 10)}
        assert states["p3"] is PaymentState.IN_DOUBT
        assert states["p4"] is PaymentState.NOT_SENT
        assert box.queries.closed_at() == box.queries.status().closed_at is not None
        assert verify_journal(box.queries, JOURNAL, box.signer.public_key) == 14
    assert rebuild_projections(closed / "box.sqlite") == []


def test_nothing_follows_and_a_start_writes_nothing(closed: Path):
    with Box(closed) as box:
        found = recover(box.writer, box.queries, box.identity, box.signer.public_key, software="test")
        assert (found.found_size, found.not_sent, found.in_doubt) == (14, (), ())
        for body in (requested("p5", obligation="bill:5:5"), AlarmRaised(kind="late"), JournalClosed(reason="retired")):
            with pytest.raises(OperatorError, match=r"journal\.is_closed"):
                box.write(body)
        assert box.queries.size() == 14
        # The refusal is of one decision: the writer goes on.
        assert box.within(lambda view: view.size()) == 14


def test_it_is_closed_once_and_its_key_stays(closed: Path):
    with pytest.raises(OperatorError, match=r"journal\.is_closed"):
        close(closed)
    key = FileSigner.load(closed / "box.key").public_key
    with pytest.raises(OperatorError, match=r"journal\.is_closed"):
        rotate_key(closed / "box.sqlite", closed / "box.key", clock=SteppingClock(), entropy=CHANCE)
    with Box(closed) as box:
        recover(box.writer, box.queries, box.identity, key, software="test")


async def test_it_is_handed_over_and_takes_nothing_that_comes_down(closed: Path):
    with Box(closed) as box:
        store = SqliteExchangeStore(box.queries, box.writer)
        assert store.load().feeds == ()
        pair = box.central.office.say(NoticePublished(notice_id="n", title="t", text="x"))
        await store.save_pending(b"request")
        await store.settle(
            Settlement(
                token=b"next token",
                cosigned_size=14,
                cosigned_note="note",
                next_index=14,
                quarantined=True,
                feeds=(FeedPiece(feed=OFFICE_FEED, first=0, entries=(signed(pair),), head="00" * 32),),
                alarms=(AlarmRaised(kind="quarantined"),),
                answered_at="2026-11-22T08:00:00.000Z",
            )
        )
        assert box.queries.size() == 14
        assert box.queries.status().cosigned_size == 14
        assert store.pending() is None
