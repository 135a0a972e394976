"""The conversation by itself: bytes in, events out, time as a number."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.devices.catalogue import load_catalogue
from edge.devices.terminals.outcome import LastTransaction, OrderAnswer, StatusAnswer, TerminalOutcome
from edge.devices.terminals.pna import ACKNOWLEDGE, CANCEL, REVERSE, last_request, order_request, sale_request
from edge.devices.terminals.pna_session import PnaSession
from edge.devices.terminals.session import (
    Event,
    LastEnded,
    LateAnswer,
    OrderEnded,
    QueryEnded,
    ReadyEnded,
    SaleEnded,
    StrayAnswer,
)

GOLDEN = Path(__file__).parents[3] / "golden" / "terminal_vectors.json"
VECTORS = {
    row["name"]: bytes.fromhex(row["hex"]) for row in json.loads(GOLDEN.read_bytes()) if row["family"] == "pna_pec"
}
FULL, BARE = VECTORS["answer 00 full"], VECTORS["answer 00 minimal"]
REFERENCE = "100200300400500600"
AMOUNT = 1_000
BEFORE, STAN = "561924", "561925"


@pytest.fixture
def session() -> PnaSession:
    session = PnaSession(load_catalogue().terminal("daftar/virtual_pna"))
    session.link_opened()
    return session


def start(session: PnaSession, *, baseline: str | None = BEFORE, now: int = 0) -> None:
    session.start_sale(
        amount_rial=AMOUNT,
        reference=REFERENCE,
        terminal_number="98194184",
        baseline_stan=baseline,
        now_ms=now,
        due_ms=now + 8_000,
    )
    assert session.data_to_send() == sale_request(amount_rial=AMOUNT, slip_line=REFERENCE[-9:])


def hear(session: PnaSession, data: bytes, now: int = 100) -> list[Event]:
    session.receive_data(data, now)
    return session.events()


def outcome(events: list[Event]) -> TerminalOutcome:
    (event,) = events
    assert isinstance(event, SaleEnded | LateAnswer)
    assert event.reference == REFERENCE
    return event.outcome


def status(session: PnaSession, answer: bytes, *, baseline: str | None = BEFORE) -> StatusAnswer:
    session.link_opened()
    session.ask_status(
        reference=REFERENCE,
        amount_rial=AMOUNT,
        terminal_number=None,
        baseline_stan=baseline,
        request_number="1",
        due_ms=20_000,
    )
    assert session.data_to_send() == last_request()
    (event,) = hear(session, answer)
    assert isinstance(event, QueryEnded)
    return event.answer


def test_an_approval_of_the_amount_and_a_newer_trace_is_approved(session: PnaSession) -> None:
    start(session)
    said = outcome(hear(session, FULL))
    assert said.kind == "approved"
    assert said.evidence
    assert (said.evidence.stan, said.evidence.source, said.evidence.reference) == (STAN, "answer", None)
    assert (session.terminal_number, session.newest_stan, session.centre_link) == ("98194184", STAN, True)
    assert session.unanswered(0) is None


@pytest.mark.parametrize(
    ("answer", "baseline", "reason"),
    [
        (FULL, STAN, "mismatch"),
        (BARE, BEFORE, "mismatch"),
        (FULL.replace(b"AM0041000", b"AM0041001"), BEFORE, "mismatch"),
    ],
)
def test_an_approval_that_says_another_sale_or_none_is_in_doubt(
    session: PnaSession, answer: bytes, baseline: str, reason: str
) -> None:
    start(session, baseline=baseline)
    said = outcome(hear(session, answer))
    assert (said.kind, said.reason) == ("in_doubt", reason)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("answer 51", "declined"),
        ("answer 55", "declined"),
        ("answer 99 (cancelled)", "cancelled"),
        ("answer 50", "in_doubt"),
        ("answer 81 made up by the vendor's library", "in_doubt"),
    ],
)
def test_codes_prove_what_the_table_says(session: PnaSession, name: str, kind: str) -> None:
    start(session)
    assert outcome(hear(session, VECTORS[name])).kind == kind


PROFILE = load_catalogue().terminal("daftar/virtual_pna")


@given(at=st.integers(0, len(FULL)), whole=st.booleans())
def test_an_answer_in_two_pieces_counts_and_a_cut_one_never_does(*, at: int, whole: bool) -> None:
    session = PnaSession(PROFILE)
    session.link_opened()
    start(session)
    events = hear(session, FULL[:at])
    if whole:
        assert outcome(events or hear(session, FULL[at:])).kind == "approved"
        return
    if at < len(FULL):
        assert events == []
        session.tick(7_000)
        events = session.events()
        assert bool(events) == (at > 0)
        session.tick(8_000)
        said = outcome(events or session.events())
        assert (said.kind, said.reason) == ("in_doubt", "bad_answer" if at else "no_answer")


@given(st.data())
def test_a_damaged_answer_is_never_an_approval_of_something_else(data: st.DataObject) -> None:
    session = PnaSession(PROFILE)
    session.link_opened()
    start(session)
    said = bytearray(FULL)
    for at, bit in data.draw(st.lists(st.tuples(st.integers(0, len(said) - 1), st.integers(0, 7)), max_size=3)):
        said[at] ^= 1 << bit
    for event in hear(session, bytes(said)):
        if isinstance(event, SaleEnded) and event.outcome.kind == "approved":
            assert event.outcome.evidence
            assert event.outcome.evidence.amount_rial == AMOUNT
            assert event.outcome.evidence.terminal_number == "98194184"


def test_silence_is_in_doubt_and_the_late_answer_on_its_link_settles_it(session: PnaSession) -> None:
    start(session)
    session.tick(7_999)
    assert session.events() == []
    session.tick(8_000)
    assert outcome(session.events()).reason == "no_answer"
    assert session.is_listening(8_000)
    assert session.unanswered(8_000) == REFERENCE
    late = outcome(hear(session, FULL, 9_000))
    assert late.kind == "approved"
    assert late.evidence
    assert late.evidence.source == "late_answer"
    assert not session.is_listening(9_000)
    assert hear(session, FULL, 9_100) == []
    other = FULL.replace(b"561925", b"561926")
    (stray,) = hear(session, other, 9_200)
    assert isinstance(stray, StrayAnswer)


def test_a_lost_link_is_in_doubt_and_its_answer_cannot_come_on_another(session: PnaSession) -> None:
    start(session)
    session.link_lost()
    assert outcome(session.events()).reason == "link_lost"
    assert not session.is_listening(0)
    assert session.unanswered(0) == REFERENCE
    session.link_opened()
    assert hear(session, FULL) == []


def test_noise_ends_the_wait_and_the_link(session: PnaSession) -> None:
    start(session)
    assert outcome(hear(session, b"hello")).reason == "bad_answer"
    assert not session.is_listening(0)
    assert hear(session, FULL) == []


def test_a_cancel_goes_on_the_sales_own_link_and_a_bare_yes_to_it_is_no_approval(session: PnaSession) -> None:
    assert not session.ask_cancel(0)
    start(session)
    assert session.ask_cancel(0)
    assert session.data_to_send() == order_request(CANCEL)
    assert hear(session, BARE) == []
    assert outcome(hear(session, VECTORS["answer 99 (cancelled)"])).kind == "cancelled"


def test_a_charge_beats_the_cancel_that_came_too_late(session: PnaSession) -> None:
    start(session)
    session.ask_cancel(0)
    assert outcome(hear(session, FULL + VECTORS["answer 99 (cancelled)"])).kind == "approved"


@pytest.mark.parametrize(
    ("answer", "baseline", "kind"),
    [(FULL, BEFORE, "approved"), (FULL, STAN, "not_found"), (FULL, None, "unclear"), (BARE, BEFORE, "unclear")],
)
def test_a_sale_is_asked_for_as_the_last_transaction(
    session: PnaSession, answer: bytes, baseline: str | None, kind: str
) -> None:
    said = status(session, answer, baseline=baseline)
    assert said.kind == kind
    assert said.evidence
    assert said.evidence.source == "last_transaction"


def test_whoever_answers_the_first_question_is_ready_and_tells_the_baseline(session: PnaSession) -> None:
    for answer, newest in ((FULL, STAN), (VECTORS["answer 50"], None), (VECTORS["answer 51"][:-12], None)):
        session.link_opened()
        session.ask_ready(due_ms=3_000)
        assert session.data_to_send() == last_request()
        session.receive_data(answer, 0)
        session.tick(3_000)
        (event,) = session.events()
        assert event == ReadyEnded(idle=len(answer) > 20)
        assert session.newest_stan == (STAN if answer is FULL else newest or session.newest_stan)


def test_a_terminal_without_any_transaction_has_a_baseline_before_the_first(session: PnaSession) -> None:
    session.ask_ready(due_ms=3_000)
    hear(session, VECTORS["answer 51"].replace(b"51", b"12"))
    assert session.newest_stan == "000000"


@pytest.mark.parametrize(
    ("answer", "ended"),
    [(BARE, "done"), (FULL, "done"), (VECTORS["answer 51"], "refused"), (VECTORS["answer 50"], "in_doubt")],
)
@pytest.mark.parametrize("order", ["acknowledge", "reverse"])
def test_orders_end_by_what_is_said_of_them(session: PnaSession, order: str, answer: bytes, ended: str) -> None:
    session.give_order(
        "reverse" if order == "reverse" else "acknowledge",
        amount_rial=AMOUNT,
        stan=STAN,
        terminal_number=None,
        due_ms=3_000,
    )
    assert session.data_to_send() == order_request(REVERSE if order == "reverse" else ACKNOWLEDGE)
    (event,) = hear(session, answer)
    assert isinstance(event, OrderEnded)
    assert event.answer.kind == ended


def test_an_order_answered_for_another_sale_or_not_at_all_is_in_doubt(session: PnaSession) -> None:
    def give() -> None:
        session.link_opened()
        session.give_order("acknowledge", amount_rial=AMOUNT, stan="000001", terminal_number=None, due_ms=3_000)

    give()
    (event,) = hear(session, FULL)
    assert isinstance(event, OrderEnded)
    assert (event.answer.kind, event.answer.reason) == ("in_doubt", "mismatch")
    give()
    session.tick(3_000)
    assert session.events() == [OrderEnded(OrderAnswer(kind="in_doubt", reason="no_answer"))]
    give()
    session.link_lost()
    assert session.events() == [OrderEnded(OrderAnswer(kind="in_doubt", reason="link_lost"))]


def test_the_last_transaction_is_told_as_it_is(session: PnaSession) -> None:
    session.ask_last(request_number="1", due_ms=3_000)
    (event,) = hear(session, FULL)
    assert isinstance(event, LastEnded)
    assert event.last.kind == "known"
    session.link_opened()
    session.ask_last(request_number="1", due_ms=3_000)
    session.tick(3_000)
    assert session.events() == [LastEnded(LastTransaction(kind="no_answer"))]
