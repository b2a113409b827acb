"""One proof for many leaves, against every set of leaves of every small tree."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline_ledger.errors import ProofError
from byline_ledger.merkle import (
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_from,
)
from byline_ledger.shared_proof import (
    join_proofs,
    own_proof,
    shared_proof,
    verify_shared,
)


def leaf(index: int) -> bytes:
    return leaf_hash(b"entry %d" % index)


def node(level: int, index: int) -> bytes:
    """The root of a perfect subtree, from its leaves."""
    if not level:
        return leaf(index)
    return node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))


def leaves_of(indexes: tuple[int, ...]) -> dict[int, bytes]:
    return {index: leaf(index) for index in indexes}


def test_every_set_of_leaves_of_every_small_tree() -> None:
    """It verifies, is what single proofs join to, and gives them back."""
    for size in range(1, 10):
        root = root_from(size, node)
        for count in range(size + 1):
            for indexes in combinations(range(size), count):
                proof = shared_proof(indexes, size, node)
                leaves = leaves_of(indexes)
                verify_shared(leaves, size, proof, root)
                single = {i: inclusion_proof(i, size, node) for i in indexes}
                assert join_proofs(single, size) == proof
                for index in indexes:
                    assert own_proof(leaves, size, proof, index) == single[index]
        assert shared_proof(range(size), size, node) == ()


def test_side_by_side_costs_next_to_nothing() -> None:
    """What was published together: one proof's worth of hashes for all."""
    size = 1000
    together = shared_proof(range(256, 512), size, node)
    assert len(together) == 2
    assert len(shared_proof(range(300, 400), size, node)) < 16


@given(st.integers(1, 40), st.data())
def test_no_change_is_believed(size: int, data: st.DataObject) -> None:
    """Another leaf, another place, a hash more, fewer or other: refused."""
    indexes = tuple(sorted(data.draw(st.sets(st.integers(0, size - 1), min_size=1))))
    proof, root = shared_proof(indexes, size, node), root_from(size, node)
    leaves = leaves_of(indexes)
    wrong: list[tuple[dict[int, bytes], tuple[bytes, ...]]] = [
        (leaves, (*proof, bytes(32))),
        (leaves | {indexes[0]: leaf(size)}, proof),
        (leaves | {size: leaf(size)}, proof),
        ({index: one for index, one in leaves.items() if index != indexes[-1]}, proof),
    ]
    if proof:
        wrong += [(leaves, proof[1:]), (leaves, (proof[0][:-1], *proof[1:]))]
        wrong.append((leaves, (bytes(32), *proof[1:])))
    for changed, hashes in wrong:
        if changed or hashes:
            with pytest.raises(ProofError):
                verify_shared(changed, size, hashes, root)


def test_no_leaf_needs_no_proof() -> None:
    root = root_from(3, node)
    verify_shared({}, 3, (), root)
    with pytest.raises(ProofError, match="of no statement"):
        verify_shared({}, 3, (root,), root)
    with pytest.raises(ProofError, match="not of leaf 2"):
        own_proof({1: leaf(1)}, 3, shared_proof([1], 3, node), 2)
    with pytest.raises(ProofError, match="beyond the tree"):
        verify_shared({-1: leaf(1)}, 3, (root,), root)
