import pytest

from shared.errors import IntegrityError, PeerError
from shared.journal.cosignature import cosign, witness_key
from shared.journal.entry import GENESIS_PREV, Signed
from shared.journal.note import format_note, parse_note
from sync.edge_session import FeedStanding, check_feed, read_answer
from sync.envelope import EXCHANGE_RESPONSE, RESPONSE_SIZE_MAX_BYTES, encode_payload, pack, unpack
from sync.messages import Response, decode_response
from tests.sync.models import FEED, BoxModel, exchange, new_pair, private_key, public_bytes


def _altered(wire: bytes, key: str = "exchange", **changes: object) -> bytes:
    response = decode_response(unpack(wire, size_max_bytes=RESPONSE_SIZE_MAX_BYTES).payload)
    members = {name: getattr(response, name) for name in response.__struct_fields__} | changes
    return pack(EXCHANGE_RESPONSE, encode_payload(Response(**members)), private_key(key).sign)


def _read(box: BoxModel, wire: bytes, cosigned_size: int = 0) -> None:
    assert box.pending is not None
    feeds = {FEED: FeedStanding(next=0, head=GENESIS_PREV)}
    read_answer(wire, request_wire=box.pending, cosigned_size=cosigned_size, feeds=feeds, trust=box.trust)


def test_an_answer_that_is_not_centrals_word_on_our_request_is_not_believed() -> None:
    box, central = new_pair()
    box.write(3)
    answer = central.receive(box.request())
    for wrong in (_altered(answer, key="box"), _altered(answer, request_sha256=b"\0" * 32), b"<html>502</html>"):
        with pytest.raises(PeerError):
            _read(box, wrong)
    _read(box, answer)


def test_a_cosignature_of_anything_but_what_was_sent_is_not_believed() -> None:
    box, central = new_pair()
    box.write(3)
    answer = central.receive(box.request())
    other, other_central = new_pair()
    other.write(4)
    exchange(other, other_central)
    ours = decode_response(unpack(answer, size_max_bytes=RESPONSE_SIZE_MAX_BYTES).payload).checkpoint
    stranger = witness_key("central/witness", public_bytes(private_key("stranger")))
    unsigned = parse_note(ours)
    forged = cosign(
        type(unsigned)(unsigned.text, unsigned.signatures[:1]), stranger, private_key("stranger").sign, time_s=1
    )
    for wrong in (
        _altered(answer, checkpoint=other.cosigned_note),
        _altered(answer, checkpoint=format_note(forged)),
        _altered(answer, checkpoint=""),
        _altered(answer, token=None),
        _altered(answer, next=1),
    ):
        with pytest.raises(IntegrityError, match=r"exchange\.wrong_cosignature"):
            _read(box, wrong)
    with pytest.raises(IntegrityError, match=r"exchange\.wrong_cosignature"):
        _read(box, answer, cosigned_size=4)


def test_a_feed_that_is_not_believed_does_not_spoil_the_cosignature() -> None:
    box, central = new_pair()
    box.write(3)
    central.publish(2)
    answer = central.receive(box.request())
    assert box.pending is not None
    read = read_answer(
        answer,
        request_wire=box.pending,
        cosigned_size=0,
        feeds={FEED: FeedStanding(next=0, head="11" * 32)},
        trust=box.trust,
    )
    assert (read.cosigned_size, read.feeds, read.feed_faults) == (3, (), {FEED: "feed.fork"})


def test_a_feed_is_taken_only_signed_dense_and_chained() -> None:
    _, central = new_pair()
    central.publish(3)
    entries = [Signed(*pair) for pair in central.feed.pairs]
    key, start = public_bytes(private_key("feed")), FeedStanding(next=0, head=GENESIS_PREV)
    batch = check_feed(FEED, start, entries, public_key=key)
    assert (batch.head, len(batch.entries)) == (entries[-1].leaf.hex(), 3)
    for wrong, code in (
        ([entries[0], entries[2]], "feed.gap"),
        ([entries[1]], "feed.gap"),
        ([Signed(entries[0].data, entries[1].signature)], "signature.wrong"),
    ):
        with pytest.raises(IntegrityError, match=code.replace(".", r"\.")):
            check_feed(FEED, start, wrong, public_key=key)
    with pytest.raises(IntegrityError, match=r"feed\.other_origin"):
        check_feed("daftar.feed/network", start, entries, public_key=key)
