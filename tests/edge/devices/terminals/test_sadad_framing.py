import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.devices.terminals.sadad import SaleAnswer, lrc, signal
from edge.devices.terminals.sadad_framing import Damaged, Found, Framer

GOLDEN = Path(__file__).parents[3] / "golden" / "terminal_vectors.json"
ROWS = [row for row in json.loads(GOLDEN.read_bytes()) if row["family"] == "sadad" and row["direction"] != "PC->POS"]
FRAMES = {row["name"]: bytes.fromhex(row["hex"]) for row in ROWS}
APPROVED, DECLINED = FRAMES["sale response 00 amount 1000"], FRAMES["sale response 51 (insufficient funds)"]


def found_in(*pieces: bytes) -> list[Found]:
    framer = Framer(1_000)
    for piece in pieces:
        framer.receive_data(piece, 0)
    return framer.items()


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES.keys())
def test_a_frame_is_found_whole_wherever_it_is_split(frame: bytes) -> None:
    (wanted,) = found_in(frame)
    assert not isinstance(wanted, Damaged)
    for at in range(len(frame) + 1):
        assert found_in(frame[:at], frame[at:]) == [wanted]


@given(st.data())
def test_frames_are_found_in_any_pieces_with_line_feeds_between(data: st.DataObject) -> None:
    frames = data.draw(st.lists(st.sampled_from(list(FRAMES.values())), max_size=4))
    stream = b"".join(frame + data.draw(st.sampled_from([b"", b"\n", b"\r\n"])) for frame in frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    pieces = [stream[one:other] for one, other in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert found_in(*pieces) == [found_in(frame)[0] for frame in frames]


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES.keys())
def test_one_wrong_byte_is_never_another_answer(frame: bytes) -> None:
    (right,) = found_in(frame)
    for at in range(len(frame)):
        for wrong in (frame[at] ^ 0x01, frame[at] ^ 0x80, 0x02, 0x0A, 0xFF):
            if wrong != frame[at]:
                items = found_in(frame[:at] + bytes([wrong]) + frame[at + 1 :])
                assert all(isinstance(item, Damaged) for item in items), at
                assert right not in items


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_noise_around_a_frame_makes_no_answer_of_its_own(before: bytes, after: bytes) -> None:
    items = found_in(before, APPROVED, after)
    answers = [item for item in items if isinstance(item, SaleAnswer)]
    assert answers in ([], found_in(APPROVED))


def test_what_is_damaged_is_said_with_its_length_and_the_next_frame_is_found() -> None:
    cut = APPROVED[:100] + b"?" + APPROVED[101:]
    damaged = Damaged(len(APPROVED))
    assert found_in(cut + signal("ACK")) == [damaged, "ACK"]
    assert damaged.may_be_answer
    (small,) = found_in(signal("ACK")[:-1] + b"?")
    assert isinstance(small, Damaged)
    assert not small.may_be_answer
    # Without its first byte, all of it is passed over up to the next start.
    assert found_in(APPROVED[1:] + signal("EOT")) == [Damaged(len(APPROVED) - 1), "EOT"]


def test_a_cut_frame_is_damaged_after_a_silence_and_not_before() -> None:
    framer = Framer(1_000)
    framer.receive_data(APPROVED[:-1], 500)
    framer.tick(1_499)
    assert (framer.items(), framer.deadline()) == ([], 1_500)
    framer.tick(1_500)
    assert (framer.items(), framer.deadline()) == ([Damaged(len(APPROVED) - 1)], None)
    framer.receive_data(APPROVED, 1_600)
    assert framer.items() == found_in(APPROVED)


def test_a_new_link_has_no_past() -> None:
    framer = Framer(1_000)
    framer.receive_data(APPROVED[:50], 0)
    framer.reset()
    framer.receive_data(DECLINED, 0)
    assert framer.items() == found_in(DECLINED)


def frame(version: bytes, kind: int, data: bytes) -> bytes:
    checked = b"%03d" % (6 + len(data)) + version + bytes([kind]) + data + b"\x03"
    return b"\x02" + checked + bytes([lrc(checked)])


@pytest.mark.parametrize(
    "unknown",
    [
        frame(b"000", 0x77, b""),
        frame(b"000", 0x06, b"1"),
        frame(b"000", 0x19, b""),
        frame(b"001", 0x1A, b"\x12" * 274),
        frame(b"300", 0x1A, b"0002000"),
        frame(b"000", 0x1A, b"00"),
        frame(b"002", 0x1A, b"0016"),
        b"\x02005000\xf1",
        b"\x0200x",
    ],
)
def test_whole_frames_that_the_box_does_not_know_are_damage(unknown: bytes) -> None:
    assert all(isinstance(item, Damaged) for item in found_in(unknown))
    assert found_in(unknown)


def test_nothing_of_a_frame_is_kept_once_it_was_read_or_given_up() -> None:
    framer = Framer(1_000)
    framer.receive_data(APPROVED + APPROVED[:200], 0)
    framer.tick(1_000)
    held = {name: value for name, value in vars(framer).items() if name != "_items"}
    assert "\0".join("6219863510313865").encode() not in repr(held).encode()
    assert "62198635" not in repr(vars(framer)).replace("\\x00", "")
