"""The conversation by itself: bytes in, events out, time as a number."""

import json
import struct
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.devices.catalogue import load_catalogue
from edge.devices.terminals.outcome import LastTransaction, OrderAnswer, StatusAnswer, TerminalOutcome
from edge.devices.terminals.sadad import encode_frame, sale_request, signal
from edge.devices.terminals.sadad_reports import SEARCH_MORE, device_request, last_request, search_request
from edge.devices.terminals.sadad_session import SadadSession
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
from firmware_profiles.protocol_options import SadadOptions

GOLDEN = Path(__file__).parents[3] / "golden" / "terminal_vectors.json"
VECTORS = {
    row["name"]: bytes.fromhex(row["hex"]) for row in json.loads(GOLDEN.read_bytes()) if row["family"] == "sadad"
}
APPROVED, DECLINED = VECTORS["sale response 00 amount 1000"], VECTORS["sale response 51 (insufficient funds)"]
INM, ACK, NACK, EOT = signal("INM"), signal("ACK"), signal("NACK"), signal("EOT")
PROFILE = load_catalogue().terminal("daftar/virtual_sadad")
API = SadadOptions().api_version
NUMBER, REFERENCE, AMOUNT = "C0000301", "100200300400500600", 1_000
RECORD = VECTORS["search by OrderId response"][15:75].decode()
CALL = f"SADAD PC POS:shop:192.168.1.5:8888:{NUMBER}:000000000000152"


def response(function: str, payload: str) -> bytes:
    data = f"{function}{len(payload):03d}{payload}".encode()
    return encode_frame(0x1A, data, version="002")


def approved(*, amount: int = AMOUNT, trace: str = "000996", number: str = NUMBER, code: str = "00") -> bytes:
    """The documented approval with other members; units: lengths in units of two bytes."""
    data = bytearray(APPROVED[8:-2])
    for at, units, text in ((0, 4, code), (4, 13, str(amount)), (41, 7, trace), (82, 9, number)):
        data[2 * at : 2 * (at + units)] = text.encode("utf-16-le").ljust(2 * units, b"\0")
    return encode_frame(0x1A, bytes(data))


FOUND = response("0016", f"{RECORD}{len(REFERENCE):02d}{REFERENCE}")
DEVICE = response("0006", CALL)


@pytest.fixture
def session() -> SadadSession:
    session = SadadSession(PROFILE)
    session.link_opened()
    return session


def hear(session: SadadSession, data: bytes, now: int = 100) -> list[Event]:
    session.receive_data(data, now)
    return session.events()


def start(session: SadadSession, *, now: int = 0, reference: str = REFERENCE, number: str | None = NUMBER) -> None:
    session.start_sale(amount_rial=AMOUNT, reference=reference, terminal_number=number, now_ms=now, due_ms=now + 20_000)
    assert session.data_to_send() == INM


def start_and_be_taken(session: SadadSession, *, reference: str = REFERENCE, number: str | None = NUMBER) -> None:
    start(session, reference=reference, number=number)
    assert hear(session, ACK) == []
    assert session.data_to_send() == sale_request(amount_rial=AMOUNT, reference=reference, api_version=API)
    assert hear(session, ACK) == []


def outcome(events: list[Event]) -> TerminalOutcome:
    (event,) = events
    assert isinstance(event, SaleEnded | LateAnswer)
    assert event.reference == REFERENCE
    return event.outcome


def status(session: SadadSession, answer: bytes, *, told: bool = True) -> StatusAnswer:
    """Ask as the driver does: who it is on one link, the sale on the next."""
    if told:
        session.link_opened()
        session.ask_ready(due_ms=20_000)
        assert session.data_to_send() == INM
        assert hear(session, ACK + ACK + DEVICE) == [ReadyEnded(idle=True)]
        assert session.data_to_send() == device_request() + ACK
    session.link_opened()
    session.ask_status(
        reference=REFERENCE, amount_rial=AMOUNT, terminal_number=NUMBER, request_number="1", due_ms=20_000
    )
    assert session.data_to_send() == INM
    assert hear(session, ACK) == []
    assert session.data_to_send() == search_request(REFERENCE)
    (event,) = hear(session, ACK + answer)
    assert isinstance(event, QueryEnded)
    assert event.reference == REFERENCE
    return event.answer


# --- sales -----------------------------------------------------------------------------------------------------------


def test_an_approval_on_the_sales_own_link_is_approved_and_acknowledged(session: SadadSession) -> None:
    start_and_be_taken(session)
    ended = outcome(hear(session, APPROVED))
    assert (ended.kind, ended.reason) == ("approved", "")
    assert ended.evidence
    assert (ended.evidence.rrn, ended.evidence.pan) == ("320062616116", "621986******3865")
    assert session.data_to_send() == ACK
    assert (session.terminal_number, session.centre_link, session.unanswered(200)) == (NUMBER, True, None)
    assert not session.is_listening(200)


def test_all_of_a_conversation_in_one_segment_with_line_feeds(session: SadadSession) -> None:
    start(session)
    assert outcome(hear(session, ACK + b"\n" + ACK + b"\n" + APPROVED + b"\n")).kind == "approved"


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (DECLINED, "declined", ""),
        (EOT, "cancelled", ""),
        (approved(amount=AMOUNT + 1), "in_doubt", "mismatch"),
        (approved(number="C0000302"), "in_doubt", "mismatch"),
        (approved(trace=""), "in_doubt", "mismatch"),
        (approved(code="91"), "in_doubt", "unclear_code"),
        (approved(code="336"), "in_doubt", "unclear_code"),
        (approved(code="346"), "in_doubt", "unclear_code"),
        (approved(code="377"), "in_doubt", "unclear_code"),
        (approved(code="0"), "in_doubt", "unclear_code"),
        (approved(code="51", amount=AMOUNT + 1), "in_doubt", "mismatch"),
        (FOUND, "in_doubt", "bad_answer"),
    ],
)
def test_what_an_answer_proves(session: SadadSession, answer: bytes, kind: str, reason: str) -> None:
    start_and_be_taken(session)
    ended = outcome(hear(session, answer))
    assert (ended.kind, ended.reason) == (kind, reason)


def test_the_payment_of_a_bill_is_another_process_and_its_answer_has_to_say_so(session: SadadSession) -> None:
    bill = TerminalBill(bill_id="6039628301226", payment_id="189840835")
    session.start_sale(
        amount_rial=AMOUNT, reference=REFERENCE, terminal_number=NUMBER, bill=bill, now_ms=0, due_ms=20_000
    )
    hear(session, ACK)
    assert session.data_to_send() == INM + sale_request(
        amount_rial=AMOUNT, reference=REFERENCE, api_version=API, bill=("6039628301226", "189840835")
    )
    ended = outcome(hear(session, ACK + APPROVED))
    assert (ended.kind, ended.reason) == ("in_doubt", "mismatch")


def test_a_sale_that_does_not_fit_sends_nothing(session: SadadSession) -> None:
    with pytest.raises(ValueError, match="amount_rial"):
        session.start_sale(amount_rial=0, reference=REFERENCE, terminal_number=None, now_ms=0, due_ms=1)
    assert (session.data_to_send(), session.unanswered(0)) == (b"", None)


def test_no_link_to_the_centre_is_known_from_the_code(session: SadadSession) -> None:
    start_and_be_taken(session)
    assert outcome(hear(session, approved(code="335"))).kind == "declined"
    assert session.centre_link is False


def test_a_terminal_that_takes_no_greeting_is_in_doubt_though_nothing_of_the_amount_left(session: SadadSession) -> None:
    start(session)
    for now in (0, 1_000, 1_000, 2_000, 2_000, 3_000):
        session.tick(now)
    ended = outcome(session.events())
    assert (ended.kind, ended.reason) == ("in_doubt", "no_answer")
    assert session.data_to_send() == INM + INM
    assert (session.unanswered(3_000), session.is_listening(3_000)) == (None, False)
    # Its answer to the greeting, when it comes at last, starts nothing.
    assert hear(session, ACK, 3_100) == []
    assert session.data_to_send() == b""


def test_a_request_that_the_terminal_does_not_take_is_declined(session: SadadSession) -> None:
    start(session)
    hear(session, ACK)
    ended = outcome(hear(session, NACK))
    assert ended.kind == "declined"
    assert ended.evidence
    assert ended.evidence.response_code == "NACK"
    assert not session.is_listening(200)


def test_silence_after_the_request_is_in_doubt_and_a_late_answer_settles_it(session: SadadSession) -> None:
    start_and_be_taken(session)
    session.tick(19_999)
    assert session.events() == []
    session.tick(20_000)
    assert outcome(session.events()).reason == "no_answer"
    assert (session.unanswered(20_000), session.is_listening(20_000)) == (REFERENCE, True)
    (late,) = hear(session, APPROVED, 25_000)
    assert isinstance(late, LateAnswer)
    assert late.outcome.kind == "approved"
    assert session.data_to_send() == ACK
    assert not session.is_listening(25_000)


def test_a_cancel_at_the_terminal_settles_a_sale_nobody_waits_for(session: SadadSession) -> None:
    start_and_be_taken(session)
    session.abandon_sale()
    (late,) = hear(session, EOT)
    assert isinstance(late, LateAnswer)
    assert late.outcome.kind == "cancelled"
    # A charge that is told all the same beats it.
    assert outcome(hear(session, APPROVED)).kind == "approved"


def test_the_end_after_a_damaged_answer_is_no_cancel(session: SadadSession) -> None:
    start_and_be_taken(session)
    assert hear(session, APPROVED[:-1] + b"?") == []
    assert session.data_to_send() == NACK
    ended = outcome(hear(session, EOT))
    assert (ended.kind, ended.reason) == ("in_doubt", "bad_answer")


def test_a_damaged_answer_that_comes_again_whole_counts(session: SadadSession) -> None:
    start_and_be_taken(session)
    hear(session, APPROVED[:-1] + b"?")
    assert outcome(hear(session, APPROVED)).kind == "approved"
    assert session.data_to_send() == NACK + ACK


def test_an_answer_cut_in_the_middle_is_asked_for_again(session: SadadSession) -> None:
    start_and_be_taken(session)
    assert hear(session, APPROVED[:150], 500) == []
    session.tick(1_000)
    assert session.data_to_send() == NACK
    assert outcome(hear(session, APPROVED, 1_500)).kind == "approved"


def test_an_answer_damaged_three_times_is_in_doubt_and_can_still_come(session: SadadSession) -> None:
    start_and_be_taken(session)
    for _ in range(2):
        assert hear(session, APPROVED[:-1] + b"?") == []
    assert outcome(hear(session, APPROVED[:-1] + b"?")).reason == "bad_answer"
    (late,) = hear(session, APPROVED)
    assert isinstance(late, LateAnswer)


def test_a_lost_link_is_in_doubt(session: SadadSession) -> None:
    start_and_be_taken(session)
    session.link_lost()
    assert outcome(session.events()).reason == "link_lost"
    assert session.unanswered(1_000) == REFERENCE
    assert not session.is_listening(1_000)
    assert session.unanswered(PROFILE.times.longest_ms) is None


def test_cancelling_takes_the_sale_back_on_its_own_link(session: SadadSession) -> None:
    assert not session.ask_cancel(0)
    start(session)
    assert not session.ask_cancel(0)
    hear(session, ACK)
    session.data_to_send()
    assert session.ask_cancel(100)
    assert session.data_to_send() == EOT
    # The acknowledgement of the cancel is not the cancel.
    assert hear(session, ACK) == []
    assert outcome(hear(session, EOT)).kind == "cancelled"


def test_an_answer_of_the_sale_before_is_not_this_sales(session: SadadSession) -> None:
    start_and_be_taken(session)
    hear(session, APPROVED)
    session.link_opened()
    start(session, reference="200300400500600700")
    # Before the request left, and after: the terminal repeats what it thinks was not heard.
    assert hear(session, APPROVED) == []
    hear(session, ACK)
    assert hear(session, ACK + APPROVED) == []
    (event,) = hear(session, approved(trace="000997"))
    assert isinstance(event, SaleEnded)
    assert (event.reference, event.outcome.kind) == ("200300400500600700", "approved")


def test_an_unknown_charge_before_the_request_left_is_for_a_person(session: SadadSession) -> None:
    start(session)
    (stray,) = hear(session, APPROVED)
    assert isinstance(stray, StrayAnswer)
    assert session.data_to_send() == ACK
    hear(session, ACK)
    assert session.data_to_send() == sale_request(amount_rial=AMOUNT, reference=REFERENCE, api_version=API)


# --- questions -------------------------------------------------------------------------------------------------------


def test_being_there_is_asked_by_who_it_is_and_tells_the_number(session: SadadSession) -> None:
    session.ask_number(reference="1", request_number="1", due_ms=3_000)
    assert session.events() == [QueryEnded("1", StatusAnswer(kind="no_answer"))]
    assert session.data_to_send() == b""
    session.ask_ready(due_ms=3_000)
    assert hear(session, ACK + ACK + DEVICE) == [ReadyEnded(idle=True)]
    assert session.terminal_number == NUMBER


@pytest.mark.parametrize("answer", [EOT, ACK + EOT, NACK + NACK + NACK])
def test_a_terminal_that_ends_or_refuses_is_not_idle(session: SadadSession, answer: bytes) -> None:
    session.ask_ready(due_ms=3_000)
    assert hear(session, answer) == [ReadyEnded(idle=False)]


def test_a_terminal_that_says_nothing_in_time_is_not_idle(session: SadadSession) -> None:
    session.ask_ready(due_ms=2_500)
    session.tick(2_500)
    assert session.events() == [ReadyEnded(idle=False)]


def test_a_found_sale_of_the_amount_is_approved(session: SadadSession) -> None:
    answer = status(session, FOUND)
    assert answer.kind == "approved"
    assert answer.evidence
    assert (answer.evidence.reference, answer.evidence.terminal_number) == (REFERENCE, NUMBER)


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        ("", "not_found"),
        ("346", "not_found"),
        ("354", "unclear"),
        (f"{RECORD[:-2]}51{len(REFERENCE)}{REFERENCE}", "not_found"),
        (f"{RECORD[:-2]}91{len(REFERENCE)}{REFERENCE}", "unclear"),
        (f"{RECORD[:-2]}51{len(REFERENCE)}{REFERENCE}{RECORD}{len(REFERENCE)}{REFERENCE}", "approved"),
        (f"{RECORD}06321654", "unclear"),
        (f"{RECORD}00", "unclear"),
        (f"04000000002000{RECORD[14:]}{len(REFERENCE)}{REFERENCE}", "mismatch"),
    ],
)
def test_what_a_search_proves(session: SadadSession, payload: str, kind: str) -> None:
    assert status(session, response("0016", payload)).kind == kind


def test_a_search_may_be_answered_by_a_code_in_the_older_form(session: SadadSession) -> None:
    data = struct.pack("<3H", *b"346").ljust(274, b"\0")
    answer = status(session, encode_frame(0x1A, data))
    assert (answer.kind, answer.response_code) == ("not_found", "346")
    assert answer.evidence
    assert answer.evidence.terminal_number == NUMBER


def test_another_terminals_word_is_no_proof(session: SadadSession) -> None:
    other = response("0006", CALL.replace(NUMBER, "C0000999"))
    session.ask_ready(due_ms=20_000)
    hear(session, ACK + ACK + other)
    session.data_to_send()
    answer = status(session, FOUND, told=False)
    assert answer.kind == "mismatch"
    # And who it was counts once: the next connection may be another's.
    again = status(session, response("0016", "346"), told=False)
    assert again.evidence
    assert again.evidence.terminal_number is None


def test_of_a_terminal_that_does_not_say_who_it_is_only_a_found_sale_is_believed(session: SadadSession) -> None:
    session.ask_ready(due_ms=20_000)
    assert hear(session, ACK + ACK + response("0006", "SADAD")) == [ReadyEnded(idle=True)]
    session.data_to_send()
    assert status(session, FOUND, told=False).kind == "approved"
    unfound = status(session, response("0016", "346"), told=False)
    assert unfound.kind == "not_found"
    assert unfound.evidence
    # Which payments' own terminal said so is not known: whoever counts not-founds does not count it.
    assert unfound.evidence.terminal_number is None


def test_a_damaged_answer_to_a_question_is_asked_for_again_then_unclear(session: SadadSession) -> None:
    session.ask_status(reference=REFERENCE, amount_rial=AMOUNT, terminal_number=None, request_number="1", due_ms=9_000)
    hear(session, ACK + ACK)
    session.data_to_send()
    for _ in range(2):
        assert hear(session, FOUND[:-1] + b"?") == []
        assert session.data_to_send() == NACK
    (event,) = hear(session, FOUND[:-1] + b"?")
    assert isinstance(event, QueryEnded)
    assert event.answer.kind == "unclear"


def test_a_question_that_is_not_answered_has_no_answer(session: SadadSession) -> None:
    session.ask_status(reference=REFERENCE, amount_rial=AMOUNT, terminal_number=None, request_number="1", due_ms=9_000)
    session.link_lost()
    assert session.events() == [QueryEnded(REFERENCE, StatusAnswer(kind="no_answer"))]
    session.link_opened()
    session.ask_last(request_number="1", due_ms=9_000)
    session.tick(9_000)
    assert session.events() == [LastEnded(LastTransaction(kind="no_answer"))]


def test_a_found_sale_is_known_from_then_on(session: SadadSession) -> None:
    start_and_be_taken(session)
    session.link_lost()
    session.events()
    assert status(session, FOUND).kind == "approved"
    assert session.unanswered(1_000) is None
    session.link_opened()
    assert hear(session, APPROVED) == []


def test_a_charge_told_while_something_else_is_asked_is_for_a_person(session: SadadSession) -> None:
    session.ask_ready(due_ms=3_000)
    hear(session, ACK)
    (stray,) = hear(session, APPROVED)
    assert isinstance(stray, StrayAnswer)
    assert hear(session, ACK + DEVICE) == [ReadyEnded(idle=True)]


@pytest.mark.parametrize(
    ("payload", "kind"), [(f"{RECORD}06321654", "known"), ("346", "none"), ("", "none"), ("354", "unclear")]
)
def test_the_last_transaction_is_told(session: SadadSession, payload: str, kind: str) -> None:
    session.ask_last(request_number="1", due_ms=3_000)
    hear(session, ACK)
    assert session.data_to_send() == INM + last_request()
    (event,) = hear(session, ACK + response("0014", payload))
    assert isinstance(event, LastEnded)
    assert event.last.kind == kind


def test_the_search_is_the_one_that_the_profile_names() -> None:
    session = SadadSession(msgspec.structs.replace(PROFILE, sadad=SadadOptions(search_function=SEARCH_MORE)))
    session.link_opened()
    session.ask_status(reference="321654", amount_rial=1, terminal_number=None, request_number="1", due_ms=1)
    hear(session, ACK)
    assert session.data_to_send() == INM + VECTORS["search by OrderId v2 request"]


def test_no_order_can_be_given(session: SadadSession) -> None:
    session.give_order("reverse", amount_rial=1, stan="000001", terminal_number=None, due_ms=1)
    assert session.events() == [OrderEnded(OrderAnswer(kind="refused", reason="terminal.cannot"))]
    assert session.data_to_send() == b""


# --- whatever comes --------------------------------------------------------------------------------------------------


@given(st.data())
def test_no_bytes_charge_a_sale_that_the_terminal_did_not_approve(data: st.DataObject) -> None:
    session = SadadSession(PROFILE)
    session.link_opened()
    start_and_be_taken(session)
    frames = st.sampled_from([ACK, NACK, EOT, INM, DECLINED, FOUND, DEVICE, approved(code="91"), approved(amount=1)])
    wrong = st.builds(
        lambda frame, at, bit: bytes(b ^ (bit if i == at % len(frame) else 0) for i, b in enumerate(frame)),
        st.sampled_from([APPROVED, FOUND, EOT]),
        st.integers(0, 300),
        st.integers(1, 255),
    )
    now = 0
    for piece in data.draw(st.lists(st.one_of(frames, wrong, st.binary(max_size=20)), max_size=8)):
        now += data.draw(st.sampled_from([0, 400, 600]))
        session.receive_data(piece, now)
        session.tick(now)
    sent = session.data_to_send()
    session.tick(now + 1_000)
    session.tick(20_000)
    for event in session.events():
        assert isinstance(event, SaleEnded | LateAnswer | StrayAnswer)
        assert not isinstance(event, SaleEnded | LateAnswer) or event.outcome.kind != "approved"
    # Once it was taken, the amount never leaves again.
    assert sale_request(amount_rial=AMOUNT, reference=REFERENCE, api_version=API) not in sent
