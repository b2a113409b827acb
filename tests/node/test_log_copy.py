"""Copies of a log: what they hold after growth, interruptions, takedowns and lies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.logs import LongLog, take_down, works
from tests.support.stores import MemoryDisk

from byline_ledger.checkpoint import open_checkpoint
from byline_ledger.errors import (
    BadSignatureError,
    ContradictionError,
    MalformedError,
    NotFoundError,
    StoreError,
    StoreLockedError,
    UsageError,
    VerificationError,
)
from byline_ledger.log import Ledger, LogView
from byline_ledger.log_files import StatementName, log_file, new_bundles
from byline_ledger.tiles import Tile, entry_bundle, new_tiles
from byline_ledger.tombstone import Tombstone
from byline_node import folder_files, log_copy
from byline_node.folder_files import INCOMING, FolderFiles, FolderTarget
from byline_node.log_copy import PROGRESS, Copied, LogCopy
from byline_node.log_source import FileSource, ViewFiles


def source_of(view: LogView) -> FileSource:
    return FileSource(ViewFiles(view, "the log", lambda: None))


def copy(view: LogView | FileSource, folder: Path) -> Copied:
    target = FolderTarget(folder)
    source = view if isinstance(view, FileSource) else source_of(view)
    try:
        return LogCopy(source, target).run()
    finally:
        target.close()


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def require_whole(folder: Path, view: LogView) -> None:
    """Every file that the copy's checkpoint implies is there, byte for byte."""
    tiles = [*new_bundles(0, view.size), *new_tiles(0, view.size)]
    for path in ["checkpoint", "vkey", *(tile.to_path() for tile in tiles)]:
        assert (folder / path).read_bytes() == log_file(view, path).data


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.init(tmp_path / "node", open_store=MemoryDisk())


def test_a_copy_holds_exactly_the_files_of_the_log(
    tmp_path: Path, ledger: Ledger
) -> None:
    ledger.append(works(0, 300))
    view, folder = ledger.view, tmp_path / "copy"
    assert copy(view, folder).old_size == 0
    require_whole(folder, view)
    found = files_in(folder)
    bodies = [path for path in found if path.startswith("statements/")]
    assert len(bodies) == 300 + 1
    for path in found:
        assert found[path] == log_file(view, path).data


@pytest.mark.parametrize(
    "sizes",
    [
        (1, 2, 255, 256, 257, 258),
        (255, 257),
        (256, 512, 513),
        (1, 65_535, 65_536, 65_537),
        (300, 66_000),
    ],
)
def test_growth_adds_what_came_since_and_changes_nothing(
    tmp_path: Path, sizes: tuple[int, ...]
) -> None:
    log, before = LongLog(), {}
    for size in sizes:
        view = log.grow(size)
        copied = copy(view, tmp_path / "copy")
        assert copied.checkpoint.size == size
        require_whole(tmp_path / "copy", view)
        now = files_in(tmp_path / "copy")
        stay = set(before) - {"checkpoint"}
        assert {path: now[path] for path in stay} == {p: before[p] for p in stay}
        before = now
    again = copy(view, tmp_path / "copy")
    assert again.old_size == sizes[-1]
    assert files_in(tmp_path / "copy") == before


def test_only_new_files_are_read_again(tmp_path: Path) -> None:
    log = LongLog()
    copy(log.grow(1_000), tmp_path / "copy")
    source = Counting(log.grow(1_300))
    copy(FileSource(source), tmp_path / "copy")
    bundles = [path for path in source.asked if path.startswith("tile/entries/")]
    assert bundles == [
        "tile/entries/003",
        "tile/entries/004",
        "tile/entries/005.p/20",
    ]


def test_a_partial_tile_never_lies_under_the_name_of_a_full_one(
    tmp_path: Path,
) -> None:
    log = LongLog()
    for size in (100, 300, 400):
        copy(log.grow(size), tmp_path / "copy")
        for path in (tmp_path / "copy" / "tile" / "0").glob("???"):
            assert path.stat().st_size == 256 * 32


class Counting:
    """A log's files that counts what is asked of it, and can break, or lie."""

    def __init__(self, view: LogView) -> None:
        self.name = "the log"
        self.asked: list[str] = []
        self.lies: dict[str, bytes] = {}
        self.breaks: Callable[[str], bool] = lambda path: False
        self._inner = ViewFiles(view, "the log", lambda: None)

    def get(self, path: str, limit: int) -> bytes:
        self.asked.append(path)
        if self.breaks(path):
            raise StoreError("pulled the plug")
        return self.lies[path] if path in self.lies else self._inner.get(path, limit)

    def close(self) -> None:
        pass


@pytest.mark.parametrize("broken", ["tile/entries/020", "tile/0/003", "statements/g"])
def test_an_interrupted_copy_stays_what_it_was_and_goes_on_later(
    tmp_path: Path, broken: str
) -> None:
    log, folder = LongLog(), tmp_path / "copy"
    first = log.grow(500)
    copy(first, folder)
    view = log.grow(12_000)
    source = Counting(view)
    source.breaks = lambda path: path.startswith(broken) and len(source.asked) > 9
    with pytest.raises(StoreError, match="plug"):
        copy(FileSource(source), folder)
    require_whole(folder, first)
    assert (folder / PROGRESS).is_file()
    source.breaks, source.asked = lambda path: False, []
    copy(FileSource(source), folder)
    require_whole(folder, view)
    assert not (folder / PROGRESS).exists()
    assert not (folder / INCOMING).exists()
    bundles = [path for path in source.asked if path.startswith("tile/entries/")]
    assert min(bundles) > "tile/entries/015"


def test_every_single_write_can_be_the_last(
    tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was written when it ended, the copy's checkpoint names only files that
    are there, and the next run completes it."""
    monkeypatch.setattr(log_copy, "WORKERS", 1)
    ledger.append(works(0, 4))
    first = ledger.view
    ledger.append(works(4, 8))
    put = FolderTarget.put
    writes = 0

    def stopping(target: FolderTarget, path: str, data: bytes) -> None:
        nonlocal writes
        writes += 1
        if writes > last:
            raise StoreError("killed")
        put(target, path, data)

    for last in range(40):
        folder, writes = tmp_path / f"copy{last}", 0
        copy(first, folder)
        monkeypatch.setattr(FolderTarget, "put", stopping)
        try:
            copy(ledger.view, folder)
        except StoreError:
            require_whole(folder, first)
        monkeypatch.setattr(FolderTarget, "put", put)
        finished = writes <= last
        copy(ledger.view, folder)
        require_whole(folder, ledger.view)
        if finished:
            break
    else:
        raise AssertionError("it never came to an end")


def test_progress_of_another_tree_counts_for_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    copy(LongLog().grow(5), folder)
    view = source_of(LongLog().grow(5)).files
    for lie in (b"", b"\xff", b"long.example/1\n4\n" + b"A" * 43 + b"=\n", b"x" * 2000):
        (folder / PROGRESS).write_bytes(lie)
        assert copy(FileSource(view), folder).old_size == 5
        assert not (folder / PROGRESS).exists()


def test_what_was_taken_down_leaves_the_copy(tmp_path: Path, ledger: Ledger) -> None:
    one, two, three = statements = works(0, 3)
    ledger.append(statements[:2])
    folder = tmp_path / "copy"
    copy(ledger.view, folder)
    place = folder / StatementName(one.id).to_path()
    assert place.read_bytes() == one.to_envelope()
    take_down(ledger, one, reason="court order")
    assert copy(ledger.view, folder).taken_down == 1
    assert not place.exists()
    copied = FileSource(FolderFiles(folder))
    tombstone = copied.body(one.id)
    assert isinstance(tombstone, Tombstone)
    assert tombstone.reason == "court order"
    assert copied.body(two.id) == two.to_envelope()
    assert copied.taken_down() == [one.id]
    ledger.append([three])
    take_down(ledger, three)
    assert copy(ledger.view, folder).taken_down == 1
    assert copied.taken_down() == [one.id, three.id]
    assert copy(ledger.view, folder).taken_down == 0


class Recording(FolderTarget):
    """Writes down what is done in which order."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.done: list[str] = []

    def put(self, path: str, data: bytes) -> None:
        self.done.append(f"put {path}")
        super().put(path, data)

    def delete(self, path: str) -> None:
        self.done.append(f"delete {path}")
        super().delete(path)

    def settle(self) -> None:
        self.done.append("settle")
        super().settle()


def test_the_checkpoint_comes_last_and_a_tombstone_before_its_body_goes(
    tmp_path: Path, ledger: Ledger
) -> None:
    """And all that the checkpoint names is certain to stay before it is written."""
    one = works(0, 1)[0]
    ledger.append([one])
    for _ in range(2):
        target = Recording(tmp_path / "copy")
        LogCopy(source_of(ledger.view), target).run()
        target.close()
        last = target.done.index("put checkpoint")
        assert target.done[last - 1] == "settle"
        assert target.done[last + 1 :] == [f"delete {PROGRESS}", "settle"]
        take_down(ledger, one)
    body = StatementName(one.id).to_path()
    tombstone = StatementName(one.id, gone=True).to_path()
    order = target.done
    assert order.index(f"put {tombstone}") < order.index(f"delete {body}")
    assert order.index(f"delete {body}") < order.index("put statements/gone")


def test_a_copy_of_a_copy_is_the_same(tmp_path: Path, ledger: Ledger) -> None:
    statements = works(0, 20)
    ledger.append(statements)
    take_down(ledger, statements[3])
    copy(ledger.view, tmp_path / "one")
    copy(FileSource(FolderFiles(tmp_path / "one")), tmp_path / "two")
    assert files_in(tmp_path / "one") == files_in(tmp_path / "two")


# What is refused


def test_a_copy_of_another_log_is_left_alone(tmp_path: Path) -> None:
    copy(LongLog(1).grow(3), tmp_path / "copy")
    before = files_in(tmp_path / "copy")
    with pytest.raises(UsageError, match="another log"):
        copy(LongLog(2).grow(5), tmp_path / "copy")
    assert files_in(tmp_path / "copy") == before


def test_a_newer_copy_is_left_alone(tmp_path: Path) -> None:
    log = LongLog()
    old = log.grow(300)
    copy(log.grow(400), tmp_path / "copy")
    with pytest.raises(UsageError, match="newer tree, of 400 entries"):
        copy(old, tmp_path / "copy")


@pytest.mark.parametrize(("first", "second"), [(300, 400), (400, 300), (300, 300)])
def test_a_copy_that_contradicts_the_log_is_proof_and_exit_code_4(
    tmp_path: Path, ledger: Ledger, first: int, second: int
) -> None:
    """Two histories under one key: both notes come with the error."""
    copy(LongLog().grow(first), tmp_path / "copy")
    other = LongLog()
    other.tree, _ = other.tree.grow([bytes(32)])
    forked = other.grow(second)
    with pytest.raises(ContradictionError) as caught:
        copy(forked, tmp_path / "copy")
    assert caught.value.exit_code == 4
    sizes = [open_checkpoint(note, other.vkey).size for note in caught.value.notes]
    assert sizes == [first, second]


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("dear")
    with pytest.raises(UsageError, match="not empty"):
        copy(LongLog().grow(3), tmp_path)
    assert files_in(tmp_path) == {"letter": b"dear"}


def test_one_program_writes_a_copy_at_a_time(tmp_path: Path) -> None:
    first = FolderTarget(tmp_path / "copy")
    with pytest.raises(StoreLockedError):
        FolderTarget(tmp_path / "copy")
    first.close()
    FolderTarget(tmp_path / "copy").close()


def test_what_a_crash_left_half_written_goes(tmp_path: Path) -> None:
    incoming = tmp_path / "copy" / INCOMING
    incoming.mkdir(parents=True)
    (incoming / "tile+0+000").write_bytes(b"half")
    copy(LongLog().grow(3), tmp_path / "copy")
    assert not incoming.exists()


@pytest.mark.parametrize(
    ("path", "lie", "error"),
    [
        ("checkpoint", b"", MalformedError),
        ("checkpoint", b"x" * 1_000_001, MalformedError),
        ("vkey", b"long.example/1", MalformedError),
        ("vkey", b"a\nb\n", MalformedError),
        ("vkey", LongLog(2).vkey.encode() + b"\n", BadSignatureError),
        ("tile/0/001.p/44", bytes(44 * 32), VerificationError),
        ("tile/0/001.p/44", bytes(43 * 32), MalformedError),
        ("tile/1/000.p/1", bytes(32), VerificationError),
        ("tile/entries/000", b"\x00\x01", MalformedError),
        ("tile/entries/000", b"\x00\x01\x09" * 256, MalformedError),
        ("statements/gone", b"x\n", MalformedError),
        ("statements/gone", b"00" * 32 + b"\n", NotFoundError),
    ],
)
def test_a_source_that_lies_is_refused_and_the_copy_keeps_its_tree(
    tmp_path: Path, path: str, lie: bytes, error: type[Exception]
) -> None:
    source = Counting(LongLog().grow(300))
    source.lies[path] = lie
    with pytest.raises(error):
        copy(FileSource(source), tmp_path / "copy")
    assert not (tmp_path / "copy" / "checkpoint").exists()


def test_a_source_without_a_body_is_no_whole_copy(
    tmp_path: Path, ledger: Ledger
) -> None:
    one = works(0, 1)[0]
    ledger.append([one])
    copy(ledger.view, tmp_path / "one")
    (tmp_path / "one" / StatementName(one.id).to_path()).unlink()
    with pytest.raises(NotFoundError, match="neither body nor tombstone"):
        copy(FileSource(FolderFiles(tmp_path / "one")), tmp_path / "two")


@pytest.mark.parametrize("in_bundles", [True, False])
def test_a_body_under_another_id_is_refused(
    tmp_path: Path, ledger: Ledger, in_bundles: bool
) -> None:
    one, two = works(0, 2)
    ledger.append([one, two])
    source = Counting(ledger.view)
    swapped = [b"", two.to_envelope(), one.to_envelope(), b""]
    alone = [b""] * 4
    bodies = entry_bundle(swapped if in_bundles else alone)
    source.lies["statements/entries/000.p/4"] = bodies
    source.lies[StatementName(one.id).to_path()] = two.to_envelope()
    with pytest.raises(MalformedError, match="something else"):
        copy(FileSource(source), tmp_path / "copy")


def test_a_bundle_of_bodies_that_is_none_is_done_without(
    tmp_path: Path, ledger: Ledger
) -> None:
    ledger.append(works(0, 2))
    source = Counting(ledger.view)
    source.lies["statements/entries/000.p/4"] = b"not found, says a web server, and 200"
    copy(FileSource(source), tmp_path / "copy")
    require_whole(tmp_path / "copy", ledger.view)


def test_a_full_disk_is_an_error_of_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder_files.os, "fsync", full)
    with pytest.raises(StoreError):
        copy(LongLog().grow(3), tmp_path / "copy")


# Sources


def test_a_partial_tile_is_cut_from_the_full_one_if_only_that_is_left(
    tmp_path: Path,
) -> None:
    view = LongLog().grow(600)
    copy(view, tmp_path / "copy")
    source = FileSource(FolderFiles(tmp_path / "copy"))
    for tile in (Tile(0, 1, 7), Tile(None, 1, 7)):
        assert source.tile(tile) == log_file(view, tile.to_path()).data
    with pytest.raises(NotFoundError):
        source.tile(Tile(0, 2, 200))


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").mkdir()
    with pytest.raises(NotFoundError):
        FileSource(FolderFiles(tmp_path)).checkpoint()
    with pytest.raises(NotFoundError):
        FileSource(FolderFiles(tmp_path / "nowhere")).checkpoint()
