"""The bytes of Sadad's sales and reports, against the maker's own examples."""

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.devices.terminals.sadad import (
    HEADER_BYTES,
    SALE_ANSWER_BYTES,
    TRAILER_BYTES,
    AnswerError,
    SaleAnswer,
    decode_sale_answer,
    masked_pan,
    sale_request,
    signal,
)
from edge.devices.terminals.sadad_framing import Framer
from edge.devices.terminals.sadad_reports import (
    CARD,
    LAST_PLAIN,
    SEARCH_MORE,
    Device,
    Other,
    Record,
    Report,
    decode_report,
    device_request,
    last_request,
    report_request,
    search_request,
)

GOLDEN = Path(__file__).parents[3] / "golden" / "terminal_vectors.json"
ROWS = [row for row in json.loads(GOLDEN.read_bytes()) if row["family"] == "sadad"]
VECTORS = {row["name"]: bytes.fromhex(row["hex"]) for row in ROWS}
API = "5.3.185.1336"
APPROVED, DECLINED = VECTORS["sale response 00 amount 1000"], VECTORS["sale response 51 (insufficient funds)"]
FOUND = VECTORS["search by OrderId response"]
BILL = next(name for name in VECTORS if name.startswith("bill request"))

REQUESTS = {
    "INM v000": signal("INM"),
    "ACK v000": signal("ACK"),
    "EOT v000 (cancel)": signal("EOT"),
    "NACK v000": signal("NACK"),
    "sale 1000": sale_request(amount_rial=1_000, reference=None, api_version=API),
    "sale 1000 SaleId 987654": sale_request(amount_rial=1_000, reference=None, api_version=API, sale_id="987654"),
    "sale 1000 OrderId 321654": sale_request(amount_rial=1_000, reference="321654", api_version=API),
    BILL: sale_request(amount_rial=1_898_000, reference=None, api_version=None, bill=("6039628301226", "189840835")),
    "device info request": device_request(),
    "card info request": report_request(CARD),
    "last 5 ok report request": last_request(count=5, kind=1, function=LAST_PLAIN),
    "last 5 failed report request (doc LRC is wrong)": last_request(count=5, kind=0, function=LAST_PLAIN),
    "search by OrderId 321654 request": search_request("321654"),
    "search by OrderId v2 request": search_request("321654", function=SEARCH_MORE),
}
ANSWERS = {
    "INM v000": "INM",
    "ACK v000": "ACK",
    "ACK v002": "ACK",
    "EOT v000 (cancel)": "EOT",
    "NACK v000": "NACK",
    "sale response 00 amount 1000": SaleAnswer(
        response_code="00",
        amount_rial=1_000,
        pan="621986******3865",
        processing_code="000000",
        trace="000996",
        time="1397/10/09 15:39:08",
        rrn="320062616116",
        approval_code="0014",
        terminal_number="C0000301",
        merchant_number="000000000000152",
    ),
    "sale response 51 (insufficient funds)": SaleAnswer(
        response_code="51",
        amount_rial=1_000,
        pan="621986******3865",
        processing_code="000000",
        trace="000997",
        time="1397/10/09 15:40:00",
        terminal_number="C0000301",
        merchant_number="000000000000152",
    ),
    "search by OrderId response": Report(
        function="0016",
        records=(
            Record(
                transaction_type="04",
                response_code="00",
                amount_rial=1_000,
                trace="000996",
                date="20181230",
                time="153908",
                pan="621986******3864",
                rrn="320062616116",
                reference="321654",
            ),
        ),
    ),
}


def data_of(frame: bytes) -> bytes:
    return frame[HEADER_BYTES:-TRAILER_BYTES]


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_are_the_documented_bytes(name: str) -> None:
    assert REQUESTS[name] == VECTORS[name]


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_are_read_to_all_their_fields(name: str) -> None:
    framer = Framer(1_000)
    framer.receive_data(VECTORS[name], 0)
    assert framer.items() == [ANSWERS[name]]


def test_every_documented_frame_is_tried() -> None:
    assert set(VECTORS) == set(REQUESTS) | set(ANSWERS)


def test_what_a_sale_and_a_record_say_is_evidence_with_a_masked_card() -> None:
    said = decode_sale_answer(data_of(APPROVED)).evidence("answer")
    assert (said.reference, said.stan, said.rrn, said.pan) == (None, "000996", "320062616116", "621986******3865")
    assert (said.terminal_number, said.terminal_time) == ("C0000301", "1397/10/09 15:39:08")
    report = decode_report(data_of(FOUND))
    assert isinstance(report, Report)
    found = report.records[0].evidence("status_query", "C0000301")
    assert (found.reference, found.terminal_number, found.terminal_time) == ("321654", "C0000301", "20181230 153908")


def test_nothing_but_the_mask_is_left_of_a_card_number() -> None:
    said = decode_sale_answer(data_of(APPROVED))
    assert "62198635" not in repr(said)
    assert masked_pan("6219861234567890123") == "621986******0123"
    assert masked_pan("621986**3864") == "621986******3864"
    assert masked_pan("621986******????") == "621986**********"
    assert masked_pan("????????????????") is None
    assert masked_pan("12345678901") is None


def field(at: int, units: int, text: str) -> bytes:
    """An approval with one field's text put in place of its own; `at` in units."""
    data = data_of(APPROVED)
    return data[: 2 * at] + text.encode("utf-16-le").ljust(2 * units, b"\0") + data[2 * (at + units) :]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        data_of(APPROVED)[:-2],
        data_of(APPROVED) + b"\0\0",
        field(0, 4, ""),
        field(0, 4, "0a"),
        field(0, 4, "0\n"),
        field(0, 4, "۰۰"),
        field(4, 13, "10.0"),
        field(4, 13, "-1"),
        field(41, 7, "12345678"[:7]),
        field(41, 7, "12 45"),
        field(62, 13, "1/2"),
    ],
)
def test_what_cannot_be_an_answer_to_a_sale_is_none(data: bytes) -> None:
    with pytest.raises(AnswerError):
        decode_sale_answer(data)


def test_members_that_are_not_there_are_absent() -> None:
    said = decode_sale_answer(field(4, 13, ""))
    assert (said.amount_rial, said.trace) == (None, "000996")
    assert decode_sale_answer(field(41, 7, "42")).trace == "000042"
    assert decode_sale_answer(field(54, 8, "")).time is None
    assert decode_sale_answer(b"3\x004\x006\0".ljust(SALE_ANSWER_BYTES, b"\0")).response_code == "346"


@pytest.mark.parametrize("amount", [0, -1, 10**12])
def test_an_amount_that_does_not_fit_sends_nothing(amount: int) -> None:
    with pytest.raises(ValueError, match="amount_rial"):
        sale_request(amount_rial=amount, reference="1", api_version=API)


@pytest.mark.parametrize("reference", ["", "1" * 100, "12 4", "۱۲", "12,4"])
def test_a_reference_that_the_terminal_cannot_keep_sends_nothing(reference: str) -> None:
    with pytest.raises(ValueError, match="reference"):
        sale_request(amount_rial=1, reference=reference, api_version=API)
    with pytest.raises(ValueError, match="reference"):
        search_request(reference)


def test_a_bill_with_other_than_digits_sends_nothing() -> None:
    with pytest.raises(ValueError, match="digits"):
        sale_request(amount_rial=1, reference="1", api_version=API, bill=("12", "3,4"))


def report(function: str, payload: str) -> bytes:
    return f"{function}{len(payload):03d}{payload}".encode()


RECORD = data_of(FOUND)[7:67].decode()


def test_several_transactions_are_read_with_and_without_references() -> None:
    plain = decode_report(report("0002", RECORD + RECORD))
    assert isinstance(plain, Report)
    assert [one.reference for one in plain.records] == [None, None]
    named = decode_report(report("0014", RECORD + "0212" + RECORD + "00"))
    assert isinstance(named, Report)
    assert [one.reference for one in named.records] == ["12", None]


@pytest.mark.parametrize(("payload", "code"), [("", "NONE"), ("346", "346"), ("00", "00")])
def test_an_answer_without_transactions_says_why(payload: str, code: str) -> None:
    assert decode_report(report("0016", payload)) == Report(function="0016", code=code)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"0016",
        b"001606",
        b"0016001",
        b"0016000x",
        b"00x6000",
        report("0016", RECORD),
        report("0016", RECORD + "06123"),
        report("0016", RECORD + "0x123"),
        report("0016", RECORD[:-1] + "?01" + "1"),
        report("0002", RECORD[:-1]),
        report("0002", "x" + RECORD[1:]),
        report("0002", RECORD[:2] + "x" + RECORD[3:]),
        report("0016", RECORD + "021?"),
        report("0016", "34?"),
        b"0016002\xff\xff",
    ],
)
def test_a_report_that_is_not_whole_is_none(data: bytes) -> None:
    with pytest.raises(AnswerError):
        decode_report(data)


def test_an_answer_to_what_the_box_never_asks_keeps_nothing() -> None:
    assert decode_report(report("0004", "6219861234563864")) == Other(function="0004")


@pytest.mark.parametrize("spelling", ["SADAD PC POS", "SADAD PCPOS", "Sadad PC POS"])
def test_a_terminal_says_who_it_is_in_utf_8(spelling: str) -> None:
    text = f"{spelling}:فروشگاه ۲:شعبه:192.168.1.5:8888:C0000301:000000000000152"
    device = Device(terminal_number="C0000301", merchant_number="000000000000152")
    # The length counts letters in one reading and bytes in the other.
    assert decode_report(b"0006%03d" % len(text) + text.encode()) == device
    assert decode_report(b"0006%03d" % len(text.encode()) + text.encode()) == device


@pytest.mark.parametrize(
    "text", [b"", b"\xff\xfe", b"HELLO:a:1:2", b"SADAD PC POS:a:1 1:2", b"SADAD", b"SADAD:\xd9:1:"]
)
def test_a_terminal_that_does_not_say_its_number_has_said_something_all_the_same(text: bytes) -> None:
    assert decode_report(b"0006%03d" % len(text) + text) == Device()


FUNCTIONS = st.sampled_from([b"0002", b"0004", b"0006", b"0014", b"0016", b"0018"])
BYTES = st.one_of(st.binary(max_size=80), st.text("0123456789:*SAD ", max_size=80).map(str.encode))


@given(st.one_of(st.binary(max_size=400), st.builds(lambda f, p: f + b"%03d" % len(p) + p, FUNCTIONS, BYTES)))
def test_no_bytes_break_a_decoder(data: bytes) -> None:
    for decode in (decode_sale_answer, decode_report):
        with contextlib.suppress(AnswerError):
            decode(data)
