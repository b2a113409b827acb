"""A log as files: which paths there are, and what each holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.logs import LongLog, take_down, works
from tests.support.stores import MemoryDisk

from byline_ledger.checkpoint import open_checkpoint
from byline_ledger.errors import (
    CorruptStoreError,
    MalformedError,
    NotFoundError,
    RedactedError,
)
from byline_ledger.log import Ledger, LogView
from byline_ledger.log_files import (
    GONE,
    MAX_GONE,
    Bodies,
    StatementName,
    is_immutable,
    log_file,
    max_bytes,
    media_type,
    new_bundles,
    parse_ids,
    parse_path,
)
from byline_ledger.statement import MAX_ENVELOPE
from byline_ledger.store import layout
from byline_ledger.tiles import Tile, new_tiles, parse_entry_bundle, parse_tile
from byline_ledger.tombstone import Tombstone

ID = "ab" * 32

HAZARDS = [
    "",
    "/checkpoint",
    "checkpoint/",
    "Checkpoint",
    "checkpoint\n",
    "tile",
    "tile/",
    "tile//000",
    "tile/0//000",
    "tile/0/000/",
    "tile/0/../0/000",
    "../vkey",
    "tile/0/%2e%2e",
    "tile/0/00",
    "tile/0/0000",
    "tile/0/x000/001",
    "tile/00/000",
    "tile/64/000",
    "tile/-1/000",
    "tile/0/000.p/0",
    "tile/0/000.p/01",
    "tile/0/000.p/256",
    "tile/0/000.p/",
    "tile/0/000.p",
    "tile/0/000.p/+1",
    "tile/0/000.p/1_0",
    "tile/0/\u0660\u0660\u0660",
    "tile/0/000.p/\u0661",
    "tile/entries/000.p/0",
    "tile/entries/000.p/256",
    "tile/entries",
    "tile/data/000",
    "tile/0/" + "x999/" * 30 + "999",
    "tile/0/x009/x223/x372/x036/x854/x775/808",
    "statements",
    "statements/",
    f"statements/{ID}",
    f"statements/aa/{ID}",
    f"statements/ab/{ID.upper()}",
    f"statements/ab/{ID[:-1]}",
    f"statements/ab/{ID}0",
    f"statements/ab/{ID}.gone/",
    f"statements/ab/{ID}\n",
    f"statements//{ID}",
    "statements/entries/",
    "statements/entries/0",
    "statements/entries/000.p/256",
    "statements/entries/000.p/257",
    "tile/0/000.p/300",
    "tile/entries/000.p/300",
    "statements/entries/000.p/0",
    "statements/0/000",
]


def all_tiles(size: int) -> list[Tile]:
    return [*new_bundles(0, size), *new_tiles(0, size)]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.init(tmp_path, open_store=MemoryDisk())


@pytest.mark.parametrize("path", HAZARDS)
def test_a_path_that_names_no_file_is_malformed(path: str) -> None:
    with pytest.raises(MalformedError):
        parse_path(path)
    with pytest.raises(MalformedError):
        log_file(LongLog().grow(301), path)


@given(st.text(alphabet="tilesan/0123x.pgo%\u0660", max_size=40))
def test_a_path_parses_to_its_only_spelling_or_is_malformed(path: str) -> None:
    try:
        name = parse_path(path)
    except MalformedError:
        return
    assert (name if isinstance(name, str) else name.to_path()) == path


def test_text_and_tiles_have_their_types_and_only_tiles_stay_for_ever() -> None:
    for path in ("checkpoint", "vkey", GONE):
        assert media_type(path) == "text/plain; charset=utf-8"
        assert not is_immutable(path)
    for path in ("tile/0/000", "tile/entries/000.p/3"):
        assert media_type(path) == "application/octet-stream"
        assert is_immutable(path)
    assert not is_immutable(StatementName(bytes(32)).to_path())


@pytest.mark.parametrize("size", [1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_793])
def test_each_tree_has_the_tiles_that_its_size_implies(size: int) -> None:
    """All of them, with the right hashes and entries; not one hash more."""
    view = LongLog().grow(size)
    for tile in all_tiles(size):
        file = log_file(view, tile.to_path())
        assert file.immutable
        assert len(file.data) <= max_bytes(tile.to_path())
        if tile.level is None:
            entries = parse_entry_bundle(file.data, tile.width)
            assert entries[0] == view.entry(tile.index * 256)
        else:
            hashes = parse_tile(file.data, tile.width)
            assert hashes[-1] == view.node(
                8 * tile.level, tile.index * 256 + tile.width - 1
            )
        if tile.width < 256:
            beyond = Tile(tile.level, tile.index, tile.width + 1)
        else:
            beyond = Tile(tile.level, (size >> 8 * ((tile.level or 0) + 1)), 1)
        if beyond.index * 256 + beyond.width > size >> 8 * (tile.level or 0):
            with pytest.raises(NotFoundError):
                log_file(view, beyond.to_path())


def test_the_bundles_hold_every_entry_once() -> None:
    view = LongLog().grow(70_000)
    bundles = list(new_bundles(0, view.size))
    assert sum(tile.width for tile in bundles) == view.size
    assert [tile.index for tile in bundles] == list(range(len(bundles)))


def test_a_partial_tile_is_the_beginning_of_the_full_one() -> None:
    view = LongLog().grow(600)
    full = log_file(view, "tile/0/001").data
    assert log_file(view, "tile/0/001.p/7").data == full[: 7 * 32]
    bundle = parse_entry_bundle(log_file(view, "tile/entries/001").data, 256)
    part = log_file(view, "tile/entries/001.p/7").data
    assert parse_entry_bundle(part, 7) == bundle[:7]


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/000",
        "tile/0/000.p/4",
        "tile/entries/000.p/4",
        "tile/0/001.p/1",
        "tile/1/000.p/1",
        "tile/63/000.p/1",
        "tile/0/x009/x223/x372/x036/x854/x775/807",
        f"statements/ab/{ID}",
        f"statements/ab/{ID}.gone",
        "statements/entries/000",
        "statements/entries/001.p/1",
    ],
)
def test_what_the_tree_does_not_have_is_not_found(path: str) -> None:
    with pytest.raises(NotFoundError):
        log_file(LongLog().grow(3), path)


def test_tiles_of_a_larger_tree_are_those_it_has_more() -> None:
    tiles = [*new_bundles(255, 257), *new_tiles(255, 257)]
    paths = [tile.to_path() for tile in tiles]
    assert paths == [
        "tile/entries/000",
        "tile/entries/001.p/1",
        "tile/0/000",
        "tile/0/001.p/1",
        "tile/1/000.p/1",
    ]
    assert list(new_bundles(257, 257)) == []


def test_a_tile_lost_by_the_store_is_an_error_of_the_store() -> None:
    log = LongLog()
    view = log.grow(300)
    log.store.write([], [layout.tile(0, 0)])
    with pytest.raises(CorruptStoreError):
        log_file(log.grow(301), "tile/0/000")
    assert view.size == 300


def test_checkpoint_and_key_are_those_of_the_view(ledger: Ledger) -> None:
    view = ledger.view
    vkey = log_file(view, "vkey").data
    assert vkey == view.vkey.encode() + b"\n"
    note = log_file(view, "checkpoint").data
    assert open_checkpoint(note, vkey.decode().strip()).root == view.root
    cosigned: LogView = view.cosigned(note + b"more")
    assert log_file(cosigned, "checkpoint").data == note + b"more"


def test_a_body_is_served_by_id_until_a_tombstone_takes_its_place(
    ledger: Ledger,
) -> None:
    kept, lost = works(0, 2)
    ledger.append([kept, lost])
    name = StatementName(lost.id)
    assert log_file(ledger.view, name.to_path()).data == lost.to_envelope()
    assert log_file(ledger.view, GONE).data == b""
    take_down(ledger, lost)
    with pytest.raises(RedactedError):
        log_file(ledger.view, name.to_path())
    tombstone = log_file(ledger.view, StatementName(lost.id, gone=True).to_path())
    assert Tombstone.from_bytes(tombstone.data).reason == "asked to"
    assert parse_ids(log_file(ledger.view, GONE).data) == [lost.id]
    kept_path = StatementName(kept.id).to_path()
    assert log_file(ledger.view, kept_path).data == kept.to_envelope()


def test_the_bodies_of_a_bundle_come_in_its_form(ledger: Ledger) -> None:
    """Empty where the entry is a commitment, or the body was taken down."""
    statements = works(0, 300)
    ledger.append(statements)
    take_down(ledger, statements[1])
    envelopes = [b"", *(one.to_envelope() for one in statements), b""]
    envelopes[2] = b""
    for tile in new_bundles(0, ledger.view.size):
        file = log_file(ledger.view, Bodies(tile).to_path())
        start = tile.index * 256
        expected = envelopes[start : start + tile.width]
        assert parse_entry_bundle(file.data, tile.width) == expected
        assert not file.immutable
    with pytest.raises(NotFoundError):
        log_file(ledger.view, "statements/entries/001")


def test_a_tombstone_of_no_statement_is_damage(ledger: Ledger) -> None:
    ledger._store.write([(layout.tombstone(0), Tombstone("x", 0).to_bytes())])
    ledger.view = ledger._view_of(ledger.view.state)
    with pytest.raises(CorruptStoreError):
        log_file(ledger.view, GONE)


@pytest.mark.parametrize(
    "data",
    [
        b"\n",
        ID.encode(),
        ID.upper().encode() + b"\n",
        ID.encode() + b"\r\n",
        ID.encode() + b"\n\n",
        b" " + ID.encode() + b"\n",
        (ID.encode() + b"\n") * (MAX_GONE // 65 + 1),
    ],
    ids=range(7),
)
def test_a_list_of_ids_has_one_form(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_ids(data)


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("checkpoint", 1_000_000),
        ("tile/0/000.p/3", 3 * 32),
        ("tile/entries/000.p/2", 2 * (2 + 65_535)),
        ("statements/entries/000.p/2", 2 * (2 + MAX_ENVELOPE)),
        (f"statements/{ID[:2]}/{ID}", MAX_ENVELOPE),
        (f"statements/{ID[:2]}/{ID}.gone", 1_024),
    ],
)
def test_each_file_has_a_most_of_bytes(path: str, most: int) -> None:
    assert max_bytes(path) == most
