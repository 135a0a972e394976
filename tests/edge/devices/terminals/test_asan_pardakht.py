"""The lines of Asan Pardakht's protocol and how they are found, against the vectors computed from its paper."""

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.devices.terminals.asan_pardakht import (
    Answer,
    AnswerError,
    Other,
    buy_request,
    checksum,
    decode_body,
    encode_message,
    inquiry_request,
)
from edge.devices.terminals.asan_pardakht_framing import LINE_BYTES_MAX, Found, Framer

GOLDEN = Path(__file__).parents[3] / "golden" / "terminal_vectors.json"
VECTORS = {
    row["name"]: bytes.fromhex(row["hex"]) for row in json.loads(GOLDEN.read_bytes()) if row["family"] == "asanpardakht"
}
REQUESTS = {
    "buy 10000": buy_request(amount_rial=10_000, invoice_number="1", local_time="20240101123000", message_id="1"),
    "inquiry": inquiry_request("1"),
}
PURCHASE = Answer(
    about="purchase",
    response_code="0",
    amount_rial=10_000,
    rrn="123456789012",
    trace="000123",
    time="20240101123045",
    merchant_number="000000000012345",
    terminal_number="12345678",
    pan="603799******1234",
    message_id="1",
)
ANSWERS = {
    "buy approved": PURCHASE,
    "inquiry answer": Answer(
        **{name: getattr(PURCHASE, name) for name in PURCHASE.__struct_fields__} | {"about": "inquiry"}
    ),
    "buy 51": Answer(
        about="purchase",
        response_code="51",
        amount_rial=10_000,
        trace="000124",
        time="20240101123145",
        merchant_number="000000000012345",
        terminal_number="12345678",
        pan="603799******1234",
        message_id="2",
    ),
}
APPROVED = VECTORS["buy approved"]


def line(body: str) -> bytes:
    return b"$" + body.encode() + b"*%02X\r\n" % checksum(body.encode())


def found_in(*pieces: bytes) -> list[Found]:
    framer = Framer(1_000)
    for piece in pieces:
        framer.receive_data(piece, 0)
    return framer.items()


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_are_the_documented_bytes(name: str) -> None:
    assert REQUESTS[name] == VECTORS[name]


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_are_read_to_all_their_fields_wherever_they_are_split(name: str) -> None:
    for at in range(len(VECTORS[name]) + 1):
        assert found_in(VECTORS[name][:at], VECTORS[name][at:]) == [ANSWERS[name]]


def test_every_documented_line_is_tried() -> None:
    assert set(VECTORS) == set(REQUESTS) | set(ANSWERS)


def test_the_checksum_may_be_written_in_small_letters() -> None:
    assert found_in(APPROVED.replace(b"*0A", b"*0a")) == [PURCHASE]
    assert found_in(APPROVED.replace(b"\r\n", b"\n")) == [PURCHASE]


def test_what_is_said_is_evidence_with_our_reference_where_it_is_ours() -> None:
    said = PURCHASE.evidence("answer", "100200300400500600")
    assert (said.reference, said.stan, said.terminal_time) == ("100200300400500600", "000123", "20240101123045")
    assert PURCHASE.evidence("answer", None).reference == "1"


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("6037991234561234", "603799******1234"),
        ("603799******1234", "603799******1234"),
        ("6037-99**-****-1234", "************1234"),
        ("603799xxxxxxxxxx", "603799**********"),
        ("1234", None),
        ("", None),
    ],
)
def test_a_card_number_is_masked_before_anything_else_sees_it(number: str, masked: str | None) -> None:
    (said,) = found_in(line(f"POSBUY,0,10000,,,,,,{number},1,"))
    assert isinstance(said, Answer)
    assert said.pan == masked
    assert "123456" not in repr(said)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "POSBUY",
        "POSBUY,",
        "POSBUY,0,10000,1,2,3,4,5,6,1",
        "POSBUY,,10000,,,,,,,1,",
        "POSBUY,00000,10000,,,,,,,1,",
        "POSBUY,0,-1,,,,,,,1,",
        "POSBUY,0,9999999999999999999,,,,,,,1,",
        "POSBUY,0,999999999999999999,,,,,,,1,",
        "POSBUY,0,10000,,1234567,,,,,1,",
        "POSBUY,0,10000,,,,,,,1,2,",
        "POSBUY,0,10000,,,,,,a name,1,",
        "posbuy,0,10000,,,,,,,1,",
        "POSBUY,0,۱۰,,,,,,,1,",
    ],
)
def test_a_line_with_other_fields_is_no_answer(body: str) -> None:
    assert found_in(line(body)) == ["noise"]
    with pytest.raises(AnswerError):
        decode_body(body.encode())


def test_a_line_the_box_never_asks_for_keeps_nothing() -> None:
    assert found_in(line("POSBIL,0,6037991234561234,")) == [Other(name="POSBIL")]


@pytest.mark.parametrize("name", ANSWERS)
def test_one_wrong_byte_is_never_another_answer(name: str) -> None:
    frame = VECTORS[name]
    for at in range(len(frame)):
        for bit in (0x01, 0x10, 0x20, 0x80):
            items = found_in(frame[:at] + bytes([frame[at] ^ bit]) + frame[at + 1 :])
            assert set(items) - {"noise", ANSWERS[name]} == set(), at


@given(st.data())
def test_answers_are_found_in_any_pieces(data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(list(ANSWERS)), max_size=4))
    stream = b"".join(VECTORS[name] for name in names)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    pieces = [stream[one:other] for one, other in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert found_in(*pieces) == [ANSWERS[name] for name in names]


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader_and_noise_does_not_hide_what_follows(noise: bytes) -> None:
    with contextlib.suppress(AnswerError):
        decode_body(noise)
    items = found_in(noise + b"\n" + APPROVED)
    assert items[-1] == PURCHASE
    assert all(item == "noise" or isinstance(item, Other | Answer) for item in items)


def test_a_cut_line_is_noise_after_a_silence_and_not_before() -> None:
    framer = Framer(1_000)
    framer.receive_data(APPROVED[:-1], 500)
    framer.tick(1_499)
    assert (framer.items(), framer.deadline()) == ([], 1_500)
    framer.tick(1_500)
    assert (framer.items(), framer.deadline()) == (["noise"], None)
    framer.receive_data(APPROVED, 1_600)
    assert framer.items() == [PURCHASE]


def test_a_line_without_an_end_is_not_kept() -> None:
    framer = Framer(1_000)
    framer.receive_data(b"$" + b"1" * LINE_BYTES_MAX, 0)
    assert (framer.items(), framer.deadline()) == (["noise"], None)
    framer.receive_data(APPROVED[:20], 0)
    framer.reset()
    framer.receive_data(APPROVED, 0)
    assert framer.items() == [PURCHASE]


@pytest.mark.parametrize("amount", [0, -1, 10**12])
def test_an_amount_that_does_not_fit_sends_nothing(amount: int) -> None:
    with pytest.raises(ValueError, match="amount_rial"):
        buy_request(amount_rial=amount, invoice_number="1", local_time="20240101123000", message_id="1")


@pytest.mark.parametrize("field", ["1,2", "1*", "1\r\n", "۱", ""])
def test_no_field_can_make_another_line(field: str) -> None:
    with pytest.raises(ValueError, match="field"):
        encode_message(["PCINQ", field])
