"""Clones, restored images, lost state, forks: each noticed, both branches kept, nothing cosigned after."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import PeerError
from shared.events import StatusQueried
from shared.journal.entry import leaf_hash
from sync.envelope import EXCHANGE_REQUEST, REQUEST_SIZE_MAX_BYTES, encode_payload, pack, unpack
from sync.messages import Request, decode_request
from tests.sync.models import BoxModel, CentralModel, exchange, new_pair, private_key


def _settled(entries: int = 5) -> tuple[BoxModel, CentralModel]:
    box, central = new_pair()
    box.write(entries)
    assert exchange(box, central).status == "ok"
    return box, central


def _kinds(central: CentralModel) -> list[str]:
    return [alarm.kind for alarm in central.alarms]


def test_same_bytes_get_the_same_answer() -> None:
    box, central = _settled()
    box.write(2)
    request = box.request()
    assert central.receive(request) == central.receive(request)
    assert central.alarms == []


def test_two_clones_that_both_sell_are_noticed_and_both_branches_kept() -> None:
    original, central = _settled()
    clone = original.image("B")
    original.write(3)
    clone.write(4)
    assert exchange(original, central).status == "ok"
    answer = exchange(clone, central)
    assert (answer.status, answer.cosigned_size, answer.token) == ("quarantined", None, None)
    assert _kinds(central) == ["clone"]
    assert central.has(original)
    assert central.has(clone)
    # The first one is told at its next exchange; what it writes from now on is kept, not cosigned.
    original.write(2)
    before = original.cosigned_size
    assert exchange(original, central).status == "quarantined"
    assert original.quarantined
    assert original.cosigned_size == before
    assert central.has(original)


def test_an_idle_clone_is_noticed_when_it_speaks() -> None:
    original, central = _settled()
    clone = original.image("B")
    assert exchange(original, central).status == "ok"
    assert exchange(clone, central).status == "quarantined"
    assert _kinds(central) == ["state_loss"]


def test_a_clone_that_speaks_first_is_noticed_when_the_original_does() -> None:
    original, central = _settled()
    clone = original.image("B")
    exchange(clone, central)
    exchange(clone, central)
    assert exchange(original, central).status == "quarantined"
    assert _kinds(central) == ["clone_or_restored"]


def test_an_old_image_that_wrote_anew_is_a_clone() -> None:
    box, central = _settled()
    old = box.image("restored")
    box.write(3)
    exchange(box, central)
    old.write(1)
    assert exchange(old, central).status == "quarantined"
    assert _kinds(central) == ["clone"]
    assert central.has(old)


def test_an_image_with_a_pending_request_gets_the_old_answer_and_is_noticed_at_the_next() -> None:
    box, central = _settled()
    box.write()
    box.request()
    image = box.image("restored")
    exchange(box, central)
    exchange(box, central)
    assert exchange(image, central).status == "ok"
    assert central.alarms == []
    assert exchange(image, central).status == "quarantined"


def test_a_box_that_lost_only_its_request_is_told_apart() -> None:
    box, central = _settled()
    box.write(2)
    central.receive(box.request())
    box.pending = None  # a card that lied about its last write
    box.write()
    assert exchange(box, central).status == "quarantined"
    assert _kinds(central) == ["state_loss"]
    assert central.has(box)


def test_the_right_token_on_another_log_is_a_fork() -> None:
    box, central = _settled()
    forked = box.image("B")
    box.write(2)
    exchange(box, central)
    forked.write(3)
    forked.token = box.token
    assert exchange(forked, central).status == "quarantined"
    assert _kinds(central) == ["fork"]


def test_a_fork_below_the_window_shows_in_the_root_and_is_then_asked_for() -> None:
    box, central = _settled()
    forked = box.image("B")
    box.write(2)
    exchange(box, central)
    forked.write(3)
    forked.token, forked.next_index = box.token, 7
    answer = exchange(forked, central)
    assert (answer.status, answer.next_index) == ("quarantined", 0)
    assert _kinds(central) == ["fork"]
    exchange(forked, central)
    assert central.has(forked)


def test_the_right_token_on_a_shorter_log_is_a_rollback() -> None:
    box, central = _settled()
    short = box.image("B")
    box.write(2)
    exchange(box, central)
    short.token = box.token
    assert exchange(short, central).status == "quarantined"
    assert _kinds(central) == ["rollback"]


def test_a_branch_that_left_long_ago_is_asked_for_whole() -> None:
    box, central = _settled(5)
    image = box.image("restored")
    box.write(3)
    exchange(box, central)
    image.write(700)
    # This copy claims to stand far beyond where it left, so its window begins in its own branch.
    image.next_index, image.cosigned_note = 600, ""
    for _ in range(8):
        exchange(image, central)
    assert central.has(image)
    assert [entry.leaf for entry in central.main] == box.log.leaves


def test_a_restored_central_takes_its_own_newer_cosignature_back() -> None:
    box, central = _settled()
    backup = central.copy()
    box.write(4)
    exchange(box, central)
    box.write(2)
    exchange(box, central)
    box.write()
    first = exchange(box, backup)
    assert (first.status, first.next_index) == ("resume", 5)
    assert _kinds(backup) == ["central_restored"]
    assert not backup.quarantined
    assert exchange(box, backup).status == "ok"
    assert box.cosigned_size == box.log.size() == len(backup.main)


def test_a_central_that_lost_only_its_newest_tokens_goes_on() -> None:
    box, central = _settled()
    backup = central.copy()
    exchange(box, central)
    assert exchange(box, backup).status == "ok"
    assert _kinds(backup) == ["central_restored"]


def test_poison_is_kept_and_blocks_nobody() -> None:
    box, central = _settled()
    box.log.append(StatusQueried(payment_id="x", outcome="no_answer"), kind="of.another_release")
    box.log.append_bytes(b"no entry at all")
    box.log.append_bytes(box.log.pairs[2][0] + b" ")  # well signed, but it says it is entry 2
    box.write()
    assert exchange(box, central).status == "ok"
    assert [(alarm.kind, alarm.index) for alarm in central.alarms] == [("bad_envelope", 6), ("bad_link", 7)]
    assert [entry.leaf for entry in central.main] == box.log.leaves


def _with(wire: bytes, key: str = "box", **changes: object) -> bytes:
    request = decode_request(unpack(wire, size_max_bytes=REQUEST_SIZE_MAX_BYTES).payload)
    members = {name: getattr(request, name) for name in request.__struct_fields__} | changes
    return pack(EXCHANGE_REQUEST, encode_payload(Request(**members)), private_key(key).sign)


def test_wrong_requests_are_refused_with_a_code_and_change_nothing() -> None:
    box, central = _settled()
    box.write(3)
    request = box.request()
    entries = decode_request(unpack(request, size_max_bytes=REQUEST_SIZE_MAX_BYTES).payload).entries
    (data, _), *rest = entries
    stranger = private_key("stranger").sign(data)
    elsewhere = new_pair()[0]
    elsewhere.log.name = "daftar.journal/72101001/9/1"
    elsewhere.write(8)
    other_note = decode_request(unpack(elsewhere.request(), size_max_bytes=REQUEST_SIZE_MAX_BYTES).payload).checkpoint
    for wrong, code in (
        (_with(request, key="stranger"), "exchange.wrong_signature"),
        (_with(request, token=None), "exchange.no_token"),
        (_with(request, entries=((data, stranger), *rest)), "exchange.bad_entry_signature"),
        (_with(request, entries=tuple(rest)), "exchange.bad_window"),
        (_with(request, checkpoint=other_note), "exchange.bad_checkpoint"),
        (_with(request, checkpoint="no note"), "exchange.bad_checkpoint"),
        (_with(request, proof=(b"\0" * 32,)), "exchange.bad_proof"),
        (_with(request, v=2), "exchange.other_version"),
        (_with(request, journal="a\0b"), "exchange.malformed"),
    ):
        with pytest.raises(PeerError, match=code.replace(".", r"\.")):
            central.receive(wrong)
    assert len(central.main) == 5
    assert exchange(box, central).status == "ok"


def test_the_same_bytes_at_two_places_are_refused() -> None:
    box, central = _settled()
    box.log.append_bytes(box.log.pairs[-1][0])
    with pytest.raises(PeerError, match=r"exchange\.repeated_entry"):
        exchange(box, central)


@given(
    before=st.integers(1, 4),
    pending=st.booleans(),
    steps=st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 3), st.booleans()), max_size=6),
)
def test_of_two_copies_at_least_one_is_always_noticed(
    *, before: int, pending: bool, steps: list[tuple[str, int, bool]]
) -> None:
    """Whatever they do: idle or selling, one first or the other, a request in flight at the copy or not."""
    box, central = _settled(before)
    if pending:
        box.request()
    boxes = {"A": box, "B": box.image("B")}
    for name, writes, speaks in steps:
        boxes[name].write(writes)
        if speaks:
            exchange(boxes[name], central)
    for _ in range(2):
        for one in boxes.values():
            exchange(one, central)
    assert central.quarantined
    assert central.alarms
    for one in boxes.values():
        exchange(one, central)
        assert one.quarantined
        assert central.has(one)
        # What was cosigned stays provable: both copies' last cosigned size is within what central holds.
        assert one.cosigned_size <= len(central.main)
    assert {leaf_hash(entry.data) for entry in central.aside.values()} == set(central.aside)
