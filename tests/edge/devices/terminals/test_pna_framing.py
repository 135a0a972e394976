import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.devices.terminals.pna import Answer, decode_frame
from edge.devices.terminals.pna_framing import FRAME_BYTES_MAX, Found, Framer

GOLDEN = Path(__file__).parents[3] / "golden" / "terminal_vectors.json"
ANSWERS = [
    data
    for row in json.loads(GOLDEN.read_bytes())
    if row["family"] == "pna_pec" and (data := bytes.fromhex(row["hex"]))[4:6] == b"RS"
]
FULL = max(ANSWERS, key=len)


def found_in(*pieces: bytes) -> list[Found]:
    framer = Framer(1_000)
    for piece in pieces:
        framer.receive_data(piece, 0)
    return framer.items()


@pytest.mark.parametrize("frame", ANSWERS)
def test_an_answer_is_found_whole_wherever_it_is_split(frame: bytes) -> None:
    wanted: list[Found] = [decode_frame(frame)]
    for at in range(len(frame) + 1):
        assert found_in(frame[:at], frame[at:]) == wanted


@given(st.data())
def test_answers_are_found_in_any_pieces(data: st.DataObject) -> None:
    frames = data.draw(st.lists(st.sampled_from(ANSWERS), max_size=4))
    stream = b"".join(frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    pieces = [stream[one:other] for one, other in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert found_in(*pieces) == [decode_frame(frame) for frame in frames]


@given(st.binary(max_size=200))
def test_noise_is_never_an_answer_and_silences_the_rest(noise: bytes) -> None:
    items = found_in(noise, FULL)
    # Whatever came first, only whole answers and at most one noise at the end are found.
    assert all(isinstance(item, Answer) for item in items[:-1])
    assert items == [decode_frame(FULL)] or not items or items[-1] == "noise"


@pytest.mark.parametrize("noise", [b"OK", b"\r\n", b"9999", b"0000", b"00x5", b"0018RQ013RS00200PD0011"])
def test_after_noise_nothing_is_believed_until_a_new_connection(noise: bytes) -> None:
    framer = Framer(1_000)
    framer.receive_data(noise, 0)
    framer.receive_data(FULL, 0)
    assert (framer.items(), framer.spoilt, framer.deadline()) == (["noise"], True, None)
    framer.reset()
    framer.receive_data(FULL, 0)
    assert framer.items() == [decode_frame(FULL)]


def test_a_cut_answer_is_noise_after_a_silence_and_not_before() -> None:
    framer = Framer(1_000)
    framer.receive_data(FULL[:-1], 500)
    framer.tick(1_499)
    assert (framer.items(), framer.deadline()) == ([], 1_500)
    framer.tick(1_500)
    assert framer.items() == ["noise"]
    framer.receive_data(FULL[-1:], 1_600)
    assert framer.items() == []


def test_a_length_larger_than_any_answer_is_not_waited_for() -> None:
    assert found_in(b"%04d" % FRAME_BYTES_MAX) == ["noise"]
    assert found_in(b"%04d" % (FRAME_BYTES_MAX - 4)) == []
