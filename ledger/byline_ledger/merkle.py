"""The RFC 6962 Merkle tree: roots, proofs, and the frontier a log grows from.

Rule: a leaf hashes to SHA-256(0x00 || entry), an inner node to
SHA-256(0x01 || left || right), and the left child of a tree of n leaves is the perfect
tree over the largest power of two below n.  Specification: docs/spec/log.md, "Tree".

Nothing here stores a hash.  Whoever has hashes passes a `NodeReader`; a proof over n
leaves reads O(log n) of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeAlias

from byline_ledger.errors import MalformedError, ProofError

HASH_BYTES = 32
MAX_SIZE = 2**63 - 1
"""Largest tree size that any Byline format can name."""

MAX_PROOF = 63
"""Hashes of an inclusion proof in the largest tree."""
MAX_CONSISTENCY = 128
"""More than a consistency proof ever has: of those, RFC 6962 makes up to 64."""

EMPTY_ROOT = sha256(b"").digest()
"""Root of the tree without leaves."""

NodeReader: TypeAlias = Callable[[int, int], bytes]
"""`node(level, index)`: root of the perfect tree over
leaves [index * 2**level, (index + 1) * 2**level).  Asked for complete trees only."""

Proof: TypeAlias = tuple[bytes, ...]
"""32-byte hashes in RFC 6962 order: nearest the leaf first, child of the root last."""


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 || entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


# Roots and proofs, for whoever holds the tree


def root_from(size: int, node: NodeReader) -> bytes:
    """Root of the first `size` leaves."""
    return range_root(0, size, node) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, node: NodeReader) -> Proof:
    """Proof that leaf `index` is in the tree of `size` leaves (RFC 6962, 2.1.1)."""
    _require_index(index, size)
    proof = []
    low, high = 0, size
    while high - low > 1:
        middle = split(low, high)
        if index < middle:
            proof.append(range_root(middle, high, node))
            high = middle
        else:
            proof.append(range_root(low, middle, node))
            low = middle
    return tuple(reversed(proof))


def consistency_proof(old: int, size: int, node: NodeReader) -> Proof:
    """Proof that the tree of `old` leaves is a prefix of that of `size` (2.1.2).

    Empty for `old` = 0 and for `old` = `size`: the sizes and roots say it all.
    """
    _require_sizes(old, size)
    if old in (0, size):
        return ()
    proof = []
    low, high = 0, size
    while high != old:
        middle = split(low, high)
        if old <= middle:
            proof.append(range_root(middle, high, node))
            high = middle
        else:
            proof.append(range_root(low, middle, node))
            low = middle
    if low:
        # The verifier knows the old root, but not this last piece of it.
        proof.append(range_root(low, high, node))
    return tuple(reversed(proof))


def split(low: int, high: int) -> int:
    """Where the left child of the tree over leaves [low, high) ends; two at least."""
    return low + (1 << ((high - low - 1).bit_length() - 1))


def range_root(low: int, high: int, node: NodeReader) -> bytes:
    """Root over leaves [low, high), where low is aligned to the tree over them."""
    pieces = []
    while low < high:
        level = (high - low).bit_length() - 1
        pieces.append(node(level, low >> level))
        low += 1 << level
    return _fold(pieces)


def _fold(pieces: Sequence[bytes]) -> bytes:
    """Root over perfect trees given left to right, each smaller than the one before."""
    root = pieces[-1]
    for left in reversed(pieces[:-1]):
        root = node_hash(left, root)
    return root


# Verification, for whoever holds only roots


def root_of_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes]
) -> bytes:
    """Root that this proof leads to from the leaf hash `leaf`.

    The proof must have exactly the one length that index and size imply.
    """
    _require_index(index, size)
    _require_hashes([leaf, *proof])
    inner = (index ^ (size - 1)).bit_length()
    border = (index >> inner).bit_count()
    _require_length(proof, inner + border)
    root = leaf
    for level, sibling in enumerate(proof[:inner]):
        left_child = (index >> level) & 1 == 0
        root = node_hash(root, sibling) if left_child else node_hash(sibling, root)
    for sibling in proof[inner:]:
        root = node_hash(sibling, root)
    return root


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Leaf hash `leaf` is leaf `index` of the tree (size, root), or ProofError."""
    if root_of_inclusion(leaf, index, size, proof) != root:
        message = f"inclusion proof of leaf {index} does not lead to the root"
        raise ProofError(f"{message} of the tree of {size} leaves")


def verify_consistency(
    old: int, size: int, old_root: bytes, root: bytes, proof: Sequence[bytes]
) -> None:
    """The tree (old, old_root) is a prefix of (size, root), or ProofError.

    The empty tree is a prefix of every tree; its proof is empty.
    """
    _require_sizes(old, size)
    _require_hashes([old_root, root, *proof])
    if old in (0, size):
        _require_length(proof, 0)
        expected = EMPTY_ROOT if old == 0 else root
        if old_root != expected or (size == 0 and root != EMPTY_ROOT):
            raise ProofError(f"two different roots for the tree of {old} leaves")
        return
    old_from_proof, root_from_proof = _roots_of_consistency(old, size, old_root, proof)
    if old_from_proof != old_root:
        raise ProofError(
            f"consistency proof does not hold the old tree of {old} leaves"
        )
    if root_from_proof != root:
        raise ProofError(
            f"consistency proof does not lead to the tree of {size} leaves"
        )


def other_root(
    old: int, size: int, old_root: bytes, root: bytes, proof: Sequence[bytes]
) -> bytes | None:
    """The root that the first `old` leaves of the tree (size, root) have by this proof,
    if it is another than `old_root`: then the one tree does not extend the other.

    None where the proof shows no such thing.  For `old` a power of two the proof of the
    larger tree does not hold its old root, so it shows nothing.
    """
    try:
        if not 0 < old < size or old == old & -old:
            return None
        _require_hashes([old_root, root, *proof])
        found, leads_to = _roots_of_consistency(old, size, old_root, proof)
    except ProofError:
        return None
    return found if leads_to == root and found != old_root else None


def _roots_of_consistency(
    old: int, size: int, old_root: bytes, proof: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """Both roots, rebuilt from the proof along the path of leaf old - 1."""
    shift = (old & -old).bit_length() - 1
    split = ((old - 1) ^ (size - 1)).bit_length()
    inner = split - shift
    border = ((old - 1) >> split).bit_count()
    power_of_two = old == 1 << shift
    _require_length(proof, inner + border + (0 if power_of_two else 1))
    seed = old_root if power_of_two else proof[0]
    rest = proof if power_of_two else proof[1:]
    old_side = new_side = seed
    path = (old - 1) >> shift
    for level, sibling in enumerate(rest[:inner]):
        if (path >> level) & 1:
            old_side = node_hash(sibling, old_side)
            new_side = node_hash(sibling, new_side)
        else:
            new_side = node_hash(new_side, sibling)
    for sibling in rest[inner:]:
        old_side = node_hash(sibling, old_side)
        new_side = node_hash(sibling, new_side)
    return old_side, new_side


def _require_index(index: int, size: int) -> None:
    if not 0 <= index < size <= MAX_SIZE:
        raise ProofError(
            f"expected a leaf index below the tree size, got {index}/{size}"
        )


def _require_sizes(old: int, size: int) -> None:
    if not 0 <= old <= size <= MAX_SIZE:
        raise ProofError(f"expected an old tree size up to {size}, got {old}")


def _require_length(proof: Sequence[bytes], expected: int) -> None:
    if len(proof) != expected:
        raise ProofError(f"expected a proof of {expected} hashes, got {len(proof)}")


def _require_hashes(hashes: Sequence[bytes]) -> None:
    # A longer or shorter "hash" would let two different trees share one node input.
    for value in hashes:
        if len(value) != HASH_BYTES:
            raise ProofError(f"expected hashes of 32 bytes, got one of {len(value)}")


# Growing a tree


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that is needed to append to a tree: the roots of its perfect subtrees.

    `hashes` go left to right, one per set bit of `size`, largest subtree first.
    """

    size: int
    hashes: tuple[bytes, ...]

    @classmethod
    def empty(cls) -> Frontier:
        """The tree without leaves."""
        return cls(0, ())

    @classmethod
    def from_hashes(cls, size: int, hashes: Sequence[bytes]) -> Frontier:
        """From outside, else MalformedError; check `root()` against a checkpoint."""
        if not 0 <= size <= MAX_SIZE:
            raise MalformedError(f"expected a tree size up to {MAX_SIZE}, got {size}")
        if len(hashes) != size.bit_count():
            expected = f"expected {size.bit_count()} frontier hashes for size {size}"
            raise MalformedError(f"{expected}, got {len(hashes)}")
        if any(len(value) != HASH_BYTES for value in hashes):
            raise MalformedError("expected frontier hashes of 32 bytes each")
        return cls(size, tuple(hashes))

    @classmethod
    def of(cls, size: int, node: NodeReader) -> Frontier:
        """The frontier of the first `size` leaves of a stored tree."""
        hashes = []
        done = 0
        while done < size:
            level = (size - done).bit_length() - 1
            hashes.append(node(level, done >> level))
            done += 1 << level
        return cls(size, tuple(hashes))

    def root(self) -> bytes:
        """Root of the tree; at most 62 hashes."""
        return _fold(self.hashes) if self.hashes else EMPTY_ROOT

    def extend(self, leaf_hashes: Sequence[bytes]) -> Frontier:
        """The frontier after these leaf hashes; about one hash of work for each."""
        return self.extend_with_nodes(leaf_hashes)[0]

    def extend_with_nodes(
        self, leaf_hashes: Sequence[bytes]
    ) -> tuple[Frontier, list[list[bytes]]]:
        """The frontier after these leaf hashes, and the perfect subtrees they complete.

        `nodes[level]` holds the completed roots of that level in order; the first has
        index `self.size >> level`.  `nodes[0]` are the leaf hashes themselves.
        """
        size = self.size + len(leaf_hashes)
        waiting = self._by_level()
        hashes: list[bytes] = []
        levels: list[list[bytes]] = []
        fresh = list(leaf_hashes)
        for level in range(size.bit_length()):
            if fresh:
                levels.append(fresh)
            row = [waiting[level], *fresh] if level in waiting else fresh
            if len(row) & 1:
                hashes.append(row[-1])
            fresh = _parents(row)
        return Frontier(size, tuple(reversed(hashes))), levels

    def _by_level(self) -> dict[int, bytes]:
        bits = (bit for bit in reversed(range(self.size.bit_length())))
        return dict(
            zip((b for b in bits if self.size >> b & 1), self.hashes, strict=True)
        )


def _parents(row: Sequence[bytes]) -> list[bytes]:
    """Hashes of the pairs of a row; an odd last one is left out."""
    pairs = zip(row[::2], row[1::2], strict=False)
    return [sha256(b"\x01" + left + right).digest() for left, right in pairs]
