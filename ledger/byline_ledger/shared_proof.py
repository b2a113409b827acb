"""One inclusion proof for many leaves of a tree (docs/spec/bundle.md, "Shared proof").

Rule: the tree is walked from the top, left before right; a subtree with none of the
leaves is one hash of the proof, a single leaf is computed, all else is split as RFC
6962 splits it.  So each hash stands once, and for one leaf it is that leaf's proof read
from the root down, in the order of the leaves.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import TypeAlias

from byline_ledger.errors import ProofError
from byline_ledger.merkle import HASH_BYTES, NodeReader, Proof, range_root, split

Roots: TypeAlias = Callable[[int, int], bytes]
"""`roots(low, high)`: root over the leaves [low, high) of a subtree."""


def shared_proof(indexes: Sequence[int], size: int, node: NodeReader) -> Proof:
    """The proof for these leaves, ascending and distinct; nothing for no leaf."""
    return _cover(indexes, size, lambda low, high: range_root(low, high, node))


def join_proofs(proofs: Mapping[int, Sequence[bytes]], size: int) -> Proof:
    """The shared proof of leaves whose own proofs are at hand, by index."""
    roots: dict[tuple[int, int], bytes] = {}
    for index, proof in proofs.items():
        roots.update(zip(_siblings(index, size), reversed(proof), strict=True))
    return _cover(sorted(proofs), size, lambda low, high: roots[low, high])


def _cover(indexes: Sequence[int], size: int, roots: Roots) -> Proof:
    proof: list[bytes] = []
    stack = [(0, size, 0, len(indexes))] if indexes else []
    while stack:
        low, high, first, last = stack.pop()
        if first == last:
            proof.append(roots(low, high))
        elif high - low > 1:
            middle = split(low, high)
            at = bisect_left(indexes, middle, first, last)
            stack += ((middle, high, at, last), (low, middle, first, at))
    return tuple(proof)


def _siblings(index: int, size: int) -> list[tuple[int, int]]:
    """The subtrees beside the way from the root to a leaf."""
    found = []
    low, high = 0, size
    while high - low > 1:
        middle = split(low, high)
        if index < middle:
            found.append((middle, high))
            high = middle
        else:
            found.append((low, middle))
            low = middle
    return found


def verify_shared(
    leaves: Mapping[int, bytes], size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """These leaf hashes, by index, are in the tree (size, root), or ProofError."""
    if leaves:
        if _Reading(leaves, size, proof).root() != root:
            raise ProofError(
                "the inclusion proof of the statements does not lead to the root of"
                f" the tree of {size} leaves"
            )
    elif proof:
        raise ProofError("an inclusion proof of no statement")


def own_proof(
    leaves: Mapping[int, bytes], size: int, proof: Sequence[bytes], index: int
) -> Proof:
    """The inclusion proof (RFC 6962) of one of these leaves, else ProofError."""
    if index not in leaves:
        raise ProofError(f"the proof is not of leaf {index}")
    roots: dict[tuple[int, int], bytes] = {}
    _Reading(leaves, size, proof, roots).root()
    return tuple(roots[at] for at in reversed(_siblings(index, size)))


class _Reading:
    def __init__(
        self,
        leaves: Mapping[int, bytes],
        size: int,
        proof: Sequence[bytes],
        roots: dict[tuple[int, int], bytes] | None = None,
    ) -> None:
        """`roots` is told the root of each subtree that is met."""
        self._leaves = leaves
        self._indexes = sorted(leaves)
        self._size = size
        self._proof = proof
        self._at = 0
        self._roots = roots
        if not 0 <= self._indexes[0] <= self._indexes[-1] < size:
            raise ProofError(f"a leaf beyond the tree of {size}")

    def root(self) -> bytes:
        """Where the proof leads; it must have exactly the hashes that are needed."""
        found = self._root(0, self._size, 0, len(self._indexes))
        if self._at != len(self._proof):
            raise ProofError("the inclusion proof of the statements is too long")
        return found

    def _root(self, low: int, high: int, first: int, last: int) -> bytes:
        """One frame per level, of which there are at most 63."""
        if first == last:
            found = self._take()
        elif high - low == 1:
            found = self._leaves[low]
        else:
            middle = split(low, high)
            at = bisect_left(self._indexes, middle, first, last)
            left = self._root(low, middle, first, at)
            right = self._root(middle, high, at, last)
            found = sha256(b"\x01" + left + right).digest()
        if self._roots is not None:
            self._roots[low, high] = found
        return found

    def _take(self) -> bytes:
        if self._at == len(self._proof):
            raise ProofError("the inclusion proof of the statements is too short")
        found = self._proof[self._at]
        if len(found) != HASH_BYTES:
            raise ProofError(f"expected hashes of 32 bytes, got one of {len(found)}")
        self._at += 1
        return found
