"""The receiver on a real PostgreSQL."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import OperationalError

from central.fleet import feed
from central.ingest.accepted import Accepted, JournalContext
from central.ingest.receiver import ANSWERS_KEPT
from central.store import journals
from shared.errors import PeerError
from shared.events import BootStarted, NoticePublished, PaymentNotSent, StatusQueried
from shared.ids import NETWORK_FEED
from shared.journal.cosignature import check_cosignature
from shared.journal.note import parse_note
from sync.messages import WINDOW_ENTRIES_MAX
from tests.central.ingest.offices import OFFICE, Centre, exchange, leaves
from tests.sync.models import BoxModel

pytestmark = pytest.mark.postgres


def _main_is(centre: Centre, box: BoxModel, size: int | None = None) -> bool:
    with centre.engine.connect() as connection:
        return leaves(connection, box.log.name) == box.log.leaves[:size]


def test_a_backlog_is_taken_window_by_window_and_cosigned_by_the_key_the_box_was_given(centre: Centre) -> None:
    box, receiver = centre.box(), centre.receiver()
    box.write(WINDOW_ENTRIES_MAX * 2 + 5)
    sizes = [exchange(box, receiver).cosigned_size for _ in range(3)]
    assert sizes == [256, 512, 517]
    assert check_cosignature(parse_note(box.cosigned_note), box.trust.witness_key()) > 0
    assert _main_is(centre, box)
    assert centre.alarms() == []


def test_the_same_bytes_get_the_same_answer_and_store_nothing_twice(centre: Centre) -> None:
    box, receiver = centre.box(), centre.receiver()
    box.write(3)
    request = box.request()
    first = receiver.receive(request)
    assert receiver.receive(request) == first
    assert centre.dispositions() == [(0, "accepted"), (1, "accepted"), (2, "accepted")]


def test_an_answer_too_old_to_be_kept_is_called_stale_and_its_asker_is_noticed(centre: Centre) -> None:
    box, receiver = centre.box(), centre.receiver()
    box.write()
    box.request()
    image = box.image("restored")
    for _ in range(ANSWERS_KEPT + 1):
        exchange(box, receiver)
    with centre.engine.connect() as connection:
        kept = select(func.count()).where(journals.exchange.c.response.is_not(None))
        assert connection.execute(kept).scalar_one() == ANSWERS_KEPT
    assert exchange(image, receiver).status == "stale"
    assert centre.alarms() == []
    assert exchange(image, receiver).status == "quarantined"
    assert centre.alarms() == ["clone_or_restored"]


def test_concurrent_copies_of_one_request_are_worked_on_once(centre: Centre) -> None:
    box, receiver = centre.box(), centre.receiver()
    box.write(40)
    request = box.request()
    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(receiver.receive, [request] * 8))
    assert len(answers) == 1
    assert _main_is(centre, box)
    assert centre.alarms() == []


def test_concurrent_exchanges_of_two_clones_leave_one_main_branch_and_both_stories(centre: Centre) -> None:
    box, receiver = centre.box(), centre.receiver()
    box.write(2)
    exchange(box, receiver)
    clone = box.image("B")
    box.write(5)
    clone.write(7)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(receiver.receive, [box.request(), clone.request()]))
    assert centre.alarms() == ["clone"]
    with centre.engine.connect() as connection:
        stored = set(connection.execute(select(journals.journal_entry.c.leaf)).scalars())
        main = leaves(connection, box.log.name)
    assert stored == set(box.log.leaves) | set(clone.log.leaves)
    assert main in (box.log.leaves, clone.log.leaves)
    assert [place for _, place in centre.dispositions()].count("fork") == (7 if main == box.log.leaves else 5)


def test_many_offices_at_once_do_not_disturb_one_another(centre: Centre) -> None:
    boxes, receiver = [centre.box(f"box-{number}") for number in range(6)], centre.receiver()
    for box in boxes:
        box.write(20)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda box: [exchange(box, receiver) for _ in range(3)], boxes))
    assert all(box.cosigned_size == 20 and _main_is(centre, box) for box in boxes)


def test_a_forked_box_is_quarantined_until_a_person_decides_and_gets_no_feed(centre: Centre) -> None:
    box, receiver = centre.box(), centre.receiver()
    box.write(2)
    exchange(box, receiver)
    clone = box.image("B")
    clone.write(3)
    box.write(2)
    exchange(box, receiver)
    assert exchange(clone, receiver).status == "quarantined"
    feed.append_now(
        centre.engine, feed.feeds_of(OFFICE)[0], NoticePublished(notice_id="1", title="", text=""),
        clock=centre.clock, signer=centre.keys.feed,
    )  # fmt: skip
    for one in (box, clone):
        one.write(1)
        answer = exchange(one, receiver)
        assert (answer.status, answer.cosigned_size, answer.feeds) == ("quarantined", None, ())
    assert centre.alarms() == ["clone"]
    with centre.engine.connect() as connection:
        stored = set(connection.execute(select(journals.journal_entry.c.leaf)).scalars())
    assert stored == set(box.log.leaves) | set(clone.log.leaves)


def test_what_cannot_be_understood_is_stored_with_a_disposition_and_blocks_nobody(centre: Centre) -> None:
    seen: list[tuple[int, str, bool]] = []

    def posting(connection: Connection, journal: JournalContext, accepted: Sequence[Accepted]) -> None:
        seen.extend((one.index, one.entry.type, one.body is None) for one in accepted)

    box = centre.box()
    fact = StatusQueried(payment_id="p", outcome="no_answer")
    box.log.append(fact)
    box.log.append(fact, kind="of.another\x00release")
    box.log.append(fact, kind=BootStarted.type)
    box.log.append_bytes(b"no entry at all")
    box.log.append(fact)
    assert exchange(box, centre.receiver(posting)).status == "ok"
    assert centre.dispositions() == [
        (0, "accepted"),
        (1, "unknown_type"),
        (2, "bad_body"),
        (3, "bad_envelope"),
        (4, "accepted"),
    ]
    assert [(index, unknown) for index, _, unknown in seen] == [(0, False), (1, True), (2, True), (4, False)]
    assert sorted(centre.alarms()) == ["bad_body", "bad_envelope"]
    assert box.cosigned_size == 5


@pytest.mark.faults("posting failed")
def test_books_that_stumble_lose_neither_the_entry_nor_those_beside_it(centre: Centre) -> None:
    booked: list[int] = []

    def posting(connection: Connection, journal: JournalContext, accepted: Sequence[Accepted]) -> None:
        for one in accepted:
            connection.execute(text("CREATE TABLE IF NOT EXISTS booked (index bigint)"))
            connection.execute(text("INSERT INTO booked VALUES (:index)"), {"index": one.index})
            if isinstance(one.body, PaymentNotSent):
                connection.execute(text("SELECT 1 / 0"))
            booked.append(one.index)

    box = centre.box()
    box.write(2)
    box.log.append(PaymentNotSent(payment_id="p", reason="test"))
    box.write(2)
    assert exchange(box, centre.receiver(posting)).status == "ok"
    assert centre.dispositions()[2] == (2, "posting_failed")
    assert [place for _, place in centre.dispositions()].count("accepted") == 4
    assert centre.alarms() == ["posting_failed"]
    with centre.engine.connect() as connection:
        rows = connection.execute(text("SELECT index FROM booked ORDER BY index")).scalars()
        assert list(rows) == [0, 1, 3, 4]


def test_trouble_with_the_database_stores_nothing_and_the_same_bytes_succeed_later(centre: Centre) -> None:
    def broken(connection: Connection, journal: JournalContext, accepted: Sequence[Accepted]) -> None:
        raise OperationalError("SELECT", {}, ConnectionError("gone"))

    box = centre.box()
    box.write(3)
    with pytest.raises(OperationalError):
        centre.receiver(broken).receive(box.request())
    assert centre.dispositions() == []
    assert exchange(box, centre.receiver()).status == "ok"


def test_wrong_signatures_unknown_journals_and_forgeries_store_nothing(centre: Centre) -> None:
    box, receiver = centre.box(), centre.receiver()
    box.write(2)
    stranger = BoxModel(box.token, journal=box.log.name, key_name="stranger")
    stranger.write(2)
    nobody = BoxModel(box.token, journal="daftar.journal/0/1/1")
    nobody.write()
    for asker, code in ((stranger, r"exchange\.wrong_signature"), (nobody, r"exchange\.unknown_journal")):
        with pytest.raises(PeerError, match=code):
            receiver.receive(asker.request())
    assert centre.dispositions() == []
    assert exchange(box, receiver).status == "ok"


def test_the_feeds_reach_the_box_in_order_within_windows(centre: Centre) -> None:
    box, receiver = centre.box(), centre.receiver()
    box.write()
    notice = NoticePublished(notice_id="1", title="", text="x" * 60_000)
    with centre.engine.begin() as connection:
        for _ in range(12):
            feed.append(connection, feed.feeds_of(OFFICE)[0], notice, clock=centre.clock, signer=centre.keys.feed)
        feed.append(connection, NETWORK_FEED, notice, clock=centre.clock, signer=centre.keys.feed)
    first = exchange(box, receiver)
    assert first.more
    assert 0 < len(box.received) < 13
    assert not exchange(box, receiver).more
    assert box.feed_next == len(box.received) == 13  # the opening entry and twelve notices
