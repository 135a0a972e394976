"""The documented messages, byte for byte; reports as terminals in the field send them."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.devices.terminals.zvt import (
    POSITIVE,
    WAIT,
    Aborted,
    Acknowledged,
    Completed,
    Message,
    Printed,
    Progress,
    Refused,
    Status,
    Unknown,
    abort,
    authorisation,
    decode,
    registration,
    repeat_receipt,
    reversal,
    status_enquiry,
)
from edge.devices.terminals.zvt_bytes import AnswerError, Apdu, encode_apdu, read_apdu, read_bmps, read_tlv, split_apdu
from edge.devices.terminals.zvt_framing import encode_frame

GOLDEN = Path(__file__).parents[3] / "golden" / "terminal_vectors.json"
ROWS = [row for row in json.loads(GOLDEN.read_bytes()) if row["family"].startswith("zvt")]
BARE = {row["name"]: bytes.fromhex(row["hex"]) for row in ROWS if row["family"] == "zvt_tcp"}
FRAMED = {row["name"]: bytes.fromhex(row["hex"]) for row in ROWS if row["family"] == "zvt_serial"}

REQUESTS = {
    "registration": registration(password="123456", config_byte=0xBA, currency="978"),
    "authorisation 110.00": authorisation(amount=11_000, currency="978"),
    "positive completion ack": POSITIVE,
    "ECR busy, wait": WAIT,
    "status enquiry": status_enquiry(password="123456"),
    "repeat receipt, send status, no print": repeat_receipt(password="123456"),
}
ANSWERS: dict[str, Message] = {
    "positive completion ack": Acknowledged(),
    "completion with version": Completed(version="2.14.15", terminal_status="00"),
    "completion": Completed(),
    "abort 6C (user)": Aborted("6C"),
    "status information result 00": Status(result_code="00"),
}

APPROVED = bytes.fromhex(
    "040f7727000400000000204 00b0004700c2239530d10060e25121700011970"
    "22f0f8eeeeeeeeeeee4771292800486 92a3130303436313736332020202020203b3631313830340000"
    "3cf0f1f447454e2e4e522e3a363131383034490978870470880004708a2e8bf1f74465626974204d61737465726361726400".replace(
        " ", ""
    )
)
CONTACTLESS = bytes.fromhex(
    "040f6527000c2313550d10290e999922f0f8eeeeeeeeeeee4771a00129000000068700080b0000008a068bf1f14d41535445524341524400"
    "062e2f081f1201021f1001006 01b4307a00000000410104410446562697420 4d6173746572636172641f2b0410015008".replace(
        " ", ""
    )
)


def test_every_documented_message_is_tried_on_both_links() -> None:
    assert set(BARE) == set(FRAMED) == {*REQUESTS, *ANSWERS}


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_are_the_documented_bytes(name: str) -> None:
    assert encode_apdu(REQUESTS[name]) == BARE[name]
    assert encode_frame(REQUESTS[name]) == FRAMED[name]


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_say_what_is_documented(name: str) -> None:
    assert decode(read_apdu(BARE[name])) == ANSWERS[name]


def test_what_the_documents_give_no_bytes_for() -> None:
    assert encode_apdu(reversal(password="000000", receipt_number="0470")).hex() == "063006000000870470"
    assert encode_apdu(abort()).hex() == "06b000"
    assert decode(Apdu(0x04FF, b"\x0a\x01")) == Progress("0A")
    assert decode(Apdu(0x04FF)) == Progress(None)
    assert decode(Apdu(0x06D1, b"\x00TOTAL")) == decode(Apdu(0x06D3, b"\x06\x00")) == Printed()
    assert decode(Apdu(0x8400)) == Acknowledged()
    assert decode(Apdu(0x8483)) == Refused("83")
    assert decode(Apdu(0x841E, b"\x7d")) == Refused("7D")
    assert decode(Apdu(0x06E0, b"\xf0\x05")) == Unknown(0x06E0)


def test_the_terminals_own_identifier_is_repeated_empty_or_as_it_was_and_never_zero() -> None:
    def sale(transaction_id: bytes) -> str:
        return encode_apdu(authorisation(amount=11_000, currency="364", transaction_id=transaction_id)).hex()

    assert sale(b"").endswith("06031f1f00")
    assert sale(b"\x04\x70").endswith("06051f1f020470")
    with pytest.raises(ValueError, match="zeros"):
        sale(b"\x00\x00")


@pytest.mark.parametrize("amount", [0, 10**12])
def test_an_amount_that_does_not_fit_is_not_sent(amount: int) -> None:
    with pytest.raises(ValueError, match="amount"):
        authorisation(amount=amount, currency="364")


def test_a_whole_report_is_read_to_its_last_member() -> None:
    assert decode(read_apdu(APPROVED)) == Status(
        result_code="00",
        amount=2_040,
        currency="978",
        trace="000470",
        time="223953",
        date="1006",
        payment_type="70",
        card_sequence="0001",
        pan="************4771",
        terminal_number="28004869",
        merchant_number="100461763",
        authorisation="611804",
        additional_text="GEN.NR.:611804",
        receipt_number="0470",
        turnover_number="000470",
        card_type="2E",
        card_name="Debit Mastercard",
        dropped=("0E",),
    )


def test_the_container_of_a_report_is_read() -> None:
    said = decode(read_apdu(CONTACTLESS))
    assert isinstance(said, Status)
    assert (said.application, said.card_technology, said.authentication) == ("A0000000041010", "02", "00")
    assert (said.long_trace, said.trace, said.result_code_as, said.amount) == ("10015008", "000000", "01", None)
    assert said.dropped == ("0E", "44")


def test_what_the_container_says_of_a_reversal_and_of_errors() -> None:
    said = decode(Apdu(0x040F, bytes.fromhex("27ff37000470061 11f1602 01021f1f0204711f170 4434f4445".replace(" ", ""))))
    assert isinstance(said, Status)
    assert (said.result_code, said.original_trace, said.transaction_id) == ("FF", "000470", b"\x04\x71")
    assert (said.extended_error, said.extended_error_text) == ("0102", "CODE")


@pytest.mark.parametrize(
    ("packed", "masked"),
    [
        ("6219861234568003", "621986******8003"),
        ("6219861234567898003f", "621986******8003"),
        ("621986eeeeee8003", "621986******8003"),
        ("eeeeeeeeeeee8003", "************8003"),
        ("eeeeeeeeeeeeeeee", None),
        ("6219868003ff", None),
    ],
)
def test_a_card_number_is_masked_where_it_is_read(packed: str, masked: str | None) -> None:
    value = bytes.fromhex(packed)
    length = bytes([0xF0 + len(value) // 10, 0xF0 + len(value) % 10])
    said = decode(Apdu(0x040F, b"\x27\x00\x22" + length + value))
    assert isinstance(said, Status)
    assert said.pan == masked


def test_card_numbers_in_texts_tracks_and_receipts_do_not_pass() -> None:
    number = b"6219861234568003"
    spoken = b"CARD 6219 8612 3456 8003 OK"
    data = b"\x27\x00\x3c\xf0\xf2" + bytes([0xF0 + len(spoken) % 10]) + spoken
    data += b"\x8b\xf1\xf6" + number + b"\x23\xf0\xf8" + bytes.fromhex(number.decode())
    data += b"\x06\x15\x1f\x09\x10" + number + b"\x43\x00"
    said = decode(Apdu(0x040F, data))
    assert isinstance(said, Status)
    assert said.additional_text == "CARD … OK"
    assert said.dropped == ("23", "1F09")
    assert not re.search(r"3456|61234", repr(said))


@pytest.mark.parametrize(
    "data",
    [
        "2700 27",
        "270027 00",
        "27000 40000",
        "2700 cc",
        "2700 8bf1",
        "2700 8bfaf0",
        "2700 0b00047a",
        "2700 0604",
        "2700 06031f1f05",
        "2700 0683000000",
    ],
)
def test_a_report_that_is_cut_doubled_or_not_known_is_none(data: str) -> None:
    with pytest.raises(AnswerError):
        decode(Apdu(0x040F, bytes.fromhex(data.replace(" ", ""))))


def test_an_end_is_an_end_whatever_stands_behind_it() -> None:
    assert decode(Apdu(0x060F, bytes.fromhex("190029280048694903 64cc01".replace(" ", "")))) == Completed(
        status_byte="00", terminal_number="28004869", currency="364"
    )
    with pytest.raises(AnswerError):
        decode(Apdu(0x060F, b"\xf0\xf0\xf9 2.14"))
    with pytest.raises(AnswerError):
        decode(Apdu(0x061E))


@pytest.mark.parametrize("size", [0, 1, 254, 255, 256, 4_096])
def test_a_message_of_any_length_comes_back_whole_from_every_split(size: int) -> None:
    apdu = Apdu(0x06D3, bytes(size))
    data = encode_apdu(apdu)
    assert split_apdu(data + b"\x80\x00") == (apdu, len(data))
    assert all(split_apdu(data[:at]) is None for at in range(0, len(data), 1 if size < 300 else 97))
    with pytest.raises(AnswerError):
        read_apdu(data + b"\x00")


def test_a_message_longer_than_any_is_refused_both_ways() -> None:
    with pytest.raises(ValueError, match="length"):
        encode_apdu(Apdu(0x06D3, bytes(4_097)))
    with pytest.raises(AnswerError):
        split_apdu(b"\x06\xd3\xff\x01\x10")


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for control in (0x040F, 0x060F, 0x061E, 0x04FF):
        try:
            decode(Apdu(control, data))
        except AnswerError:
            continue
    for read in (read_bmps, read_tlv):
        try:
            list(read(data))
        except AnswerError:
            continue
