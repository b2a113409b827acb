"""The guard file, and the other small files that must survive a crash."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline_ledger.errors import (
    CorruptStoreError,
    InconsistentLogError,
    NotFoundError,
    StoreError,
    StoreLockedError,
    UsageError,
)
from byline_ledger.merkle import EMPTY_ROOT
from byline_ledger.store import durable
from byline_ledger.store.durable import create_durably, read_small, write_durably
from byline_ledger.store.guard import Guard, compare_guard, read_guard, write_guard
from byline_ledger.store.node_files import FolderLock, NodeFiles, init_node

GUARD = Guard("byline.internal/00", 77, bytes(range(32)))
OTHER = bytes(32)


# The guard file


def test_example_of_the_specification() -> None:
    text = GUARD.to_bytes()
    assert text.splitlines()[:4] == [
        b"byline-guard/1",
        b"byline.internal/00",
        b"77",
        bytes(range(32)).hex().encode(),
    ]
    assert Guard.from_bytes(text) == GUARD


@given(st.integers(0, len(GUARD.to_bytes()) - 1), st.integers(1, 255))
def test_any_changed_byte_is_noticed(at: int, change: int) -> None:
    data = bytearray(GUARD.to_bytes())
    data[at] ^= change
    with pytest.raises(CorruptStoreError, match="guard file is damaged"):
        Guard.from_bytes(bytes(data))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_guard_or_damaged(data: bytes) -> None:
    with pytest.raises(CorruptStoreError):
        Guard.from_bytes(data)
    with pytest.raises(CorruptStoreError):
        Guard.from_bytes(GUARD.to_bytes() + data + b"\n")


def test_writing_and_reading(tmp_path: Path) -> None:
    path = tmp_path / "guard"
    assert read_guard(path) is None
    write_guard(path, GUARD)
    assert read_guard(path) == GUARD
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(bytes(5000))
    with pytest.raises(StoreError, match="at most 1024"):
        read_guard(path)


def roots(size: int) -> bytes:
    return EMPTY_ROOT if size == 0 else bytes([size]) * 32


def stored(size: int) -> Guard:
    return Guard("log", size, roots(size))


@pytest.mark.parametrize(
    ("guard", "reason"),
    [
        (stored(9), None),
        (stored(5), None),
        (stored(10), "database has 9 entries, but 10 were signed"),
        (stored(4), "earlier time, 4 entries"),
        (stored(0), "earlier time, 0 entries"),
        (Guard("other", 9, roots(9)), "another log, other"),
    ],
)
def test_database_of_nine_entries_five_before(guard: Guard, reason: str | None) -> None:
    found = compare_guard(guard, stored(9), 5, roots)
    assert (found is None) == (reason is None)
    assert reason is None or reason in (found or "")


@pytest.mark.parametrize("size", [1, 5, 9])
def test_two_roots_of_one_size_are_refused(size: int) -> None:
    with pytest.raises(
        InconsistentLogError, match=f"different trees of {size} entries"
    ):
        compare_guard(Guard("log", size, OTHER), stored(9), 5, roots)


def test_a_new_log_starts_from_its_guard() -> None:
    assert compare_guard(Guard.start("log"), stored(1), 0, roots) is None


# Durable files: each step fails, before or after it had its effect


STEPS = ["open", "write", "fsync", "replace", "sync_folder"]


def break_step(monkeypatch: pytest.MonkeyPatch, step: str, kept: bool) -> None:
    def broken(real: object) -> object:
        def run(*arguments: object, **options: object) -> object:
            if kept:
                assert callable(real)
                real(*arguments, **options)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        return run

    if step == "replace":
        monkeypatch.setattr(Path, "replace", broken(Path.replace))
    elif step == "sync_folder":
        monkeypatch.setattr(durable, "sync_folder", broken(durable.sync_folder))
    elif step == "write":
        monkeypatch.setattr(durable.os, "fdopen", broken(lambda *_a, **_o: None))
    else:
        monkeypatch.setattr(durable.os, step, broken(getattr(os, step)))


@pytest.mark.parametrize("kept", [False, True], ids=["not-persisted", "persisted"])
@pytest.mark.parametrize("step", STEPS)
def test_a_failed_replacement_leaves_old_or_new(
    tmp_path: Path, step: str, kept: bool
) -> None:
    path = tmp_path / "guard"
    write_durably(path, b"old")
    with pytest.MonkeyPatch.context() as monkeypatch:
        break_step(monkeypatch, step, kept)
        with pytest.raises(StoreError, match="No space left") as caught:
            write_durably(path, b"new")
    assert "free some space" in (caught.value.hint or "")
    is_new = step == "sync_folder" or (step == "replace" and kept)
    assert path.read_bytes() == (b"new" if is_new else b"old")
    write_durably(path, b"newer")
    assert path.read_bytes() == b"newer"
    assert [file.name for file in tmp_path.iterdir()] == ["guard"]


def test_a_file_made_once_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    create_durably(path, b"first")
    with pytest.raises(StoreError, match="File exists"):
        create_durably(path, b"second")
    assert path.read_bytes() == b"first"
    # A crash between link and unlink leaves two names of one file.
    aside = tmp_path / "secret.new"
    aside.unlink()
    os.link(path, aside)
    with pytest.raises(StoreError, match="File exists"):
        create_durably(path, b"third")
    assert path.read_bytes() == b"first"


def test_unreadable_and_oversized_files(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(11))
    assert read_small(tmp_path / "none", 10) is None
    with pytest.raises(StoreError, match="at most 10"):
        read_small(tmp_path / "large", 10)
    with pytest.raises(StoreError, match="directory"):
        read_small(tmp_path, 10)


def test_refused_access_says_where_to_look() -> None:
    error = durable.file_error(Path("guard"), PermissionError(errno.EACCES, "denied"))
    assert "who owns" in (error.hint or "")


# The node's folder


def test_a_new_node(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "node"
    origin = init_node(folder)
    files = NodeFiles(folder)
    assert origin.startswith("byline.internal/")
    assert len(origin.removeprefix("byline.internal/")) == 32
    assert files.read_origin() == origin
    assert len(files.read_secret()) == 32
    assert folder.stat().st_mode & 0o777 == 0o700
    for file in (files.secret, files.origin, files.guard):
        assert file.stat().st_mode & 0o777 == 0o600
    assert read_guard(files.guard) == Guard.start(origin)


def test_two_nodes_have_nothing_in_common(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert init_node(first) != init_node(second)
    assert NodeFiles(first).read_secret() != NodeFiles(second).read_secret()


def test_a_node_is_never_made_over_another(tmp_path: Path) -> None:
    origin = init_node(tmp_path)
    with pytest.raises(UsageError, match="there is a node"):
        init_node(tmp_path)
    assert NodeFiles(tmp_path).read_origin() == origin


@pytest.mark.parametrize("name", ["", "a b", "a+b", "x" * 256, "line\nbreak"])
def test_names_that_no_log_can_have(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "node"
    with pytest.raises(UsageError, match="cannot be called"):
        init_node(folder, name)
    assert not folder.exists()


@pytest.mark.parametrize("kept", [False, True], ids=["not-persisted", "persisted"])
@pytest.mark.parametrize("call", range(6))
def test_a_half_made_node_is_completed(tmp_path: Path, call: int, kept: bool) -> None:
    """Fails at each fsync of the making in turn: it starts again, with one secret."""
    folder = tmp_path / "node"
    calls = 0
    real = os.fsync

    def fsync(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls - 1 == call:
            if kept:
                real(descriptor)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(descriptor)

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(durable.os, "fsync", fsync)
        with pytest.raises(StoreError, match="Input/output error"):
            init_node(folder)
    files = NodeFiles(folder)
    before = files.secret.read_bytes() if files.secret.exists() else None
    if not files.is_node():
        init_node(folder)
    assert before is None or files.secret.read_bytes() == before
    assert read_guard(files.guard) == Guard.start(files.read_origin())


def test_no_node_and_lost_parts(tmp_path: Path) -> None:
    files = NodeFiles(tmp_path / "node")
    with pytest.raises(NotFoundError, match="no node") as caught:
        files.require_node()
    assert "byline node init" in (caught.value.hint or "")
    with pytest.raises(NotFoundError):
        files.read_origin()
    init_node(files.folder)
    files.origin.write_bytes(b"a b\n")
    with pytest.raises(CorruptStoreError, match="name of a log"):
        files.read_origin()
    files.secret.chmod(0o644)
    with pytest.raises(StoreError, match="other users") as shared:
        files.read_secret()
    assert "chmod 600" in (shared.value.hint or "")
    files.secret.chmod(0o600)
    files.secret.write_bytes(b"deadbeef\n")
    with pytest.raises(CorruptStoreError, match="64 hex digits"):
        files.read_secret()
    files.secret.unlink()
    with pytest.raises(StoreError, match="missing"):
        files.read_secret()


def test_a_database_without_origin_is_not_taken_over(tmp_path: Path) -> None:
    init_node(tmp_path)
    files = NodeFiles(tmp_path)
    files.database.mkdir()
    files.origin.unlink()
    with pytest.raises(StoreError, match="holds a database"):
        init_node(tmp_path)


def test_the_lock_names_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    held = FolderLock(path)
    with pytest.raises(StoreLockedError, match=f"process {os.getpid()}") as caught:
        FolderLock(path)
    assert caught.value.hint is not None
    held.release()
    held.release()
    with FolderLock(path):
        pass
    with pytest.raises(StoreError, match="No such file"):
        FolderLock(tmp_path / "none" / "lock")


def test_a_lock_that_cannot_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_descriptor: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    with monkeypatch.context() as locks:
        locks.setattr("byline_ledger.store.node_files.fcntl.flock", refuse)
        with pytest.raises(StoreError, match="No locks available"):
            FolderLock(tmp_path / "lock")
    FolderLock(tmp_path / "lock").release()


def test_a_folder_that_may_not_be_read_is_no_missing_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "exists", refuse)
    with pytest.raises(StoreError, match=r"cannot read .*node: Permission"):
        NodeFiles(tmp_path / "node").is_node()
