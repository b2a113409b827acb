"""The ledger: one node's log with its lookup set, in one folder, with one writer.

Rules (docs/spec/log.md, "Never two histories"):
* the folder is locked; what is stored must agree with the guard file, else the log is
  served but not signed any further;
* a commit is one synced write of the database, then the guard, and only then the new
  view;
* after a failed write nothing more is written: what was kept is found at the next
  start.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from byline_ledger.checkpoint import log_vkey
from byline_ledger.commit import LogState, prepare_commit
from byline_ledger.crypto import SigningKey, derive_secret
from byline_ledger.errors import CorruptStoreError, ReadOnlyError, StoreError
from byline_ledger.recovery import (
    load_log,
    require_log,
    require_version,
    retirement,
    root_at,
    string_reader,
)
from byline_ledger.statement import Statement
from byline_ledger.store import layout
from byline_ledger.store.damage import damaged
from byline_ledger.store.durable import make_folder
from byline_ledger.store.guard import Guard, compare_guard, read_guard, write_guard
from byline_ledger.store.interface import OpenStore, Pair, Store
from byline_ledger.store.leveldb import LevelStore
from byline_ledger.store.node_files import (
    DEFAULT_NAME,
    FolderLock,
    NodeFiles,
    init_node,
)
from byline_ledger.store.skeleton import Skeleton, write_skeleton
from byline_ledger.tree import cached_rows
from byline_ledger.view import LogView

SAVE_FRACTION = 64
"""The skeleton is saved at close if more than 1/64 of the log came since it was."""

_RECOVER = (
    "restore the whole folder from one backup, or start a new node in a new folder"
    " and let it follow its peers"
)


@dataclass(frozen=True, slots=True)
class Appended:
    """Where a statement is in the log; `new` if this append put it there."""

    id: bytes
    index: int
    new: bool


def log_key(secret: bytes, origin: str) -> SigningKey:
    """The key that signs the checkpoints of the log `origin`."""
    return SigningKey.from_seed(derive_secret(secret, f"byline/log-key/v1 {origin}"))


class Ledger:
    """An open log.

    `append`, `put_record` and `close` may be called from any thread; they take turns.
    `view` never waits.
    """

    def __init__(
        self, files: NodeFiles, lock: FolderLock, open_store: OpenStore
    ) -> None:
        """Use `open`.  Takes over `lock`."""
        secret, origin = files.read_secret(), files.read_origin()
        self.transport_seed = derive_secret(secret, "byline/transport-key/v1")
        """32 secret bytes: the seed of the node's identity on the network."""
        self.read_only: str | None = None
        """Why nothing can be appended; None if it can."""
        self._files = files
        self._lock = lock
        self._writing = threading.Lock()
        self._failure: str | None = None
        self._closed = False
        self._key = log_key(secret, origin)
        self._vkey = log_vkey(origin, self._key.public)
        store = self._store = _open_database(files, origin, open_store)
        self._rows = cached_rows(
            lambda level, index: store.get(layout.tile(level, index))
        )
        try:
            self.view = self._start(origin)
            """The last published tree; swapped whole by each commit."""
        except BaseException:
            self._store.close()
            raise

    @classmethod
    def init(
        cls,
        folder: Path,
        *,
        name: str = DEFAULT_NAME,
        open_store: OpenStore = LevelStore.open,
    ) -> Ledger:
        """Makes a node in `folder`, with the origin `<name>/<32 hex digits>`; opened.

        Raises UsageError if there is one already, StoreError.
        """
        init_node(folder, name)
        return cls.open(folder, open_store=open_store)

    @classmethod
    def open(cls, folder: Path, *, open_store: OpenStore = LevelStore.open) -> Ledger:
        """The ledger of the node in `folder`.

        Raises NotFoundError, StoreLockedError, CorruptStoreError, InconsistentLogError
        or StoreError.  Where the log can be read but must not grow, it opens all the
        same, and `read_only` says why.
        """
        files = NodeFiles(folder)
        files.require_node()
        lock = FolderLock(files.lock)
        try:
            return cls(files, lock, open_store)
        except BaseException:
            lock.release()
            raise

    # Opening

    def _start(self, origin: str) -> LogView:
        guard = self._read_guard()
        if self._store.get(layout.VERSION) is None:
            self._begin(origin, guard)
        require_version(self._store)
        require_log(self._store, self._vkey)
        loaded = load_log(self._store, self._rows, self._vkey, self._files.lookup)
        self._saved_size = loaded.saved_size
        self._compare(guard, loaded.state, loaded.previous)
        notice = retirement(self._store, loaded.state.size)
        if notice is not None:
            self.read_only = f"this log was ended by its operator: {notice}"
        return self._view_of(loaded.state)

    def _read_guard(self) -> Guard | None:
        """None, and read-only, if there is none to be trusted."""
        try:
            guard = read_guard(self._files.guard)
        except CorruptStoreError as error:
            self.read_only = f"{error}: {_RECOVER}"
            return None
        if guard is None:
            self.read_only = f"the guard file is missing: {_RECOVER}"
        return guard

    def _begin(self, origin: str, guard: Guard | None) -> None:
        """The first commit of a new log: the empty set's."""
        if any(True for _ in self._store.keys(b"", b"\xff")):
            raise damaged("the database is not that of a Byline node")
        if guard != Guard.start(origin):
            raise StoreError(
                f"the database of {origin} is empty, but the log was begun before",
                hint=_RECOVER,
            )
        _state, puts = prepare_commit(
            LogState.empty(origin), (), self._key, string_reader(self._store)
        )
        puts.append((layout.VERSION, layout.STORE_VERSION))
        puts.append((layout.LOG, self._vkey.encode()))
        self._store.write(puts)

    def _compare(self, guard: Guard | None, state: LogState, previous: int) -> None:
        """Brings the guard up to the database, or makes the ledger read-only."""
        if guard is None:
            return
        stored = Guard(state.origin, state.size, state.root)
        reason = compare_guard(
            guard, stored, previous, lambda size: root_at(state, self._rows, size)
        )
        if reason is not None:
            self.read_only = f"{reason}: {_RECOVER}"
        elif guard != stored:
            write_guard(self._files.guard, stored)

    def _view_of(self, state: LogState) -> LogView:
        return LogView.of(self._vkey, state, self._store.snapshot(), self._rows)

    # Writing

    @property
    def failure(self) -> str | None:
        """The failed write after which nothing more is written, or None."""
        return self._failure

    def append(self, statements: Sequence[Statement]) -> list[Appended]:
        """Adds those statements that are not there yet, in one durable commit.

        Their signatures must have been verified.  Returns one place for each, in order;
        nothing is committed if none is new.  Raises ReadOnlyError; StoreError, after
        which (unless it was for want of room) every later append raises it too.
        """
        with self._writing:
            self._require_writable()
            self._store.require_room()
            try:
                return self._append(statements)
            except BaseException as error:
                # Whatever it was, and whether or not it was kept, nobody here knows.
                self._failure = str(error) or type(error).__name__
                raise

    def _append(self, statements: Sequence[Statement]) -> list[Appended]:
        places, new = self._place(statements)
        if new:
            view = self.view
            read = string_reader(view.reader)
            state, puts = prepare_commit(view.state, new, self._key, read)
            self._store.write(puts)
            write_guard(self._files.guard, Guard(state.origin, state.size, state.root))
            self.view = self._view_of(state)
        return places

    def _place(
        self, statements: Sequence[Statement]
    ) -> tuple[list[Appended], list[Statement]]:
        """Where each statement is or will be, and those that are new."""
        view = self.view
        fresh: dict[bytes, int] = {}
        new: list[Statement] = []
        places: list[Appended] = []
        for statement in statements:
            index = fresh.get(statement.id)
            if index is None:
                index = view.index_of(statement.id)
            is_new = index is None
            if index is None:
                index = fresh[statement.id] = view.size + len(new)
                new.append(statement)
            places.append(Appended(statement.id, index, is_new))
        return places, new

    def get_record(self, name: bytes) -> bytes | None:
        """The side record under `name` (1 to 255 bytes)."""
        return self._store.get(layout.record(name))

    def put_record(self, name: bytes, value: bytes) -> None:
        """Keeps a side record, such as a peer's cursor; durable when it returns."""
        puts: list[Pair] = [(layout.record(name), value)]
        with self._writing:
            self._require_writable()
            self._store.require_room()
            try:
                self._store.write(puts)
            except BaseException as error:
                self._failure = str(error) or type(error).__name__
                raise

    def _require_writable(self) -> None:
        if self._closed:
            raise StoreError("the ledger is closed")
        if self.read_only is not None:
            raise ReadOnlyError(f"the log is read-only: {self.read_only}")
        if self._failure is not None:
            raise StoreError(
                f"the ledger stopped after a failed write: {self._failure}",
                hint="start again: what was kept is found then",
            )

    def close(self) -> None:
        """Leaves everything in order; safe to call twice.  Views held by readers raise
        StoreError from then on."""
        with self._writing:
            if self._closed:
                return
            self._closed = True
            if self._failure is None and self.read_only is None:
                # Only saves time at the next start; a full disk is no reason to fail.
                with suppress(StoreError):
                    self._save_skeleton()
            self._store.close()
            self._lock.release()

    def _save_skeleton(self) -> None:
        view = self.view
        if view.size - self._saved_size > view.size // SAVE_FRACTION:
            skeleton = Skeleton(view.size, view.lookup_set)
            write_skeleton(self._files.lookup, skeleton)


def _open_database(files: NodeFiles, origin: str, open_store: OpenStore) -> Store:
    """The database; a new one only if the guard says that nothing was signed yet."""
    try:
        is_new = read_guard(files.guard) == Guard.start(origin)
    except CorruptStoreError:
        is_new = False
    if is_new:
        make_folder(files.database)
    return open_store(files.database, is_new)
