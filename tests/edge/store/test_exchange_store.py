import pytest

from edge.store.exchange_store import SqliteExchangeStore
from edge.uplink.ports import ExchangeStore, FeedCursor, FeedPiece, Settlement
from shared.errors import BugError, IntegrityError
from shared.events import AlarmRaised, PaymentConfirmed
from shared.ids import NETWORK_FEED
from shared.journal.entry import GENESIS_PREV
from tests.edge.store.boxes import OFFICE_FEED, Box, approved, requested, sent, signed


@pytest.fixture
def exchange(box: Box) -> ExchangeStore:
    return SqliteExchangeStore(box.queries, box.writer)


def settlement(
    *feeds: FeedPiece, cosigned_size: int | None = None, token: bytes | None = b"second", quarantined: bool = False
) -> Settlement:
    return Settlement(
        token=token,
        cosigned_size=cosigned_size,
        cosigned_note=None if cosigned_size is None else f"note of {cosigned_size}",
        next_index=cosigned_size or 0,
        quarantined=quarantined,
        feeds=feeds,
        alarms=(AlarmRaised(kind="exchange.test", detail="d"),),
        answered_at="2026-11-22T08:00:00.000Z",
    )


def test_a_new_box_knows_its_feeds_and_nothing_else(exchange: ExchangeStore):
    state = exchange.load()
    assert state.feeds == (
        FeedCursor(feed=OFFICE_FEED, next=0, head=GENESIS_PREV),
        FeedCursor(feed=NETWORK_FEED, next=0, head=GENESIS_PREV),
    )
    assert (state.token, state.cosigned_size, state.cosigned_note, state.next_index) == (b"first token", 0, "", 0)
    assert (state.quarantined, state.last_exchange_at, state.last_error) == (False, None, None)


async def test_the_same_request_waits_until_it_is_answered(box: Box, exchange: ExchangeStore):
    await exchange.save_pending(b"request 1")
    await exchange.note_failure("exchange.timeout")
    assert exchange.pending() == b"request 1"
    with pytest.raises(BugError):
        await exchange.save_pending(b"request 2")
    assert exchange.pending() == b"request 1"
    assert box.queries.status().last_exchange_error == "exchange.timeout"
    await exchange.settle(settlement())
    assert exchange.pending() is None
    assert exchange.load().last_error is None
    assert box.queries.size() == 2


async def test_an_answer_is_applied_as_one(box: Box, exchange: ExchangeStore):
    box.write(requested("p1"), sent("p1"), approved("p1"))
    word = box.central.office.say(
        PaymentConfirmed(payment_id="p1", provider="w", track_id="t", provider_reference="r", confirmed_at="")
    )
    piece = FeedPiece(feed=OFFICE_FEED, first=0, entries=(signed(word),), head=signed(word).leaf.hex())
    await exchange.save_pending(b"request")
    await exchange.settle(settlement(piece, cosigned_size=4))
    state = exchange.load()
    assert (state.token, state.cosigned_size, state.cosigned_note, state.next_index) == (b"second", 4, "note of 4", 4)
    assert state.feeds[0] == FeedCursor(feed=OFFICE_FEED, next=1, head=piece.head)
    payment, status = box.queries.payment("p1"), box.queries.status()
    assert payment
    assert (payment.cosigned, payment.confirmation) == (True, "confirmed")
    assert (status.size, status.cosigned_size, status.unsent_count) == (6, 4, 2)
    assert [alarm.kind for alarm in status.alarms] == ["exchange.test"]
    assert box.queries.cosigned_note() == "note of 4"


async def test_nothing_of_an_answer_with_a_bad_feed_is_applied(box: Box, exchange: ExchangeStore):
    word = box.central.office.say(
        PaymentConfirmed(payment_id="p1", provider="w", track_id="t", provider_reference="r", confirmed_at="")
    )
    piece = FeedPiece(feed=NETWORK_FEED, first=0, entries=(signed(word),), head="")
    await exchange.save_pending(b"request")
    before = exchange.load()
    with pytest.raises(IntegrityError):
        await exchange.settle(settlement(piece, cosigned_size=1))
    assert exchange.load() == before
    assert exchange.pending() == b"request"
    assert box.queries.size() == 1


async def test_what_central_cosigned_never_falls(box: Box, exchange: ExchangeStore):
    box.write(requested("p1"), sent("p1"))
    await exchange.settle(settlement(cosigned_size=3))
    with pytest.raises(BugError) as caught:
        await exchange.settle(settlement(cosigned_size=2))
    assert caught.value.code == "exchange.shrank"
    assert exchange.load().cosigned_size == 3


async def test_quarantine_reaches_decisions_and_keeps_the_token(box: Box, exchange: ExchangeStore):
    await exchange.settle(settlement(token=None, quarantined=True))
    state = exchange.load()
    assert (state.quarantined, state.token) == (True, b"first token")
    assert box.queries.status().quarantined
    assert box.within(lambda view: view.quarantined()) is True
