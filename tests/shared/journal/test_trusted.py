"""A trusted journal only moves forward, whatever is offered, in whatever order."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.errors import IntegrityError
from shared.journal.checkpoint import Checkpoint, checkpoint_text
from shared.journal.entry import leaf_hash
from shared.journal.note import Note, NoteKey, sign_note
from shared.journal.tree import EMPTY_ROOT, Frontier, consistency_proof, grown, root
from shared.journal.trusted import TrustedJournal

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(32))
KEY = NoteKey("daftar.journal/1/box/1", PRIVATE.public_key().public_bytes_raw())
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32)


class Branch:
    """A log as its keeper has it."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.leaves: list[bytes] = []
        self.nodes: dict[tuple[int, int], bytes] = {}
        for leaf in leaves:
            self.append(leaf)

    def append(self, leaf: bytes) -> None:
        for level, position, digest in grown(len(self.leaves), leaf, self.node):
            self.nodes[level, position] = digest
        self.leaves.append(leaf)

    def node(self, level: int, position: int) -> bytes:
        return self.nodes[level, position]

    def note(self, size: int, *, origin: str = KEY.name, private: Ed25519PrivateKey = PRIVATE) -> Note:
        return sign_note(checkpoint_text(Checkpoint(origin, size, root(size, self.node))), KEY, private.sign)

    def proof(self, old: int, new: int) -> list[bytes]:
        return consistency_proof(old, new, self.node)


class OnlyForward(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.branch = Branch([])
        self.trusted = TrustedJournal(KEY)
        self.made = 0

    def fresh_leaf(self) -> bytes:
        self.made += 1
        return leaf_hash(b"%d" % self.made)

    def refuse(self, code: str | None, note: Note, proof: list[bytes]) -> None:
        before = (self.trusted.size, self.trusted.root)
        with pytest.raises(IntegrityError) as caught:
            self.trusted.advance(note, proof)
        if code:
            assert caught.value.code == code
        assert (self.trusted.size, self.trusted.root) == before

    @rule(count=st.integers(1, 9))
    def grow(self, count: int) -> None:
        for _ in range(count):
            self.branch.append(self.fresh_leaf())

    @rule(data=st.data())
    def honest_growth_is_accepted(self, data: st.DataObject) -> None:
        new = data.draw(st.integers(self.trusted.size, len(self.branch.leaves)))
        seen = self.trusted.advance(self.branch.note(new), self.branch.proof(self.trusted.size, new))
        assert (seen.size, seen.origin) == (new, KEY.name)
        assert self.trusted.size == new

    @precondition(lambda self: self.trusted.size > 0)
    @rule(data=st.data())
    def a_rollback_is_refused(self, data: st.DataObject) -> None:
        old = data.draw(st.integers(0, self.trusted.size - 1))
        proof = data.draw(st.sampled_from([[], self.branch.proof(old, self.trusted.size)]))
        self.refuse("journal.rollback", self.branch.note(old), proof)

    @precondition(lambda self: self.trusted.size > 0)
    @rule(data=st.data())
    def a_fork_is_refused_even_with_its_own_right_proof(self, data: st.DataObject) -> None:
        split = data.draw(st.integers(0, self.trusted.size - 1))
        other = Branch(self.branch.leaves[:split])
        while len(other.leaves) < self.trusted.size + 3:
            other.append(self.fresh_leaf())
        new = data.draw(st.integers(self.trusted.size, len(other.leaves)))
        self.refuse("journal.fork", other.note(new), other.proof(self.trusted.size, new))

    @precondition(lambda self: 0 < self.trusted.size < len(self.branch.leaves))
    @rule(data=st.data())
    def growth_without_its_proof_is_refused(self, data: st.DataObject) -> None:
        new = data.draw(st.integers(self.trusted.size + 1, len(self.branch.leaves)))
        proof = self.branch.proof(self.trusted.size, new)
        self.refuse("journal.fork", self.branch.note(new), proof[:-1])

    @rule(data=st.data())
    def a_stranger_s_word_is_nothing(self, data: st.DataObject) -> None:
        new = data.draw(st.integers(self.trusted.size, len(self.branch.leaves)))
        note = self.branch.note(new, private=STRANGER)
        self.refuse("signature.wrong", note, self.branch.proof(self.trusted.size, new))

    @rule()
    def another_log_s_checkpoint_under_this_key_is_refused(self) -> None:
        note = self.branch.note(len(self.branch.leaves), origin="daftar.journal/2/box/1")
        self.refuse("journal.other_origin", note, self.branch.proof(self.trusted.size, len(self.branch.leaves)))

    @rule()
    def a_signed_text_that_is_no_checkpoint_is_refused(self) -> None:
        self.refuse("checkpoint.malformed", sign_note("hello\n", KEY, PRIVATE.sign), [])

    @rule()
    def a_stored_state_goes_on(self) -> None:
        self.trusted = TrustedJournal(KEY, size=self.trusted.size, root=self.trusted.root)

    @invariant()
    def what_is_trusted_is_a_state_of_the_log(self) -> None:
        frontier = Frontier()
        for leaf in self.branch.leaves[: self.trusted.size]:
            frontier.append(leaf)
        assert self.trusted.root == frontier.root()


TestOnlyForward = OnlyForward.TestCase
TestOnlyForward.settings = settings(max_examples=25, stateful_step_count=30)


def test_nothing_is_believed_at_first():
    trusted = TrustedJournal(KEY)
    assert (trusted.size, trusted.root, trusted.origin) == (0, EMPTY_ROOT, KEY.name)
