"""The tree against RFC 6962's own recursive definitions, written here a second time and slowly."""

import hashlib
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.errors import IntegrityError
from shared.journal.entry import leaf_hash
from shared.journal.tree import (
    EMPTY_ROOT,
    Frontier,
    check_consistency,
    check_inclusion,
    consistency_proof,
    grown,
    inclusion_proof,
    root,
)

SIZE_MAX = 70
LEAVES = [leaf_hash(bytes([index])) for index in range(SIZE_MAX)]

# The log everybody's implementation is checked with: certificate-transparency's merkletree tests.
KNOWN_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
KNOWN_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def slow_root(leaves: list[bytes]) -> bytes:
    """MTH, section 2.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = slow_split(len(leaves))
    return hashlib.sha256(b"\x01" + slow_root(leaves[:split]) + slow_root(leaves[split:])).digest()


def slow_split(size: int) -> int:
    split = 1
    while split * 2 < size:
        split *= 2
    return split


def slow_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH, section 2.1.1."""
    if len(leaves) == 1:
        return []
    split = slow_split(len(leaves))
    if index < split:
        return [*slow_path(index, leaves[:split]), slow_root(leaves[split:])]
    return [*slow_path(index - split, leaves[split:]), slow_root(leaves[:split])]


def slow_subproof(old: int, leaves: list[bytes], *, whole: bool) -> list[bytes]:
    """SUBPROOF, section 2.1.2."""
    if old == len(leaves):
        return [] if whole else [slow_root(leaves)]
    split = slow_split(len(leaves))
    if old <= split:
        return [*slow_subproof(old, leaves[:split], whole=whole), slow_root(leaves[split:])]
    return [*slow_subproof(old - split, leaves[split:], whole=False), slow_root(leaves[:split])]


class Tree:
    def __init__(self, leaves: list[bytes]) -> None:
        self.nodes: dict[tuple[int, int], bytes] = {}
        for size, leaf in enumerate(leaves):
            for level, position, digest in grown(size, leaf, self.node):
                assert (level, position) not in self.nodes, "a stored node never changes"
                self.nodes[level, position] = digest

    def node(self, level: int, position: int) -> bytes:
        return self.nodes[level, position]


TREE = Tree(LEAVES)
ROOTS = [slow_root(LEAVES[:size]) for size in range(SIZE_MAX + 1)]


def test_the_known_log_has_the_known_roots():
    leaves = [leaf_hash(bytes.fromhex(data)) for data in KNOWN_LEAVES]
    tree = Tree(leaves)
    assert [root(size, tree.node).hex() for size in range(len(leaves) + 1)] == KNOWN_ROOTS
    assert EMPTY_ROOT.hex() == KNOWN_ROOTS[0]


def test_known_proofs():
    tree = Tree([leaf_hash(bytes.fromhex(data)) for data in KNOWN_LEAVES])
    assert [step.hex() for step in inclusion_proof(0, 8, tree.node)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert [step.hex() for step in consistency_proof(2, 5, tree.node)] == [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ]


def test_every_root_and_proof_up_to_70_leaves_is_the_rfc_s():
    for size in range(SIZE_MAX + 1):
        leaves = LEAVES[:size]
        assert root(size, TREE.node) == ROOTS[size]
        for index in range(size):
            path = inclusion_proof(index, size, TREE.node)
            assert path == slow_path(index, leaves)
            check_inclusion(LEAVES[index], index, size, path, ROOTS[size])
        for old in range(size + 1):
            proof = consistency_proof(old, size, TREE.node)
            assert proof == (slow_subproof(old, leaves, whole=True) if old else [])
            check_consistency(old, ROOTS[old], size, ROOTS[size], proof)


def test_the_frontier_knows_every_root_as_it_grows():
    frontier = Frontier()
    for size, leaf in enumerate(LEAVES):
        assert (frontier.size, frontier.root()) == (size, ROOTS[size])
        frontier.append(leaf)
    assert frontier.root() == ROOTS[SIZE_MAX]


def test_a_tree_of_n_leaves_stores_fewer_than_2n_nodes():
    assert len(TREE.nodes) < 2 * SIZE_MAX


sizes = st.integers(1, SIZE_MAX)


@st.composite
def altered_paths(draw, path: list[bytes]):
    """A path that differs from the given one: a bit, a step more, a step less, two swapped, one repeated."""
    how = draw(st.sampled_from(["bit", "more", "less", "swap", "repeat"]))
    assume(path or how == "more")
    at = draw(st.integers(0, max(len(path) - 1, 0)))
    altered = list(path)
    match how:
        case "bit":
            step = bytearray(altered[at])
            step[draw(st.integers(0, 31))] ^= 1 << draw(st.integers(0, 7))
            altered[at] = bytes(step)
        case "more":
            altered.insert(at, draw(st.sampled_from(LEAVES)))
        case "less":
            del altered[at]
        case "swap":
            other = draw(st.integers(0, len(path) - 1))
            altered[at], altered[other] = altered[other], altered[at]
        case "repeat":
            altered.insert(at, altered[at])
    assume(altered != path)
    return altered


@given(st.data(), sizes)
def test_an_altered_inclusion_proof_is_refused(data, size):
    index = data.draw(st.integers(0, size - 1))
    altered = data.draw(altered_paths(inclusion_proof(index, size, TREE.node)))
    with pytest.raises(IntegrityError, match=r"tree\.not_included"):
        check_inclusion(LEAVES[index], index, size, altered, ROOTS[size])


@given(st.data(), sizes)
def test_a_right_inclusion_proof_is_of_one_leaf_at_one_place_of_one_tree(data, size):
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, TREE.node)
    other = data.draw(st.integers(-2, SIZE_MAX + 2).filter(lambda place: place != index))
    with pytest.raises(IntegrityError):
        check_inclusion(LEAVES[index], other, size, proof, ROOTS[size])
    with pytest.raises(IntegrityError):
        check_inclusion(LEAVES[(index + 1) % SIZE_MAX], index, size, proof, ROOTS[size])
    with pytest.raises(IntegrityError):
        check_inclusion(LEAVES[index], index, size, proof, ROOTS[size - 1])


@given(st.data(), sizes)
def test_an_altered_consistency_proof_is_refused(data, new):
    old = data.draw(st.integers(0, new))
    altered = data.draw(altered_paths(consistency_proof(old, new, TREE.node)))
    with pytest.raises(IntegrityError, match=r"tree\.not_consistent"):
        check_consistency(old, ROOTS[old], new, ROOTS[new], altered)


@given(st.data(), sizes)
def test_a_right_consistency_proof_is_of_two_trees_only(data, new):
    old = data.draw(st.integers(1, new))
    proof = consistency_proof(old, new, TREE.node)
    wrong_root = data.draw(st.sampled_from(LEAVES))
    for old_root, new_root in ((wrong_root, ROOTS[new]), (ROOTS[old], wrong_root)):
        if (old_root, new_root) == (ROOTS[old], ROOTS[new]):
            continue
        with pytest.raises(IntegrityError):
            check_consistency(old, old_root, new, new_root, proof)
    with pytest.raises(IntegrityError):
        check_consistency(new + 1, ROOTS[old], new, ROOTS[new], proof)


def test_a_proof_from_a_size_of_another_shape_is_refused():
    # Neighbouring sizes share most of their proof, so a wrong size is what a careless verifier lets pass.
    for new in range(3, SIZE_MAX + 1):
        for old, other in pairwise(range(1, new)):
            with pytest.raises(IntegrityError):
                check_consistency(other, ROOTS[other], new, ROOTS[new], consistency_proof(old, new, TREE.node))
            with pytest.raises(IntegrityError):
                check_consistency(old, ROOTS[other], new, ROOTS[new], consistency_proof(old, new, TREE.node))


def test_the_empty_tree_is_continued_by_all_but_only_with_its_own_root():
    check_consistency(0, EMPTY_ROOT, 5, ROOTS[5], [])
    with pytest.raises(IntegrityError):
        check_consistency(0, ROOTS[1], 5, ROOTS[5], [])
    with pytest.raises(IntegrityError):
        check_consistency(5, ROOTS[5], 5, ROOTS[4], [])


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_no_proof_is_made_for_an_entry_outside(index, size):
    with pytest.raises(ValueError, match="no entry"):
        inclusion_proof(index, size, TREE.node)


@pytest.mark.parametrize(("old", "new"), [(-1, 3), (4, 3)])
def test_no_proof_is_made_of_shrinking(old, new):
    with pytest.raises(ValueError, match="did not grow"):
        consistency_proof(old, new, TREE.node)
