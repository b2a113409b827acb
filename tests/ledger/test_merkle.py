"""The Merkle tree against RFC 6962's definitions (docs/spec/log.md, "Tree")."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.vectors import as_expected, cases

from byline_ledger.errors import MalformedError, ProofError
from byline_ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    NodeReader,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    other_root,
    root_from,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [leaf_hash(b"%d" % number) for number in range(600)]
sizes = st.integers(0, len(LEAVES))
hashes = st.lists(st.binary(max_size=33), max_size=70)


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, over leaf hashes."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


class Tree:
    """All perfect subtrees of LEAVES, with a count of the reads."""

    def __init__(self) -> None:
        _, self.levels = Frontier.empty().extend_with_nodes(LEAVES)
        self.reads = 0

    def node(self, level: int, index: int) -> bytes:
        self.reads += 1
        return self.levels[level][index]


def reader() -> NodeReader:
    return Tree().node


def limited(size: int) -> NodeReader:
    """A reader that has nothing beyond the first `size` leaves."""
    node = reader()

    def read(level: int, index: int) -> bytes:
        assert (index + 1) << level <= size, "asked for an incomplete subtree"
        return node(level, index)

    return read


def raw(case: dict[str, Any], *names: str) -> list[bytes]:
    return [bytes.fromhex(case[name]) for name in names]


def proof_of(case: dict[str, Any]) -> list[bytes]:
    return [bytes.fromhex(value) for value in case["proof"]]


# Vectors


@cases("log_tree.json", "roots")
def test_roots(case: dict[str, Any]) -> None:
    leaves = [leaf_hash(bytes.fromhex(leaf)) for leaf in case["leaves"]]
    assert Frontier.empty().extend(leaves).root().hex() == case["root"]


@cases("log_tree.json", "inclusion")
def test_inclusion_vectors(case: dict[str, Any]) -> None:
    leaf, root = raw(case, "leaf", "root")
    with as_expected(case):
        verify_inclusion(leaf, case["index"], case["size"], proof_of(case), root)


@cases("log_tree.json", "consistency")
def test_consistency_vectors(case: dict[str, Any]) -> None:
    old_root, root = raw(case, "old_root", "root")
    proof = proof_of(case)
    with as_expected(case):
        verify_consistency(case["old"], case["size"], old_root, root, proof)


# Against the definition


def test_hashes_of_the_rfc() -> None:
    """Leaves and nodes cannot be mistaken for each other."""
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert EMPTY_ROOT.hex() == empty
    assert leaf_hash(b"").hex().startswith("6e340b9c")
    assert leaf_hash(bytes(32) + bytes(32)) != node_hash(bytes(32), bytes(32))


@given(sizes)
def test_root_is_the_definition(size: int) -> None:
    """`root_from` and a frontier give the recursive definition's root."""
    expected = naive_root(LEAVES[:size])
    assert root_from(size, limited(size)) == expected
    assert Frontier.of(size, limited(size)).root() == expected


@given(st.lists(sizes))
def test_frontier_grows_in_any_batches(cuts: list[int]) -> None:
    """Whatever the batches, the frontier is that of the whole."""
    frontier, done = Frontier.empty(), 0
    for cut in sorted(cuts):
        old = frontier
        frontier, levels = old.extend_with_nodes(LEAVES[done:cut])
        assert frontier == Frontier.of(cut, reader())
        for level, row in enumerate(levels):
            first = old.size >> level
            assert row == Tree().levels[level][first : first + len(row)]
            assert first + len(row) == cut >> level
        done = cut


@given(st.data())
def test_inclusion_of_every_leaf(data: st.DataObject) -> None:
    """Every leaf of every tree has a proof that verifies, and only as itself."""
    size = data.draw(st.integers(1, len(LEAVES)))
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, limited(size))
    root = naive_root(LEAVES[:size])
    verify_inclusion(LEAVES[index], index, size, proof, root)
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index) | st.none())
    if other is not None and size > 1:
        with pytest.raises(ProofError):
            verify_inclusion(LEAVES[index], other, size, proof, root)
        with pytest.raises(ProofError):
            verify_inclusion(LEAVES[other], index, size, proof, root)


@given(st.data())
def test_consistency_of_every_pair(data: st.DataObject) -> None:
    """Every tree proves every prefix of it, and no other tree of that size."""
    size = data.draw(sizes)
    old = data.draw(st.integers(0, size))
    proof = consistency_proof(old, size, limited(size))
    roots = naive_root(LEAVES[:old]), naive_root(LEAVES[:size])
    verify_consistency(old, size, *roots, proof)
    if old:
        forked = naive_root([*LEAVES[: old - 1], LEAVES[-1]])
        if forked != roots[0]:
            with pytest.raises(ProofError):
                verify_consistency(old, size, forked, roots[1], proof)


@given(st.data())
def test_every_bit_of_a_proof_counts(data: st.DataObject) -> None:
    """A proof with any one bit changed fails."""
    size = data.draw(st.integers(2, len(LEAVES)))
    old = data.draw(st.integers(1, size - 1))
    proof = consistency_proof(old, size, reader())
    roots = naive_root(LEAVES[:old]), naive_root(LEAVES[:size])
    place = data.draw(st.integers(0, len(proof) - 1))
    bit = 1 << data.draw(st.integers(0, 255))
    changed = (int.from_bytes(proof[place], "big") ^ bit).to_bytes(32, "big")
    broken = [*proof[:place], changed, *proof[place + 1 :]]
    with pytest.raises(ProofError):
        verify_consistency(old, size, *roots, broken)


@given(st.integers(-3, 2**64), st.integers(-3, 2**64), hashes, st.binary(max_size=33))
def test_strangers_proofs_never_raise_anything_else(
    index: int, size: int, proof: list[bytes], root: bytes
) -> None:
    """Any proof verifies or raises ProofError."""
    with pytest.raises(ProofError):
        verify_inclusion(bytes(32), index, size, proof, root)
    try:
        verify_consistency(index, size, root, root, proof)
    except ProofError:
        return
    assert index in (0, size)
    assert not proof


def test_proofs_read_few_nodes() -> None:
    """O(log n) reads: one for each of the ten levels, twice at a ragged edge."""
    for size in (511, 512, 513, 599, 600):
        for index in range(0, size, 7):
            tree = Tree()
            inclusion_proof(index, size, tree.node)
            consistency_proof(index, size, tree.node)
            assert tree.reads <= 40


def test_a_frontier_from_outside_is_checked() -> None:
    """Wrong counts and lengths are malformed; any other frontier is what it says."""
    good = Frontier.empty().extend(LEAVES[:13])
    assert Frontier.from_hashes(13, good.hashes) == good
    for size, parts in (
        (12, good.hashes),
        (13, good.hashes[:-1]),
        (13, (*good.hashes[:-1], bytes(31))),
        (-1, ()),
        (2**63, (bytes(32),)),
    ):
        with pytest.raises(MalformedError):
            Frontier.from_hashes(size, parts)


def test_a_proof_from_another_tree_shows_its_other_root() -> None:
    """A tree that does not extend the old one is caught by its own proof."""
    one, two = Tree(), Tree()
    changed = [leaf_hash(b"another"), *LEAVES[1:]]
    _, two.levels = Frontier.empty().extend_with_nodes(changed)
    proof = consistency_proof(5, 9, two.node)
    root, own = root_from(9, two.node), root_from(5, two.node)
    old = root_from(5, one.node)
    assert other_root(5, 9, old, root, proof) == own
    assert other_root(5, 9, own, root, proof) is None
    assert other_root(5, 9, old, bytes(32), proof) is None
    assert other_root(5, 9, old, root, proof[1:]) is None
    assert other_root(5, 9, old, b"short", proof) is None


@pytest.mark.parametrize(("old", "size"), [(0, 9), (9, 9), (10, 9), (4, 9)])
def test_a_proof_that_holds_no_old_root_shows_nothing(old: int, size: int) -> None:
    assert other_root(old, size, bytes(32), bytes(32), ()) is None
