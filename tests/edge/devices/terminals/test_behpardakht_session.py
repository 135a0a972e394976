"""The conversation by itself: bytes in, events out, time as a number. Answers are made with the codec's own frame."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.devices.terminals.behpardakht import (
    CANCEL,
    READY_QUESTION,
    crc16_arc,
    encode_request,
    query_request,
    sale_request,
)
from edge.devices.terminals.behpardakht_session import REMEMBERED_SALES_MAX, BehpardakhtSession
from edge.devices.terminals.outcome import StatusAnswer, TerminalOutcome
from edge.devices.terminals.session import Event, LateAnswer, QueryEnded, ReadyEnded, SaleEnded, StrayAnswer
from firmware_profiles.profile import TerminalProfile

REFERENCE = "100200300400500600"
OTHER = "900800700600500400"
AMOUNT = 10_000
NUMBER = REFERENCE[-12:]
TERMINAL = "21009543"


def answer(
    code: str,
    *,
    service: str = "01",
    number: str | None = NUMBER,
    reference: str | None = None,
    amount: str | None = None,
    terminal: str | None = TERMINAL,
) -> bytes:
    """A framed answer; the length counts the body, which a reader must take too."""
    fields = [(0xC0, code.encode()), (0xA2, bytes.fromhex(service))]
    if number is not None:
        fields.append((0xA4, number.encode()))
    if amount is not None:
        fields.append((0xB0, bytes.fromhex(amount)))
    if terminal is not None:
        fields.append((0xC7, bytes.fromhex(terminal)))
    if reference is not None:
        fields.append((0xBA, reference.encode()))
    return encode_request(fields)


def approval(reference: str | None = REFERENCE, amount: str | None = "010000", **more: str | None) -> bytes:
    return answer("00", reference=reference, amount=amount, **more)  # type: ignore[arg-type]  # service is never None


@pytest.fixture
def session(quick: Callable[..., TerminalProfile]) -> BehpardakhtSession:
    return BehpardakhtSession(quick())


def start(
    session: BehpardakhtSession, reference: str = REFERENCE, *, terminal: str | None = TERMINAL, now: int = 0
) -> None:
    session.start_sale(
        amount_rial=AMOUNT, reference=reference, terminal_number=terminal, now_ms=now, due_ms=now + 8_000
    )
    assert session.data_to_send() == sale_request(
        amount_rial=AMOUNT, reference=reference, request_number=reference[-12:]
    )


def query(session: BehpardakhtSession, number: str = "777", *, reference: str = REFERENCE, now: int = 20_000) -> None:
    session.ask_status(
        reference=reference, amount_rial=AMOUNT, terminal_number=None, request_number=number, due_ms=now + 3_000
    )
    assert session.data_to_send() == query_request(reference=reference, request_number=number)


def hear(session: BehpardakhtSession, data: bytes, now: int = 100) -> list[Event]:
    session.receive_data(data, now)
    return session.events()


def ended(events: list[Event]) -> TerminalOutcome:
    (event,) = events
    assert isinstance(event, SaleEnded)
    return event.outcome


def told(events: list[Event]) -> StatusAnswer:
    (event,) = events
    assert isinstance(event, QueryEnded)
    return event.answer


def late(events: list[Event]) -> tuple[str, str]:
    (event,) = events
    assert isinstance(event, LateAnswer)
    return event.reference, event.outcome.kind


def doubt(session: BehpardakhtSession) -> None:
    """A sale whose deadline passed without an answer."""
    start(session)
    session.tick(8_000)
    assert ended(session.events()) == TerminalOutcome(kind="in_doubt", reason="no_answer")


# --- answers to the sale somebody waits for --------------------------------------------------------------------------


def test_an_approval_that_agrees_in_all_is_approved(session: BehpardakhtSession) -> None:
    start(session)
    outcome = ended(hear(session, approval()))
    assert (outcome.kind, outcome.reason) == ("approved", "")
    assert outcome.evidence
    assert outcome.evidence.source == "answer"
    assert (outcome.evidence.amount_rial, outcome.evidence.reference) == (AMOUNT, REFERENCE)
    assert session.deadline() is None


@pytest.mark.parametrize(
    "said",
    [
        approval(amount="010001"),
        approval(amount=None),
        approval(reference=OTHER),
        approval(reference=None),
        approval(terminal="21009544"),
        approval(terminal=None),
        approval(reference=OTHER, number="5"),
        approval(reference=None, number=None),
    ],
)
def test_an_approval_that_does_not_agree_is_a_mismatch_with_what_it_said(
    session: BehpardakhtSession, said: bytes
) -> None:
    start(session)
    outcome = ended(hear(session, said))
    assert (outcome.kind, outcome.reason) == ("in_doubt", "mismatch")
    assert outcome.evidence


def test_a_decline_of_another_terminal_is_not_believed(session: BehpardakhtSession) -> None:
    start(session)
    outcome = ended(hear(session, answer("51", terminal="11111111")))
    assert (outcome.kind, outcome.reason) == ("in_doubt", "mismatch")


def test_every_code_of_the_table_ends_a_sale_as_the_table_says(quick: Callable[..., TerminalProfile]) -> None:
    profile = quick()
    for code, meaning in profile.codes.items():
        session = BehpardakhtSession(profile)
        start(session)
        outcome = ended(hear(session, approval() if code == "00" else answer(code)))
        if meaning.outcome in {"approved", "declined", "cancelled"}:
            assert outcome.kind == meaning.outcome, code
        else:
            assert (outcome.kind, outcome.reason) == ("in_doubt", "unclear_code"), code
        assert outcome.evidence
        assert outcome.evidence.response_code == code


def test_a_code_nobody_knows_is_in_doubt(session: BehpardakhtSession) -> None:
    start(session)
    assert ended(hear(session, answer("ZZ"))).reason == "unclear_code"


def test_an_answer_without_any_name_ends_the_only_sale_it_can_mean(session: BehpardakhtSession) -> None:
    start(session)
    assert ended(hear(session, answer("51", number=None))).kind == "declined"


def test_noise_instead_of_an_answer_is_in_doubt_and_a_good_answer_still_counts(session: BehpardakhtSession) -> None:
    start(session)
    assert ended(hear(session, b"\x00\xff\xff")) == TerminalOutcome(kind="in_doubt", reason="bad_answer")
    assert late(hear(session, approval())) == (REFERENCE, "approved")


def test_a_lost_link_is_in_doubt_and_the_answer_on_the_next_link_counts(session: BehpardakhtSession) -> None:
    start(session)
    session.receive_data(approval()[:30], 50)
    session.link_lost()
    assert ended(session.events()) == TerminalOutcome(kind="in_doubt", reason="link_lost")
    session.link_opened()
    assert late(hear(session, approval())) == (REFERENCE, "approved")


def test_values_that_do_not_fit_send_nothing(session: BehpardakhtSession) -> None:
    with pytest.raises(ValueError, match="amount"):
        session.start_sale(amount_rial=0, reference="1", terminal_number=None, now_ms=0, due_ms=1)
    assert session.data_to_send() == b""
    assert session.deadline() is None


# --- answers nobody waits for ----------------------------------------------------------------------------------------


def test_silence_ends_at_the_deadline_not_before(session: BehpardakhtSession) -> None:
    start(session)
    assert session.deadline() == 8_000
    session.tick(7_999)
    assert session.events() == []
    session.tick(8_000)
    assert ended(session.events()).reason == "no_answer"


def test_a_late_answer_settles_the_sale_once(session: BehpardakhtSession) -> None:
    doubt(session)
    assert late(hear(session, approval(), 9_000)) == (REFERENCE, "approved")
    assert hear(session, approval(), 9_100) == []


def test_the_answer_of_the_sale_before_does_not_end_the_present_one(session: BehpardakhtSession) -> None:
    doubt(session)
    start(session, OTHER, now=9_000)
    assert late(hear(session, approval(), 9_100)) == (REFERENCE, "approved")
    assert ended(hear(session, approval(reference=OTHER, number=OTHER[-12:]), 9_200)).kind == "approved"


def test_a_late_decline_does_not_decline_the_next_sale(session: BehpardakhtSession) -> None:
    doubt(session)
    start(session, OTHER, now=9_000)
    assert hear(session, answer("51", number=None), 9_050) == []  # it names none, and two can be meant
    assert late(hear(session, answer("51"), 9_100)) == (REFERENCE, "declined")
    session.tick(17_000)
    assert ended(session.events()).reason == "no_answer"


def test_a_decline_of_a_sale_nobody_asked_for_is_passed_over(session: BehpardakhtSession) -> None:
    start(session)
    assert hear(session, answer("51", number="4711")) == []
    assert ended(hear(session, approval())).kind == "approved"


def test_evidence_of_a_charge_beats_a_decline_and_not_the_other_way(session: BehpardakhtSession) -> None:
    start(session)
    assert ended(hear(session, answer("51"))).kind == "declined"
    assert late(hear(session, approval())) == (REFERENCE, "approved")
    assert hear(session, answer("51")) == []
    assert hear(session, answer("FU")) == []


def test_an_approval_of_a_sale_nobody_knows_is_for_a_person(session: BehpardakhtSession) -> None:
    (event,) = hear(session, approval())
    assert isinstance(event, StrayAnswer)
    assert event.evidence.reference == REFERENCE


def test_a_late_approval_that_does_not_agree_settles_nothing_and_is_for_a_person(session: BehpardakhtSession) -> None:
    doubt(session)
    (event,) = hear(session, approval(amount="099999"), 9_000)
    assert isinstance(event, StrayAnswer)
    assert event.evidence.amount_rial == 99_999
    assert late(hear(session, approval(), 9_100)) == (REFERENCE, "approved")


def test_an_abandoned_sale_is_remembered(session: BehpardakhtSession) -> None:
    start(session)
    session.abandon_sale()
    session.tick(8_000)
    assert session.events() == []
    assert session.unanswered(8_000) == REFERENCE
    assert late(hear(session, approval(), 8_100)) == (REFERENCE, "approved")
    assert session.unanswered(8_100) is None


def test_a_sale_holds_the_terminal_until_its_answer_or_its_longest_time(session: BehpardakhtSession) -> None:
    start(session)
    assert session.unanswered(0) == REFERENCE
    session.tick(8_000)
    assert session.unanswered(9_999) == REFERENCE
    assert session.unanswered(10_000) is None


def test_memory_of_old_sales_is_bounded(session: BehpardakhtSession) -> None:
    for number in range(REMEMBERED_SALES_MAX + 10):
        start(session, f"{number:018d}")
        session.link_lost()
    session.events()
    (event,) = hear(session, approval(reference="0" * 18, number="0" * 12))
    assert isinstance(event, StrayAnswer)


# --- status queries --------------------------------------------------------------------------------------------------


def test_a_query_finds_the_sale(session: BehpardakhtSession) -> None:
    doubt(session)
    query(session)
    status = told(hear(session, approval(service="16", number="777"), 20_000))
    assert status.kind == "approved"
    assert status.evidence
    assert status.evidence.source == "status_query"
    assert hear(session, approval(), 20_100) == []  # the sale's own answer says nothing new now


def test_a_found_sale_may_carry_the_number_of_the_sale(session: BehpardakhtSession) -> None:
    doubt(session)
    query(session)
    assert told(hear(session, approval(service="16"), 20_000)).kind == "approved"


def test_not_found(session: BehpardakhtSession) -> None:
    doubt(session)
    query(session)
    status = told(hear(session, answer("EA", service="16", number="777"), 20_000))
    assert (status.kind, status.response_code) == ("not_found", "EA")
    assert status.evidence
    assert status.evidence.terminal_number == TERMINAL


def test_a_not_found_of_an_earlier_query_is_not_one_of_this(session: BehpardakhtSession) -> None:
    doubt(session)
    query(session, "701", now=9_000)
    session.tick(12_000)
    assert told(session.events()).kind == "no_answer"
    query(session, "702")
    assert hear(session, answer("EA", service="16", number="701"), 20_000) == []
    assert hear(session, answer("EA", service="16", number=None), 20_000) == []
    assert hear(session, answer("EA", service="16", number=None, reference=REFERENCE), 20_000) == []
    assert told(hear(session, answer("EA", service="16", number="702"), 20_000)).kind == "not_found"


@pytest.mark.parametrize(
    "said",
    [
        approval(service="16", number="777", amount="000001"),
        approval(service="16", number="777", reference=OTHER),
        approval(service="16", number="777", reference=None),
        approval(service="16", number="777", terminal="11111111"),
        answer("EA", service="16", number="777", terminal="11111111"),
    ],
)
def test_what_does_not_agree_settles_nothing(session: BehpardakhtSession, said: bytes) -> None:
    doubt(session)
    query(session)
    assert told(hear(session, said, 20_000)).kind == "mismatch"
    query(session, "778")
    assert told(hear(session, approval(service="16", number="778"), 20_000)).kind == "approved"


def test_an_unclear_code_and_noise_are_unclear_and_silence_is_no_answer(session: BehpardakhtSession) -> None:
    doubt(session)
    query(session)
    assert told(hear(session, answer("09", service="16", number="777"), 20_000)).kind == "unclear"
    query(session, "778")
    assert told(hear(session, b"\xff", 20_000)) == StatusAnswer(kind="unclear")
    query(session, "779")
    session.link_lost()
    assert told(session.events()) == StatusAnswer(kind="no_answer")


def test_a_found_sale_is_not_lost_when_nobody_waits_for_the_query(session: BehpardakhtSession) -> None:
    doubt(session)
    query(session)
    session.tick(23_000)
    assert told(session.events()).kind == "no_answer"
    assert late(hear(session, approval(service="16", number="777"), 24_000)) == (REFERENCE, "approved")


def test_the_sales_own_answer_during_a_query_settles_the_sale(session: BehpardakhtSession) -> None:
    doubt(session)
    query(session)
    assert late(hear(session, approval(), 20_000)) == (REFERENCE, "approved")
    assert told(hear(session, approval(service="16", number="777"), 20_000)).kind == "approved"


def test_a_payment_of_an_earlier_start_of_the_box_can_be_asked_for(session: BehpardakhtSession) -> None:
    query(session)
    assert told(hear(session, answer("EA", service="16", number="777"), 20_000)).kind == "not_found"
    assert late(hear(session, approval(), 21_000)) == (REFERENCE, "approved")


def test_the_terminals_number_is_learnt_before_any_amount(session: BehpardakhtSession) -> None:
    session.ask_number(reference=OTHER, request_number="1", due_ms=1_000)
    assert told(hear(session, answer("EA", service="16", number="1"))).kind == "not_found"
    assert session.terminal_number == TERMINAL
    session.data_to_send()
    start(session, terminal=None)
    assert ended(hear(session, approval(terminal="11111111"))).reason == "mismatch"


# --- readiness, cancelling, the centre -------------------------------------------------------------------------------


def test_readiness(session: BehpardakhtSession) -> None:
    session.ask_ready(due_ms=500)
    assert session.data_to_send() == READY_QUESTION
    assert hear(session, b"O") == []
    assert hear(session, b"K") == [ReadyEnded(idle=True)]
    session.ask_ready(due_ms=500)
    session.tick(500)
    assert session.events() == [ReadyEnded(idle=False)]
    assert hear(session, b"OK") == []


def test_cancelling_asks_only_when_there_is_something_to_cancel(session: BehpardakhtSession) -> None:
    assert not session.ask_cancel(0)
    start(session)
    assert session.ask_cancel(10)
    assert session.data_to_send() == CANCEL
    assert ended(hear(session, answer("FU"))).kind == "cancelled"
    assert not session.ask_cancel(20)


def test_the_terminals_line_to_its_centre(session: BehpardakhtSession) -> None:
    start(session)
    seen = [session.centre_link]
    assert ended(hear(session, answer("FA"))).kind == "declined"
    seen.append(session.centre_link)
    start(session, OTHER)
    hear(session, answer("FU", number=OTHER[-12:]))
    seen.append(session.centre_link)
    start(session, "1" * 18)
    hear(session, answer("51", number="1" * 12))
    seen.append(session.centre_link)
    assert seen == [None, False, False, True]


@given(data=st.data())
def test_no_mutation_of_an_approval_approves_another_sale(
    data: st.DataObject, quick: Callable[..., TerminalProfile]
) -> None:
    """A right checksum over wrong members is a mismatch; a wrong checksum is no answer at all."""
    fields = {
        "reference": data.draw(st.sampled_from([REFERENCE, OTHER, None])),
        "amount": data.draw(st.sampled_from(["010000", "020000", "0000010000", None])),
        "terminal": data.draw(st.sampled_from([TERMINAL, "11111111", None])),
        "number": data.draw(st.sampled_from([NUMBER, "5", None])),
    }
    said = bytearray(approval(**fields))
    for at, bit in data.draw(st.lists(st.tuples(st.integers(0, len(said) - 1), st.integers(0, 7)), max_size=3)):
        said[at] ^= 1 << bit
    session = BehpardakhtSession(quick())
    start(session)
    events = hear(session, bytes(said))
    session.tick(7_999)
    whole = (
        fields["reference"] == REFERENCE and fields["terminal"] == TERMINAL and fields["amount"] not in {None, "020000"}
    )
    for event in [*events, *session.events()]:
        if isinstance(event, SaleEnded | LateAnswer) and event.outcome.kind == "approved":
            assert whole
            assert event.outcome.evidence
            assert event.outcome.evidence.amount_rial == AMOUNT
            assert event.outcome.evidence.reference == REFERENCE


def test_a_second_charge_under_one_reference_is_for_a_person_and_a_repeat_is_not(session: BehpardakhtSession) -> None:
    def approved_as(rrn: str) -> bytes:
        body = approval()[4:-2] + bytes([0xC2, 6]) + bytes.fromhex(rrn)
        return b"%04d" % len(body) + body + crc16_arc(body).to_bytes(2, "little")

    start(session)
    assert ended(hear(session, approved_as("000000000001"))).kind == "approved"
    assert hear(session, approved_as("000000000001")) == []
    (event,) = hear(session, approved_as("000000000002"))
    assert isinstance(event, StrayAnswer)
    assert event.evidence.rrn == "000000000002"


def test_an_amount_beyond_all_money_is_no_answer(session: BehpardakhtSession) -> None:
    start(session)
    assert ended(hear(session, approval(amount="9999999999999999"))).reason == "bad_answer"
