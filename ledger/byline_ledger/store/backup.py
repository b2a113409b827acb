"""Backups of a node's folder, and folders out of backups.

    secret, origin    as they are
    guard             of the tree in the backup, or of a later one that was signed
    restored          the mark of a backup (restored.py)
    database          a new database with what one snapshot of the old one held
    node.toml, ...    whatever else the node keeps beside

Rule: a backup is one moment, and holds the node's secret: its folder is for its owner
alone.  It is a node's folder itself, but one whose log is not signed.  Specification:
docs/spec/log.md, "Backups".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from byline_ledger.errors import NotFoundError, StoreError, UsageError
from byline_ledger.store.draft import copy_also, copy_file, draft_of
from byline_ledger.store.durable import (
    PRIVATE,
    create_durably,
    file_error,
    make_folder,
    sync_folder,
)
from byline_ledger.store.guard import Guard, write_guard
from byline_ledger.store.interface import Pair, Reader, Store
from byline_ledger.store.leveldb import LevelStore
from byline_ledger.store.node_files import NodeFiles
from byline_ledger.store.restored import Restored, read_restored, write_restored

ALSO = ("node.toml", "alarms")
"""Files and folders of the node that are copied as they are, if they are there."""
BATCH_BYTES = 4 << 20
"""Of keys and values written together."""

Step = Callable[[int], None]
"""Told how much more was copied: records for a backup, bytes for its way back."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One consistent state of a node."""

    files: NodeFiles
    reader: Reader
    """A snapshot of its database."""
    guard: Guard
    mark: Restored


def write_backup(
    moment: Moment, target: Path, step: Step = lambda _count: None
) -> None:
    """Makes the folder `target`.  Raises UsageError if there is something; StoreError,
    after which, as after a crash, there is nothing at `target`."""
    with draft_of(target) as draft:
        files = NodeFiles(draft)
        write_restored(files.restored, moment.mark)
        write_guard(files.guard, moment.guard)
        for name in ("secret", "origin"):
            data = (moment.files.folder / name).read_bytes()
            create_durably(draft / name, data)
        copy_also(moment.files.folder, draft, ALSO)
        make_folder(files.database)
        store = LevelStore.open(files.database, create=True)
        try:
            _copy_pairs(moment.reader, store, step)
        finally:
            store.close()
        _make_private(files.database)


def _copy_pairs(reader: Reader, store: Store, step: Step) -> None:
    waiting: list[Pair] = []
    size = 0
    for key, value in reader.iterate(b"", b"\xff"):
        waiting.append((key, value))
        size += len(key) + len(value)
        if size >= BATCH_BYTES:
            store.require_room()
            store.write(waiting)
            step(len(waiting))
            waiting, size = [], 0
    store.write(waiting)
    step(len(waiting))


def _make_private(folder: Path) -> None:
    for file in folder.iterdir():
        file.chmod(PRIVATE)


# The way back


def read_mark(folder: Path) -> Restored:
    """Which log the backup in `folder` is of, and from when.

    Raises NotFoundError, UsageError, CorruptStoreError or StoreError.
    """
    files = NodeFiles(folder)
    if not files.is_node():
        raise NotFoundError(f"there is no backup in {folder}")
    mark = read_restored(files.restored)
    if mark is None or not mark.is_backup:
        raise UsageError(
            f"{folder} is a node's folder, but no backup",
            hint="backups are made with: byline node backup DIR",
        )
    return mark


def size_of_backup(folder: Path) -> int:
    """Bytes that `unpack_backup` will copy."""
    try:
        return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())
    except OSError as error:
        raise file_error(folder, error) from error


def unpack_backup(
    folder: Path,
    target: Path,
    check: Callable[[Path], None],
    step: Step = lambda _bytes: None,
) -> Restored:
    """Makes the node's folder `target` out of a backup; the mark stays in it.

    `check` is given the folder before it has its name, and refuses it by raising.
    Raises what `read_mark` does, and UsageError if there is something at `target`.
    """
    mark = read_mark(folder)
    source = NodeFiles(folder)
    if not source.database.is_dir():
        raise StoreError(f"{folder} has no database in it")
    with draft_of(target) as draft:
        copy_also(folder, draft, ("secret", "origin", "guard", "restored"), step)
        copy_also(folder, draft, ALSO, step)
        make_folder(draft / source.database.name)
        for file in sorted(source.database.iterdir()):
            copy_file(file, draft / source.database.name / file.name, step)
        sync_folder(draft / source.database.name)
        check(draft)
    return mark
