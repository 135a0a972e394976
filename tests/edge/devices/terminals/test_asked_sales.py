"""A terminal's sales: waited for until they end once, remembered for what comes late."""

from edge.devices.terminals.asked_sales import AskedSales
from edge.devices.terminals.judgement import AskedSale
from edge.devices.terminals.outcome import StatusAnswer, TerminalOutcome
from edge.devices.terminals.session import Event, LateAnswer, SaleEnded, StrayAnswer
from shared.events import Evidence

CHARGED = TerminalOutcome(kind="approved", evidence=Evidence(source="answer", response_code="00", rrn="1"))
CHARGED_AGAIN = TerminalOutcome(kind="approved", evidence=Evidence(source="answer", response_code="00", rrn="2"))
DECLINED = TerminalOutcome(kind="declined", evidence=Evidence(source="answer", response_code="51"))
UNHEARD = TerminalOutcome(kind="in_doubt", reason="no_answer")


def sale(reference: str) -> AskedSale:
    return AskedSale(reference=reference, amount_rial=1_000, busy_until_ms=500)


def asked(*references: str, remembered_max: int = 8) -> tuple[AskedSales, list[Event]]:
    events: list[Event] = []
    sales = AskedSales(events, remembered_max=remembered_max)
    for reference in references:
        sales.start(sale(reference), name=reference, due_ms=100)
    return sales, events


def test_an_answer_in_time_ends_the_wait_once() -> None:
    sales, events = asked("1")
    one = sales.named("1")
    assert one is not None
    assert (sales.deadline(), sales.source(one), sales.unanswered(0)) == (100, "answer", "1")
    sales.settle(one, DECLINED)
    assert (sales.deadline(), sales.source(one), sales.unanswered(0)) == (None, "late_answer", None)
    sales.settle(one, DECLINED)
    sales.tick(1_000)
    assert events == [SaleEnded("1", DECLINED)]


def test_a_wait_that_lasted_long_enough_is_in_doubt_and_may_still_be_worked_on() -> None:
    sales, events = asked("1")
    sales.tick(99)
    assert events == []
    sales.tick(100)
    assert events == [SaleEnded("1", UNHEARD)]
    assert (sales.unanswered(499), sales.unanswered(500)) == ("1", None)


def test_what_is_abandoned_ends_as_a_late_answer_and_a_second_charge_as_a_stray_one() -> None:
    sales, events = asked("1")
    sales.abandon()
    one = sales.newest
    assert one is not None
    for outcome in (CHARGED, CHARGED, DECLINED, CHARGED_AGAIN):
        sales.settle(one, outcome)
    assert CHARGED_AGAIN.evidence is not None
    assert events == [LateAnswer("1", CHARGED), StrayAnswer(CHARGED_AGAIN.evidence)]


def test_what_a_question_told_is_no_news_when_it_comes_late() -> None:
    sales, events = asked("1")
    sales.abandon()
    sales.learn("2", StatusAnswer(kind="approved", evidence=CHARGED.evidence))
    assert sales.unanswered(0) == "1"
    sales.learn("1", StatusAnswer(kind="approved", evidence=CHARGED.evidence))
    one = sales.newest
    assert one is not None
    sales.settle(one, CHARGED)
    assert (events, sales.unanswered(0)) == ([], None)


def test_the_oldest_of_too_many_is_forgotten_and_naming_one_anew_makes_it_the_newest() -> None:
    sales, _ = asked("1", "2", remembered_max=2)
    sales.remember(sale("1"), name="1")
    sales.remember(sale("3"), name="3")
    assert [one.reference for one in sales.all()] == ["1", "3"]
    assert (sales.named("2"), sales.named(None)) == (None, None)
