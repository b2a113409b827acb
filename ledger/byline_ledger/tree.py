"""The log's Merkle tree as it grows: full tiles go to the store, the right edge stays.

Rule: a tile of 256 hashes never changes, so it is written once, when it is full.  Of
each tile level the last, partial tile is kept in memory; at start it is derived again
from what is stored.  Specification: docs/spec/log.md, "Tree" and "Tiles".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import TypeAlias

from byline_ledger.merkle import HASH_BYTES, Frontier, leaf_hash
from byline_ledger.store.damage import damaged
from byline_ledger.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    tile_of_node,
    tile_widths,
    tiles_of_level,
)

TILE_BYTES = TILE_WIDTH * HASH_BYTES
CACHED_TILES = 512
"""Full tiles kept with their inner hashes, 16 KiB each."""

Rows: TypeAlias = tuple[bytes, ...]
"""Inner hashes of a tile: `rows[h]` are the roots over 2**h of its hashes, joined."""
TileRows: TypeAlias = Callable[[int, int], Rows]
"""`rows(level, index)` of a full tile."""
TileReader: TypeAlias = Callable[[int, int], bytes | None]
"""`read(level, index)`: a stored full tile, 8,192 bytes."""


@dataclass(frozen=True, slots=True)
class FullTile:
    """A tile that has just been filled."""

    level: int
    index: int
    hashes: bytes


def rows_of(hashes: bytes) -> Rows:
    """All complete inner hashes over the joined hashes of a tile."""
    rows = [hashes]
    while len(row := rows[-1]) >= 2 * HASH_BYTES:
        starts = range(0, len(row) - 2 * HASH_BYTES + 1, 2 * HASH_BYTES)
        rows.append(
            b"".join(
                sha256(b"\x01" + row[at : at + 2 * HASH_BYTES]).digest()
                for at in starts
            )
        )
    return tuple(rows)


def cached_rows(read: TileReader) -> TileRows:
    """Rows of full tiles, the recent ones from memory; safe to share by threads."""

    @lru_cache(maxsize=CACHED_TILES)
    def rows(level: int, index: int) -> Rows:
        hashes = read(level, index)
        if hashes is None or len(hashes) != TILE_BYTES:
            raise damaged(f"tile {index} of level {level} is missing or cut")
        return rows_of(hashes)

    return rows


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree of `frontier.size` leaves; `edge[level]` is its partial tile, joined."""

    frontier: Frontier
    edge: tuple[bytes, ...]

    @classmethod
    def empty(cls) -> Tree:
        """The tree without leaves."""
        return cls(Frontier.empty(), ())

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self.frontier.size

    def grow(self, leaf_hashes: Sequence[bytes]) -> tuple[Tree, list[FullTile]]:
        """The tree with these leaves added, and the tiles that they fill."""
        frontier, nodes = self.frontier.extend_with_nodes(leaf_hashes)
        edge: list[bytes] = []
        filled: list[FullTile] = []
        for level in range(len(tile_widths(frontier.size))):
            old = self.edge[level] if level < len(self.edge) else b""
            fresh = nodes[level * TILE_HEIGHT : level * TILE_HEIGHT + 1]
            joined = old + b"".join(fresh[0] if fresh else ())
            index = tiles_of_level(level, self.size)[0]
            while len(joined) >= TILE_BYTES:
                filled.append(FullTile(level, index, joined[:TILE_BYTES]))
                joined, index = joined[TILE_BYTES:], index + 1
            edge.append(joined)
        return Tree(frontier, tuple(edge)), filled

    @classmethod
    def restore(cls, size: int, last_entries: Iterable[bytes], rows: TileRows) -> Tree:
        """The tree of `size` leaves from its full tiles.

        `last_entries` are the entries beyond the last full tile of level 0.
        """
        edge: list[bytes] = []
        for level, (full, width) in enumerate(tile_widths(size)):
            if level:
                first = full * TILE_WIDTH
                below = range(first, first + width)
                hashes = [rows(level - 1, index)[TILE_HEIGHT] for index in below]
            else:
                hashes = [leaf_hash(entry) for entry in last_entries]
            if len(hashes) != width:
                raise damaged(f"{len(hashes)} entries at the end, not {width}")
            edge.append(b"".join(hashes))
        nodes = TreeNodes(size, tuple(edge), rows)
        return cls(Frontier.of(size, nodes), tuple(edge))


class TreeNodes:
    """The NodeReader (merkle.py) of a tree: edge from memory, full tiles by `rows`."""

    __slots__ = ("_edge", "_edge_rows", "_rows", "_size")

    def __init__(self, size: int, edge: tuple[bytes, ...], rows: TileRows) -> None:
        self._size = size
        self._edge = edge
        self._rows = rows
        # Filled on demand; two threads may both do it, with the same outcome.
        self._edge_rows: dict[int, Rows] = {}

    def __call__(self, level: int, index: int) -> bytes:
        tile_level, tile, first, _count = tile_of_node(level, index)
        height = level % TILE_HEIGHT
        at = (first >> height) * HASH_BYTES
        return self._tile(tile_level, tile)[height][at : at + HASH_BYTES]

    def _tile(self, level: int, index: int) -> Rows:
        if index < tiles_of_level(level, self._size)[0]:
            return self._rows(level, index)
        if level not in self._edge_rows:
            self._edge_rows[level] = rows_of(self._edge[level])
        return self._edge_rows[level]
