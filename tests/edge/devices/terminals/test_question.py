"""A question to a terminal: it ends once, by an answer, or as what nobody knows."""

import pytest

from edge.devices.terminals.judgement import AskedSale
from edge.devices.terminals.outcome import DoubtReason, LastTransaction, OrderAnswer, StatusAnswer
from edge.devices.terminals.question import Asked, AskedStatus, Question, ToldOrder
from edge.devices.terminals.session import Event, LastEnded, OrderEnded, QueryEnded, ReadyEnded

SALE = AskedSale(reference="1", amount_rial=1_000)
STATUS = AskedStatus(SALE)
ORDER = ToldOrder("reverse", SALE, "000101")


@pytest.mark.parametrize(
    ("asked", "reason", "event"),
    [
        ("ready", "no_answer", ReadyEnded(idle=False)),
        ("last", "link_lost", LastEnded(LastTransaction(kind="no_answer"))),
        ("last", "bad_answer", LastEnded(LastTransaction(kind="unclear"))),
        (STATUS, "no_answer", QueryEnded("1", StatusAnswer(kind="no_answer"))),
        (STATUS, "bad_answer", QueryEnded("1", StatusAnswer(kind="unclear"))),
        (ORDER, "link_lost", OrderEnded(OrderAnswer(kind="in_doubt", reason="link_lost"))),
    ],
)
def test_a_wait_without_an_answer_proves_nothing(asked: Asked, reason: DoubtReason, event: Event) -> None:
    events: list[Event] = []
    question = Question(events)
    question.ask(asked, due_ms=100)
    question.doubt(reason)
    question.doubt(reason)
    assert (events, question.asked, question.deadline()) == ([event], None, None)


def test_it_is_waited_for_until_it_is_due() -> None:
    events: list[Event] = []
    question = Question(events)
    assert (question.deadline(), question.is_due(1_000)) == (None, False)
    question.ask("ready", due_ms=100)
    question.tick(99)
    assert (question.deadline(), events) == (100, [])
    question.tick(100)
    assert events == [ReadyEnded(idle=False)]


def test_an_answer_ends_it() -> None:
    events: list[Event] = []
    question = Question(events)
    question.ask("ready", due_ms=100)
    question.end(ReadyEnded(idle=True))
    question.tick(100)
    assert events == [ReadyEnded(idle=True)]
