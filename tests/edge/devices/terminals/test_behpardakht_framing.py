import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.devices.terminals.behpardakht import Answer, crc16_arc, decode_body
from edge.devices.terminals.behpardakht_framing import FRAME_BYTES_MAX, Found, Framer

GAP_MS = 500


def read(*pieces: bytes, framer: Framer | None = None) -> list[Found]:
    framer = framer or Framer(GAP_MS)
    found: list[Found] = []
    for piece in pieces:
        framer.receive_data(piece, 0)
        found += framer.items()
    return found


def by_body_length(frame: bytes) -> bytes:
    """The same answer with the length rule of requests."""
    return b"%04d" % (len(frame) - 6) + frame[4:]


@pytest.fixture(scope="session")
def answers(vectors: dict[str, bytes]) -> list[bytes]:
    names = ("approved", "answer", "FD error")
    return [frame for name, frame in vectors.items() if any(part in name for part in names) and name != "ready answer"]


def test_every_answer_is_read_at_every_split(answers: list[bytes]) -> None:
    assert len(answers) == 8
    for frame in answers:
        expected: list[Found] = [decode_body(frame[4:-2])]
        for rule in (frame, by_body_length(frame)):
            assert all(read(rule[:at], rule[at:]) == expected for at in range(len(rule) + 1))
            assert read(*(rule[at : at + 1] for at in range(len(rule)))) == expected


def test_several_answers_in_one_piece(answers: list[bytes]) -> None:
    stream = b"".join(answers) + b"OK" + b"".join(by_body_length(frame) for frame in answers) + b"OK"
    bodies = [decode_body(frame[4:-2]) for frame in answers]
    expected: list[Found] = [*bodies, "ready", *bodies, "ready"]
    assert read(stream) == expected
    for at in range(len(stream)):
        assert read(stream[:at], stream[at:]) == expected


@given(data=st.data())
def test_any_split_gives_the_same(data: st.DataObject, vectors: dict[str, bytes]) -> None:
    frame = vectors["sale 10000 BA=3000 approved"]
    stream = frame + b"OK" + frame
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=12)))
    pieces = [stream[one:other] for one, other in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    answer = decode_body(frame[4:-2])
    assert read(*pieces) == [answer, "ready", answer]


def test_line_ends_between_answers_are_passed_over(answers: list[bytes]) -> None:
    assert read(b"OK\r\n", answers[0] + b"\n", b"OK")[::2] == ["ready", "ready"]


def test_a_wrong_checksum_is_noise_and_the_next_answer_is_read(answers: list[bytes]) -> None:
    wrong = answers[0][:-1] + bytes([answers[0][-1] ^ 1])
    framer = Framer(GAP_MS)
    assert read(wrong, framer=framer) == []  # six more bytes could still make it the other length rule
    assert read(answers[1], framer=framer) == ["noise", decode_body(answers[1][4:-2])]


def test_a_wrong_checksum_alone_is_noise_after_the_silence(answers: list[bytes]) -> None:
    framer = Framer(GAP_MS)
    framer.receive_data(answers[0][:-1] + b"\x00", 1_000)
    framer.tick(1_000 + GAP_MS - 1)
    assert framer.items() == []
    assert framer.deadline() == 1_000 + GAP_MS
    framer.tick(1_000 + GAP_MS)
    assert framer.items() == ["noise"]
    assert framer.deadline() is None
    framer.receive_data(b"OK", 2_000)
    assert framer.items() == ["ready"]


def test_an_answer_behind_a_lying_length_is_still_found(answers: list[bytes]) -> None:
    framer = Framer(GAP_MS)
    framer.receive_data(b"0999" + answers[0], 0)
    assert framer.items() == []
    framer.tick(GAP_MS)
    assert framer.items() == ["noise", decode_body(answers[0][4:-2])]


def test_a_right_checksum_over_a_body_that_cannot_be_read_is_noise() -> None:
    body = bytes.fromhex("a20101")
    frame = b"0009" + body + crc16_arc(body).to_bytes(2, "little")
    framer = Framer(GAP_MS)
    framer.receive_data(frame, 0)
    framer.tick(GAP_MS)
    assert framer.items() == ["noise"]


@given(before=st.binary(max_size=40), after=st.binary(max_size=40), flip=st.integers(0, 82 * 8), data=st.data())
def test_mutated_bytes_never_crash_and_give_no_other_approval(
    before: bytes, after: bytes, flip: int, data: st.DataObject, vectors: dict[str, bytes]
) -> None:
    good = vectors["sale 10000 BA=3000 approved"]
    mutated = bytearray(good)
    mutated[flip // 8] ^= 1 << flip % 8
    if data.draw(st.booleans()):
        del mutated[data.draw(st.integers(0, len(mutated) - 1))]
    framer = Framer(GAP_MS)
    found = read(before + bytes(mutated) + after, framer=framer)
    framer.tick(10_000)
    for item in [*found, *framer.items()]:
        if isinstance(item, Answer):
            # A flipped length field leaves the body whole: then, and only then, it is the answer that was sent.
            assert item == decode_body(good[4:-2])


def test_endless_noise_is_not_kept() -> None:
    framer = Framer(GAP_MS)
    for _ in range(20):
        framer.receive_data(b"x" * FRAME_BYTES_MAX, 0)
    assert framer.items() == ["noise"]
    assert len(framer._buffer) <= FRAME_BYTES_MAX


def test_a_flood_costs_no_more_than_its_last_part(vectors: dict[str, bytes]) -> None:
    frame = vectors["sale 10000 BA=3000 approved"]
    framer = Framer(GAP_MS)
    for flood in (b"\xff" * 262_144, b"0500" * 65_536, b"12" * 131_072):
        assert set(read(flood, framer=framer)) <= {"noise"}
        assert len(framer._buffer) <= 2 * FRAME_BYTES_MAX
    assert read(b"\xff" * 100 + frame, framer=framer) == [decode_body(frame[4:-2])]
