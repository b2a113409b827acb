"""`byline node check`: derive everything again from bodies and entries, and compare.

Rule: nothing stored is believed because it was stored.  Each statement's signature, id
and entry; each lookup string; each commitment along the way; each tile; root,
checkpoint and guard; and that there is nothing else.  The first thing that does not fit
is named, and ends the check.  The store is read, never changed.  Specification:
docs/spec/log.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from byline_ledger.checkpoint import Checkpoint
from byline_ledger.entry import CommitmentEntry, StatementEntry, id_in, statement_entry
from byline_ledger.errors import (
    BylineError,
    CorruptStoreError,
    InconsistentLogError,
    StoreError,
)
from byline_ledger.lookup_set import LookupSet
from byline_ledger.merkle import leaf_hash, root_from
from byline_ledger.node_keys import NodeKeys
from byline_ledger.recovery import (
    read_checkpoint,
    read_entry,
    read_state,
    require_log,
    require_version,
    string_reader,
)
from byline_ledger.statement import Statement
from byline_ledger.store import layout
from byline_ledger.store.damage import MEND
from byline_ledger.store.guard import Guard, compare_guard, read_guard
from byline_ledger.store.interface import OpenStore, Pair, Reader
from byline_ledger.store.leveldb import LevelStore
from byline_ledger.store.node_files import FolderLock, NodeFiles
from byline_ledger.store.restored import describe_restored
from byline_ledger.store.skeleton import read_skeleton
from byline_ledger.tiles import tiles_of_level
from byline_ledger.tombstone import Tombstone
from byline_ledger.tree import Tree, TreeNodes, cached_rows

REPORT_EVERY = 10_000
"""Entries between two lines of progress."""

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was checked, and the first thing that did not fit."""

    origin: str
    size: int
    """Log entries that were found sound."""
    statements: int
    redacted: int
    """Of those, statements without a body: taken down or lost."""
    strings: int
    root: bytes
    """Root of those entries, 32 bytes."""
    set_root: bytes
    """Root of the lookup set of those statements, 32 bytes."""
    problem: str | None
    """One line; None if everything fits."""
    notes: tuple[str, ...]
    """What is odd but harmless."""

    @property
    def ok(self) -> bool:
        """Whether everything fits."""
        return self.problem is None


def check_ledger(
    folder: Path,
    report: Report = lambda _line: None,
    *,
    open_store: OpenStore = LevelStore.open,
) -> CheckReport:
    """Checks the node in `folder`, which must not be running; `report` gets progress.

    Raises NotFoundError, StoreLockedError or StoreError where there is nothing that
    could be checked.
    """
    files = NodeFiles(folder)
    files.require_node()
    with FolderLock(files.lock):
        origin = files.read_origin()
        vkey = NodeKeys.derive(files.read_secret(), origin).log_vkey
        if not files.database.exists():
            return _check_unused(files, origin)
        try:
            store = open_store(files.database, False)
        except StoreError as error:
            # A crash of the very first start can leave a folder and no database.
            unused = _check_unused(files, origin)
            if unused.problem is not None:
                raise _unopened(files, error) from error
            return unused
        try:
            return _Check(files, origin, vkey, store, report).run()
        finally:
            store.close()


def _unopened(files: NodeFiles, error: StoreError) -> StoreError:
    """The same error; of a damaged database, with which it is and what is left to do:
    the usual hint names this very check."""
    if not isinstance(error, CorruptStoreError):
        return error
    where = f"in {files.database}, found while opening it, before anything was checked"
    return CorruptStoreError(f"{error}: {where}", hint=MEND)


def _check_unused(files: NodeFiles, origin: str) -> CheckReport:
    """A node that was made and never started."""
    empty = Tree.empty().frontier.root()
    problem = None
    try:
        if read_guard(files.guard) != Guard.start(origin):
            problem = "the database is empty, but the log was begun before"
    except CorruptStoreError as error:
        problem = str(error)
    notes = ("this node has not been started yet",)
    set_root = LookupSet.empty().root
    return CheckReport(origin, 0, 0, 0, 0, empty, set_root, problem, notes)


class _Check:
    """One walk through a store; `_tree` and `_lookup_set` are what was found sound."""

    def __init__(
        self, files: NodeFiles, origin: str, vkey: str, store: Reader, report: Report
    ) -> None:
        self._files = files
        self._origin = origin
        self._vkey = vkey
        self._store = store
        self._report = report
        self._notes: list[str] = []
        self._at = "the version and the state, before the log entries"
        self._size = 0
        self._bodies = _Numbered(store, layout.BODIES, "body")
        self._tombstones = _Numbered(store, layout.TOMBSTONES, "tombstone")
        self._redacted = 0
        self._tree = Tree.empty()
        self._lookup_set = LookupSet.empty()
        self._statements = 0
        # Sizes of the published trees: each ends with a commitment.
        self._published = [0]
        # Of the entries since the last commitment:
        self._hashes: list[bytes] = []
        self._strings: list[bytes] = []

    def run(self) -> CheckReport:
        """Walks until the first thing that does not fit."""
        problem = None
        try:
            if next(self._store.keys(b"", b"\xff"), None) is None:
                return _check_unused(self._files, self._origin)
            self._check()
        except CorruptStoreError as error:
            # The engine's own errors, which have a hint, do not say what was read.
            problem = f"{error}, met at {self._at}" if error.hint else str(error)
        except InconsistentLogError as error:
            problem = str(error)
        return CheckReport(
            self._origin,
            self._tree.size,
            self._statements,
            self._redacted,
            self._lookup_set.count,
            self._tree.frontier.root(),
            self._lookup_set.root,
            problem,
            tuple(self._notes),
        )

    def _check(self) -> None:
        require_version(self._store)
        require_log(self._store, self._vkey)
        state = read_state(self._store)
        checkpoint = read_checkpoint(state.checkpoint, self._vkey)
        self._size = checkpoint.size
        for index in range(checkpoint.size):
            self._at = f"log entry {index} of {checkpoint.size}"
            self._check_entry(index)
            if (index + 1) % REPORT_EVERY == 0:
                self._report(f"{index + 1:,} of {checkpoint.size:,} log entries")
        self._at = "what follows the last log entry"
        self._check_end(state, checkpoint)
        self._at = (
            "the indexes, lookup strings and tiles, after all log entries were sound"
        )
        self._check_strays()
        self._at = "the cosigned checkpoints, after all else was sound"
        self._check_cosigned()
        self._check_guard(state)
        self._check_skeleton()
        if (restored := describe_restored(self._files.restored)) is not None:
            self._notes.append(f"{restored}, and is read-only")

    # Entries in order

    def _check_entry(self, index: int) -> None:
        entry = read_entry(self._store, index)
        self._hashes.append(leaf_hash(entry.to_bytes()))
        if index == 0 and not isinstance(entry, CommitmentEntry):
            raise CorruptStoreError("log entry 0 is not the commitment of a new log")
        if isinstance(entry, StatementEntry):
            self._check_statement(index, entry)
        elif isinstance(entry, CommitmentEntry):
            self._check_commitment(index, entry)
        elif index != self._size - 2:
            raise CorruptStoreError(f"the log goes on after its end, log entry {index}")

    def _check_statement(self, index: int, entry: StatementEntry) -> None:
        name = f"statement {entry.id.hex()} (log entry {index})"
        self._check_body(index, entry, name)
        found = self._store.get(layout.id_key(entry.id))
        if found is None or layout.parse_index(found) != index:
            raise CorruptStoreError(f"{name}: the index of ids leads elsewhere")
        for string in entry.lookup_strings():
            if self._store.get(layout.string_key(string)) != b"":
                raise CorruptStoreError(
                    f"{name}: lookup string {string.hex()} is missing"
                )
        self._strings += entry.lookup_strings()
        self._statements += 1

    def _check_body(self, index: int, entry: StatementEntry, name: str) -> None:
        """There is the body, or a tombstone, and never both."""
        envelope = self._bodies.take(index)
        tombstone = self._tombstones.take(index)
        if (envelope is None) == (tombstone is None):
            has = "is missing" if envelope is None else "is there, and a tombstone, too"
            raise CorruptStoreError(f"{name}: its body {has}")
        try:
            if tombstone is not None:
                self._redacted += 1
                Tombstone.from_bytes(tombstone)
                return
            statement = Statement.from_envelope(envelope or b"")
            statement.verify()
        except BylineError as error:
            raise CorruptStoreError(f"{name}: {error}") from error
        if statement.id != entry.id:
            raise CorruptStoreError(f"{name}: its body is not the one that was logged")
        if statement_entry(statement) != entry.to_bytes():
            raise CorruptStoreError(f"{name}: its log entry says something else")

    def _check_commitment(self, index: int, entry: CommitmentEntry) -> None:
        strings = sorted(self._strings)
        start = self._tree.size
        lookup_set = self._lookup_set.insert(
            strings, lambda low, high: self._strings_before(start, low, high)
        )
        if (lookup_set.count, lookup_set.root) != (entry.count, entry.root):
            raise CorruptStoreError(
                f"log entry {index} commits to another lookup set than that of the"
                f" {self._statements} statements before it"
            )
        tree, filled = self._tree.grow(self._hashes)
        for tile in filled:
            if self._store.get(layout.tile(tile.level, tile.index)) != tile.hashes:
                raise CorruptStoreError(
                    f"tile {tile.index} of level {tile.level} is missing or wrong"
                )
        self._tree, self._lookup_set = tree, lookup_set
        self._published.append(tree.size)
        self._hashes, self._strings = [], []

    def _strings_before(self, size: int, low: bytes, high: bytes) -> list[bytes]:
        """Stored strings of the first `size` entries, all of which are sound."""
        found = string_reader(self._store)(low, high)
        return [string for string in found if self._is_before(size, string)]

    def _is_before(self, size: int, string: bytes) -> bool:
        value = self._store.get(layout.id_key(id_in(string)))
        if (
            value is None
            or len(value) != 8
            or (index := layout.parse_index(value)) >= size
        ):
            return False
        entry = read_entry(self._store, index)
        return isinstance(entry, StatementEntry) and string in entry.lookup_strings()

    # The end of the log

    def _check_end(self, state: layout.State, checkpoint: Checkpoint) -> None:
        size = checkpoint.size
        if self._hashes or not size:
            raise CorruptStoreError("the last log entry is not a commitment")
        if self._tree.frontier.root() != checkpoint.root:
            raise CorruptStoreError(
                f"the checkpoint signs another root of {size} entries than theirs"
            )
        if state.statements != self._statements:
            raise CorruptStoreError(
                f"the state counts {state.statements} statements, the log has"
                f" {self._statements}"
            )
        if state.previous != self._published[-2]:
            raise CorruptStoreError(
                f"the state says that the tree before had {state.previous} entries, it"
                f" had {self._published[-2]}"
            )

    def _check_strays(self) -> None:
        """Nothing may be there that the log does not call for."""
        size = self._tree.size
        entries = self._store.keys(layout.entry(size), layout.after(layout.ENTRIES))
        if (key := next(entries, None)) is not None:
            raise CorruptStoreError(
                f"there is a log entry beyond the checkpoint: {key.hex()}"
            )
        self._bodies.require_end()
        self._tombstones.require_end()
        for string in self._keys(layout.STRINGS):
            if not self._is_before(size, string):
                raise CorruptStoreError(
                    f"there is a lookup string too many: {string.hex()}"
                )
        if (count := sum(1 for _ in self._keys(layout.IDS))) != self._statements:
            raise CorruptStoreError(
                f"the index of ids has {count} ids for {self._statements} statements"
            )
        for tile in self._keys(layout.TILES):
            level, index = tile[0], int.from_bytes(tile[1:], "big")
            if len(tile) != 9 or level > 7 or index >= tiles_of_level(level, size)[0]:
                raise CorruptStoreError(f"there is a tile too many: {tile.hex()}")
        self._check_prefixes()

    def _check_prefixes(self) -> None:
        """No key begins with a byte that layout.py does not name."""
        known = {
            layout.BODIES,
            layout.COSIGNED,
            layout.ENTRIES,
            layout.IDS,
            layout.RECORDS,
            layout.STRINGS,
            layout.TILES,
            layout.TOMBSTONES,
        }
        single = {layout.VERSION, layout.LOG, layout.STATE}
        at = b""
        while key := next(self._store.keys(at, b"\xff"), None):
            if key not in single and key[:1] not in known:
                raise CorruptStoreError(
                    f"there is a key of no known kind: {key[:64].hex()}"
                )
            at = key + b"\x00" if key in single else layout.after(key[:1])

    def _check_cosigned(self) -> None:
        """Each is a checkpoint of this log and of the size that it is stored under."""
        prefix = layout.COSIGNED
        for key, note in self._store.iterate(prefix, layout.after(prefix)):
            checkpoint = read_checkpoint(note, self._vkey)
            size = checkpoint.size
            is_ours = size <= self._tree.size and self._root_at(size) == checkpoint.root
            if key != layout.cosigned(size) or not is_ours:
                raise CorruptStoreError(
                    f"there is a cosigned checkpoint of another tree: {key.hex()}"
                )

    def _check_guard(self, state: layout.State) -> None:
        guard = read_guard(self._files.guard)
        if guard is None:
            raise CorruptStoreError("the guard file is missing")
        root = self._tree.frontier.root()
        stored = Guard(self._origin, self._tree.size, root)
        reason = compare_guard(guard, stored, state.previous, self._root_at)
        if reason is not None:
            raise CorruptStoreError(reason)
        if guard != stored:
            self._notes.append(
                "the guard file is one commit behind, as a crash leaves it; the next"
                " start brings it up"
            )

    def _root_at(self, size: int) -> bytes:
        """Root of the first `size` entries, all of whose tiles are sound."""
        rows = cached_rows(lambda level, at: self._store.get(layout.tile(level, at)))
        return root_from(size, TreeNodes(self._tree.size, self._tree.edge, rows))

    def _check_skeleton(self) -> None:
        """It is never trusted, so it can do no harm; only say if it is of no use."""
        saved = read_skeleton(self._files.lookup)
        if saved is None:
            if self._files.lookup.exists():
                self._notes.append("the saved lookup skeleton is damaged and not used")
            return
        if (
            saved.size == self._tree.size
            and saved.lookup_set.root != self._lookup_set.root
        ):
            self._notes.append("the saved lookup skeleton is wrong and not used")

    def _keys(self, prefix: bytes) -> Iterator[bytes]:
        keys = self._store.keys(prefix, layout.after(prefix))
        return (key[1:] for key in keys)


class _Numbered:
    """Values stored under the index of a log entry, in order."""

    def __init__(self, store: Reader, prefix: bytes, what: str) -> None:
        self._pairs = store.iterate(prefix, layout.after(prefix))
        self._prefix = prefix
        self._what = what
        self._waiting: Pair | None = None

    def take(self, index: int) -> bytes | None:
        """The value of that entry; none may have been left out before."""
        wanted = self._prefix + layout.u64(index)
        self._waiting = self._waiting or next(self._pairs, None)
        if self._waiting is None or self._waiting[0] > wanted:
            return None
        key, value = self._waiting
        if key != wanted:
            self.require_end()
        self._waiting = None
        return value

    def require_end(self) -> None:
        """CorruptStoreError if there is another one."""
        left = self._waiting or next(self._pairs, None)
        if left is not None:
            raise CorruptStoreError(
                f"there is a {self._what} without an entry: {left[0].hex()}"
            )
