"""What a terminal is asked or told besides sales, waited for until it is due. Pure.

What happened goes to the list of events that it was given.
"""

from typing import Literal

import msgspec

from edge.devices.terminals.judgement import AskedSale
from edge.devices.terminals.outcome import DoubtReason, LastTransaction, OrderAnswer, StatusAnswer
from edge.devices.terminals.session import Event, LastEnded, Order, OrderEnded, QueryEnded, ReadyEnded

AnsweredEvent = ReadyEnded | QueryEnded | LastEnded | OrderEnded


class AskedStatus(msgspec.Struct, frozen=True):
    """What became of a sale."""

    about: AskedSale


class ToldOrder(msgspec.Struct, frozen=True):
    """To keep or to undo a sale, which its approval's trace names."""

    order: Order
    about: AskedSale
    stan: str


Asked = Literal["ready", "last"] | AskedStatus | ToldOrder


class Question:
    """One question or order at a time; another takes its place."""

    def __init__(self, events: list[Event]) -> None:
        self._events = events
        self._due_ms = 0
        self.asked: Asked | None = None
        """What is waited for."""

    def ask(self, asked: Asked, *, due_ms: int) -> None:
        """Wait for an answer until then."""
        self.asked, self._due_ms = asked, due_ms

    def deadline(self) -> int | None:
        """Return when `tick` has something to do, or None."""
        return None if self.asked is None else self._due_ms

    def is_due(self, now_ms: int) -> bool:
        """Return whether something is waited for, and has been for long enough."""
        return self.asked is not None and now_ms >= self._due_ms

    def tick(self, now_ms: int) -> None:
        """End the wait that has lasted long enough."""
        if self.is_due(now_ms):
            self.doubt("no_answer")

    def end(self, event: AnsweredEvent) -> None:
        """Wait no longer: this is what came of it."""
        self.asked = None
        self._events.append(event)

    def doubt(self, reason: DoubtReason) -> None:
        """End the wait, if there is one, without an answer: nothing came, or nothing that can be read."""
        unknown: Literal["unclear", "no_answer"] = "unclear" if reason == "bad_answer" else "no_answer"
        match self.asked:
            case "ready":
                self.end(ReadyEnded(idle=False))
            case "last":
                self.end(LastEnded(LastTransaction(kind=unknown)))
            case AskedStatus(about):
                self.end(QueryEnded(about.reference, StatusAnswer(kind=unknown)))
            case ToldOrder():
                self.end(OrderEnded(OrderAnswer(kind="in_doubt", reason=reason)))
            case None:
                pass
