"""The conversation under a bad line: messages dropped, repeated, reordered, cut. Nothing lost, no alarm, it drains."""

import contextlib

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared.errors import DaftarError, PeerError
from shared.journal.cosignature import check_cosignature
from shared.journal.note import parse_note
from sync.messages import WINDOW_ENTRIES_MAX
from tests.sync.models import BoxModel, CentralModel, exchange, new_pair


class BadLine(RuleBasedStateMachine):
    """One box, one central, and a line that may do anything to a message but forge a signature."""

    box: BoxModel
    central: CentralModel

    @initialize()
    def begin(self) -> None:
        self.box, self.central = new_pair()
        self.box.write()
        self.up: list[bytes] = []
        self.down: list[bytes] = []
        self.cosigned_size = 0

    @rule(count=st.integers(1, 5))
    def box_writes(self, count: int) -> None:
        self.box.write(count)

    @rule()
    def a_big_backlog(self) -> None:
        if self.box.log.size() < 400:
            self.box.write(WINDOW_ENTRIES_MAX + 10)

    @rule(count=st.integers(1, 4))
    def central_publishes(self, count: int) -> None:
        self.central.publish(count)

    @rule()
    def box_sends(self) -> None:
        """Also what a restarted box does: the pending request is all it has."""
        self.up.append(self.box.request())

    @precondition(lambda self: self.up)
    @rule(data=st.data())
    def request_arrives(self, data: st.DataObject) -> None:
        """Any request ever sent, in any order, any number of times."""
        self.down.append(self.central.receive(data.draw(st.sampled_from(self.up))))

    @precondition(lambda self: self.up)
    @rule(data=st.data())
    def request_arrives_cut(self, data: st.DataObject) -> None:
        wire = data.draw(st.sampled_from(self.up))
        self._refused(wire[: data.draw(st.integers(0, len(wire) - 1))])

    @precondition(lambda self: self.up)
    @rule(data=st.data())
    def request_arrives_damaged(self, data: st.DataObject) -> None:
        wire = bytearray(data.draw(st.sampled_from(self.up)))
        wire[data.draw(st.integers(0, len(wire) - 1))] ^= data.draw(st.integers(1, 255))
        self._refused(bytes(wire))

    def _refused(self, wire: bytes) -> None:
        before = (len(self.central.main), self.central.token, len(self.central.answers))
        try:
            self.central.receive(wire)
        except PeerError:
            assert before == (len(self.central.main), self.central.token, len(self.central.answers))

    @precondition(lambda self: self.down)
    @rule(data=st.data())
    def answer_arrives(self, data: st.DataObject) -> None:
        with contextlib.suppress(PeerError):
            self.box.receive(data.draw(st.sampled_from(self.down)))

    @precondition(lambda self: self.down)
    @rule(data=st.data())
    def answer_arrives_cut(self, data: st.DataObject) -> None:
        wire = data.draw(st.sampled_from(self.down))
        pending = self.box.pending
        try:
            self.box.receive(wire[: data.draw(st.integers(0, len(wire) - 1))])
        except DaftarError:
            assert self.box.pending == pending

    @invariant()
    def central_holds_a_prefix(self) -> None:
        held = [entry.leaf for entry in self.central.main]
        assert held == self.box.log.leaves[: len(held)]

    @invariant()
    def what_is_acknowledged_is_held_and_never_less(self) -> None:
        assert self.cosigned_size <= self.box.cosigned_size <= len(self.central.main)
        self.cosigned_size = self.box.cosigned_size
        if self.box.cosigned_note:
            assert check_cosignature(parse_note(self.box.cosigned_note), self.box.trust.witness_key()) > 0

    @invariant()
    def nobody_is_accused(self) -> None:
        assert self.central.alarms == []
        assert not self.central.quarantined
        assert not self.central.aside

    @invariant()
    def the_feed_arrives_in_order_and_once(self) -> None:
        assert self.box.received == [data for data, _ in self.central.feed.pairs[: len(self.box.received)]]

    def teardown(self) -> None:
        """When the line is good again, everything gets through."""
        if not hasattr(self, "box"):
            return
        rounds = 3 + self.box.log.size() // WINDOW_ENTRIES_MAX + len(self.central.feed.pairs) // 3
        for _ in range(rounds):
            exchange(self.box, self.central)
        assert self.box.cosigned_size == self.box.log.size() == len(self.central.main)
        assert len(self.box.received) == len(self.central.feed.pairs)
        self.nobody_is_accused()


TestBadLine = BadLine.TestCase
TestBadLine.settings = settings(max_examples=20, stateful_step_count=30)
