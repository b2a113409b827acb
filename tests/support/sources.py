"""A log as others read it, in memory, with any of its files changed."""

from __future__ import annotations

from byline_ledger.errors import MalformedError, NotFoundError
from byline_ledger.tiles import Tile, entry_bundle
from byline_ledger.tombstone import Tombstone
from byline_ledger.view import LogView


class ViewSource:
    """log_source.LogSource over a view; `changed` holds files by path, bodies by id."""

    def __init__(self, view: LogView) -> None:
        self.view = view
        self.changed: dict[str | bytes, bytes] = {}
        self.missing: set[bytes] = set()
        self.broken: set[bytes] = set()
        self.gone: Tombstone | None = None
        """What it says of every body, but those that are `broken`."""
        self.read: list[str] = []

    def checkpoint(self) -> bytes:
        return self.changed.get("checkpoint", self.view.checkpoint)

    def vkey(self) -> str | None:
        return self.view.vkey

    def tile(self, tile: Tile) -> bytes:
        path = tile.to_path()
        self.read.append(path)
        return self.changed.get(path) or self.true_tile(tile)

    def true_tile(self, tile: Tile) -> bytes:
        first = tile.index * 256
        if tile.level is None:
            end = first + tile.width
            return entry_bundle(self.view.entries(first, end, 1 << 30))
        if (first + tile.width) << (8 * tile.level) > self.view.size:
            raise NotFoundError(tile.to_path())
        numbers = range(first, first + tile.width)
        return b"".join(self.view.node(8 * tile.level, number) for number in numbers)

    def body(self, statement_id: bytes) -> bytes | Tombstone | None:
        if statement_id in self.missing:
            return None
        if statement_id in self.broken:
            raise MalformedError("tombstone: expected a map of reason and time")
        if self.gone is not None:
            return self.gone
        if statement_id in self.changed:
            return self.changed[statement_id]
        tombstone = self.view.tombstone(statement_id)
        return tombstone or self.view.envelope(statement_id)

    def flip(self, tile: Tile, at: int) -> None:
        """One bit of a tile."""
        data = bytearray(self.true_tile(tile))
        data[at] ^= 4
        self.changed[tile.to_path()] = bytes(data)
