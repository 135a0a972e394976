"""The conversation by itself: bytes in, events out, time as a number."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.devices.catalogue import load_catalogue
from edge.devices.terminals.outcome import LastTransaction, OrderAnswer, StatusAnswer, TerminalOutcome
from edge.devices.terminals.session import (
    Event,
    LastEnded,
    LateAnswer,
    OrderEnded,
    QueryEnded,
    ReadyEnded,
    SaleEnded,
    StrayAnswer,
    TerminalBill,
)
from edge.devices.terminals.telium_e import sale_request
from edge.devices.terminals.telium_e_link import encode_frame
from edge.devices.terminals.telium_e_session import TeliumESession
from firmware_profiles.protocol_options import TeliumEOptions

BUNDLED = load_catalogue().terminal("daftar/virtual_telium_e")
REFERENCE = "100200300400500600"
OTHER = "100200300400500601"
PRIVATE = REFERENCE[-10:]
AMOUNT = 125_000
ENQ, ACK, NAK, EOT = b"\x05", b"\x06", b"\x15", b"\x04"


@pytest.fixture
def session() -> TeliumESession:
    session = TeliumESession(BUNDLED)
    session.link_opened()
    return session


def answer(
    result: str = "0", *, amount: int = AMOUNT, currency: str = "364", private: str = PRIVATE, report: str | None = None
) -> bytes:
    middle = "" if report is None else report.ljust(55)
    message = f"01{result}{amount:08d}1{middle}{currency}{private:<10}"
    return ENQ + encode_frame(message.encode()) + EOT


def start(session: TeliumESession, *, reference: str = REFERENCE, now: int = 0) -> None:
    session.data_to_send()
    session.start_sale(amount_rial=AMOUNT, reference=reference, terminal_number=None, now_ms=now, due_ms=now + 8_000)
    assert session.data_to_send() == ENQ


def told(session: TeliumESession, *, reference: str = REFERENCE, now: int = 0) -> None:
    """Have the terminal take the amount."""
    start(session, reference=reference, now=now)
    session.receive_data(ACK, now)
    request = sale_request(till="01", amount=AMOUNT, currency="364", private=reference[-10:], full_answer=False)
    assert session.data_to_send() == encode_frame(request)
    session.receive_data(ACK, now)
    assert session.data_to_send() == EOT


def hear(session: TeliumESession, data: bytes, now: int = 100) -> list[Event]:
    session.receive_data(data, now)
    return session.events()


def outcome(events: list[Event]) -> TerminalOutcome:
    (event,) = events
    assert isinstance(event, SaleEnded | LateAnswer)
    return event.outcome


def test_an_approval_of_our_number_and_amount_is_approved(session: TeliumESession) -> None:
    told(session)
    assert session.unanswered(100) == REFERENCE
    said = outcome(hear(session, answer()))
    assert said.kind == "approved"
    assert said.evidence
    assert (said.evidence.reference, said.evidence.amount_rial, said.evidence.stan) == (REFERENCE, AMOUNT, None)
    assert (session.unanswered(100), session.centre_link) == (None, True)
    assert session.data_to_send() == ACK + ACK


def test_a_full_answer_counts_as_well(session: TeliumESession) -> None:
    told(session)
    said = outcome(hear(session, answer(report="6219861234568003 OK")))
    assert said.kind == "approved"
    assert said.evidence
    assert said.evidence.pan == "621986******8003"


@pytest.mark.parametrize(
    "wrong",
    [answer(amount=AMOUNT + 1), answer(currency="978"), answer(private="9999999999"), answer(private="")],
    ids=["amount", "currency", "number", "no number"],
)
def test_an_approval_of_another_sale_is_in_doubt(session: TeliumESession, wrong: bytes) -> None:
    told(session)
    said = outcome(hear(session, wrong))
    assert (said.kind, said.reason) == ("in_doubt", "mismatch")


@pytest.mark.parametrize(
    ("said", "kind"), [(answer("7"), "declined"), (answer("9"), "in_doubt"), (answer("5"), "in_doubt")]
)
def test_results_prove_what_the_table_says(session: TeliumESession, said: bytes, kind: str) -> None:
    told(session)
    assert outcome(hear(session, said)).kind == kind


def test_a_refusal_without_a_number_is_of_the_only_sale_there_can_be(session: TeliumESession) -> None:
    told(session)
    assert hear(session, answer("7", private="9999999999")) == []
    assert outcome(hear(session, answer("7", private=""))).kind == "declined"
    told(session)
    session.abandon_sale()
    told(session, reference=OTHER)
    assert hear(session, answer("7", private="")) == []


def test_silence_is_in_doubt_and_the_late_answer_settles_it(session: TeliumESession) -> None:
    told(session)
    session.tick(8_000)
    assert outcome(session.events()).reason == "no_answer"
    late = hear(session, answer(), now=9_000)
    assert isinstance(late[0], LateAnswer)
    assert outcome(late).kind == "approved"
    assert hear(session, answer(), now=9_100) == []
    assert session.data_to_send().endswith(ACK + ACK)


def test_an_answer_that_stays_broken_is_in_doubt(session: TeliumESession) -> None:
    told(session)
    broken = ENQ + 3 * (encode_frame(b"x")[:-1] + b"\x00")
    assert outcome(hear(session, broken)).reason == "bad_answer"
    told(session, reference=OTHER)
    assert outcome(hear(session, ENQ + encode_frame(b"x"))).reason == "bad_answer"


def test_an_amount_that_did_not_leave_was_not_charged(session: TeliumESession) -> None:
    start(session)
    for now in (1_000, 2_001, 3_002):
        session.tick(now - 999)
        assert session.data_to_send() == (b"" if now == 1_000 else ENQ)
        session.tick(now + 1)
    said = outcome(session.events())
    assert said.kind == "declined"
    assert said.evidence
    assert said.evidence.response_code == "ENQ"
    start(session)
    session.link_lost()
    assert outcome(session.events()).kind == "declined"


def test_a_request_that_is_refused_each_time_was_not_charged(session: TeliumESession) -> None:
    start(session)
    session.receive_data(ACK + NAK + NAK + NAK, 10)
    said = outcome(session.events())
    assert said.kind == "declined"
    assert said.evidence
    assert said.evidence.response_code == "NAK"


def test_an_amount_is_not_said_twice_into_silence(session: TeliumESession) -> None:
    start(session)
    session.receive_data(ACK, 0)
    assert len(session.data_to_send()) > 30
    session.tick(0)
    session.tick(5_000)
    assert (session.data_to_send(), session.events()) == (b"", [])
    assert outcome(hear(session, answer(), now=6_000)).kind == "approved"


def test_a_link_lost_after_the_amount_left_is_in_doubt(session: TeliumESession) -> None:
    told(session)
    session.link_lost()
    assert outcome(session.events()).reason == "link_lost"
    session.link_opened()
    assert outcome(hear(session, answer())).kind == "approved"


def test_a_charge_of_no_sale_is_for_a_person_to_see(session: TeliumESession) -> None:
    (event,) = hear(session, answer())
    assert isinstance(event, StrayAnswer)
    assert event.evidence.reference == PRIVATE
    assert hear(session, answer("7")) == []


def test_whether_it_is_there_is_asked_without_an_amount(session: TeliumESession) -> None:
    session.ask_ready(due_ms=5_000)
    assert session.data_to_send() == ENQ
    assert hear(session, ACK) == [ReadyEnded(idle=True)]
    assert session.data_to_send() == EOT
    session.ask_ready(due_ms=5_000)
    session.data_to_send()
    session.tick(5_000)
    assert session.events() == [ReadyEnded(idle=False)]
    assert session.unanswered(5_000) is None


def test_it_cannot_be_asked_or_told_anything_else(session: TeliumESession) -> None:
    told(session)
    session.abandon_sale()
    assert not session.ask_cancel(0)
    session.ask_status(reference=REFERENCE, amount_rial=AMOUNT, terminal_number=None, request_number="1", due_ms=1)
    session.ask_number(reference="1", request_number="1", due_ms=1)
    session.ask_last(request_number="1", due_ms=1)
    session.give_order("reverse", amount_rial=AMOUNT, stan="000001", terminal_number=None, due_ms=1)
    assert session.events() == [
        QueryEnded(REFERENCE, StatusAnswer(kind="no_answer")),
        QueryEnded("1", StatusAnswer(kind="no_answer")),
        LastEnded(LastTransaction(kind="no_answer")),
        OrderEnded(OrderAnswer(kind="refused", reason="terminal.cannot")),
    ]
    assert session.data_to_send() == b""


def test_what_the_protocol_cannot_carry_is_not_sent(session: TeliumESession) -> None:
    bill = TerminalBill(bill_id="1", payment_id="2")
    for amount, paid in ((0, None), (100_000_000, None), (AMOUNT, bill)):
        with pytest.raises(ValueError, match=r"amount|bills"):
            session.start_sale(
                amount_rial=amount, reference=REFERENCE, terminal_number=None, bill=paid, now_ms=0, due_ms=1
            )
    assert session.data_to_send() == b""
    assert session.unanswered(0) is None


def test_amounts_are_counted_in_the_units_that_the_profile_says() -> None:
    session = TeliumESession(msgspec.structs.replace(BUNDLED, telium_e=TeliumEOptions(minor_digits=2)))
    start(session)
    session.receive_data(ACK, 0)
    assert f"{AMOUNT * 100:08d}".encode() in session.data_to_send()
    assert outcome(hear(session, ACK + answer(amount=AMOUNT * 100))).kind == "approved"


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=40), max_size=5))
def test_no_bytes_make_a_sale_approved_or_a_wait_endless(pieces: list[bytes]) -> None:
    session = TeliumESession(BUNDLED)
    session.start_sale(amount_rial=AMOUNT, reference=REFERENCE, terminal_number=None, now_ms=0, due_ms=8_000)
    for now, piece in enumerate(pieces):
        session.receive_data(piece, now)
        session.data_to_send()
    session.tick(8_000)
    assert outcome(session.events()).kind != "approved"


@settings(max_examples=60)
@given(st.integers(1, 27), st.integers(1, 255))
def test_no_changed_byte_makes_an_approval_of_something_else(at: int, change: int) -> None:
    session = TeliumESession(BUNDLED)
    told(session)
    said = answer("7")
    changed = said[:at] + bytes([said[at] ^ change]) + said[at + 1 :]
    session.receive_data(changed, 10)
    session.tick(8_000)
    assert outcome(session.events()).kind in {"declined", "in_doubt"}
