"""A checked copy of another log: entries, tiles and lookup strings, but no bodies.

Rule: nothing of the log is believed.  Each commitment is computed anew from the entries
before it; a commitment, an entry or an order that is not as docs/spec/log.md has it
ends the copy with a `LogFaultError`, which holds all that an alarm is made of.  What
was copied is on disk in whole pieces between two commitments, so a copy goes on where a
crash or a break left it.

A sealed copy is a log that can be read like our own (`view`): auditors compare with it,
replay witnesses cosign what it agrees with, and its owner gets a lost log back from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from byline_ledger.checkpoint import Checkpoint, open_checkpoint
from byline_ledger.commit import LogState, entry_puts
from byline_ledger.entry import (
    CommitmentEntry,
    Entry,
    RetirementEntry,
    StatementEntry,
    parse_entry,
)
from byline_ledger.errors import (
    MalformedError,
    StoreError,
    VerificationError,
)
from byline_ledger.log_fault import LogFaultError, fault_of
from byline_ledger.lookup_set import LookupSet, StringReader
from byline_ledger.merkle import (
    Frontier,
    leaf_hash,
)
from byline_ledger.opening import walk_set
from byline_ledger.recovery import load_lookup_set, read_entry, string_reader
from byline_ledger.store import layout
from byline_ledger.store.damage import damaged
from byline_ledger.store.durable import make_folder
from byline_ledger.store.interface import OpenStore, Pair, Store
from byline_ledger.store.leveldb import LevelStore
from byline_ledger.tiles import TILE_WIDTH
from byline_ledger.tree import Tree, TreeNodes, cached_rows
from byline_ledger.unwritten import Unwritten
from byline_ledger.view import LogView

MIRROR_VERSION = b"byline-mirror/1"
BATCH = 8_192
"""Entries written together, at least: what a crash may cost."""
MAX_WAITING = 1_000_000
"""Entries without a commitment among them that are held in memory."""
_STATE_HEAD = 16


@dataclass(frozen=True, slots=True)
class _Copied:
    """All up to and with the last commitment: immutable, replaced as a whole."""

    tree: Tree
    lookup_set: LookupSet
    statements: int
    commitment: bytes
    """The last entry; empty at the start."""

    @property
    def size(self) -> int:
        return self.tree.size


class Mirror:
    """One copy, for one thread at a time; close it."""

    def __init__(self, folder: Path, vkey: str, store: Store) -> None:
        """Use `open`."""
        self.vkey = vkey
        self._folder = folder
        self._store = store
        self._rows = cached_rows(
            lambda level, index: store.get(layout.tile(level, index))
        )
        self._copied, self._note = self._load()
        self._waiting: list[tuple[bytes, Entry]] = []
        self._puts: list[Pair] = []
        self._unwritten = Unwritten()
        self._indexes: dict[bytes, int] = {}
        self._ended = self._find_end()

    @classmethod
    def open(
        cls, folder: Path, vkey: str, *, open_store: OpenStore = LevelStore.open
    ) -> Mirror:
        """The copy of the log `vkey` in `folder`, which is made if there is none.

        Raises StoreLockedError, StoreError; CorruptStoreError where it should be thrown
        away and made again.
        """
        database = folder / "database"
        is_new = not database.exists()
        make_folder(folder)
        make_folder(database)
        store = open_store(database, is_new or not (database / "CURRENT").exists())
        try:
            _require_mirror(store, vkey)
            return cls(folder, vkey, store)
        except BaseException:
            store.close()
            raise

    @property
    def size(self) -> int:
        """Entries that were copied and checked, up to the last commitment."""
        return self._copied.size

    @property
    def read(self) -> int:
        """Entries that were fed: the next one wanted has this index."""
        return self._copied.size + len(self._waiting)

    @property
    def sealed(self) -> Checkpoint | None:
        """The last checkpoint that the copy was found to agree with."""
        return None if self._note is None else open_checkpoint(self._note, self.vkey)

    @property
    def note(self) -> bytes | None:
        """The same, as signed."""
        return self._note

    # Side records of whoever copies

    def get_record(self, name: bytes) -> bytes | None:
        """What was kept under this name; None if nothing was."""
        return self._store.get(layout.record(name)) or None

    def put_record(self, name: bytes, value: bytes) -> None:
        """Keeps it together with all that was copied so far; nothing to forget it."""
        self.flush()
        self._store.write([(layout.record(name), value)])

    # Copying

    def feed(self, entries: Sequence[bytes]) -> None:
        """Takes the next entries, as they were logged.

        Raises LogFaultError or StoreError.
        Entries after the last commitment wait in memory for the next.
        """
        for data in entries:
            self._take(self.read, data)
        if len(self._puts) >= BATCH:
            self.flush()

    def _take(self, index: int, data: bytes) -> None:
        entry = self._parse(index, data)
        if self._ended is not None and not (
            index == self._ended[0] + 1 and isinstance(entry, CommitmentEntry)
        ):
            raise fault_of(
                "it comes after the end of the log", self._ended, (index, data)
            )
        if index == 0 and not isinstance(entry, CommitmentEntry):
            raise fault_of("the log does not begin with a commitment", (0, data))
        if len(self._waiting) >= MAX_WAITING:
            raise LogFaultError(
                f"more than {MAX_WAITING} entries without a commitment", index=index
            )
        if isinstance(entry, RetirementEntry):
            self._ended = index, data
        self._waiting.append((data, entry))
        if isinstance(entry, CommitmentEntry):
            self._close_piece(entry)

    def _parse(self, index: int, data: bytes) -> Entry:
        try:
            return parse_entry(data)
        except MalformedError as error:
            raise fault_of(str(error), (index, data)) from error

    def _close_piece(self, commitment: CommitmentEntry) -> None:
        """Checks and keeps what waits, the last of which is `commitment`."""
        old, start = self._copied, self._copied.size
        piece, self._waiting = self._waiting, []
        statements = [
            (index, entry)
            for index, (_data, entry) in enumerate(piece, start)
            if isinstance(entry, StatementEntry)
        ]
        self._require_new(statements, piece, start)
        strings = sorted(s for _index, one in statements for s in one.lookup_strings())
        grown = old.lookup_set.insert(strings, self._reader())
        if (grown.count, grown.root) != (commitment.count, commitment.root):
            raise self._false_commitment(piece, strings, grown)
        hashes = [leaf_hash(data) for data, _entry in piece]
        tree, filled = old.tree.grow(hashes)
        last = piece[-1][0]
        count = old.statements + len(statements)
        self._copied = _Copied(tree, grown, count, last)
        entries = [data for data, _entry in piece]
        ids = [(entry.id, index) for index, entry in statements]
        self._puts += entry_puts(start, entries, ids, strings, filled)
        self._unwritten.add(strings)
        self._indexes |= {entry.id: index for index, entry in statements}

    def _require_new(
        self,
        statements: Sequence[tuple[int, StatementEntry]],
        piece: Sequence[tuple[bytes, Entry]],
        start: int,
    ) -> None:
        """No id may come twice in a log."""
        seen = self._known([entry.id for _index, entry in statements])
        for index, entry in statements:
            earlier = seen.get(entry.id)
            if earlier is not None:
                first = (
                    piece[earlier - start][0]
                    if earlier >= start
                    else self._entry(earlier)
                )
                raise fault_of(
                    f"statement {entry.id.hex()} was logged before, as {earlier}",
                    (earlier, first),
                    (index, piece[index - start][0]),
                    repeats=True,
                )
            seen[entry.id] = index

    def _known(self, ids: Sequence[bytes]) -> dict[bytes, int]:
        """Indexes of those that were copied already, written or not."""
        stored = self._store.get_many(map(layout.id_key, ids))
        known = {key[1:]: layout.parse_index(at) for key, at in stored.items()}
        return known | {id_: self._indexes[id_] for id_ in ids if id_ in self._indexes}

    def _entry(self, index: int) -> bytes:
        self.flush()
        return read_entry(self._store, index).to_bytes()

    def _false_commitment(
        self,
        piece: Sequence[tuple[bytes, Entry]],
        strings: Sequence[bytes],
        grown: LookupSet,
    ) -> LogFaultError:
        start = self._copied.size
        index = start + len(piece) - 1
        said = piece[-1][1]
        assert isinstance(said, CommitmentEntry)
        fault = LogFaultError(
            f"entry {index}: the commitment is of {said.count} lookup strings with root"
            f" {said.root.hex()}, but the entries make it {grown.count} with root"
            f" {grown.root.hex()}",
            index=index,
        )
        entries = tuple(data for data, _entry in piece)
        if not start:
            fault.start, fault.entries = 0, entries
            return fault
        fault.start, fault.entries = start - 1, (self._copied.commitment, *entries)
        walk = walk_set(self._copied.lookup_set, self._reader())
        for string in strings:
            walk.find(string, 1)
        fault.opening = walk.to_bytes()
        return fault

    def _reader(self) -> StringReader:
        """Strings copied so far, those included that are not written yet."""
        stored, unwritten = string_reader(self._store), self._unwritten

        def read(low: bytes, high: bytes) -> list[bytes]:
            return sorted([*stored(low, high), *unwritten.between(low, high)])

        return read

    def frontier(self) -> Frontier:
        """Of everything that was fed, what waits for its commitment included."""
        waiting = [leaf_hash(data) for data, _entry in self._waiting]
        return self._copied.tree.frontier.extend(waiting)

    def flush(self) -> None:
        """Writes what was copied; durable when it returns."""
        if self._puts:
            copied = self._copied
            head = layout.u64(copied.size) + layout.u64(copied.statements)
            state = (layout.STATE, head + (self._note or b""))
            self._store.require_room()
            self._store.write([*self._puts, state])
            self._puts, self._unwritten, self._indexes = [], Unwritten(), {}

    # Sealing

    def seal(self, note: bytes) -> Checkpoint:
        """Keeps a checkpoint whose tree is exactly what was copied; durable.

        Raises VerificationError where it is of another tree, BadSignatureError where
        the log did not sign it, MalformedError.
        """
        checkpoint = open_checkpoint(note, self.vkey)
        if self._waiting:
            index, data = self.read - 1, self._waiting[-1][0]
            raise fault_of("the last entry is no commitment", (index, data))
        ours = self._copied
        if checkpoint.size != ours.size:
            raise VerificationError(
                f"expected a checkpoint of the {ours.size} entries copied, got one of"
                f" {checkpoint.size}"
            )
        if checkpoint.root != ours.tree.frontier.root():
            raise VerificationError(
                f"the checkpoint signs another root of {ours.size} entries than theirs"
            )
        self.flush()
        head = layout.u64(ours.size) + layout.u64(ours.statements)
        self._store.write([(layout.STATE, head + note)])
        self._note = note
        return checkpoint

    def view(self) -> LogView:
        """The copy as a log to read, under the checkpoint it was last sealed with.

        StoreError before it was sealed, or if more was copied since.
        """
        checkpoint = self.sealed
        if checkpoint is None or checkpoint.size != self.size:
            raise StoreError("the copy does not end at a checkpoint")
        assert self._note is not None
        copied = self._copied
        state = LogState(
            checkpoint.origin,
            copied.tree,
            copied.lookup_set,
            copied.statements,
            checkpoint.root,
            self._note,
        )
        return LogView.of(self.vkey, state, self._store.snapshot(), self._rows)

    def root_at(self, size: int) -> bytes:
        """Root of the first `size` entries copied."""
        tree = self._copied.tree
        self.flush()
        nodes = TreeNodes(tree.size, tree.edge, self._rows)
        return Frontier.of(size, nodes).root()

    def nodes(self) -> TreeNodes:
        """The hashes of the tree that was copied."""
        self.flush()
        tree = self._copied.tree
        return TreeNodes(tree.size, tree.edge, self._rows)

    def close(self) -> None:
        """Keeps what was copied."""
        try:
            self.flush()
        finally:
            self._store.close()

    def __enter__(self) -> Mirror:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    # Opening

    def _load(self) -> tuple[_Copied, bytes | None]:
        data = self._store.get(layout.STATE)
        if data is None:
            return _Copied(Tree.empty(), LookupSet.empty(), 0, b""), None
        if len(data) < _STATE_HEAD:
            raise damaged(f"the state of the copy has {len(data)} bytes")
        size = int.from_bytes(data[:8], "big")
        statements = int.from_bytes(data[8:_STATE_HEAD], "big")
        note = data[_STATE_HEAD:] or None
        commitment = read_entry(self._store, size - 1)
        if not isinstance(commitment, CommitmentEntry):
            raise damaged("the copy does not end with a commitment")
        first = size - size % TILE_WIDTH
        pairs = self._store.iterate(layout.entry(first), layout.entry(size))
        tree = Tree.restore(size, (entry for _key, entry in pairs), self._rows)
        lookup_set, _saved = load_lookup_set(
            self._store, self._folder / "lookup", commitment, size
        )
        return _Copied(tree, lookup_set, statements, commitment.to_bytes()), note

    def _find_end(self) -> tuple[int, bytes] | None:
        """The retirement notice, if the copy ends with one and its commitment."""
        if self.size < 2:
            return None
        entry = read_entry(self._store, self.size - 2)
        is_end = isinstance(entry, RetirementEntry)
        return (self.size - 2, entry.to_bytes()) if is_end else None


def _require_mirror(store: Store, vkey: str) -> None:
    version = store.get(layout.VERSION)
    if version is None:
        store.write([(layout.VERSION, MIRROR_VERSION), (layout.LOG, vkey.encode())])
        return
    if version != MIRROR_VERSION or store.get(layout.LOG) != vkey.encode():
        raise StoreError(
            "the folder holds a copy of another log, or something else",
            hint="choose another folder, or remove it: it can be made again",
        )
