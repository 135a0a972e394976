"""Copies of a card against a small model: who is found out, and when; nobody else is ever accused."""

import itertools

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.sync.models import BoxModel, CentralModel, new_pair

COPIES_MAX = 4


class Card(msgspec.Struct):
    """What the model knows of a box: which token it holds, and the request it has no answer to."""

    generation: int = 0
    pending: tuple[int, int] | None = None
    """Number and generation of the request."""


class Model:
    """Central, as far as tokens go: a fresh request needs the newest token; the same bytes get the same answer."""

    def __init__(self) -> None:
        self.generation = 0
        self.answered: dict[int, int] = {}
        """Token given, by the request's number."""
        self.found_out = False
        self._numbers = itertools.count()

    def send(self, card: Card) -> tuple[int, int]:
        if card.pending is None:
            card.pending = (next(self._numbers), card.generation)
        return card.pending

    def receive(self, number: int, generation: int) -> None:
        if number in self.answered:
            return
        if generation != self.generation:
            self.found_out = True
            return
        self.generation += 1
        self.answered[number] = self.generation

    def settle(self, card: Card) -> None:
        assert card.pending is not None
        card.generation, card.pending = self.answered[card.pending[0]], None


class Copies(RuleBasedStateMachine):
    """Cards are copied at any moment; each copy works, asks, loses requests and replies, and goes on."""

    central: CentralModel

    @initialize()
    def begin(self) -> None:
        box, self.central = new_pair()
        box.write()
        self.boxes: list[BoxModel] = [box]
        self.ever = [box]
        self.cards = [Card()]
        self.model = Model()

    def _one(self, data: st.DataObject) -> int:
        return data.draw(st.integers(0, len(self.boxes) - 1))

    @rule(data=st.data(), count=st.integers(0, 3))
    def writes(self, data: st.DataObject, count: int) -> None:
        self.boxes[self._one(data)].write(count)

    @precondition(lambda self: len(self.boxes) < COPIES_MAX and not self.model.found_out)
    @rule(data=st.data())
    def is_copied(self, data: st.DataObject) -> None:
        """A clone, or an image that is put back later: the copy begins where the card stood."""
        one = self._one(data)
        self.boxes.append(self.boxes[one].image(f"copy-{len(self.boxes)}"))
        self.ever.append(self.boxes[-1])
        card = self.cards[one]
        self.cards.append(Card(card.generation, card.pending))

    @precondition(lambda self: len(self.boxes) > 1 and not self.model.found_out)
    @rule(data=st.data())
    def is_thrown_away(self, data: st.DataObject) -> None:
        """A card that dies; if its newest image goes on alone, the model says whether that can be seen."""
        one = self._one(data)
        del self.boxes[one], self.cards[one]

    @precondition(lambda self: not self.model.found_out)
    @rule(data=st.data(), line=st.sampled_from(["good", "good", "request_lost", "reply_lost", "twice"]))
    def asks(self, data: st.DataObject, line: str) -> None:
        one = self._one(data)
        box, card = self.boxes[one], self.cards[one]
        wire, request = box.request(), self.model.send(card)
        if line == "request_lost":
            return
        answer = self.central.receive(wire)
        self.model.receive(*request)
        if line == "twice":
            assert self.central.receive(wire) == answer
        if line != "reply_lost":
            got = box.receive(answer)
            assert got is not None
            if not self.model.found_out:
                self.model.settle(card)

    @invariant()
    def found_out_when_the_model_says_so_and_never_else(self) -> None:
        assert bool(self.central.alarms) == self.model.found_out

    @invariant()
    def only_one_history_is_taken_for_good(self) -> None:
        held = [entry.leaf for entry in self.central.main]
        assert any(held == box.log.leaves[: len(held)] for box in self.ever)

    def teardown(self) -> None:
        """Whatever central came to hold of a copy is kept, in one branch or the other."""
        if hasattr(self, "central"):
            leaves = {entry.leaf for entry in self.central.main} | set(self.central.aside)
            assert len(leaves) == len(self.central.main) + len(self.central.aside)


TestCopies = Copies.TestCase
TestCopies.settings = settings(max_examples=40, stateful_step_count=30)
