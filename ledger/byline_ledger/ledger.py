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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from byline_ledger.checkpoint import Checkpoint, open_checkpoint
from byline_ledger.commit import LogState, Vacancy, prepare_commit
from byline_ledger.errors import (
    CorruptStoreError,
    DiskFullError,
    ReadOnlyError,
    StoreError,
    UsageError,
)
from byline_ledger.node_keys import NodeKeys
from byline_ledger.recovery import (
    load_log,
    require_log,
    require_version,
    root_at,
    string_reader,
)
from byline_ledger.standing import WAY_OUT, guard_of, why_read_only
from byline_ledger.statement import Statement
from byline_ledger.store import layout
from byline_ledger.store.damage import damaged
from byline_ledger.store.durable import make_folder, remove_folder
from byline_ledger.store.guard import Guard, read_guard, write_guard
from byline_ledger.store.interface import OpenStore, Pair, Store
from byline_ledger.store.leveldb import LevelStore
from byline_ledger.store.node_files import (
    DEFAULT_NAME,
    FolderLock,
    NodeFiles,
    init_node,
)
from byline_ledger.store.reserve import keep_reserve, release_reserve
from byline_ledger.store.skeleton import Skeleton, write_skeleton
from byline_ledger.takedown import UNERASED, keys_to_erase
from byline_ledger.tree import cached_rows
from byline_ledger.upkeep import RENEWAL, Upkeep
from byline_ledger.view import LogView

SAVE_FRACTION = 64
"""The skeleton is saved at close if more than 1/64 of the log came since it was."""


@dataclass(frozen=True, slots=True)
class Appended:
    """Where a statement is in the log; `new` if this append put it there."""

    id: bytes
    index: int
    new: bool


LATEST_COSIGNED = b"cosigned/latest"
"""Side record: the largest checkpoint that was cosigned, with its newest signatures."""


class Ledger(Upkeep):
    """An open log.

    `append`, `put_record`, `keep_cosigned` and `close` may be called from any thread;
    they take turns.  `view` never waits.
    """

    def __init__(
        self, files: NodeFiles, lock: FolderLock, open_store: OpenStore
    ) -> None:
        """Use `open`.  Takes over `lock`."""
        secret, origin = files.read_secret(), files.read_origin()
        self._read_only: str | None = None
        self._held: str | None = None
        self._files = files
        self._lock = lock
        self._writing = threading.Lock()
        self._failure: str | None = None
        self._closed = False
        self._wants_reserve = False
        store = self._store = _open_database(files, origin, open_store)
        self._rows = cached_rows(
            lambda level, index: store.get(layout.tile(level, index))
        )
        try:
            renewal = store.get(layout.record(RENEWAL)) or b""
            self.keys = NodeKeys.derive(secret, origin, renewal)
            """What the node signs with, a key for each of its roles."""
            self._key, self._vkey = self.keys.log, self.keys.log_vkey
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
            try:
                return cls(files, lock, open_store)
            except DiskFullError:
                if not release_reserve(files.reserve):
                    raise
            return cls(files, lock, open_store)
        except BaseException:
            lock.release()
            raise

    # Opening

    def _start(self, origin: str) -> LogView:
        if self._store.get(layout.VERSION) is None:
            self._begin(origin)
        require_version(self._store)
        require_log(self._store, self._vkey)
        loaded = load_log(self._store, self._rows, self._vkey, self._files.lookup)
        self._saved_size = loaded.saved_size
        self._judge(loaded.state, loaded.previous)
        self._finish_takedowns()
        return self._view_of(loaded.state)

    def _begin(self, origin: str) -> None:
        """The first commit of a new log: the empty set's."""
        if any(True for _ in self._store.keys(b"", b"\xff")):
            raise damaged("the database is not that of a Byline node")
        if not _is_unused(self._files, origin):
            raise StoreError(
                f"the database of {origin} is empty, but the log was begun before",
                hint=WAY_OUT,
            )
        _state, puts = prepare_commit(
            LogState.empty(origin), (), self._key, string_reader(self._store)
        )
        puts.append((layout.VERSION, layout.STORE_VERSION))
        puts.append((layout.LOG, self._vkey.encode()))
        self._store.write(puts)

    def _judge(self, state: LogState, previous: int) -> None:
        self._read_only = why_read_only(
            self._files, self._store, state, previous, self._rows
        )

    def _finish_takedowns(self) -> None:
        """What a snapshot or a crash kept from leaving the disk leaves it now."""
        waiting = self._store.get(layout.record(UNERASED))
        if waiting is None:
            return
        with suppress(DiskFullError), self._one_write():
            if self._store.erase(keys_to_erase(waiting)):
                self._store.write((), [layout.record(UNERASED)])

    def _view_of(self, state: LogState) -> LogView:
        snapshot = self._store.snapshot()
        return LogView.of(self._vkey, state, snapshot, self._rows, self._store)

    # Writing

    @property
    def transport_seed(self) -> bytes:
        """32 secret bytes: the seed of the node's identity on the network."""
        return self.keys.transport_seed

    @property
    def folder(self) -> Path:
        """The node's folder, which holds more than the log."""
        return self._files.folder

    @property
    def read_only(self) -> str | None:
        """Why nothing can be appended; None if it can."""
        return self._read_only or self._held

    @property
    def is_held(self) -> bool:
        """Whether it is but a `hold` for which nothing can be appended."""
        return self._read_only is None and self._held is not None

    def hold(self, reason: str) -> None:
        """Appends nothing until `release`: the log may be behind what was signed."""
        self._held = reason

    def release(self) -> None:
        """Ends a `hold`."""
        self._held = None

    def keep_reserve(self) -> None:
        """Sets room aside for the next start on a full disk (store/reserve.py): now, or
        when there is room."""
        self._wants_reserve = not keep_reserve(self._files.reserve)

    @property
    def failure(self) -> str | None:
        """The failed write after which nothing more is written, or None."""
        return self._failure

    def append(self, statements: Sequence[Statement | Vacancy]) -> list[Appended]:
        """Adds those statements that are not there yet, in one durable commit; bodies
        that were lost are put back.

        Their signatures must have been verified.  Returns one place for each, in order;
        nothing is committed if none is new.  Raises ReadOnlyError; StoreError, after
        which (unless it was for want of room) every later append raises it too.
        """
        with self._writing:
            self._require_writable(self._held)
            with self._one_write():
                places, new = self._place(statements)
                pairs = zip(statements, places, strict=True)
                known = [one for one, place in pairs if not place.new]
                self._put_back([one for one in known if self._is_lost(one.id)])
                if new:
                    self._commit(new)
                return places

    def _commit(
        self, statements: Sequence[Statement | Vacancy], notice: str | None = None
    ) -> None:
        view = self.view
        read = string_reader(view.reader)
        state, puts = prepare_commit(view.state, statements, self._key, read, notice)
        self._store.write(puts)
        write_guard(self._files.guard, guard_of(state))
        self.view = self._view_of(state)

    @contextmanager
    def _one_write(self) -> Iterator[None]:
        """Something is written: if it fails, nothing more is, ever."""
        self._store.require_room()
        if self._wants_reserve:
            self._wants_reserve = not keep_reserve(self._files.reserve)
        try:
            yield
        except BaseException as error:
            # Whatever it was, and whether or not it was kept, nobody here knows.
            self._failure = str(error) or type(error).__name__
            raise

    def _place(
        self, statements: Sequence[Statement | Vacancy]
    ) -> tuple[list[Appended], list[Statement | Vacancy]]:
        """Where each statement is or will be, and those that are new."""
        view = self.view
        known = view.indexes_of(one.id for one in statements)
        fresh: dict[bytes, int] = {}
        new: list[Statement | Vacancy] = []
        places: list[Appended] = []
        for statement in statements:
            index = fresh.get(statement.id, known.get(statement.id))
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
        with self._writing:
            self._put([(layout.record(name), value)])

    def put_records(self, records: Mapping[bytes, bytes]) -> None:
        """Keeps several side records in one write; durable when it returns."""
        with self._writing:
            self._put([(layout.record(name), data) for name, data in records.items()])

    def keep_cosigned(
        self, note: bytes, records: Mapping[bytes, bytes] | None = None
    ) -> None:
        """Keeps this log's own checkpoint with the cosignatures of some witnesses: as
        the latest, and as the first of its size if it is that; and side records, in the
        same write; durable when it returns.

        The caller has verified the cosignatures.  UsageError for a checkpoint that this
        log did not publish.
        """
        checkpoint = open_checkpoint(note, self._vkey)
        with self._writing:
            if not self._is_ours(checkpoint):
                raise UsageError("expected a cosigned checkpoint of this very log")
            puts = [(layout.record(LATEST_COSIGNED), note)]
            more = (records or {}).items()
            puts += [(layout.record(name), value) for name, value in more]
            first = layout.cosigned(checkpoint.size)
            if self._store.get(first) is None:
                puts.append((first, note))
            self._put(puts)

    @property
    def latest_cosigned(self) -> bytes | None:
        """The last note that `keep_cosigned` was given, also before a restart."""
        return self.get_record(LATEST_COSIGNED)

    def _is_ours(self, checkpoint: Checkpoint) -> bool:
        """Whether this log was ever of this size, with this root."""
        state, size = self.view.state, checkpoint.size
        return size <= state.size and (
            root_at(state, self._rows, size) == checkpoint.root
        )

    def _put(self, puts: Sequence[Pair]) -> None:
        """Side records, in turn; also while the log is held."""
        self._require_writable(held=None)
        with self._one_write():
            self._store.write(puts)

    def _require_writable(self, held: str | None) -> None:
        reason = self._read_only or held
        if reason is not None and not self._closed:
            raise ReadOnlyError(f"the log is read-only: {reason}")
        self._require_sound()

    def _require_sound(self) -> None:
        """What needs no signature may be written while the log is read-only."""
        if self._closed:
            raise StoreError("the ledger is closed")
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
            if self._failure is None and self._read_only is None:
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
    if not _is_unused(files, origin):
        return open_store(files.database, False)
    make_folder(files.database)
    try:
        return open_store(files.database, True)
    except CorruptStoreError:
        # A power cut while it was made: LevelDB does not sync its first file.  Nothing
        # was let out yet, for the guard is written before anything is.
        remove_folder(files.database)
        make_folder(files.database)
        return open_store(files.database, True)


def _is_unused(files: NodeFiles, origin: str) -> bool:
    """Whether the guard says that nothing was signed yet."""
    try:
        return read_guard(files.guard) == Guard.start(origin)
    except CorruptStoreError:
        return False
