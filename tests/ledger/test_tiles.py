"""Tiles, their paths and contents (docs/spec/log.md, "Tiles")."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.vectors import as_expected, cases

from byline_ledger.errors import MalformedError, UsageError
from byline_ledger.merkle import Frontier, leaf_hash
from byline_ledger.tiles import (
    Tile,
    entry_bundle,
    new_tiles,
    parse_entry_bundle,
    parse_tile,
    tile_of_node,
    tile_widths,
)

levels = st.integers(0, 63)
indexes = st.integers(0, 2**63 - 1)
widths = st.integers(1, 256)
LEAVES = [leaf_hash(b"%d" % number) for number in range(66_000)]
_, NODES = Frontier.empty().extend_with_nodes(LEAVES)


@cases("log_tiles.json", "paths")
def test_paths(case: dict[str, Any]) -> None:
    with as_expected(case):
        tile = Tile.from_path(case["path"])
        assert tile == Tile(case["level"], case["index"], case["width"])


@cases("log_tiles.json", "sizes")
def test_tiles_of_a_size(case: dict[str, Any]) -> None:
    found = tile_widths(case["size"])
    assert [list(pair) for pair in found] == case["widths"]
    tiles = list(new_tiles(0, case["size"]))
    partial = [tile.to_path() for tile in tiles if tile.width < 256]
    assert partial == case["partial"]
    assert len(tiles) == sum(full + bool(width) for full, width in found)
    assert {tile.to_path() for tile in tiles} >= set(case["few_full"])


@cases("log_tiles.json", "contents")
def test_contents(case: dict[str, Any]) -> None:
    """The bytes of every hash tile and entry bundle of a tree."""
    entries = [number.to_bytes(2, "big") for number in range(case["size"])]
    leaves = [leaf_hash(entry) for entry in entries]
    _, nodes = Frontier.empty().extend_with_nodes(leaves)
    found = {}
    for tile in new_tiles(0, case["size"]):
        assert tile.level is not None
        row = nodes[8 * tile.level][256 * tile.index :][: tile.width]
        found[tile.to_path()] = sha256(b"".join(row)).hexdigest()
    for start in range(0, len(entries), 256):
        part = entries[start : start + 256]
        path = Tile(None, start // 256, len(part)).to_path()
        found[path] = sha256(entry_bundle(part)).hexdigest()
    assert found == case["sha256"]


@cases("log_tiles.json", "bundles")
def test_entry_bundles(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["data"])
    with as_expected(case):
        entries = parse_entry_bundle(data, case["width"])
        assert [entry.hex() for entry in entries] == case["entries"]
        assert entry_bundle(entries) == data


@given(levels | st.none(), indexes, widths)
def test_paths_round_trip(level: int | None, index: int, width: int) -> None:
    tile = Tile(level, index, width)
    assert Tile.from_path(tile.to_path()) == tile


@given(st.text(max_size=80) | st.from_regex(r"tile/[0-9e]+/[x0-9/]+(\.p/[0-9]+)?"))
def test_any_text_is_a_path_or_malformed(text: str) -> None:
    try:
        assert Tile.from_path(text).to_path() == text
    except MalformedError:
        return


@given(st.integers(0, 66_000), st.integers(0, 66_000))
def test_new_tiles_are_the_difference(one: int, other: int) -> None:
    """Old and new tiles together are the tiles of the larger tree and some partial."""
    old, size = sorted((one, other))
    before, after = set(new_tiles(0, old)), set(new_tiles(0, size))
    assert set(new_tiles(old, size)) == after - before


@given(st.integers(0, 16), st.data())
def test_nodes_are_found_in_tiles(level: int, data: st.DataObject) -> None:
    """Every node of the tree is the root of some hashes of one tile."""
    index = data.draw(st.integers(0, len(NODES[level]) - 1))
    tile_level, tile_index, first, count = tile_of_node(level, index)
    row = NODES[8 * tile_level][256 * tile_index + first :][:count]
    assert Frontier.empty().extend(row).root() == NODES[level][index]
    assert first + count <= 256


@given(st.binary(max_size=200), st.integers(1, 256))
def test_any_bytes_are_a_bundle_or_malformed(data: bytes, width: int) -> None:
    try:
        assert entry_bundle(parse_entry_bundle(data, width)) == data
    except MalformedError:
        return


def test_the_largest_entry_fits_a_bundle() -> None:
    entry = bytes(65_535)
    assert parse_entry_bundle(entry_bundle([entry, b""]), 2) == [entry, b""]
    with pytest.raises(UsageError):
        entry_bundle([entry + b"\0"])


def test_a_hash_tile_has_its_width() -> None:
    assert parse_tile(bytes(64), 2) == (bytes(32), bytes(32))
    for size in (0, 63, 65, 96):
        with pytest.raises(MalformedError):
            parse_tile(bytes(size), 2)
