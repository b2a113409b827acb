"""What a ledger does at start with folders that are not as it left them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.logs import after_a_fault, works
from tests.support.stores import MemoryDisk

from byline_ledger import merkle
from byline_ledger.check import check_ledger
from byline_ledger.checkpoint import Checkpoint, sign_checkpoint
from byline_ledger.entry import (
    StatementEntry,
    parse_entry,
    retirement_entry,
)
from byline_ledger.errors import (
    CorruptStoreError,
    InconsistentLogError,
    NotFoundError,
    ReadOnlyError,
    StoreError,
    StoreLockedError,
    UsageError,
)
from byline_ledger.log import Ledger, LogView
from byline_ledger.node_keys import NodeKeys
from byline_ledger.recovery import read_entry, retirement
from byline_ledger.store import layout
from byline_ledger.store.guard import Guard, read_guard, write_guard
from byline_ledger.store.leveldb import LevelStore
from byline_ledger.store.node_files import NodeFiles

# Never two histories: database and guard do not belong together


@pytest.fixture
def two_states(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A node's folder, and a copy of it from three commits earlier."""
    folder, backup = tmp_path / "node", tmp_path / "backup"
    ledger = Ledger.init(folder)
    ledger.append(works(0, 10))
    ledger.close()
    shutil.copytree(folder, backup)
    ledger = Ledger.open(folder)
    for number in range(3):
        ledger.append(works(10 + number, 11 + number))
    ledger.close()
    return folder, backup


def put_back(part: str, source: Path, target: Path) -> None:
    place = target / part
    if place.is_dir():
        shutil.rmtree(place)
        shutil.copytree(source / part, place)
    else:
        shutil.copy(source / part, place)


def require_read_only(folder: Path, reason: str, statements: int) -> None:
    ledger = Ledger.open(folder)
    assert reason in (ledger.read_only or "")
    ledger.hold("asking the witnesses")
    assert reason in (ledger.read_only or "")
    assert not ledger.is_held
    assert "--new-origin" in (ledger.read_only or "")
    assert ledger.view.statement_count == statements
    assert len(ledger.view.strings_under(b"", limit=999)) == ledger.view.set_count
    before = read_bytes(folder / "guard")
    for use in (
        lambda: ledger.append(works(70, 71)),
        lambda: ledger.put_record(b"name", b""),
    ):
        with pytest.raises(ReadOnlyError, match="read-only"):
            use()
    ledger.close()
    assert read_bytes(folder / "guard") == before
    assert reason in (check_ledger(folder).problem or "")


def read_bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def test_a_database_put_back_from_a_backup(two_states: tuple[Path, Path]) -> None:
    folder, backup = two_states
    put_back("database", backup, folder)
    require_read_only(folder, "12 entries, but 18 were signed", 10)


def test_a_guard_put_back_from_a_backup(two_states: tuple[Path, Path]) -> None:
    folder, backup = two_states
    put_back("guard", backup, folder)
    require_read_only(folder, "guard file is from an earlier time, 12 entries", 13)


def test_a_whole_backup_is_one_state(two_states: tuple[Path, Path]) -> None:
    _folder, backup = two_states
    after_a_fault(backup, LevelStore.open, 10, works(10, 12))


def test_a_lost_guard(two_states: tuple[Path, Path]) -> None:
    folder, _backup = two_states
    (folder / "guard").unlink()
    require_read_only(folder, "the guard file is missing", 13)


def test_a_torn_guard(two_states: tuple[Path, Path]) -> None:
    folder, _backup = two_states
    data = (folder / "guard").read_bytes()
    (folder / "guard").write_bytes(data[:40])
    require_read_only(folder, "the guard file is damaged", 13)


def test_a_guard_torn_beside_the_real_one_is_nothing(
    two_states: tuple[Path, Path],
) -> None:
    folder, _backup = two_states
    (folder / "guard.new").write_bytes(b"byline-gua")
    after_a_fault(folder, LevelStore.open, 13, works(100, 102))


def test_the_guard_of_another_log(two_states: tuple[Path, Path]) -> None:
    folder, _backup = two_states
    write_guard(folder / "guard", Guard("other.example/log", 18, bytes(32)))
    require_read_only(folder, "that of another log", 13)


def test_a_guard_with_another_root_is_a_contradiction(
    two_states: tuple[Path, Path],
) -> None:
    folder, _backup = two_states
    guard = read_guard(folder / "guard")
    assert guard is not None
    write_guard(folder / "guard", Guard(guard.origin, guard.size, bytes(32)))
    with pytest.raises(InconsistentLogError, match="different trees of 18 entries"):
        Ledger.open(folder)
    assert "different trees of 18" in (check_ledger(folder).problem or "")


def test_a_lost_database(two_states: tuple[Path, Path]) -> None:
    folder, _backup = two_states
    shutil.rmtree(folder / "database")
    with pytest.raises(StoreError, match="no database"):
        Ledger.open(folder)
    assert "begun before" in (check_ledger(folder).problem or "")
    # Nor is a new one begun if the guard is gone as well.
    (folder / "guard").unlink()
    with pytest.raises(StoreError, match="no database"):
        Ledger.open(folder)


def test_an_emptied_database(two_states: tuple[Path, Path]) -> None:
    folder, _backup = two_states
    shutil.rmtree(folder / "database")
    LevelStore.open(folder / "database", create=True).close()
    with pytest.raises(StoreError, match="empty, but the log was begun") as caught:
        Ledger.open(folder)
    assert caught.value.hint is not None
    assert "begun before" in (check_ledger(folder).problem or "")


def test_a_lost_write_log_tail_makes_the_log_read_only(tmp_path: Path) -> None:
    """A disk that lied about its sync: what was signed is gone after a power cut."""
    ledger = Ledger.init(tmp_path)
    for number in range(6):
        ledger.append(works(number, number + 1))
    ledger.close()
    log = max((tmp_path / "database").glob("*.log"))
    os.truncate(log, log.stat().st_size - 100)
    (tmp_path / "lookup").unlink()
    require_read_only(tmp_path, "11 entries, but 13 were signed", 5)


# Folders that cannot be opened


def test_no_node_there(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(NotFoundError, match="there is no node"):
            Ledger.open(folder)
        with pytest.raises(NotFoundError, match="there is no node"):
            check_ledger(folder)


def test_a_node_is_not_made_twice(tmp_path: Path) -> None:
    Ledger.init(tmp_path).close()
    with pytest.raises(UsageError, match="already"):
        Ledger.init(tmp_path)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    ledger = Ledger.init(tmp_path)
    script = f"""
from pathlib import Path
from byline_ledger.errors import StoreLockedError
from byline_ledger.log import Ledger, LogView
try:
    Ledger.open(Path({str(tmp_path)!r}))
except StoreLockedError as error:
    print(error)
"""
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert f"is in use by process {os.getpid()}" in ran.stdout
    for use in (Ledger.open, check_ledger):
        with pytest.raises(StoreLockedError):
            use(tmp_path)
    ledger.close()
    Ledger.open(tmp_path).close()


def test_a_store_of_another_version(tmp_path: Path) -> None:
    disk = MemoryDisk()
    Ledger.init(tmp_path, open_store=disk).close()
    disk.change((layout.VERSION, b"byline-store/2"))
    before = disk.pairs()
    for use in (Ledger.open, check_ledger):
        with pytest.raises(StoreError, match="expected byline-store/1, got") as caught:
            use(tmp_path, open_store=disk)  # type: ignore[operator]
        assert caught.value.hint is not None
    assert disk.pairs() == before


@pytest.mark.parametrize("part", ["secret", "origin"])
def test_secret_or_origin_of_another_node(tmp_path: Path, part: str) -> None:
    Ledger.init(tmp_path / "a").close()
    Ledger.init(tmp_path / "b").close()
    put_back(part, tmp_path / "b", tmp_path / "a")
    for use in (Ledger.open, check_ledger):
        with pytest.raises(StoreError, match="does not belong to this secret") as error:
            use(tmp_path / "a")
        assert "secret" in (error.value.hint or "")


def test_a_database_of_something_else(tmp_path: Path) -> None:
    disk = MemoryDisk()
    disk.change((b"something", b"else"))
    with pytest.raises(CorruptStoreError, match="not that of a Byline node"):
        Ledger.init(tmp_path, open_store=disk)


def remove(disk: MemoryDisk, prefix: bytes) -> None:
    disk.replace({k: v for k, v in disk.pairs().items() if not k.startswith(prefix)})


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        (layout.STATE, "state of the log is missing"),
        (layout.LOG, "does not belong"),
        (layout.TILES, "tile 0 of level 0"),
        (layout.entry(301), "45 entries at the end, not 46"),
        (layout.entry(290), "45 entries at the end, not 46"),
        (layout.STRINGS, "lookup strings are not those"),
    ],
)
def test_damage_noticed_at_start(tmp_path: Path, lost: bytes, message: str) -> None:
    disk = MemoryDisk()
    ledger = Ledger.init(tmp_path, open_store=disk)
    ledger.append(works(0, 300))
    ledger.close()
    NodeFiles(tmp_path).lookup.unlink()
    remove(disk, lost)
    with pytest.raises(StoreError, match=message) as caught:
        Ledger.open(tmp_path, open_store=disk)
    assert caught.value.hint is not None
    # It can be opened again by others: the lock is not kept.
    with pytest.raises(StoreError, match=message):
        Ledger.open(tmp_path, open_store=disk)


def test_wrong_values_noticed_at_start(tmp_path: Path) -> None:
    disk = MemoryDisk()
    ledger = Ledger.init(tmp_path, open_store=disk)
    ledger.append(works(0, 300))
    view = ledger.view
    ledger.close()
    good = disk.pairs()
    log_secret = NodeKeys.derive(NodeFiles(tmp_path).read_secret(), view.origin).log

    def signed(size: int, root: bytes) -> tuple[bytes, bytes]:
        note = sign_checkpoint(Checkpoint(view.origin, size, root), log_secret)
        return layout.STATE, layout.State(1, 300, note).to_bytes()

    entry = good[layout.entry(300)]
    for change, message in (
        (signed(302, bytes(32)), "do not lead to the signed root"),
        (signed(0, bytes(32)), "of an empty log"),
        ((layout.STATE, good[layout.STATE][:-9] + b"AAAAAAA=\n"), "does not verify"),
        ((layout.entry(301), entry), "do not lead to the signed root"),
        ((layout.entry(300), b"\x09"), "do not lead to the signed root"),
        ((layout.string_key(bytes(71)), b""), "not of 72 bytes"),
        ((layout.string_key(bytes(72)), b""), "not those that the log commits to"),
    ):
        NodeFiles(tmp_path).lookup.unlink(missing_ok=True)
        disk.replace(good)
        disk.change(change)
        with pytest.raises(CorruptStoreError, match=message):
            Ledger.open(tmp_path, open_store=disk)
    # A tree whose root is right, but which does not end with a commitment.
    tree = merkle.Frontier.empty().extend(
        [merkle.leaf_hash(good[layout.entry(index)]) for index in range(301)]
    )
    disk.replace(good)
    disk.change(signed(301, tree.root()))
    with pytest.raises(CorruptStoreError, match="last log entry is not a commitment"):
        Ledger.open(tmp_path, open_store=disk)
    with pytest.raises(CorruptStoreError, match="log entry 9999 is missing"):
        read_entry(disk.store.reopen(), 9999)
    disk.change((layout.entry(9999), b"\x09"))
    with pytest.raises(CorruptStoreError, match="kind 0, 1 or 2, got 9"):
        read_entry(disk.store.reopen(), 9999)


def test_damage_noticed_by_readers(tmp_path: Path) -> None:
    disk = MemoryDisk()
    ledger = Ledger.init(tmp_path, open_store=disk)
    one, two = works(0, 2)
    ledger.append([one, two])
    ledger.close()
    body = disk.pairs()[layout.body(1)]
    disk.change((layout.body(2), body))
    remove(disk, layout.body(1))
    ledger = Ledger.open(tmp_path, open_store=disk)
    with pytest.raises(CorruptStoreError, match="is missing"):
        ledger.view.statement(one.id)
    with pytest.raises(CorruptStoreError, match="something else"):
        ledger.view.statement(two.id)
    ledger.close()
    entry = disk.pairs()[layout.entry(1)]
    remove(disk, layout.entry(1))
    view = LogView.of("", ledger.view.state, disk.store.reopen(), ledger._rows)
    with pytest.raises(CorruptStoreError, match="entry 1 is missing"):
        view.entry(1)
    with pytest.raises(CorruptStoreError, match="entry 1 is missing"):
        view.entries(0, 9, 1 << 20)
    disk.change((layout.entry(1), entry), (layout.body(2), b"\x93"))
    ledger = Ledger.open(tmp_path, open_store=disk)
    with pytest.raises(CorruptStoreError, match="something else"):
        ledger.view.statement(two.id)
    ledger.close()


def test_a_retired_log_is_only_served(tmp_path: Path) -> None:
    """No command makes the notice yet, but a log that has one must not go on."""
    disk = MemoryDisk()
    ledger = Ledger.init(tmp_path, open_store=disk)
    ledger.append(works(0, 3))
    entries = [ledger.view.entry(index) for index in range(ledger.view.size)]
    ledger.close()
    disk.change((layout.entry(len(entries)), retirement_entry("moved")))
    disk.change((layout.entry(len(entries) + 1), entries[-1]))
    store = disk(tmp_path, False)
    assert retirement(store, len(entries) + 2) == "moved"
    assert retirement(store, len(entries)) is None
    assert retirement(store, 1) is None
    assert isinstance(parse_entry(entries[1]), StatementEntry)
