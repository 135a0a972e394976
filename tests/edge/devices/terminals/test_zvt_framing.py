"""Messages on both links: every split, every cut, every broken byte, and who says it again."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.devices.terminals.zvt_bytes import Apdu, encode_apdu
from edge.devices.terminals.zvt_framing import BareFramer, Found, SerialFramer, crc, encode_frame

GOLDEN = Path(__file__).parents[3] / "golden" / "terminal_vectors.json"
ROWS = [row for row in json.loads(GOLDEN.read_bytes()) if row["family"].startswith("zvt")]
BARE = [bytes.fromhex(row["hex"]) for row in ROWS if row["family"] == "zvt_tcp"]
FRAMED = [bytes.fromhex(row["hex"]) for row in ROWS if row["family"] == "zvt_serial"]
ACK, NAK = b"\x06", b"\x15"
MANY_DLES = Apdu(0x0610, bytes([0x10, 0x10, 0x02, 0x10, 0x03, 0x06, 0x15, 0x10]))
SALE = Apdu(0x0601, b"\x04\x00\x00\x00\x01\x10\x00")


def bare() -> BareFramer:
    return BareFramer(gap_ms=1_000)


def serial() -> SerialFramer:
    return SerialFramer(gap_ms=200, answer_ms=5_000)


def heard(framer: BareFramer | SerialFramer, *pieces: bytes) -> list[Found]:
    for piece in pieces:
        framer.receive_data(piece, 0)
    return framer.items()


def armed(framer: SerialFramer, now: int = 0) -> None:
    """Let the clock that waits for an acknowledgement begin."""
    assert framer.deadline() == 0
    framer.tick(now)
    assert framer.deadline() == now + 5_000


def test_the_checksum_is_the_documented_one() -> None:
    assert crc(b"123456789") == 0x2189


@pytest.mark.parametrize("data", BARE, ids=bytes.hex)
def test_a_bare_message_is_found_at_every_split(data: bytes) -> None:
    (whole,) = heard(bare(), data)
    assert isinstance(whole, Apdu)
    assert encode_apdu(whole) == data
    for at in range(len(data) + 1):
        assert heard(bare(), data[:at], data[at:]) == [whole]
    assert heard(bare(), data + data + data[:2]) == [whole, whole]


@pytest.mark.parametrize("data", [*FRAMED, encode_frame(MANY_DLES)], ids=bytes.hex)
def test_a_framed_message_is_found_at_every_split_and_acknowledged_once(data: bytes) -> None:
    (whole,) = heard(serial(), data)
    assert isinstance(whole, Apdu)
    assert encode_frame(whole) == data
    for at in range(len(data) + 1):
        framer = serial()
        assert heard(framer, data[:at], data[at:]) == [whole]
        assert framer.data_to_send() == ACK
    assert heard(serial(), *[bytes([byte]) for byte in b"\xff\x00" + data + b"\x55" + data]) == [whole, whole]


@pytest.mark.parametrize("data", [*FRAMED, encode_frame(MANY_DLES)], ids=bytes.hex)
def test_no_single_changed_byte_makes_another_message(data: bytes) -> None:
    (whole,) = heard(serial(), data)
    for at in range(len(data)):
        for change in (0x01, 0x10, 0x80, 0xFF):
            changed = data[:at] + bytes([data[at] ^ change]) + data[at + 1 :]
            assert all(found in (whole, "noise") for found in heard(serial(), changed))


def test_bytes_that_are_no_bare_message_spoil_the_rest_of_the_link() -> None:
    framer = bare()
    assert heard(framer, b"\x02\x00\xff\xff\xff", BARE[0]) == ["noise"]
    framer.reset()
    assert len(heard(framer, BARE[0])) == 1


def test_a_bare_message_that_is_cut_is_noise_once_its_rest_does_not_come() -> None:
    framer = bare()
    assert heard(framer, BARE[0][:-1]) == []
    assert framer.deadline() == 1_000
    framer.tick(999)
    assert framer.items() == []
    framer.tick(1_000)
    assert framer.items() == ["noise"]


def test_a_broken_frame_is_refused_and_its_repeat_is_taken() -> None:
    framer = serial()
    data = FRAMED[0]
    broken = data[:5] + bytes([data[5] ^ 1]) + data[6:]
    assert heard(framer, broken) == []
    assert framer.data_to_send() == NAK
    assert len(heard(framer, data)) == 1
    assert framer.data_to_send() == ACK


def test_a_frame_that_stays_broken_is_noise() -> None:
    framer = serial()
    broken = FRAMED[0][:-1] + b"\x00"
    assert heard(framer, broken, broken) == []
    assert heard(framer, broken) == ["noise"]
    assert framer.data_to_send() == 3 * NAK


def test_a_frame_that_is_cut_is_refused_after_the_gap_or_when_another_begins() -> None:
    framer = serial()
    assert heard(framer, FRAMED[0][:-3]) == []
    assert framer.deadline() == 200
    framer.tick(200)
    assert framer.data_to_send() == NAK
    assert len(heard(framer, FRAMED[0])) == 1
    framer = serial()
    assert len(heard(framer, FRAMED[0][:-4] + FRAMED[0])) == 1
    assert len(heard(framer, b"\x10\x02\x06\x10\x77" + FRAMED[0])) == 1


def test_messages_leave_one_after_another_each_when_the_one_before_was_taken() -> None:
    framer = serial()
    framer.send(SALE)
    framer.send(MANY_DLES)
    assert framer.data_to_send() == encode_frame(SALE)
    assert framer.data_to_send() == b""
    framer.receive_data(ACK, 0)
    assert framer.data_to_send() == encode_frame(MANY_DLES)


@pytest.mark.parametrize("moves_money", [False, True])
def test_what_came_broken_is_sent_again_twice_at_most(moves_money: bool) -> None:  # noqa: FBT001
    framer = serial()
    framer.send(SALE, moves_money=moves_money)
    for _ in range(3):
        assert framer.data_to_send() == encode_frame(SALE)
        framer.receive_data(NAK, 0)
    assert framer.data_to_send() == b""
    assert framer.items() == ["unheard"]


def test_what_nobody_answers_is_sent_again_unless_it_moves_money() -> None:
    framer = serial()
    framer.send(MANY_DLES)
    for turn in range(3):
        assert framer.data_to_send() == encode_frame(MANY_DLES)
        armed(framer, turn * 5_000)
        framer.tick((turn + 1) * 5_000)
    assert (framer.data_to_send(), framer.items(), framer.deadline()) == (b"", ["unheard"], None)
    framer.send(SALE, moves_money=True)
    assert framer.data_to_send() == encode_frame(SALE)
    armed(framer)
    framer.tick(5_000)
    assert (framer.data_to_send(), framer.items()) == (b"", ["unheard"])


def test_who_goes_on_has_heard_and_who_repeats_has_not() -> None:
    framer = serial()
    report = Apdu(0x04FF, b"\x0a")
    assert heard(framer, encode_frame(report)) == [report]
    framer.send(Apdu(0x8000))
    assert framer.data_to_send() == ACK + encode_frame(Apdu(0x8000))
    assert heard(framer, encode_frame(report)) == []
    assert framer.data_to_send() == ACK
    framer.receive_data(ACK, 0)
    assert heard(framer, encode_frame(report)) == [report]
    framer.send(Apdu(0x8000))
    framer.data_to_send()
    assert heard(framer, encode_frame(Apdu(0x060F))) == [Apdu(0x060F)]
    assert framer.deadline() is None


def test_a_new_link_has_no_past() -> None:
    framer = serial()
    framer.send(SALE)
    framer.send(MANY_DLES)
    framer.data_to_send()
    heard(framer, FRAMED[0][:4])
    framer.reset()
    assert (framer.deadline(), framer.data_to_send()) == (None, b"")
    assert len(heard(framer, FRAMED[0])) == 1


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_any_bytes_end_as_messages_or_noise(pieces: list[bytes]) -> None:
    for framer in (bare(), serial()):
        for now, piece in enumerate(pieces):
            framer.receive_data(piece, now * 100)
        framer.tick(10_000)
        framer.data_to_send()
        assert all(isinstance(found, Apdu) or found == "noise" for found in framer.items())
        assert framer.deadline() is None
