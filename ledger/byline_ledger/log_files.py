"""A log as files: what each path under its prefix holds, from a view of the log.

    checkpoint                            the signed note
    vkey                                  the log's verifier key and a newline
    tile/<L>/<N>[.p/<W>]                  hashes
    tile/entries/<N>[.p/<W>]              entries
    statements/<2 hex>/<64 hex>           envelope of the statement of that id
    statements/<2 hex>/<64 hex>.gone      the tombstone that stands in its place
    statements/gone                       ids of all bodies taken down, one per line
    statements/entries/<N>[.p/<W>]        envelopes of a bundle, from nodes only

Rule: every file has one path in one spelling, and a tile, once it is there, never
changes.  A partial tile is the beginning of the full one, so any width is served that
the tree has reached.  Specification: docs/spec/log.md, "As files".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile

from byline_ledger.entry import StatementEntry, parse_entry
from byline_ledger.errors import MalformedError, NotFoundError
from byline_ledger.merkle import HASH_BYTES
from byline_ledger.note import MAX_NOTE_BYTES
from byline_ledger.statement import MAX_ENVELOPE
from byline_ledger.store import layout
from byline_ledger.store.damage import damaged
from byline_ledger.tiles import (
    MAX_ENTRY_BYTES,
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    entry_bundle,
    new_tiles,
    tiles_of_level,
)
from byline_ledger.tombstone import MAX_TOMBSTONE
from byline_ledger.view import LogView

CHECKPOINT = "checkpoint"
VKEY = "vkey"
GONE = "statements/gone"

TEXT_TYPE = "text/plain; charset=utf-8"
BYTES_TYPE = "application/octet-stream"

MAX_VKEY = 1_024
MAX_GONE = 32 << 20
"""Bytes of the list of takedowns: half a million of them."""

_STATEMENT = re.compile(
    r"statements/(?P<head>[0-9a-f]{2})/(?P<id>[0-9a-f]{64})(?P<gone>\.gone)?", re.ASCII
)
_MAX_PATH_CHARS = 96
_TILES = "tile/"
_STATEMENTS = "statements/"
_BUNDLES = "statements/entries/"
_ID_LINE = re.compile(rb"[0-9a-f]{64}\n")


@dataclass(frozen=True, slots=True)
class LogFile:
    """What a path holds; `immutable` if it will hold that for ever."""

    data: bytes
    media_type: str
    immutable: bool


@dataclass(frozen=True, slots=True)
class StatementName:
    """A statement's file (its 32-byte id), or that of its tombstone if it is `gone`."""

    id: bytes
    gone: bool = False

    def to_path(self) -> str:
        """The path under the log's prefix."""
        name = self.id.hex()
        return f"statements/{name[:2]}/{name}{'.gone' if self.gone else ''}"


@dataclass(frozen=True, slots=True)
class Bodies:
    """The file of all envelopes of an entry bundle: u16 length || envelope for each
    entry, in the form of the bundle itself; empty where there is none."""

    bundle: Tile

    def to_path(self) -> str:
        """The path under the log's prefix."""
        return _STATEMENTS + self.bundle.to_path().removeprefix(_TILES)


def parse_path(path: str) -> str | Tile | StatementName | Bodies:
    """What a path names: a tile, bodies, a statement, or else the path itself.

    Strict, one spelling for each file; MalformedError for a path that names none.
    """
    if path in (CHECKPOINT, VKEY, GONE):
        return path
    if path.startswith(_TILES):
        return Tile.from_path(path)
    if path.startswith(_BUNDLES):
        return Bodies(Tile.from_path(_TILES + path.removeprefix(_STATEMENTS)))
    match = _STATEMENT.fullmatch(path) if len(path) <= _MAX_PATH_CHARS else None
    if match is None or not match["id"].startswith(match["head"]):
        raise MalformedError(f"expected the path of a file of a log, got {path[:64]!r}")
    return StatementName(bytes.fromhex(match["id"]), match["gone"] is not None)


def max_bytes(path: str) -> int:
    """The most that the file of this path can hold."""
    name = parse_path(path)
    if isinstance(name, Tile):
        each = HASH_BYTES if name.level is not None else 2 + MAX_ENTRY_BYTES
        return name.width * each
    if isinstance(name, StatementName):
        return MAX_TOMBSTONE if name.gone else MAX_ENVELOPE
    if isinstance(name, Bodies):
        return name.bundle.width * (2 + MAX_ENVELOPE)
    return {CHECKPOINT: MAX_NOTE_BYTES, VKEY: MAX_VKEY, GONE: MAX_GONE}[name]


def media_type(path: str) -> str:
    """The content type of the file of this path."""
    return TEXT_TYPE if path in (CHECKPOINT, VKEY, GONE) else BYTES_TYPE


def is_immutable(path: str) -> bool:
    """Whether the file will never change.

    Not those of statements: a body that was taken down must leave the caches, too.
    """
    return path.startswith("tile/")


def log_file(view: LogView, path: str) -> LogFile:
    """The file at `path` of this tree.

    Raises MalformedError for a path that no file can have, NotFoundError where this
    tree has none, RedactedError for a body that was taken down.
    """
    return LogFile(_data(view, path), media_type(path), is_immutable(path))


def mirror_file(copy: LogView, own: LogView, path: str) -> LogFile:
    """The file at `path` of a copy without bodies (mirror.py); those come one by one
    from the log `own` of the node that keeps the copy.

    Raises what log_file raises, and NotFoundError for bodies by bundle.
    """
    return LogFile(_mirrored(copy, own, path), media_type(path), is_immutable(path))


def _mirrored(copy: LogView, own: LogView, path: str) -> bytes:
    name = parse_path(path)
    if isinstance(name, StatementName):
        if copy.index_of(name.id) is None:
            raise NotFoundError(f"the log holds no statement {name.id.hex()}")
        return _data(own, path)
    if isinstance(name, Bodies):
        raise NotFoundError("a mirror has statements only one by one, by id")
    if name == GONE:
        gone = taken_down(own)
        return format_ids(id_ for id_ in gone if copy.index_of(id_) is not None)
    return _data(copy, path)


def _data(view: LogView, path: str) -> bytes:
    name = parse_path(path)
    if isinstance(name, Tile):
        _require_tile(name, view.size)
        return _entries(view, name) if name.level is None else _hashes(view, name)
    if isinstance(name, StatementName):
        return _tombstone(view, name.id) if name.gone else _envelope(view, name.id)
    if isinstance(name, Bodies):
        _require_tile(name.bundle, view.size)
        return _bodies(view, name.bundle)
    if name == GONE:
        return format_ids(taken_down(view))
    return view.checkpoint if name == CHECKPOINT else view.vkey.encode() + b"\n"


# Tiles


def _require_tile(tile: Tile, size: int) -> None:
    hashes = size >> (TILE_HEIGHT * (tile.level or 0))
    if tile.index * TILE_WIDTH + tile.width > hashes:
        raise NotFoundError(f"a tree of size {size} has no {tile.to_path()}")


def _hashes(view: LogView, tile: Tile) -> bytes:
    level = tile.level or 0
    if tile.index < tiles_of_level(level, view.size)[0]:
        data = view.reader.get(layout.tile(level, tile.index))
    else:
        data = view.state.tree.edge[level]
    if data is None or len(data) < tile.width * HASH_BYTES:
        raise damaged(f"{tile.to_path()} is missing or cut")
    return data[: tile.width * HASH_BYTES]


def _entries(view: LogView, tile: Tile) -> bytes:
    start = tile.index * TILE_WIDTH
    most = tile.width * MAX_ENTRY_BYTES
    return entry_bundle(view.entries(start, start + tile.width, most))


def new_bundles(old: int, size: int) -> Iterator[Tile]:
    """Entry bundles of the tree of `size` that the tree of `old` entries has not, left
    to right; of the hash tiles see tiles.new_tiles."""
    tiles = takewhile(lambda tile: tile.level == 0, new_tiles(old, size))
    return (Tile(None, tile.index, tile.width) for tile in tiles)


# Statements


def _envelope(view: LogView, id_: bytes) -> bytes:
    data = view.envelope(id_)
    if data is None:
        raise NotFoundError(f"this log holds no statement {id_.hex()}")
    return data


def _bodies(view: LogView, bundle: Tile) -> bytes:
    first = bundle.index * TILE_WIDTH
    indexes = range(first, first + bundle.width)
    start, stop = layout.body(indexes.start), layout.body(indexes.stop)
    found = dict(view.reader.iterate(start, stop))
    for index in view.taken_down(indexes.start, indexes.stop):
        found.pop(layout.body(index), None)
    return entry_bundle([found.get(layout.body(index), b"") for index in indexes])


def _tombstone(view: LogView, id_: bytes) -> bytes:
    tombstone = view.tombstone(id_)
    if tombstone is None:
        raise NotFoundError(f"no statement {id_.hex()} was taken down here")
    return tombstone.to_bytes()


def taken_down(view: LogView) -> Iterator[bytes]:
    """Ids of the statements whose bodies were taken down, in the order of the log."""
    for index in view.taken_down(0, view.size):
        entry = parse_entry(view.entry(index))
        if not isinstance(entry, StatementEntry):
            raise damaged("a tombstone stands where no statement is")
        yield entry.id


def format_ids(ids: Iterable[bytes]) -> bytes:
    """The list of takedowns: 64 hex digits and a newline for each id."""
    return b"".join(id_.hex().encode() + b"\n" for id_ in ids)


def parse_ids(data: bytes) -> list[bytes]:
    """The 32-byte ids of a list of takedowns, else MalformedError."""
    lines = data.splitlines(keepends=True)
    if len(data) > MAX_GONE or not all(map(_ID_LINE.fullmatch, lines)):
        raise MalformedError("expected a list of ids, 64 hex digits in each line")
    return [bytes.fromhex(line[:-1].decode()) for line in lines]
