from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from central.fleet import feed
from shared.errors import BugError
from shared.events import FEED_BODIES, FeedOpened, NoticePublished, decode_body
from shared.ids import NETWORK_FEED, OfficeId
from shared.journal.entry import ENTRY_SIZE_MAX_BYTES, GENESIS_PREV, decode_entry
from sync.edge_session import FeedStanding, check_feed
from tests.central.ingest.offices import OFFICE, Centre

pytestmark = pytest.mark.postgres

OTHER = OfficeId("99999999")


def _notice(number: int) -> NoticePublished:
    return NoticePublished(notice_id=str(number), title="", text="")


def test_a_feed_opens_itself_and_is_one_chain_under_concurrent_appends(centre: Centre) -> None:
    def publish(number: int) -> int:
        return feed.append_now(
            centre.engine, NETWORK_FEED, _notice(number), clock=centre.clock, signer=centre.keys.feed
        )

    with ThreadPoolExecutor(6) as pool:
        indexes = list(pool.map(publish, range(24)))
    assert sorted(indexes) == list(range(1, 25))
    with centre.engine.connect() as connection:
        entries = feed.read(connection, NETWORK_FEED, 0, 100)
    start = FeedStanding(next=0, head=GENESIS_PREV)
    batch = check_feed(NETWORK_FEED, start, entries, public_key=centre.keys.feed.public_key)
    assert len(batch.entries) == 25
    opening = decode_entry(entries[0].data)
    assert decode_body(opening.type, bytes(opening.body), FEED_BODIES) == FeedOpened(
        public_key=centre.keys.feed.public_key.hex()
    )


def test_an_append_that_is_rolled_back_leaves_no_gap(centre: Centre, engine: Engine) -> None:
    feed.append_now(engine, NETWORK_FEED, _notice(1), clock=centre.clock, signer=centre.keys.feed)
    with engine.connect() as connection:
        assert feed.append(connection, NETWORK_FEED, _notice(2), clock=centre.clock, signer=centre.keys.feed) == 2
    assert feed.append_now(engine, NETWORK_FEED, _notice(3), clock=centre.clock, signer=centre.keys.feed) == 2


def test_what_no_box_could_take_never_gets_into_a_feed(centre: Centre, engine: Engine) -> None:
    too_long = NoticePublished(notice_id="1", title="", text="x" * ENTRY_SIZE_MAX_BYTES)
    with pytest.raises(BugError, match=r"journal\.entry_too_large"):
        feed.append_now(engine, NETWORK_FEED, too_long, clock=centre.clock, signer=centre.keys.feed)
    assert feed.append_now(engine, NETWORK_FEED, _notice(1), clock=centre.clock, signer=centre.keys.feed) == 1


def test_an_office_reads_only_its_own_feeds(centre: Centre) -> None:
    with centre.engine.begin() as connection:
        for office in (OFFICE, OTHER):
            feed.append(connection, feed.feeds_of(office)[0], _notice(1), clock=centre.clock, signer=centre.keys.feed)
        cursors = {str(feed.feeds_of(OFFICE)[0]): 0, str(feed.feeds_of(OTHER)[0]): 0, str(NETWORK_FEED): 0}
        windows, more = feed.windows(connection, OFFICE, cursors)
    assert list(windows) == ["daftar.feed/office/72101001"]
    assert not more
