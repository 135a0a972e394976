import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.devices.terminals.pna import (
    ACKNOWLEDGE,
    CANCEL,
    REVERSE,
    SLIP_BYTES_MAX,
    AnswerError,
    decode_frame,
    last_request,
    order_request,
    sale_request,
    slip_text,
)

GOLDEN = Path(__file__).parents[3] / "golden" / "terminal_vectors.json"
VECTORS = {
    row["name"]: bytes.fromhex(row["hex"]) for row in json.loads(GOLDEN.read_bytes()) if row["family"] == "pna_pec"
}
FULL = VECTORS["answer 00 full"]


def answer(inside: bytes) -> bytes:
    envelope = b"RS%03d" % len(inside) + inside
    return b"%04d" % len(envelope) + envelope


@pytest.mark.parametrize(
    ("name", "request_bytes"),
    [
        ("sale 1000", sale_request(amount_rial=1_000)),
        ("sale 123456", sale_request(amount_rial=123_456)),
        (
            "sale 10000 TL + R0",
            sale_request(amount_rial=10_000, terminal_number="98194184", slip_line="260227494"),
        ),
        ("cancel TC", order_request(CANCEL)),
        ("confirm GA", order_request(ACKNOWLEDGE)),
        ("reverse GR", order_request(REVERSE)),
        ("last transaction LT", last_request()),
    ],
)
def test_requests_are_the_documented_bytes(name: str, request_bytes: bytes) -> None:
    assert request_bytes == VECTORS[name]


def test_every_documented_request_and_answer_is_tried() -> None:
    answers = [name for name, data in VECTORS.items() if data[4:6] == b"RS"]
    assert len(answers) + 7 == len(VECTORS)
    for name in answers:
        assert decode_frame(VECTORS[name]).response_code == VECTORS[name][14:16].decode()


def test_a_whole_approval_is_read_by_its_tags() -> None:
    said = decode_frame(FULL)
    assert (said.response_code, said.trace, said.amount_rial, said.rrn) == ("00", "561925", 1_000, "800657696924")
    assert (said.terminal_number, said.serial, said.time) == ("98194184", "31", "2026/03/10 10:15:30")
    assert said.pan == "621986******8003"
    assert said.other_tags == ("PD",)
    evidence = said.evidence("answer")
    assert (evidence.stan, evidence.reference, evidence.terminal_number) == ("561925", None, "98194184")


def test_the_order_of_members_does_not_matter_and_short_traces_have_six_digits() -> None:
    said = decode_frame(answer(b"PD0011AM0041000TR00242RS00200"))
    assert (said.evidence("answer").stan, said.amount_rial, said.is_bare) == ("000042", 1_000, False)
    assert decode_frame(VECTORS["answer 51"]).is_bare


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        (b"6219861234568003", "621986******8003"),
        (b"621986******8003", "621986******8003"),
        (b"6219-86**-****-8003", "************8003"),
        (b"621986**********", "621986**********"),
        (b"8003", None),
        ("شبا".encode("cp1256"), None),
    ],
)
def test_a_card_number_is_masked_before_anything_else_sees_it(number: bytes, masked: str | None) -> None:
    said = decode_frame(answer(b"RS00200PN%03d" % len(number) + number))
    assert said.pan == masked
    assert "123456" not in repr(said)


@pytest.mark.parametrize(
    "inside",
    [
        b"",
        b"PD0011",
        b"RS00200AM0041000AM0041000",
        b"RS00200AM0051000",
        b"RS0020",
        b"RS003000",
        b"RS00200AM004-100",
        b"RS00200TR0071234567",
        b"RS00200am0041000",
        b"RS00200AM01899999999999999999",
        b"RS002\xf0\xf0",
        b"RS00200 ",
    ],
)
def test_what_is_not_whole_or_says_a_thing_twice_is_no_answer(inside: bytes) -> None:
    with pytest.raises(AnswerError):
        decode_frame(answer(inside))


@pytest.mark.parametrize("frame", [b"0004RS00", VECTORS["sale 1000"], FULL[:-1], FULL + b"1", b"0000"])
def test_a_frame_that_is_not_one_answer_is_none(frame: bytes) -> None:
    with pytest.raises(AnswerError):
        decode_frame(frame)


def test_empty_members_of_older_programs_are_absent() -> None:
    said = decode_frame(answer(b"RS00251TR000AM000RN000TM00898194184"))
    assert (said.trace, said.amount_rial, said.rrn, said.terminal_number) == (None, None, None, "98194184")


@pytest.mark.parametrize("amount", [0, -1, 10**12])
def test_an_amount_that_does_not_fit_sends_nothing(amount: int) -> None:
    with pytest.raises(ValueError, match="amount_rial"):
        sale_request(amount_rial=amount)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("۲۶۰۲۲۷۴۹۴", "260227494"),
        ("قبض برق شمارهٔ ۱۲", "قبض برق شماره 12"),
        ("خانم یاری", "خانم ياري"),
        ("LT015GetLastTrxnInfo", "015"),
        ("کد GA001 و gr001", "کد 001 و 001"),
        ("* پرداخت = × … 😀", "پرداخت"),
        ("A\nB\x00C", ""),
    ],
)
def test_a_slip_line_holds_what_a_slip_can_print_and_no_tag(text: str, line: str) -> None:
    assert slip_text(text) == line.encode("cp1256")


@given(st.text(max_size=60))
def test_no_text_of_a_slip_makes_another_request_of_a_sale(text: str) -> None:
    line = slip_text(text)
    assert len(line) <= SLIP_BYTES_MAX
    assert not any(one.isalpha() and one.isascii() for one in line.decode("cp1256"))
    plain = sale_request(amount_rial=1_000)
    sale = sale_request(amount_rial=1_000, slip_line=text)
    assert sale == plain or sale[9:].startswith(plain[9:-6] + b"R0")
    assert int(sale[:4]) == len(sale) - 4
    assert int(sale[6:9]) == len(sale) - 9


def test_the_payment_of_a_bill_carries_its_two_identifiers_before_the_end() -> None:
    frame = sale_request(amount_rial=250_000, bill=("1234567890123", "250120"))
    assert frame == b"0070RQ065PR006000000AM006250000CU003364BI0131234567890123PI006250120PD0011"
    with pytest.raises(ValueError, match="digits"):
        sale_request(amount_rial=1, bill=("12", "x"))
