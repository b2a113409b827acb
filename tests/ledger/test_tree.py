"""The growing tree against the definition: same roots, same tiles, same proofs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline_ledger.errors import CorruptStoreError
from byline_ledger.merkle import (
    EMPTY_ROOT,
    inclusion_proof,
    leaf_hash,
    verify_inclusion,
)
from byline_ledger.tiles import tile_widths
from byline_ledger.tree import Rows, Tree, TreeNodes, cached_rows, rows_of

SIZES = [1, 2, 255, 256, 257, 511, 512, 513, 1000, 65_535, 65_536, 65_537, 66_000]

Tiles = dict[tuple[int, int], bytes]


def mth(hashes: Sequence[bytes]) -> bytes:
    """RFC 6962, 2.1, straight."""
    if not hashes:
        return EMPTY_ROOT
    if len(hashes) == 1:
        return hashes[0]
    k = 1 << ((len(hashes) - 1).bit_length() - 1)
    return sha256(b"\x01" + mth(hashes[:k]) + mth(hashes[k:])).digest()


def entry(index: int) -> bytes:
    return b"entry %d" % index


def leaves(start: int, end: int) -> list[bytes]:
    return [leaf_hash(entry(index)) for index in range(start, end)]


def grown(steps: Sequence[int]) -> tuple[Tree, Tiles]:
    """A tree grown to each size in turn, and the tiles it gave away."""
    tree, tiles = Tree.empty(), Tiles()
    for size in steps:
        tree, filled = tree.grow(leaves(tree.size, size))
        for tile in filled:
            assert (tile.level, tile.index) not in tiles
            tiles[tile.level, tile.index] = tile.hashes
    return tree, tiles


def reader(tiles: Tiles) -> Callable[[int, int], Rows]:
    return cached_rows(lambda level, index: tiles.get((level, index)))


@pytest.mark.parametrize("size", SIZES)
def test_root_and_tiles_in_one_step(size: int) -> None:
    tree, tiles = grown([size])
    hashes = leaves(0, size)
    assert tree.frontier.root() == mth(hashes)
    widths = tile_widths(size)
    assert len(tiles) == sum(full for full, _width in widths)
    assert [len(edge) // 32 for edge in tree.edge] == [width for _full, width in widths]
    for (level, index), data in tiles.items():
        span = 256**level
        expected = [
            mth(hashes[(index * 256 + i) * span : (index * 256 + i + 1) * span])
            for i in (0, 1, 255)
        ]
        assert [data[i * 32 : i * 32 + 32] for i in (0, 1, 255)] == expected


@given(st.lists(st.integers(1, 1500), max_size=8))
def test_any_batching_gives_one_tree(sizes: list[int]) -> None:
    steps = sorted({*sizes, 1500})
    assert grown(steps) == grown([1500])


@pytest.mark.parametrize("size", SIZES)
def test_restoring_from_tiles_and_last_entries(size: int) -> None:
    tree, tiles = grown([size])
    first = size - size % 256
    last = (entry(index) for index in range(first, size))
    assert Tree.restore(size, last, reader(tiles)) == tree


@pytest.mark.parametrize("size", [257, 1000, 66_000])
def test_proofs_from_tiles_and_edge(size: int) -> None:
    tree, tiles = grown([size // 2, size])
    nodes = TreeNodes(size, tree.edge, reader(tiles))
    root = tree.frontier.root()
    for index in (0, 1, 255, 256, size // 2, size - 2, size - 1):
        proof = inclusion_proof(index, size, nodes)
        verify_inclusion(leaf_hash(entry(index)), index, size, proof, root)


def test_lost_cut_and_short_tiles_are_noticed() -> None:
    tree, tiles = grown([1000])
    nodes = TreeNodes(1000, tree.edge, reader({**tiles, (0, 1): bytes(100)}))
    with pytest.raises(CorruptStoreError, match="tile 1 of level 0"):
        nodes(3, 40)
    nodes = TreeNodes(1000, tree.edge, reader({}))
    with pytest.raises(CorruptStoreError, match="tile 0 of level 0"):
        nodes(0, 0)
    with pytest.raises(CorruptStoreError, match="231 entries at the end, not 232"):
        Tree.restore(1000, (entry(index) for index in range(769, 1000)), reader(tiles))


def test_rows_of_a_partial_tile_hold_complete_subtrees_only() -> None:
    hashes = b"".join(leaves(0, 7))
    assert [len(row) // 32 for row in rows_of(hashes)] == [7, 3, 1]
    assert rows_of(b"") == (b"",)
