"""The Merkle tree of RFC 6962 over leaf hashes: roots, inclusion and consistency proofs.

A tree of any size is made of *complete* subtrees; node (level, position) covers leaves
[position << level, (position + 1) << level). Whoever stores the nodes that `grown` names (about one for each leaf)
can answer every question here in O(log n) look-ups. Level 0 is the leaf hashes themselves.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Self

from shared.errors import IntegrityError

Node = Callable[[int, int], bytes]
"""Look up a complete subtree's hash by (level, position)."""

EMPTY_ROOT = hashlib.sha256(b"").digest()


def interior(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || left || right), RFC 6962 section 2.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def grown(size: int, leaf: bytes, node: Node) -> list[tuple[int, int, bytes]]:
    """Return the complete subtrees that appending `leaf` to a tree of `size` leaves adds: (level, position, hash)."""
    added = [(0, size, leaf)]
    level, position, digest = 0, size, leaf
    while position & 1:
        digest = interior(node(level, position - 1), digest)
        level, position = level + 1, position >> 1
        added.append((level, position, digest))
    return added


def completed_by(level: int, position: int) -> int:
    """Return the index of the entry that completes a node: the last one that it covers."""
    return (position + 1 << level) - 1


def completed_at(index: int, level: int) -> int:
    """Return the position of the node of this level whose last entry is `index`."""
    return (index + 1 >> level) - 1


class Frontier:
    """The complete subtrees on a growing tree's right edge: its root at every size, in O(log n) memory."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    @classmethod
    def of(cls, size: int, node: Node) -> Self:
        """Return the edge of a tree of `size` leaves whose nodes are stored."""
        frontier = cls()
        frontier.size = size
        for level in reversed(range(size.bit_length())):
            if size >> level & 1:
                frontier._peaks.append(node(level, (size >> level) - 1))
        return frontier

    def append(self, leaf: bytes) -> list[bytes]:
        """Add one leaf hash; return the hashes of the complete subtrees that it completes, itself first."""
        digest, position = leaf, self.size
        completed = [leaf]
        while position & 1:
            digest = interior(self._peaks.pop(), digest)
            completed.append(digest)
            position >>= 1
        self._peaks.append(digest)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """Return the root hash of all leaves so far."""
        if not self._peaks:
            return EMPTY_ROOT
        digest = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            digest = interior(peak, digest)
        return digest


def _range_root(start: int, end: int, node: Node) -> bytes:
    """Return MTH of leaves [start, end); start is a multiple of the range's enclosing power of two."""
    width = end - start
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return node(level, start >> level)
    split = 1 << (width - 1).bit_length() - 1
    return interior(_range_root(start, start + split, node), _range_root(start + split, end, node))


def root(size: int, node: Node) -> bytes:
    """Return the root hash of the first `size` leaves."""
    return EMPTY_ROOT if size == 0 else _range_root(0, size, node)


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """Return PATH(index, D[size]), RFC 6962 section 2.1.1. Raises ValueError for an index outside the tree."""
    if not 0 <= index < size:
        raise ValueError(f"no entry {index} in a tree of {size}")
    start, end, path = 0, size, []
    while end - start > 1:
        split = start + (1 << (end - start - 1).bit_length() - 1)
        if index < split:
            path.append(_range_root(split, end, node))
            end = split
        else:
            path.append(_range_root(start, split, node))
            start = split
    return path[::-1]


def consistency_proof(old: int, new: int, node: Node) -> list[bytes]:
    """Return PROOF(old, D[new]), RFC 6962 section 2.1.2; empty when old is 0 or equals new."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} did not grow from {old}")
    if old in (0, new):
        return []
    start, end, whole, path = 0, new, True, []
    while old != end:
        split = start + (1 << (end - start - 1).bit_length() - 1)
        if old <= split:
            path.append(_range_root(split, end, node))
            end = split
        else:
            path.append(_range_root(start, split, node))
            start, whole = split, False
    if not whole:
        path.append(_range_root(start, end, node))
    return path[::-1]


def path_root(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """Return the root of the tree of `size` that has `leaf` at `index`, by its path (RFC 9162, 2.1.3.2).

    Raises IntegrityError `tree.not_included` for a path that is none.
    """
    if not 0 <= index < size:
        raise IntegrityError("tree.not_included", index=index, size=size)
    position, last, digest = index, size - 1, leaf
    for step in proof:
        if last == 0:
            raise IntegrityError("tree.not_included", index=index, size=size)
        if position & 1 or position == last:
            digest = interior(step, digest)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            digest = interior(digest, step)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise IntegrityError("tree.not_included", index=index, size=size)
    return digest


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes) -> None:
    """Check that `leaf` is entry `index` of the tree. Raises IntegrityError `tree.not_included`."""
    if path_root(leaf, index, size, proof) != expected_root:
        raise IntegrityError("tree.not_included", index=index, size=size)


def _consistency_roots(old: int, new: int, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Return the old and the new root that a path of hashes leads to, or None when it has too few or too many."""
    if not path:
        return None
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old_digest = new_digest = path[0]
    for step in path[1:]:
        if last == 0:
            return None
        if position & 1 or position == last:
            old_digest, new_digest = interior(step, old_digest), interior(step, new_digest)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new_digest = interior(new_digest, step)
        position, last = position >> 1, last >> 1
    return (old_digest, new_digest) if last == 0 else None


def check_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the new tree starts with the old one (RFC 9162, 2.1.4.2).

    Raises IntegrityError `tree.not_consistent`.
    """
    wrong = IntegrityError("tree.not_consistent", old=old, new=new)
    if not 0 <= old <= new:
        raise wrong
    if old in (0, new):
        # Nothing to prove, so a proof must be empty: every tree continues the empty one, and each continues itself.
        if proof or (old == 0 and old_root != EMPTY_ROOT) or (old == new and old_root != new_root):
            raise wrong
        return
    # A complete old tree is itself the first node of the path, and the proof leaves it out.
    path = [old_root, *proof] if old & (old - 1) == 0 else proof
    if _consistency_roots(old, new, path) != (old_root, new_root):
        raise wrong
