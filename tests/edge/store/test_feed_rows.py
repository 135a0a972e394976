from collections.abc import Callable
from pathlib import Path

import pytest

from edge.journal.recovery import recover
from edge.store.rebuild import rebuild_projections
from shared.errors import IntegrityError
from shared.events import FEED_BODIES, FeedReceived, NoticePublished
from shared.ids import NETWORK_FEED
from shared.journal.entry import leaf_hash
from tests.edge.store.boxes import OFFICE_FEED, Box, Feed

Pair = tuple[bytes, bytes]


def notices(feed: Feed, count: int) -> list[Pair]:
    return [feed.say(NoticePublished(notice_id=f"n{number}", title="t", text="x")) for number in range(count)]


def test_a_feed_is_stored_and_the_journal_says_how_far(box: Box):
    said = notices(box.central.network, 3)
    (first,) = box.receive(NETWORK_FEED, said[:2])
    assert first.body == FeedReceived(feed=NETWORK_FEED, first=0, last=1, head=leaf_hash(said[1][0]).hex())
    (second,) = box.receive(NETWORK_FEED, said[2:])
    assert second.body == FeedReceived(feed=NETWORK_FEED, first=2, last=2, head=leaf_hash(said[2][0]).hex())
    assert len(box.queries.notices(10)) == 3


def test_entries_that_came_again_are_passed_over(box: Box):
    said = notices(box.central.network, 3)
    box.receive(NETWORK_FEED, said[:2])
    assert box.receive(NETWORK_FEED, said[:2]) == []
    (rest,) = box.receive(NETWORK_FEED, said)
    assert isinstance(rest.body, FeedReceived)
    assert (rest.body.first, rest.body.last) == (2, 2)


def flipped(pair: Pair) -> Pair:
    data, signature = pair
    return data.replace(b'"text":"x"', b'"text":"y"'), signature


@pytest.mark.parametrize(
    ("feed", "spoil", "code"),
    [
        (NETWORK_FEED, lambda said: [said[0], flipped(said[1])], "signature.wrong"),
        (NETWORK_FEED, lambda said: [said[0], said[2]], "feed.gap"),
        (NETWORK_FEED, lambda said: said[1:], "feed.gap"),
        (NETWORK_FEED, lambda said: [said[0], said[0]], "feed.gap"),
        (OFFICE_FEED, lambda said: said, "feed.other_origin"),
        ("daftar.feed/other", lambda said: said, "feed.unknown"),
    ],
)
def test_nothing_of_a_feed_that_does_not_verify_is_stored(
    box: Box, feed: str, spoil: Callable[[list[Pair]], list[Pair]], code: str
):
    said = notices(box.central.network, 3)
    with pytest.raises(IntegrityError) as caught:
        box.receive(feed, spoil(said))
    assert caught.value.code == code
    assert box.queries.size() == 1
    assert box.queries.notices(10) == []
    box.receive(NETWORK_FEED, said)
    assert len(box.queries.notices(10)) == 3


def test_another_history_of_the_feed_is_a_fork(box: Box):
    box.receive(NETWORK_FEED, notices(box.central.network, 2))
    other = Feed(NETWORK_FEED, box.central.feed_key)
    told = [other.say(NoticePublished(notice_id="m", title="t", text="other")) for _ in range(3)]
    for entries in (told[:1], told[2:]):
        with pytest.raises(IntegrityError) as caught:
            box.receive(NETWORK_FEED, entries)
        assert caught.value.code == "feed.fork"
    assert box.writer.failure is None


def test_no_body_of_any_kind_keeps_the_feed_or_the_box_from_going_on(tmp_path: Path):
    """Well signed, of central, and without sense: taken and passed over, at once and when it is projected anew."""
    nonsense = (
        b"{}",
        b'{"payment_id":5,"inquiry_id":[],"request_id":{},"ticket_id":null}',
        b'{"payment_id":"zz","inquiry_id":"zz","request_id":"zz","ticket_id":"zz","kind":"?"}',
        b'{"deep":' + b"[" * 500 + b"]" * 500 + b"}",
    )
    with Box(tmp_path) as box:
        for feed in (box.central.office, box.central.network):
            said = [feed.say_raw(kind, body) for kind in (*FEED_BODIES, "of.another.release") for body in nonsense]
            received = box.receive(feed.name, said)[0].body
            assert isinstance(received, FeedReceived)
            assert (received.first, received.last) == (0, len(said) - 1)
        recover(box.writer, box.queries, box.identity, box.signer.public_key, software="test")
    assert rebuild_projections(box.path) == []
