"""C2SP tiles: how a log's hashes and entries are cut into files that never change.

    tile/<level>/<index>[.p/<width>]      hash i of tile n at level l: the root of the
                                          256^l leaves from number (256n + i) 256^l on
    tile/entries/<index>[.p/<width>]      entries: u16 length || entry, 256 of them

Rule: an index is written in groups of three digits, all but the last prefixed with `x`;
a tile of 256 has no width in its path, a tile of none does not exist.  Specification:
docs/spec/log.md, "Tiles" (C2SP tlog-tiles).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from byline_ledger.errors import MalformedError, UsageError
from byline_ledger.merkle import HASH_BYTES, MAX_SIZE

TILE_WIDTH = 256
TILE_HEIGHT = 8
"""Levels of the Merkle tree that one tile spans."""
MAX_LEVEL = 63
MAX_ENTRY_BYTES = 65_535

_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/"
    r"(?P<index>(?:x[0-9]{3}/)*[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)
_MAX_PATH_CHARS = 64


@dataclass(frozen=True, slots=True)
class Tile:
    """Name of a tile; `level` is None for a bundle of entries, `width` is 1 to 256."""

    level: int | None
    index: int
    width: int = TILE_WIDTH

    def to_path(self) -> str:
        """The path under the log's prefix."""
        level = "entries" if self.level is None else str(self.level)
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{level}/{_index_text(self.index)}{partial}"

    @classmethod
    def from_path(cls, path: str) -> Tile:
        """Strict: `from_path(path).to_path() == path`, else MalformedError."""
        match = _PATH.fullmatch(path) if len(path) <= _MAX_PATH_CHARS else None
        if match is None:
            raise MalformedError(f"expected the path of a tile, got {path[:64]!r}")
        level = None if match["level"] == "entries" else int(match["level"])
        index = int(re.sub("[x/]", "", match["index"]))
        tile = cls(level, index, int(match["width"] or TILE_WIDTH))
        fits = (level or 0) <= MAX_LEVEL and index <= MAX_SIZE
        if tile.to_path() != path or not fits or tile.width > TILE_WIDTH:
            raise MalformedError(f"expected the path of a tile, got {path!r}")
        return tile


def _index_text(index: int) -> str:
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[start : start + 3] for start in range(0, len(digits), 3)]
    return "/".join([*("x" + group for group in groups[:-1]), groups[-1]])


# Which tiles a tree of some size has


def tiles_of_level(level: int, size: int) -> tuple[int, int]:
    """Number of full tiles at a level, and width of the partial one (0: none)."""
    return divmod(size >> (TILE_HEIGHT * level), TILE_WIDTH)


def tile_widths(size: int) -> list[tuple[int, int]]:
    """`tiles_of_level` for every level that a tree of this size has, from level 0."""
    levels = range(-(-size.bit_length() // TILE_HEIGHT))
    return [tiles_of_level(level, size) for level in levels]


def new_tiles(old: int, size: int) -> Iterator[Tile]:
    """Hash tiles of the tree of `size` that the tree of `old` leaves has not: level 0
    first, left to right, the partial one of each level last."""
    for level, (full, width) in enumerate(tile_widths(size)):
        old_full, old_width = tiles_of_level(level, old)
        yield from (Tile(level, index) for index in range(old_full, full))
        if width and (full, width) != (old_full, old_width):
            yield Tile(level, full, width)


def tile_of_node(level: int, index: int) -> tuple[int, int, int, int]:
    """Where the node `(level, index)` of the Merkle tree is found in the tiles.

    Returns (tile level, tile index, first, count): the node is the root of the perfect
    tree over `count` hashes of that tile, from the one at position `first`.
    """
    tile_level, height = divmod(level, TILE_HEIGHT)
    tile_index, first = divmod(index << height, TILE_WIDTH)
    return tile_level, tile_index, first, 1 << height


# Contents


def parse_tile(data: bytes, width: int) -> tuple[bytes, ...]:
    """The hashes of a tile of this width, else MalformedError."""
    if len(data) != width * HASH_BYTES:
        expected = f"expected a tile of {width} hashes ({width * HASH_BYTES} bytes)"
        raise MalformedError(f"{expected}, got {len(data)} bytes")
    starts = range(0, len(data), HASH_BYTES)
    return tuple(data[start : start + HASH_BYTES] for start in starts)


def entry_bundle(entries: Sequence[bytes]) -> bytes:
    """u16 length || entry, for each of them."""
    if any(len(entry) > MAX_ENTRY_BYTES for entry in entries):
        raise UsageError("an entry of more than 65,535 bytes does not fit a bundle")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def parse_entry_bundle(data: bytes, width: int) -> list[bytes]:
    """The entries of a bundle of exactly this width, else MalformedError."""
    entries = []
    start = 0
    for _ in range(width):
        end = start + 2 + int.from_bytes(data[start : start + 2], "big")
        if start + 2 > len(data) or end > len(data):
            raise MalformedError(f"expected a bundle of {width} entries, got fewer")
        entries.append(data[start + 2 : end])
        start = end
    if start != len(data):
        raise MalformedError(f"expected a bundle of {width} entries, got more bytes")
    return entries
