"""The conversation by itself: bytes in, events out, time as a number. The terminal's side is written out by hand."""

from collections.abc import Sequence

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
from edge.devices.terminals.zvt_bytes import Apdu, encode_apdu, split_apdu
from edge.devices.terminals.zvt_framing import encode_frame
from edge.devices.terminals.zvt_session import ZvtSession, config_byte
from firmware_profiles.profile import TerminalProfile
from firmware_profiles.protocol_options import ZvtOptions

BUNDLED = load_catalogue().terminal("daftar/virtual_zvt")
REFERENCE = "100200300400500600"
AMOUNT = 125_000
NUMBER = "28004869"
BEFORE, STAN = "000469", "000470"

YES = "800000"
NO = "846600"
WAIT = "849c00"
ENQUIRY = "050103000000"
REPEAT = "0620050000000303"
REGISTRATION = "060006000000180364"
REGISTERED = bytes.fromhex("060f0a19002928004869490364")
IDLE = bytes.fromhex("060f05f0f0f13100")
BUSY = bytes.fromhex("060f05f0f0f1319c")
END = bytes.fromhex("060f00")
PROGRESS = bytes.fromhex("04ff010a")
ACCEPTED = bytes.fromhex(YES)


def report(*members: str) -> bytes:
    data = bytes.fromhex("".join(members))
    return encode_apdu(Apdu(0x040F, data))


def approval(stan: str = STAN, amount: int = AMOUNT, number: str = NUMBER, *more: str) -> bytes:
    return report(
        "2700", f"04{amount:012d}", "490364", f"0b{stan}", "0c223953", "0d1006", f"29{number}", "870470", *more
    )


def profile(**options: object) -> TerminalProfile:
    told = {**msgspec.structs.asdict(BUNDLED.zvt or ZvtOptions()), "repeats_identifier": False, **options}
    return msgspec.structs.replace(BUNDLED, zvt=msgspec.convert(told, ZvtOptions))


def sent(session: ZvtSession) -> list[str]:
    """What the till says now, message by message."""
    data = session.data_to_send()
    found = []
    while data:
        one = split_apdu(data)
        assert one is not None
        found.append(data[: one[1]].hex())
        data = data[one[1] :]
    return found


def hear(session: ZvtSession, *messages: bytes, now: int = 100) -> list[Event]:
    session.receive_data(b"".join(messages), now)
    return session.events()


def registered(**options: object) -> ZvtSession:
    """A session whose terminal knows the till, and said that it is idle."""
    session = ZvtSession(profile(**options))
    session.link_opened()
    session.ask_ready(due_ms=2_000)
    assert sent(session) == [REGISTRATION]
    assert hear(session, ACCEPTED, REGISTERED) == []
    assert sent(session) == [YES, ENQUIRY]
    assert hear(session, ACCEPTED, IDLE) == [ReadyEnded(idle=True)]
    assert sent(session) == [YES]
    assert session.terminal_number == NUMBER
    return session


@pytest.fixture
def session() -> ZvtSession:
    return registered()


def start(session: ZvtSession, *, baseline: str | None = BEFORE, now: int = 0, amount: int = AMOUNT) -> None:
    session.start_sale(
        amount_rial=amount,
        reference=REFERENCE,
        terminal_number=NUMBER,
        baseline_stan=baseline,
        now_ms=now,
        due_ms=now + 8_000,
    )
    assert sent(session) == [f"06010a04{amount:012d}490364"]


def outcome(events: Sequence[Event]) -> TerminalOutcome:
    (event,) = events
    assert isinstance(event, SaleEnded | LateAnswer)
    assert event.reference == REFERENCE
    return event.outcome


def approved(session: ZvtSession, *, now: int = 100) -> None:
    start(session)
    assert outcome(hear(session, ACCEPTED, PROGRESS, approval(), now=now)).kind == "approved"
    assert sent(session) == [YES]


def acknowledge(session: ZvtSession, stan: str = STAN) -> None:
    session.give_order("acknowledge", amount_rial=AMOUNT, stan=stan, terminal_number=NUMBER, due_ms=30_000)


def status(session: ZvtSession, *messages: bytes, baseline: str | None = BEFORE) -> StatusAnswer:
    session.ask_status(
        reference=REFERENCE,
        amount_rial=AMOUNT,
        terminal_number=NUMBER,
        baseline_stan=baseline,
        request_number="1",
        due_ms=20_000,
    )
    assert sent(session) == [ENQUIRY]
    assert hear(session, ACCEPTED, IDLE) == []
    assert sent(session) == [YES, REPEAT]
    (event,) = hear(session, ACCEPTED, *messages, END)
    assert isinstance(event, QueryEnded)
    sent(session)
    return event.answer


# --- ready -----------------------------------------------------------------------------------------------------------


def test_how_till_and_terminal_work_together_is_data() -> None:
    assert config_byte(ZvtOptions()) == 0x18
    assert config_byte(ZvtOptions(sales_at_terminal=True, service_at_terminal=False)) == 0x28


def test_a_terminal_that_is_busy_or_does_not_take_the_till_is_not_ready(session: ZvtSession) -> None:
    session.ask_ready(due_ms=2_000)
    assert hear(session, ACCEPTED, BUSY) == [ReadyEnded(idle=False)]
    stranger = ZvtSession(profile())
    stranger.ask_ready(due_ms=2_000)
    sent(stranger)
    assert hear(stranger, bytes.fromhex("846f00")) == [ReadyEnded(idle=False)]
    stranger.ask_ready(due_ms=2_000)
    assert sent(stranger) == [REGISTRATION]
    stranger.tick(2_000)
    assert stranger.events() == [ReadyEnded(idle=False)]


def test_the_till_registers_anew_on_each_link(session: ZvtSession) -> None:
    session.link_lost()
    session.link_opened()
    session.ask_last(request_number="1", due_ms=2_000)
    assert sent(session) == [REGISTRATION]


# --- sales -----------------------------------------------------------------------------------------------------------


def test_an_approval_is_handed_on_and_answered_only_when_it_is_to_be_kept(session: ZvtSession) -> None:
    start(session)
    said = outcome(hear(session, ACCEPTED, PROGRESS, approval()))
    assert said.kind == "approved"
    assert said.evidence
    assert (said.evidence.stan, said.evidence.amount_rial, said.evidence.terminal_time) == (STAN, AMOUNT, "1006 223953")
    assert said.evidence.receipt_number == "0470"
    assert sent(session) == [YES]  # to the progress
    assert (session.newest_stan, session.centre_link) == (STAN, True)
    assert session.unanswered(100) == REFERENCE
    acknowledge(session)
    assert sent(session) == [YES]
    assert hear(session, END) == [OrderEnded(OrderAnswer(kind="done"))]
    assert sent(session) == [YES]
    assert session.unanswered(100) is None
    acknowledge(session)
    assert session.events() == [OrderEnded(OrderAnswer(kind="done"))]
    assert sent(session) == []


def test_the_terminal_is_asked_to_wait_until_the_journal_has_it(session: ZvtSession) -> None:
    approved(session)
    assert session.deadline() == 1_100
    session.tick(1_100)
    assert sent(session) == [WAIT]
    acknowledge(session)
    assert sent(session) == []
    assert hear(session, approval(), now=3_000) == []
    assert sent(session) == [YES]
    assert hear(session, END, now=3_100) == [OrderEnded(OrderAnswer(kind="done"))]


def test_what_nobody_journals_is_taken_back(session: ZvtSession) -> None:
    approved(session)
    for now in range(1_100, 9_200, 2_000):
        session.tick(now)
        assert sent(session) == [WAIT]
        assert hear(session, approval(), now=now + 1_000) == []
    session.tick(11_100)
    assert sent(session) == [NO]
    reversal_report = approval("000471", AMOUNT, NUMBER, "37000470")
    assert hear(session, reversal_report, END, now=12_000) == []
    assert sent(session) == [YES, YES]
    acknowledge(session)
    assert session.events() == [OrderEnded(OrderAnswer(kind="refused", reason="terminal.other_sale"))]
    assert session.newest_stan is None


@pytest.mark.parametrize(
    "answer",
    [
        approval(BEFORE),
        approval(STAN, AMOUNT + 1_000),
        approval(STAN, AMOUNT, "28004870"),
        report("2700", f"04{AMOUNT:012d}", f"29{NUMBER}"),
        report("2700", f"04{AMOUNT:012d}", "490978", f"0b{STAN}", f"29{NUMBER}"),
        report("2700"),
    ],
    ids=["old trace", "amount", "terminal", "no trace", "euro", "bare"],
)
def test_an_approval_of_another_sale_is_in_doubt_and_taken_back(session: ZvtSession, answer: bytes) -> None:
    start(session)
    said = outcome(hear(session, ACCEPTED, answer))
    assert (said.kind, said.reason) == ("in_doubt", "mismatch")
    assert sent(session) == [NO]
    assert hear(session, answer) == []
    assert sent(session) == [NO]
    assert hear(session, approval("000471"), END) == []
    assert sent(session) == [YES, YES]


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (report("2733"), "declined"),
        (report("276c"), "cancelled"),
        (report("277d"), "in_doubt"),
        (report("2763"), "in_doubt"),
        (bytes.fromhex("061e016c"), "cancelled"),
        (bytes.fromhex("061e01a1"), "in_doubt"),
        (bytes.fromhex("848300"), "declined"),
        (bytes.fromhex("849c00"), "in_doubt"),
        (bytes.fromhex("841e017d"), "in_doubt"),
        (END, "in_doubt"),
    ],
)
def test_codes_prove_what_the_table_says(session: ZvtSession, said: bytes, kind: str) -> None:
    start(session)
    taken = () if said[0] == 0x84 else (ACCEPTED,)
    assert outcome(hear(session, *taken, said)).kind == kind
    hear(session, bytes.fromhex("061e016c"))
    session.ask_ready(due_ms=9_000)
    assert sent(session)[-1] == ENQUIRY


def test_no_answer_is_in_doubt_and_the_late_one_settles_it(session: ZvtSession) -> None:
    start(session)
    hear(session, ACCEPTED, PROGRESS)
    sent(session)
    session.tick(8_000)
    assert outcome(session.events()).reason == "no_answer"
    late = hear(session, approval(), now=9_000)
    assert isinstance(late[0], LateAnswer)
    assert outcome(late).kind == "approved"
    assert sent(session) == []
    acknowledge(session)
    assert sent(session) == [YES]


@pytest.mark.parametrize(
    "left", [report("276c"), bytes.fromhex("061e016c"), END, PROGRESS], ids=["report", "abort", "end", "progress"]
)
def test_what_is_left_of_an_earlier_dialogue_ends_no_sale(session: ZvtSession, left: bytes) -> None:
    start(session)
    assert hear(session, left) == []
    assert sent(session) == [YES]
    assert outcome(hear(session, ACCEPTED, approval())).kind == "approved"


def test_a_sale_that_the_terminal_does_not_take_is_in_doubt_soon(session: ZvtSession) -> None:
    start(session)
    session.tick(2_000)
    assert outcome(session.events()).reason == "no_answer"
    assert outcome(hear(session, ACCEPTED, report("2733"), now=3_000)).kind == "declined"


def test_a_lost_link_is_in_doubt_and_a_held_approval_goes_with_it(session: ZvtSession) -> None:
    start(session)
    session.link_lost()
    assert outcome(session.events()).reason == "link_lost"
    other = registered()
    approved(other)
    other.link_lost()
    assert other.events() == []
    assert (other.newest_stan, other.unanswered(200)) == (None, None)
    acknowledge(other)
    assert other.events() == [OrderEnded(OrderAnswer(kind="refused", reason="terminal.other_sale"))]


def test_an_acknowledgement_that_nobody_confirms_is_in_doubt(session: ZvtSession) -> None:
    approved(session)
    acknowledge(session)
    session.tick(30_000)
    assert session.events() == [OrderEnded(OrderAnswer(kind="in_doubt", reason="no_answer"))]
    other = registered()
    approved(other)
    acknowledge(other)
    (event,) = hear(other, bytes.fromhex("061e01ff"))
    assert isinstance(event, OrderEnded)
    assert (event.answer.kind, event.answer.reason) == ("in_doubt", "unclear_code")


def test_after_an_acknowledgement_in_doubt_the_terminal_is_asked_and_hears_yes_again(session: ZvtSession) -> None:
    approved(session)
    acknowledge(session)
    sent(session)
    session.tick(30_000)
    session.events()
    assert session.unanswered(30_000) is None
    assert hear(session, approval(), now=30_001) == []
    assert sent(session) == [YES]
    assert status(session, approval()).kind == "approved"
    acknowledge(session)
    assert session.events() == [OrderEnded(OrderAnswer(kind="done"))]


def test_a_terminal_that_does_not_wait_has_kept_the_sale(session: ZvtSession) -> None:
    approved(session)
    assert hear(session, END) == []
    acknowledge(session)
    assert session.events() == [OrderEnded(OrderAnswer(kind="done"))]


def test_a_terminal_that_gives_up_waiting_has_not(session: ZvtSession) -> None:
    approved(session)
    assert hear(session, bytes.fromhex("061e019b")) == []
    acknowledge(session)
    assert session.events() == [OrderEnded(OrderAnswer(kind="refused", reason="terminal.other_sale"))]


def test_a_charge_of_no_sale_is_for_a_person_to_see_and_taken_back(session: ZvtSession) -> None:
    (event,) = hear(session, approval())
    assert isinstance(event, StrayAnswer)
    assert sent(session) == [NO]
    assert hear(session, report("2733")) == []
    assert sent(session) == [YES]


def test_a_sale_is_cancelled_while_it_waits_for_a_card(session: ZvtSession) -> None:
    assert not session.ask_cancel(0)
    start(session)
    hear(session, ACCEPTED, PROGRESS)
    sent(session)
    assert session.ask_cancel(200)
    assert sent(session) == ["06b000"]
    assert outcome(hear(session, ACCEPTED, bytes.fromhex("061e016c"))).kind == "cancelled"
    assert not session.ask_cancel(300)


def test_an_approved_sale_is_not_cancelled(session: ZvtSession) -> None:
    approved(session)
    assert not session.ask_cancel(200)
    assert sent(session) == []


def test_messages_that_the_till_does_not_serve_are_refused(session: ZvtSession) -> None:
    start(session)
    assert hear(session, ACCEPTED, bytes.fromhex("06e00200f0"), bytes.fromhex("06d3020600")) == []
    assert sent(session) == ["848300", YES]


def test_what_cannot_be_read_is_no_yes(session: ZvtSession) -> None:
    start(session)
    said = outcome(hear(session, ACCEPTED, report("2700", "2700")))
    assert (said.kind, said.reason) == ("in_doubt", "bad_answer")
    assert sent(session) == ["848300"]


def test_amounts_are_counted_in_the_units_that_the_profile_says() -> None:
    session = registered(minor_digits=2)
    session.start_sale(
        amount_rial=AMOUNT, reference=REFERENCE, terminal_number=None, baseline_stan=BEFORE, now_ms=0, due_ms=8_000
    )
    assert sent(session) == [f"06010a04{AMOUNT * 100:012d}490364"]
    assert outcome(hear(session, ACCEPTED, approval(STAN, AMOUNT * 100))).kind == "approved"
    session = registered(minor_digits=2)
    session.start_sale(
        amount_rial=AMOUNT, reference=REFERENCE, terminal_number=None, baseline_stan=BEFORE, now_ms=0, due_ms=8_000
    )
    assert outcome(hear(session, ACCEPTED, approval(STAN, AMOUNT * 100 + 1))).reason == "mismatch"


def test_what_the_protocol_cannot_carry_is_not_sent(session: ZvtSession) -> None:
    for amount, bill in ((0, None), (10**12, None), (AMOUNT, TerminalBill(bill_id="1", payment_id="2"))):
        with pytest.raises(ValueError, match=r"amount|bills"):
            session.start_sale(
                amount_rial=amount, reference=REFERENCE, terminal_number=None, bill=bill, now_ms=0, due_ms=1
            )
    assert sent(session) == []


# --- questions -------------------------------------------------------------------------------------------------------


def test_the_last_transaction_tells_the_baseline_and_the_identifier_to_repeat() -> None:
    session = registered(repeats_identifier=True)
    session.ask_last(request_number="1", due_ms=2_000)
    hear(session, ACCEPTED, IDLE)
    (event,) = hear(session, ACCEPTED, approval(STAN, 500, NUMBER, "06051f1f020470"), END)
    assert isinstance(event, LastEnded)
    assert event.last.kind == "known"
    assert session.newest_stan == STAN
    sent(session)
    session.start_sale(
        amount_rial=AMOUNT, reference=REFERENCE, terminal_number=None, baseline_stan=STAN, now_ms=0, due_ms=8_000
    )
    assert sent(session) == [f"06011104{AMOUNT:012d}49036406051f1f020470"]


@pytest.mark.parametrize(
    ("messages", "kind"),
    [((), "unclear"), ((bytes.fromhex("061e01b5"),), "none"), ((bytes.fromhex("061e0183"),), "unclear")],
)
def test_a_terminal_may_have_nothing_to_tell(session: ZvtSession, messages: Sequence[bytes], kind: str) -> None:
    session.ask_last(request_number="1", due_ms=2_000)
    hear(session, ACCEPTED, IDLE)
    (event,) = hear(session, ACCEPTED, *messages, END)
    assert isinstance(event, LastEnded)
    assert event.last.kind == kind


def test_a_busy_terminal_is_not_asked(session: ZvtSession) -> None:
    session.ask_last(request_number="1", due_ms=2_000)
    sent(session)
    assert hear(session, ACCEPTED, BUSY) == [LastEnded(LastTransaction(kind="no_answer"))]
    assert sent(session) == [YES]


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (approval(), "approved"),
        (approval(BEFORE, 700), "not_found"),
        (report("2733", f"04{AMOUNT:012d}", f"0b{STAN}", f"29{NUMBER}"), "not_found"),
        (approval(STAN, 700), "unclear"),
        (approval(STAN, AMOUNT, "28004870"), "unclear"),
        (approval("000471", AMOUNT, NUMBER, "37000470"), "not_found"),
        (approval("000471", AMOUNT, NUMBER, "37000468"), "unclear"),
        # Another sale of this amount, by hand perhaps, was made and undone since: ours may be the one before it.
        (approval("000472", AMOUNT, NUMBER, "37000471"), "unclear"),
        (approval("000471", 700, NUMBER, "37000470"), "unclear"),
        (approval("000471"), "approved"),
    ],
)
def test_the_last_transaction_is_held_against_the_sale(session: ZvtSession, told: bytes, kind: str) -> None:
    assert status(session, told).kind == kind


def test_where_reversals_are_not_marked_only_the_very_next_trace_is_the_sale() -> None:
    session = registered(marks_reversals=False)
    assert status(session, approval()).kind == "approved"
    assert status(session, approval("000471")).kind == "unclear"


def test_a_sale_found_by_asking_is_kept_already(session: ZvtSession) -> None:
    assert status(session, approval()).kind == "approved"
    acknowledge(session)
    assert session.events() == [OrderEnded(OrderAnswer(kind="done"))]


def test_the_report_of_a_sale_is_never_taken_for_the_answer_to_a_question(session: ZvtSession) -> None:
    session.ask_last(request_number="1", due_ms=2_000)
    hear(session, ACCEPTED, IDLE)
    sent(session)
    (event,) = hear(session, approval())
    assert isinstance(event, StrayAnswer)
    assert sent(session) == [NO]


def test_a_question_waits_until_a_sale_has_ended_its_dialogue(session: ZvtSession) -> None:
    start(session)
    hear(session, ACCEPTED)
    session.abandon_sale()
    session.ask_last(request_number="1", due_ms=2_000)
    assert sent(session) == []
    session.tick(2_000)
    assert session.events() == [LastEnded(LastTransaction(kind="no_answer"))]
    session.ask_last(request_number="1", due_ms=50_000)
    assert sent(session) == []
    session.tick(30_000)
    assert sent(session) == [ENQUIRY]


def test_a_number_is_not_asked_for(session: ZvtSession) -> None:
    session.ask_number(reference="1", request_number="1", due_ms=1)
    assert session.events() == [QueryEnded("1", StatusAnswer(kind="no_answer"))]
    assert sent(session) == []


# --- undoing ---------------------------------------------------------------------------------------------------------


def reverse(session: ZvtSession, *, receipt: str | None = None) -> None:
    session.give_order(
        "reverse", amount_rial=AMOUNT, stan=STAN, terminal_number=NUMBER, due_ms=30_000, receipt_number=receipt
    )


def test_a_sale_is_undone_by_the_receipt_number_that_was_told_with_its_trace(session: ZvtSession) -> None:
    reverse(session)
    assert session.events() == [OrderEnded(OrderAnswer(kind="refused", reason="terminal.cannot"))]
    status(session, approval())
    reverse(session)
    assert sent(session) == ["063006000000870470"]
    (event,) = hear(session, ACCEPTED, approval("000471", AMOUNT, NUMBER, "37000470"), END)
    assert isinstance(event, OrderEnded)
    assert event.answer.kind == "done"
    assert event.answer.evidence
    assert (event.answer.evidence.source, event.answer.evidence.stan) == ("reversal", "000471")
    reverse(session)
    assert session.events() == [OrderEnded(OrderAnswer(kind="refused", reason="terminal.cannot"))]


@pytest.mark.parametrize(
    ("messages", "kind", "reason"),
    [
        ((ACCEPTED, bytes.fromhex("061e01b4")), "refused", "refused"),
        ((bytes.fromhex("848300"),), "refused", "refused"),
        ((ACCEPTED, bytes.fromhex("061e017d")), "in_doubt", "unclear_code"),
        ((ACCEPTED, END), "in_doubt", "unclear_code"),
        ((ACCEPTED, approval("000471", 700), END), "in_doubt", "mismatch"),
        ((ACCEPTED, approval("000471", AMOUNT, NUMBER, "37000469"), END), "in_doubt", "mismatch"),
    ],
)
def test_what_an_order_to_undo_came_to(session: ZvtSession, messages: Sequence[bytes], kind: str, reason: str) -> None:
    reverse(session, receipt="0470")
    (event,) = hear(session, *messages)
    assert isinstance(event, OrderEnded)
    assert (event.answer.kind, event.answer.reason) == (kind, reason)


def test_an_order_to_undo_without_an_answer_is_in_doubt(session: ZvtSession) -> None:
    reverse(session, receipt="0470")
    session.tick(30_000)
    assert session.events() == [OrderEnded(OrderAnswer(kind="in_doubt", reason="no_answer"))]
    other = registered()
    reverse(other, receipt="0470")
    other.link_lost()
    assert other.events() == [OrderEnded(OrderAnswer(kind="in_doubt", reason="link_lost"))]


def test_after_an_order_in_doubt_the_terminal_is_asked_on_the_same_link(session: ZvtSession) -> None:
    reverse(session, receipt="0470")
    sent(session)
    session.tick(30_000)
    session.events()
    assert hear(session, approval("000471", AMOUNT, NUMBER, "37000470"), END, now=30_001) == []
    assert sent(session) == [YES, YES]
    assert status(session, approval("000471", AMOUNT, NUMBER, "37000470")).kind == "not_found"


def test_the_late_report_of_a_question_that_was_given_up_raises_no_alarm(session: ZvtSession) -> None:
    session.ask_last(request_number="1", due_ms=2_000)
    hear(session, ACCEPTED, IDLE)
    sent(session)
    session.tick(2_000)
    assert session.events() == [LastEnded(LastTransaction(kind="no_answer"))]
    assert hear(session, ACCEPTED, approval(), END, now=2_100) == []
    assert sent(session) == [YES, YES]


def test_an_order_that_never_left_is_refused() -> None:
    session = ZvtSession(profile())
    session.link_opened()
    reverse(session, receipt="0470")
    assert sent(session) == [REGISTRATION]
    session.tick(30_000)
    assert session.events() == [OrderEnded(OrderAnswer(kind="refused", reason="terminal.not_ready"))]


# --- a serial line ---------------------------------------------------------------------------------------------------


def serial() -> ZvtSession:
    session = ZvtSession(profile(), "serial")
    session.link_opened()
    return session


def framed(data: bytes) -> bytes:
    found = split_apdu(data)
    assert found is not None
    return encode_frame(found[0])


def test_over_a_serial_line_each_message_is_framed_and_acknowledged() -> None:
    session = serial()
    session.ask_ready(due_ms=9_000)
    assert session.data_to_send() == framed(bytes.fromhex(REGISTRATION))
    session.receive_data(b"\x06" + framed(ACCEPTED), 10)
    assert session.data_to_send() == b"\x06"
    session.receive_data(framed(REGISTERED), 20)
    assert session.data_to_send() == b"\x06" + framed(ACCEPTED)
    session.receive_data(b"\x06", 30)
    assert session.data_to_send() == framed(bytes.fromhex(ENQUIRY))
    session.receive_data(b"\x06" + framed(ACCEPTED) + framed(IDLE), 40)
    assert session.events() == [ReadyEnded(idle=True)]


def test_an_amount_is_not_said_twice_into_silence() -> None:
    session = serial()
    session.ask_ready(due_ms=9_000)
    session.data_to_send()
    session.receive_data(b"\x06" + framed(ACCEPTED) + framed(REGISTERED), 10)
    session.data_to_send()
    session.receive_data(b"\x06", 20)
    session.data_to_send()
    session.receive_data(b"\x06" + framed(ACCEPTED) + framed(IDLE), 30)
    session.data_to_send()
    session.receive_data(b"\x06", 40)
    session.events()
    session.start_sale(
        amount_rial=AMOUNT, reference=REFERENCE, terminal_number=None, baseline_stan=BEFORE, now_ms=50, due_ms=8_000
    )
    assert len(session.data_to_send()) > 10
    session.tick(60)
    session.tick(1_060)
    assert session.data_to_send() == b""
    assert outcome(session.events()).reason == "no_answer"


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=30), max_size=5), st.booleans())
def test_no_bytes_make_a_sale_approved_or_a_wait_endless(pieces: list[bytes], line: bool) -> None:  # noqa: FBT001
    session = serial() if line else registered()
    session.start_sale(
        amount_rial=AMOUNT, reference=REFERENCE, terminal_number=NUMBER, baseline_stan=BEFORE, now_ms=0, due_ms=8_000
    )
    session.data_to_send()
    events = []
    for now, piece in enumerate(pieces):
        session.receive_data(piece, now)
        events += session.events()
        session.data_to_send()
    session.tick(8_000)
    events += session.events()
    (event,) = events
    assert isinstance(event, SaleEnded)
    assert event.outcome.kind != "approved"


@settings(max_examples=60)
@given(st.integers(0, len(approval()) - 1), st.integers(1, 255))
def test_no_changed_byte_makes_an_approval_of_something_else(at: int, change: int) -> None:
    answer = approval()
    changed = answer[:at] + bytes([answer[at] ^ change]) + answer[at + 1 :]
    session = registered()
    start(session)
    events = hear(session, ACCEPTED, changed)
    session.tick(8_000)
    events += session.events()
    said = outcome(events)
    if said.kind == "approved":
        assert said.evidence
        assert (said.evidence.amount_rial, said.evidence.terminal_number) == (AMOUNT, NUMBER)
        assert (said.evidence.stan or "") > BEFORE
    line = serial()
    line.start_sale(
        amount_rial=AMOUNT, reference=REFERENCE, terminal_number=NUMBER, baseline_stan=BEFORE, now_ms=0, due_ms=8_000
    )
    frame = framed(answer)
    line.receive_data(frame[: at + 2] + bytes([frame[at + 2] ^ change]) + frame[at + 3 :], 10)
    assert all(event.outcome.kind != "approved" for event in line.events() if isinstance(event, SaleEnded))
