"""The documented messages, byte for byte, and every turn that two sides of a line can take."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.devices.terminals.telium_e import Answer, AnswerError, decode, sale_request
from edge.devices.terminals.telium_e_link import Ending, LineTurns, encode_frame

GOLDEN = Path(__file__).parents[3] / "golden" / "terminal_vectors.json"
ROWS = [row for row in json.loads(GOLDEN.read_bytes()) if row["family"] == "telium_e"]
VECTORS = {row["name"]: bytes.fromhex(row["hex"]) for row in ROWS}
ANSWER = VECTORS["short answer result 0"]
ENQ, ACK, NAK, EOT = b"\x05", b"\x06", b"\x15", b"\x04"
SALE = sale_request(till="01", amount=125_000, currency="364", private="1002003004", full_answer=False)


def request(wait: str) -> bytes:
    return encode_frame(sale_request(till="01", amount=5_510, currency="978", private="", full_answer=True, wait=wait))


def line() -> LineTurns:
    return LineTurns(gap_ms=1_000, answer_ms=3_000)


def armed(turns: LineTurns, now: int = 0) -> None:
    """Let the clock that waits for an answer begin."""
    assert turns.deadline() == 0
    turns.tick(now)
    assert turns.deadline() == now + 3_000


def heard(turns: LineTurns, *pieces: bytes) -> list[object]:
    for piece in pieces:
        turns.receive_data(piece, 0)
    return [*turns.messages()]


# --- messages --------------------------------------------------------------------------------------------------------


def test_requests_are_the_documented_bytes() -> None:
    assert request("A010") == VECTORS["request 55.10 EUR debit, wait for the transaction"]
    assert request("A011") == VECTORS["request 55.10 EUR debit, answer at once"]
    assert SALE == b"0100125000010364" + b"1002003004" + b"A010B010"


def test_every_documented_message_is_tried() -> None:
    assert {name for name in VECTORS if len(VECTORS[name]) > 1} == {
        "request 55.10 EUR debit, wait for the transaction",
        "request 55.10 EUR debit, answer at once",
        "short answer result 0",
    }
    assert {name: VECTORS[name] for name in ("ENQ", "ACK", "NAK", "EOT")} == {
        "ENQ": ENQ,
        "ACK": ACK,
        "NAK": NAK,
        "EOT": EOT,
    }


def test_the_documented_answer_is_read_to_its_last_field() -> None:
    assert decode(ANSWER[1:-2]) == Answer(till="01", result="0", amount=5_510, means="1", currency="978", private="")
    assert encode_frame(ANSWER[1:-2]) == ANSWER


def test_a_full_answer_is_read_and_its_card_number_masked() -> None:
    report = b"6219861234568003 0000 AUTH 4711".ljust(55)
    said = decode(b"010001250001" + report + b"3641002003004")
    assert (said.result, said.amount, said.private) == ("0", 125_000, "1002003004")
    assert (said.pan, said.report) == ("621986******8003", "… AUTH 4711")
    assert not re.search(r"3456|61234", repr(said))


@pytest.mark.parametrize(
    ("report", "masked"),
    [
        (b"6219 8612 3456 8003 OK", "621986******8003"),
        (b"621986******8003", "621986******8003"),
        (b"************8003", "************8003"),
        (b"****************", None),
        (b"621986 8003", None),
        (b"", None),
    ],
)
def test_a_card_number_is_masked_where_it_is_read(report: bytes, masked: str | None) -> None:
    assert decode(b"010001250001" + report.ljust(55) + b"3641002003004").pan == masked


@pytest.mark.parametrize(
    "message",
    [
        b"",
        ANSWER[1:-3],
        ANSWER[1:-2] + b" ",
        b"0x" + ANSWER[3:-2],
        ANSWER[1:6] + b"O" + ANSWER[7:-2],
        ANSWER[1:-3] + b"\xff",
        b"01-" + ANSWER[4:-2],
    ],
)
def test_what_is_no_answer_is_refused(message: bytes) -> None:
    with pytest.raises(AnswerError):
        decode(message)


@pytest.mark.parametrize(("amount", "private"), [(0, ""), (100_000_000, ""), (1, "12345678901"), (1, "کد"), (1, "a\n")])
def test_values_that_do_not_fit_are_not_sent(amount: int, private: str) -> None:
    with pytest.raises(ValueError, match=r"amount|private"):
        sale_request(till="01", amount=amount, currency="364", private=private, full_answer=False)


# --- turns -----------------------------------------------------------------------------------------------------------


def test_a_message_is_said_when_the_line_is_given_and_the_line_given_back() -> None:
    turns = line()
    turns.take_turn(SALE)
    assert turns.data_to_send() == ENQ
    turns.receive_data(ACK, 0)
    assert not turns.message_waits
    assert turns.data_to_send() == encode_frame(SALE)
    turns.receive_data(ACK, 0)
    assert (turns.data_to_send(), turns.endings()) == (EOT, ["said"])
    assert turns.at_rest


def test_who_only_wants_to_know_who_is_there_says_nothing() -> None:
    turns = line()
    turns.take_turn(None)
    assert turns.data_to_send() == ENQ
    turns.receive_data(ACK, 0)
    assert (turns.data_to_send(), turns.endings()) == (EOT, ["there"])


@pytest.mark.parametrize(("answer", "ending"), [(NAK, "unsaid"), (b"", "unsaid")])
def test_the_line_is_asked_for_three_times(answer: bytes, ending: Ending) -> None:
    turns = line()
    turns.take_turn(SALE)
    for turn in range(3):
        assert turns.data_to_send() == ENQ
        if answer:
            turns.receive_data(answer, 0)
        else:
            armed(turns, turn * 3_000)
            turns.tick((turn + 1) * 3_000)
    assert turns.endings() == [ending]
    assert turns.data_to_send() in {b"", EOT}


def test_what_came_broken_is_said_again_twice_and_into_silence_never() -> None:
    turns = line()
    turns.take_turn(SALE)
    turns.data_to_send()
    turns.receive_data(ACK, 0)
    for _ in range(3):
        assert turns.data_to_send() == encode_frame(SALE)
        turns.receive_data(NAK, 0)
    assert (turns.data_to_send(), turns.endings()) == (EOT, ["refused"])
    turns.take_turn(SALE)
    turns.data_to_send()
    turns.receive_data(ACK, 0)
    turns.data_to_send()
    armed(turns)
    turns.tick(3_000)
    assert (turns.data_to_send(), turns.endings(), turns.deadline()) == (b"", ["silent"], None)


def test_a_refusal_that_may_be_of_a_repeated_question_does_not_say_the_message_again() -> None:
    turns = line()
    turns.take_turn(SALE)
    armed(turns)
    turns.tick(3_000)
    assert turns.data_to_send() == ENQ + ENQ, "the terminal was slow to answer the first"
    turns.receive_data(ACK, 3_001)
    assert turns.data_to_send() == encode_frame(SALE)
    # The second question reached a terminal that waits for the message.
    turns.receive_data(NAK, 3_002)
    assert (turns.data_to_send(), turns.endings()) == (b"", [])
    turns.receive_data(ACK, 3_003)
    assert (turns.data_to_send(), turns.endings()) == (EOT, ["said"])


def test_an_answer_is_taken_at_every_split() -> None:
    for at in range(len(ANSWER) + 1):
        turns = line()
        assert heard(turns, ENQ + ANSWER[:at], ANSWER[at:] + EOT) == [ANSWER[1:-2]]
        assert turns.data_to_send() == ACK + ACK
    turns = line()
    assert heard(turns, *[bytes([byte]) for byte in b"\xff" + ENQ + ANSWER + EOT]) == [ANSWER[1:-2]]


def test_a_broken_answer_is_refused_and_its_repeat_taken() -> None:
    turns = line()
    broken = ANSWER[:-1] + bytes([ANSWER[-1] ^ 1])
    assert heard(turns, ENQ, broken) == []
    assert turns.data_to_send() == ACK + NAK
    assert heard(turns, ANSWER) == [ANSWER[1:-2]]
    assert heard(turns, broken, broken, broken) == ["noise"]


def test_an_answer_that_is_cut_is_refused() -> None:
    turns = line()
    assert heard(turns, ENQ, ANSWER[:10]) == []
    assert turns.deadline() == 1_000
    turns.tick(1_000)
    assert turns.data_to_send() == ACK + NAK
    assert heard(turns, b"\x02" + bytes(300)) == []


def test_both_sides_may_want_the_line_at_once() -> None:
    turns = line()
    turns.take_turn(SALE)
    assert turns.data_to_send() == ENQ
    assert heard(turns, ENQ, ANSWER, EOT) == [ANSWER[1:-2]]
    assert turns.data_to_send() == ACK + ACK
    armed(turns)
    turns.tick(3_000)
    assert turns.data_to_send() == ENQ
    turns.receive_data(ACK, 0)
    assert turns.data_to_send() == encode_frame(SALE)


def test_a_new_link_has_no_past() -> None:
    turns = line()
    turns.take_turn(SALE)
    heard(turns, ANSWER[:5])
    turns.reset()
    assert (turns.deadline(), turns.data_to_send(), turns.at_rest) == (None, b"", True)
    assert heard(turns, ACK + ACK + NAK, ANSWER) == [ANSWER[1:-2]]


@pytest.mark.parametrize("change", [0x01, 0x10, 0x40, 0x7F])
def test_no_single_changed_byte_makes_another_answer(change: int) -> None:
    for at in range(len(ANSWER)):
        changed = ANSWER[:at] + bytes([ANSWER[at] ^ change]) + ANSWER[at + 1 :]
        assert all(found in (ANSWER[1:-2], "noise") for found in heard(line(), ENQ, changed, EOT))


@given(st.lists(st.binary(max_size=40), max_size=6), st.booleans())
def test_any_bytes_end_in_time(pieces: list[bytes], ours: bool) -> None:  # noqa: FBT001
    turns = line()
    if ours:
        turns.take_turn(SALE)
    for piece in pieces:
        turns.receive_data(piece, 0)
        turns.data_to_send()
    for now in range(1_000, 60_000, 1_000):
        turns.tick(now)
        turns.data_to_send()
    assert turns.deadline() is None
    assert turns.at_rest
    for message in turns.messages():
        if isinstance(message, bytes):
            try:
                decode(message)
            except AnswerError:
                continue
