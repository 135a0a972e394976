"""The conversation by itself: bytes in, events out, time as a number."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.devices.catalogue import load_catalogue
from edge.devices.terminals.asan_pardakht import buy_request, checksum, inquiry_request
from edge.devices.terminals.asan_pardakht_session import REMEMBERED_SALES_MAX, AsanPardakhtSession
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
from shared.clock import ClockQuality

PROFILE = load_catalogue().terminal("daftar/virtual_asan_pardakht")


class StillClock:
    """Half past one, in UTC."""

    def now(self) -> datetime:
        return datetime(2026, 11, 22, 13, 30, tzinfo=UTC)

    def monotonic_ms(self) -> int:
        return 0

    def quality(self) -> ClockQuality:
        return "ntp"


CLOCK = StillClock()
NUMBER, AMOUNT = "12345678", 10_000
REFERENCE, MESSAGE_ID = "100200300400500600", "400500600"
BEFORE, STAN = "000122", "000123"
BUY = buy_request(amount_rial=AMOUNT, invoice_number=MESSAGE_ID, local_time="20261122170000", message_id=MESSAGE_ID)


def said(
    name: str = "POSBUY",
    code: str = "0",
    *,
    amount: int | str = AMOUNT,
    message_id: str = MESSAGE_ID,
    stan: str = STAN,
    number: str = NUMBER,
    rrn: str = "123456789012",
) -> bytes:
    body = f"{name},{code},{amount},{rrn},{stan},20261122170010,000000000012345,{number},603799******1234,{message_id},"
    return b"$" + body.encode() + b"*%02X\r\n" % checksum(body.encode())


@pytest.fixture
def session() -> AsanPardakhtSession:
    session = AsanPardakhtSession(PROFILE, CLOCK)
    session.link_opened()
    return session


def hear(session: AsanPardakhtSession, data: bytes, now: int = 100) -> list[Event]:
    session.receive_data(data, now)
    return session.events()


def start(session: AsanPardakhtSession, *, reference: str = REFERENCE, amount: int = AMOUNT) -> None:
    session.start_sale(
        amount_rial=amount, reference=reference, terminal_number=NUMBER, baseline_stan=BEFORE, now_ms=0, due_ms=20_000
    )


def outcome(events: list[Event]) -> TerminalOutcome:
    (event,) = events
    assert isinstance(event, SaleEnded | LateAnswer)
    assert event.reference == REFERENCE
    return event.outcome


def status(session: AsanPardakhtSession, answer: bytes, *, baseline: str | None = BEFORE) -> StatusAnswer:
    session.link_opened()
    session.ask_status(
        reference=REFERENCE,
        amount_rial=AMOUNT,
        terminal_number=NUMBER,
        baseline_stan=baseline,
        request_number="1",
        due_ms=20_000,
    )
    assert session.data_to_send() == inquiry_request(MESSAGE_ID)
    (event,) = hear(session, answer)
    assert isinstance(event, QueryEnded)
    return event.answer


def test_an_approval_of_the_amount_and_our_number_is_approved(session: AsanPardakhtSession) -> None:
    start(session)
    assert session.data_to_send() == BUY
    ended = outcome(hear(session, said()))
    assert (ended.kind, ended.reason) == ("approved", "")
    assert ended.evidence
    assert (ended.evidence.reference, ended.evidence.stan) == (REFERENCE, STAN)
    assert (session.terminal_number, session.centre_link, session.is_listening(200)) == (NUMBER, True, False)


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (said(code="00"), "approved", ""),
        (said(message_id="0" + MESSAGE_ID), "approved", ""),
        (said(code="51", rrn=""), "declined", ""),
        (said(code="51", message_id="", stan="", number="", amount=""), "declined", ""),
        (said(code="17"), "cancelled", ""),
        (said(code="91"), "in_doubt", "unclear_code"),
        (said(code="ZZ"), "in_doubt", "unclear_code"),
        (said(amount=AMOUNT + 1), "in_doubt", "mismatch"),
        (said(amount=""), "in_doubt", "mismatch"),
        (said(number="12345679"), "in_doubt", "mismatch"),
        (said(message_id="400500601"), "in_doubt", "mismatch"),
        (said(message_id=""), "in_doubt", "mismatch"),
        (said(code="51", amount=AMOUNT + 1), "in_doubt", "mismatch"),
        (said()[:-4] + b"?\r\n", "in_doubt", "bad_answer"),
    ],
)
def test_what_an_answer_proves(session: AsanPardakhtSession, answer: bytes, kind: str, reason: str) -> None:
    start(session)
    ended = outcome(hear(session, answer))
    assert (ended.kind, ended.reason) == (kind, reason)


def test_a_refusal_of_another_purchase_ends_nothing(session: AsanPardakhtSession) -> None:
    start(session)
    assert hear(session, said(code="51", message_id="7")) == []
    assert hear(session, said("POSINQ")) == []
    assert outcome(hear(session, said())).kind == "approved"


def test_nothing_is_sent_for_what_the_protocol_cannot_carry(session: AsanPardakhtSession) -> None:
    with pytest.raises(ValueError, match="reference"):
        start(session, reference="abc")
    with pytest.raises(ValueError, match="amount_rial"):
        start(session, amount=0)
    with pytest.raises(ValueError, match="bill"):
        session.start_sale(
            amount_rial=AMOUNT,
            reference=REFERENCE,
            terminal_number=None,
            bill=TerminalBill(bill_id="1", payment_id="2"),
            now_ms=0,
            due_ms=1,
        )
    assert (session.data_to_send(), session.unanswered(0)) == (b"", None)


def test_silence_is_in_doubt_and_a_late_answer_settles_it(session: AsanPardakhtSession) -> None:
    start(session)
    session.tick(20_000)
    assert outcome(session.events()).reason == "no_answer"
    assert (session.unanswered(20_000), session.is_listening(20_000)) == (REFERENCE, True)
    (late,) = hear(session, said(), 25_000)
    assert isinstance(late, LateAnswer)
    assert late.outcome.kind == "approved"
    # Heard again it is nothing new; with another trace it is another charge.
    assert hear(session, said(), 25_000) == []
    (stray,) = hear(session, said(stan="000124", rrn="123456789013"), 25_000)
    assert isinstance(stray, StrayAnswer)


def test_an_answer_of_an_earlier_sale_settles_that_one(session: AsanPardakhtSession) -> None:
    start(session)
    session.link_lost()
    assert outcome(session.events()).reason == "link_lost"
    session.link_opened()
    start(session, reference="100200300400500700")
    (late,) = hear(session, said())
    assert isinstance(late, LateAnswer)
    assert (late.reference, late.outcome.kind) == (REFERENCE, "approved")
    (event,) = hear(session, said(message_id="400500700", stan="000124"))
    assert isinstance(event, SaleEnded)
    assert event.outcome.kind == "approved"


def test_a_charge_that_no_sale_asked_for_is_for_a_person(session: AsanPardakhtSession) -> None:
    (stray,) = hear(session, said())
    assert isinstance(stray, StrayAnswer)
    assert stray.evidence.reference == MESSAGE_ID
    assert hear(session, said(code="51")) == []


def test_memory_of_old_sales_is_bounded(session: AsanPardakhtSession) -> None:
    for number in range(REMEMBERED_SALES_MAX + 1):
        start(session, reference=f"{100_000_000 + number}")
        session.abandon_sale()
        session.link_opened()
    (stray,) = hear(session, said(message_id="100000000"))
    assert isinstance(stray, StrayAnswer)
    (late,) = hear(session, said(message_id="100000001"))
    assert isinstance(late, LateAnswer)


def test_being_there_is_asked_by_the_last_purchase_which_is_the_baseline(session: AsanPardakhtSession) -> None:
    session.ask_number(reference="1", request_number="1", due_ms=1)
    assert session.events() == [QueryEnded("1", StatusAnswer(kind="no_answer"))]
    session.ask_ready(due_ms=3_000)
    assert session.data_to_send() == inquiry_request("0")
    assert hear(session, said("POSINQ", message_id="7", stan=BEFORE)) == [ReadyEnded(idle=True)]
    assert (session.terminal_number, session.newest_stan) == (NUMBER, BEFORE)
    session.link_opened()
    session.ask_ready(due_ms=3_000)
    assert hear(session, said("POSINQ", "25", stan="", message_id="")) == [ReadyEnded(idle=True)]
    assert session.newest_stan is None
    session.link_opened()
    session.ask_ready(due_ms=3_000)
    session.tick(3_000)
    assert session.events() == [ReadyEnded(idle=False)]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (said("POSINQ"), "approved"),
        (said("POSINQ", message_id="0" + MESSAGE_ID), "approved"),
        (said("POSINQ", "51", rrn=""), "not_found"),
        (said("POSINQ", "91"), "unclear"),
        (said("POSINQ", amount=AMOUNT + 1), "mismatch"),
        (said("POSINQ", number="12345679"), "mismatch"),
        # Another purchase is the last one: ours may be hidden behind it,
        (said("POSINQ", message_id="7"), "unclear"),
        (said("POSINQ", "51", message_id="7"), "unclear"),
        (said("POSINQ", message_id="7", stan="000124"), "unclear"),
        # but not when it is still the one of before.
        (said("POSINQ", message_id="7", stan=BEFORE), "not_found"),
        (said("POSINQ", message_id="7", stan=BEFORE, amount=5), "not_found"),
        (said("POSINQ", message_id="7", stan=BEFORE, number="12345679"), "unclear"),
        (said("POSINQ", "25", message_id="", stan=""), "unclear"),
        (said()[:-4] + b"?\r\n", "unclear"),
    ],
)
def test_what_the_last_purchase_proves(session: AsanPardakhtSession, answer: bytes, kind: str) -> None:
    assert status(session, answer).kind == kind


def test_without_a_baseline_another_purchase_proves_nothing(session: AsanPardakhtSession) -> None:
    assert status(session, said("POSINQ", message_id="7", stan=BEFORE), baseline=None).kind == "unclear"


def test_a_found_sale_is_known_from_then_on(session: AsanPardakhtSession) -> None:
    start(session)
    session.link_lost()
    session.events()
    assert session.unanswered(200) == REFERENCE
    assert status(session, said("POSINQ")).kind == "approved"
    assert session.unanswered(200) is None


def test_a_question_that_is_not_answered_has_no_answer(session: AsanPardakhtSession) -> None:
    session.ask_status(reference=REFERENCE, amount_rial=1, terminal_number=None, request_number="1", due_ms=9_000)
    session.link_lost()
    assert session.events() == [QueryEnded(REFERENCE, StatusAnswer(kind="no_answer"))]
    session.link_opened()
    session.ask_last(request_number="1", due_ms=9_000)
    session.tick(9_000)
    assert session.events() == [LastEnded(LastTransaction(kind="no_answer"))]
    session.link_opened()
    session.ask_last(request_number="1", due_ms=9_000)
    (event,) = hear(session, said("POSINQ", message_id="7"))
    assert isinstance(event, LastEnded)
    assert event.last.kind == "known"


def test_nothing_can_be_cancelled_or_undone(session: AsanPardakhtSession) -> None:
    start(session)
    session.data_to_send()
    assert not session.ask_cancel(100)
    session.give_order("reverse", amount_rial=1, stan="000001", terminal_number=None, due_ms=1)
    assert session.events() == [OrderEnded(OrderAnswer(kind="refused", reason="terminal.cannot"))]
    assert session.data_to_send() == b""


@given(st.data())
def test_no_bytes_charge_a_sale_that_the_terminal_did_not_approve(data: st.DataObject) -> None:
    session = AsanPardakhtSession(PROFILE, CLOCK)
    session.link_opened()
    start(session)
    lines = st.sampled_from([said(code="51"), said("POSINQ"), said(amount=1), said(message_id="7"), said(code="91")])
    wrong = st.builds(
        lambda at, bit: bytes(b ^ (bit if i == at % len(said()) else 0) for i, b in enumerate(said())),
        st.integers(0, 200),
        st.integers(1, 255).filter(lambda bit: bit != 0x20),
    )
    now = 0
    for piece in data.draw(st.lists(st.one_of(lines, wrong, st.binary(max_size=20)), max_size=8)):
        now += data.draw(st.sampled_from([0, 400, 600]))
        session.receive_data(piece, now)
        session.tick(now)
    session.tick(20_000)
    for event in session.events():
        assert isinstance(event, SaleEnded | LateAnswer | StrayAnswer)
        assert not isinstance(event, SaleEnded | LateAnswer) or event.outcome.kind != "approved"
    assert session.data_to_send() == BUY
