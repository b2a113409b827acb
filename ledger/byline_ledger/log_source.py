"""What reading somebody's whole log takes: its files, wherever they are.

Rule: a source gives what is written there and vouches for nothing; whoever reads a log
from it checks everything (audit.py).  Implementations that touch a disk or a network
are outside the ledger.  Paths and forms: docs/spec/log.md, "As files".
"""

from __future__ import annotations

from typing import Protocol

from byline_ledger.tiles import Tile, tile_widths
from byline_ledger.tombstone import Tombstone
from byline_ledger.tree import TreeNodes, cached_rows


class LogSource(Protocol):
    """Each method raises NotFoundError for what is not there, MalformedError for what
    has another form or size, or another BylineError for a place in trouble."""

    def checkpoint(self) -> bytes:
        """The signed note."""
        ...

    def vkey(self) -> str | None:
        """The key that the log says it has; None if it says nothing."""
        ...

    def tile(self, tile: Tile) -> bytes:
        """The hashes or entries of exactly this tile, cut from the full one if need
        be."""
        ...

    def body(self, statement_id: bytes) -> bytes | Tombstone | None:
        """The envelope, or what stands in its place; None if there is neither."""
        ...


def tree_nodes(source: LogSource, size: int) -> TreeNodes:
    """The hashes of the tree of `size` entries, as the source's tiles have them."""
    edge = tuple(
        source.tile(Tile(level, full, width)) if width else b""
        for level, (full, width) in enumerate(tile_widths(size))
    )
    rows = cached_rows(lambda level, index: source.tile(Tile(level, index)))
    return TreeNodes(size, edge, rows)
