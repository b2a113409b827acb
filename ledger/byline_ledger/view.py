"""The log as one checkpoint left it, for readers in any thread.

Rule: a view never changes, but for bodies that are taken down.  The ledger makes a new
one per commit and swaps it in whole, so a reader that took `ledger.view` once sees one
tree, one lookup set and one checkpoint that belong together, and never waits for the
writer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from byline_ledger.commit import LogState
from byline_ledger.errors import (
    CorruptStoreError,
    MalformedError,
    UnsupportedError,
)
from byline_ledger.lookup_set import LookupSet, StringReader
from byline_ledger.merkle import (
    Frontier,
    Proof,
    consistency_proof,
    inclusion_proof,
)
from byline_ledger.statement import Statement
from byline_ledger.store import layout
from byline_ledger.store.damage import damaged
from byline_ledger.store.interface import Reader
from byline_ledger.tombstone import Tombstone
from byline_ledger.tree import TileRows, TreeNodes


@dataclass(frozen=True, slots=True, eq=False)
class LogView:
    """A published tree of the log `origin`, with everything in and beside it.

    Reads raise StoreError once the ledger is closed, CorruptStoreError where the store
    lacks what the tree says it has.
    """

    vkey: str
    """The log's verifier key."""
    state: LogState
    reader: Reader
    """The database as of this tree."""
    node: TreeNodes
    """`node(level, index)`: a hash of the Merkle tree (merkle.NodeReader)."""
    now: Reader
    """The living database: a tree is cosigned after its snapshot was taken, and what is
    taken down must not be read by anybody any more."""
    checkpoint: bytes
    """The signed note over origin, size and root, with the cosignatures it has."""

    @classmethod
    def of(
        cls,
        vkey: str,
        state: LogState,
        reader: Reader,
        rows: TileRows,
        now: Reader | None = None,
    ) -> LogView:
        """A view of `state`; `reader` is a snapshot taken when it was current."""
        node = TreeNodes(state.size, state.tree.edge, rows)
        return cls(vkey, state, reader, node, now or reader, state.checkpoint)

    def cosigned(self, note: bytes) -> LogView:
        """The same tree under its checkpoint with more signatures."""
        return replace(self, checkpoint=note)

    @property
    def origin(self) -> str:
        """The log's name."""
        return self.state.origin

    @property
    def size(self) -> int:
        """Number of log entries; the last one is a commitment."""
        return self.state.size

    @property
    def root(self) -> bytes:
        """Root of the Merkle tree, 32 bytes."""
        return self.state.root

    @property
    def lookup_set(self) -> LookupSet:
        """The set that the last entry commits to."""
        return self.state.lookup_set

    @property
    def set_root(self) -> bytes:
        """Root of the lookup set, 32 bytes."""
        return self.state.lookup_set.root

    @property
    def set_count(self) -> int:
        """Number of lookup strings."""
        return self.state.lookup_set.count

    @property
    def statement_count(self) -> int:
        """Number of statements."""
        return self.state.statements

    # Entries

    def entry(self, index: int) -> bytes:
        """Log entry `index`.  Raises IndexError beyond the tree."""
        if not 0 <= index < self.size:
            raise IndexError(f"entry {index} of {self.size}")
        data = self.reader.get(layout.entry(index))
        if data is None:
            raise damaged(f"log entry {index} is missing")
        return data

    def entries(self, start: int, end: int, max_bytes: int) -> list[bytes]:
        """Entries from `start`, before `end` and the end of the log, at most
        `max_bytes` together; at least one, if there is one."""
        page: list[bytes] = []
        room = max_bytes
        end = min(end, self.size)
        pairs = self.reader.iterate(layout.entry(start), layout.entry(max(start, end)))
        for index, (key, entry) in enumerate(pairs, start):
            if key != layout.entry(index):
                break
            room -= len(entry)
            if room < 0 and page:
                return page
            page.append(entry)
        if len(page) < end - start:
            raise damaged(f"log entry {start + len(page)} is missing")
        return page

    def earliest_cosigned(self, index: int) -> bytes | None:
        """The first cosigned checkpoint, of this tree or a smaller one, that includes
        entry `index`; None if none was kept."""
        start, stop = layout.cosigned(index + 1), layout.cosigned(self.size + 1)
        _key, note = next(self.now.iterate(start, stop), (b"", None))
        return note

    # Statements

    def index_of(self, statement_id: bytes) -> int | None:
        """Leaf index of the statement; None if the log does not have it."""
        value = self.reader.get(layout.id_key(statement_id))
        return None if value is None else layout.parse_index(value)

    def indexes_of(self, ids: Iterable[bytes]) -> dict[bytes, int]:
        """Leaf indexes of those of the statements that the log has."""
        found = self.reader.get_many(map(layout.id_key, ids))
        return {key[1:]: layout.parse_index(value) for key, value in found.items()}

    def entries_of(self, ids: Iterable[bytes]) -> dict[bytes, bytes]:
        """Log entries of those of the statements that the log has."""
        keys = {id_: layout.entry(at) for id_, at in self.indexes_of(ids).items()}
        found = self.reader.get_many(keys.values())
        if len(found) < len(keys):
            missing = next(key for key in keys.values() if key not in found)
            raise damaged(f"log entry {layout.parse_index(missing[1:])} is missing")
        return {id_: found[key] for id_, key in keys.items()}

    def tombstone(self, statement_id: bytes) -> Tombstone | None:
        """Why and when the body was taken down; None if it was not."""
        index = self.index_of(statement_id)
        if index is None:
            return None
        # One that is only in this tree: the body was lost, and put back since.
        now = self._tombstone_at(index, self.now)
        return now or self._tombstone_at(index, self.reader)

    def _tombstone_at(self, index: int, reader: Reader) -> Tombstone | None:
        data = reader.get(layout.tombstone(index))
        try:
            return None if data is None else Tombstone.from_bytes(data)
        except MalformedError as error:
            raise damaged(f"log entry {index}: {error}") from error

    def taken_down(self, start: int, end: int) -> Iterator[int]:
        """Indexes of the statements from `start` to before `end` without a body."""
        keys = self.now.keys(layout.tombstone(start), layout.tombstone(end))
        return (layout.parse_index(key[1:]) for key in keys)

    def envelope(self, statement_id: bytes) -> bytes | None:
        """The statement as bytes; None if the log does not have it.

        Raises RedactedError where its body was taken down.
        """
        index = self.index_of(statement_id)
        return None if index is None else self._body(index, statement_id, None)

    def bodies(self, indexes: Iterable[int]) -> dict[int, bytes]:
        """What is stored of these statements, to be read by `statement_at` alone:
        some of it may have been taken down since."""
        found = self.reader.get_many(map(layout.body, indexes))
        return {layout.parse_index(key[1:]): value for key, value in found.items()}

    def _body(self, index: int, statement_id: bytes, data: bytes | None) -> bytes:
        data = data or self.reader.get(layout.body(index))
        tombstone = self._tombstone_at(index, self.now)
        if data is None and tombstone is None:
            # Lost in this tree, and put back since.
            tombstone = self._tombstone_at(index, self.reader)
        if tombstone is not None:
            raise tombstone.error(statement_id)
        if data is None:
            raise damaged(f"the body of statement {statement_id.hex()} is missing")
        return data

    def statement(self, statement_id: bytes) -> Statement | None:
        """The statement, decoded; None if the log does not have it.

        Raises RedactedError where its body was taken down.
        """
        index = self.index_of(statement_id)
        return None if index is None else self.statement_at(index, statement_id)

    def statement_at(
        self, index: int, statement_id: bytes, stored: bytes | None = None
    ) -> Statement:
        """The statement of this id, whose leaf this is; raises as `statement`.

        `stored` is what `bodies` gave, if it was asked.
        """
        data = self._body(index, statement_id, stored)
        try:
            statement = Statement.from_envelope(data)
        except (MalformedError, UnsupportedError) as error:
            raise _not_stored_so(statement_id) from error
        if statement.id != statement_id:
            raise _not_stored_so(statement_id)
        return statement

    def envelopes(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """Index and bytes of each statement from `start` to before `end` that has its
        body in this tree and was not taken down since."""
        gone = set(self.taken_down(start, end))
        pairs = self.reader.iterate(layout.body(start), layout.body(end))
        for key, data in pairs:
            index = layout.parse_index(key[1:])
            if index not in gone:
                yield index, data

    def statements(self, start: int, end: int) -> Iterator[tuple[int, Statement]]:
        """The same, decoded."""
        for index, data in self.envelopes(start, end):
            try:
                yield index, Statement.from_envelope(data)
            except (MalformedError, UnsupportedError) as error:
                raise damaged(f"the body at entry {index} is none") from error

    # Lookup strings

    def strings_under(
        self, prefix: bytes, *, limit: int, after: bytes | None = None
    ) -> list[bytes]:
        """The first `limit` strings that begin with `prefix`, ascending; with `after`,
        those behind that string."""
        start = layout.string_key(prefix)
        stop = layout.after(start)
        if after is not None:
            start = max(start, layout.string_key(after) + b"\x00")
        return list(islice(self._strings(start, stop), limit)) if start < stop else []

    def read_strings(self, low: bytes, high: bytes) -> list[bytes]:
        """All strings s with low <= s <= high, ascending (lookup_set.StringReader)."""
        start, stop = layout.string_key(low), layout.string_key(high) + b"\x00"
        return list(self._strings(start, stop))

    def string_reader(self) -> StringReader:
        """`read_strings` for many reads in one thread, soon forgotten."""
        read = self.reader.key_reader()

        def strings(low: bytes, high: bytes) -> list[bytes]:
            keys = read(layout.string_key(low), layout.string_key(high))
            return [key[1:] for key in keys]

        return strings

    def _strings(self, start: bytes, stop: bytes) -> Iterator[bytes]:
        return (key[1:] for key in self.reader.keys(start, stop))

    # Proofs

    def inclusion_proof(self, index: int) -> Proof:
        """Proof that entry `index` is in this tree."""
        return inclusion_proof(index, self.size, self.node)

    def consistency_proof(self, old: int) -> Proof:
        """Proof that the tree of `old` entries is a prefix of this one."""
        return consistency_proof(old, self.size, self.node)

    def frontier(self) -> Frontier:
        """The roots of this tree's perfect subtrees."""
        return self.state.tree.frontier


def _not_stored_so(statement_id: bytes) -> CorruptStoreError:
    return damaged(
        f"what is stored as statement {statement_id.hex()} is something else"
    )
