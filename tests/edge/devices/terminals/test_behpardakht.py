"""The codec against the protocol's documented frames: requests by making them, answers by reading all they say."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.devices.terminals.behpardakht import (
    CANCEL,
    READY_ANSWER,
    READY_QUESTION,
    Answer,
    AnswerError,
    crc16_arc,
    decode_body,
    last_request,
    query_request,
    sale_request,
)


def refusal(code: str, service: str = "01") -> Answer:
    return Answer(
        response_code=code,
        service=service,
        request_number="200",
        terminal_number="21009543",
        merchant_number="12404580",
    )


APPROVED_10000 = Answer(
    response_code="00",
    service="01",
    transaction_type="01",
    request_number="200",
    amount_rial=10_000,
    reference="3000",
    stan="06",
    rrn="127957072802",
    date="1399/03/08",
    time="12:16",
    last4="0770",
    bin6="603769",
    terminal_number="21009543",
    merchant_number="12404580",
)
ANSWERS = {
    "sale 1250 approved": Answer(
        response_code="00",
        service="01",
        request_number="5263",
        amount_rial=1_250,
        stan="0171",
        rrn="127879949527",
        date="1396/01/29",
        time="14:24",
        last4="4869",
        bin6="627381",
        terminal_number="21009268",
        merchant_number="12404580",
    ),
    "sale 10000 BA=3000 approved": APPROVED_10000,
    "inquiry 16 answer EA": refusal("EA", "16"),
    "FD error": Answer(response_code="FD", service="01", terminal_number="21009268", merchant_number="12404580"),
    "sale answer 51": refusal("51"),
    "sale answer 17": refusal("17"),
    "sale answer FF": refusal("FF"),
    "sale answer FU": refusal("FU"),
}
REQUESTS = {
    "sale 1250": sale_request(
        amount_rial=1_250, request_number="5263", reference=None, payment_code="0108", merchant_data="123456"
    ),
    "sale 10000 with tracking id BA=3000": sale_request(
        amount_rial=10_000, request_number="200", reference="3000", payment_code="0108"
    ),
    "inquiry 16 by BA=3000": query_request(reference="3000", request_number="200"),
    "last transaction inquiry 17": last_request(request_number="201"),
    "ready probe": READY_QUESTION,
    "cancel": CANCEL,
}


def test_crc_is_arc() -> None:
    assert crc16_arc(b"123456789") == 0xBB3D


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_are_the_documented_bytes(vectors: dict[str, bytes], name: str) -> None:
    assert REQUESTS[name] == vectors[name]


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_are_read_whole(vectors: dict[str, bytes], name: str) -> None:
    assert decode_body(vectors[name][4:-2]) == ANSWERS[name]


def test_the_payment_of_a_bill_is_service_05_with_its_two_identifiers() -> None:
    frame = sale_request(amount_rial=250_000, request_number="5", reference="77", bill=("1234567890123", "250120"))
    assert frame[4:-2].hex() == "b003250000b30701234567890123b403250120a20105ba023737a40135"
    assert frame[:4] == b"%04d" % len(frame[4:-2])


@pytest.mark.parametrize("bill", [("12x", "1"), ("", "1"), ("1", "1" * 19), ("۱۲", "1")])
def test_an_identifier_that_is_no_number_is_not_sent(bill: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="identifier of a bill"):
        sale_request(amount_rial=1, request_number="1", reference="1", bill=bill)


def test_no_vector_is_left_out(vectors: dict[str, bytes]) -> None:
    assert {*REQUESTS, *ANSWERS, "ready answer"} == set(vectors)
    assert vectors["ready answer"] == READY_ANSWER


def test_the_sale_we_send_carries_amount_service_reference_and_request_number() -> None:
    frame = sale_request(amount_rial=125_000, request_number="234567890123", reference="123456781234567890")
    body = bytes.fromhex(
        "b003125000" + "a20101" + "ba12" + b"123456781234567890".hex() + "a40c" + b"234567890123".hex()
    )
    assert frame[:4] == b"%04d" % len(body)
    assert frame[4:-2] == body


def test_the_card_number_is_masked() -> None:
    assert APPROVED_10000.pan == "603769******0770"
    assert ANSWERS["sale answer 51"].pan is None


def test_time_is_kept_as_the_terminal_wrote_it() -> None:
    assert APPROVED_10000.terminal_time == "1399/03/08 12:16"
    assert ANSWERS["FD error"].terminal_time is None


@pytest.mark.parametrize("amount", [0, -1, 10**12])
def test_an_amount_that_does_not_fit_is_refused(amount: int) -> None:
    with pytest.raises(ValueError, match="amount_rial"):
        sale_request(amount_rial=amount, request_number="1", reference="1")


@pytest.mark.parametrize("reference", ["", "1" * 21, "۱۲۳", "12 3"])
def test_a_reference_that_does_not_fit_is_refused(reference: str) -> None:
    with pytest.raises(ValueError, match="reference"):
        sale_request(amount_rial=1, request_number="1", reference=reference)
    with pytest.raises(ValueError, match="reference"):
        query_request(reference=reference, request_number="1")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "a20101",  # no response code
        "c0023030c0023531",  # two response codes
        "c0023030b0021250b0021251",  # two amounts
        "c00230",  # cut in a value
        "c0",  # cut in a header
        "c003303030",  # a code of three characters
        "c0020a30",  # a code that cannot be printed
        "c0023030b0",
        "c0023030b00212f0",  # an amount with a digit above 9
        "c0023030b000",  # an empty amount
        "c0023030c503077012",  # six last digits of a card
        "c0023030c60860376912345678",  # a whole card number where the BIN belongs
    ],
)
def test_a_body_that_is_not_whole_is_refused_without_telling_what_it_held(body: str) -> None:
    with pytest.raises(AnswerError) as caught:
        decode_body(bytes.fromhex(body))
    assert not re.search(r"\d{2}", str(caught.value))


def test_unknown_members_are_noticed_and_not_kept() -> None:
    answer = decode_body(bytes.fromhex("c0023030ca021234fe0101"))
    assert answer.other_tags == (0xCA, 0xFE)
    assert "1234" not in repr(answer)


@given(body=st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        answer = decode_body(body)
    except AnswerError:
        return
    assert len(answer.response_code) == 2


@given(amount=st.integers(1, 10**12 - 1), reference=st.text("0123456789", min_size=1, max_size=20))
def test_what_a_sale_says_can_be_read_back(amount: int, reference: str) -> None:
    frame = sale_request(amount_rial=amount, request_number="1", reference=reference)
    answer = decode_body(b"\xc0\x0200" + frame[4:-2])
    assert (answer.amount_rial, answer.reference, answer.service) == (amount, reference, "01")
