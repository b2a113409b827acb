"""One commit: from the log as it is, and new statements, to the log as it will be.

Rule: every published tree ends with a commitment entry, the count and root of the
lookup set of all statements before it.  All that a commit writes goes into one atomic
batch, the signed checkpoint included; nothing here writes or releases anything.
Specification: docs/spec/log.md, "Commitments" and "Never two histories".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from byline_ledger.checkpoint import Checkpoint, sign_checkpoint
from byline_ledger.crypto import SigningKey
from byline_ledger.entry import (
    CommitmentEntry,
    Entry,
    StatementEntry,
    commitment_entry,
    entry_of,
    parse_entry,
    retirement_entry,
)
from byline_ledger.errors import MalformedError, StoreError
from byline_ledger.lookup_set import LookupSet, StringReader
from byline_ledger.merkle import leaf_hash
from byline_ledger.statement import Statement
from byline_ledger.store import layout
from byline_ledger.store.interface import Pair
from byline_ledger.tombstone import Tombstone
from byline_ledger.tree import FullTile, Tree


@dataclass(frozen=True, slots=True, eq=False)
class LogState:
    """A published tree with all that the next one is made from."""

    origin: str
    tree: Tree
    lookup_set: LookupSet
    statements: int
    root: bytes
    checkpoint: bytes
    """The signed note; empty until it is signed."""

    @classmethod
    def empty(cls, origin: str) -> LogState:
        """Before the first commit; never published."""
        tree = Tree.empty()
        return cls(origin, tree, LookupSet.empty(), 0, tree.frontier.root(), b"")

    @property
    def size(self) -> int:
        """Number of log entries."""
        return self.tree.size

    def signed(self, key: SigningKey) -> LogState:
        """The same with its checkpoint."""
        checkpoint = Checkpoint(self.origin, self.size, self.root)
        return replace(self, checkpoint=sign_checkpoint(checkpoint, key))

    def record(self, previous: int) -> bytes:
        """What is stored of it; `previous` is the size of the published tree before."""
        return layout.State(previous, self.statements, self.checkpoint).to_bytes()


@dataclass(frozen=True, slots=True)
class Vacancy:
    """A statement without its body, as it was logged elsewhere: what an earlier log of
    the same node had taken down or lost stays so in the next one."""

    entry: StatementEntry
    tombstone: Tombstone

    @property
    def id(self) -> bytes:
        """The statement's id."""
        return self.entry.id


def prepare_commit(
    old: LogState,
    statements: Sequence[Statement | Vacancy],
    key: SigningKey,
    read: StringReader,
    notice: str | None = None,
) -> tuple[LogState, list[Pair]]:
    """The next state and what must be written for it.

    `statements` are verified, distinct and new to the log; there may be none.  `read`
    gives the strings stored so far.  A `notice` ends the log.
    """
    parsed = [_entry_of(statement) for statement in statements]
    strings = sorted(string for one in parsed for string in one.lookup_strings())
    lookup_set = old.lookup_set.insert(strings, read)
    entries = [one.to_bytes() for one in parsed]
    entries += [] if notice is None else [retirement_entry(notice)]
    entries.append(commitment_entry(lookup_set.count, lookup_set.root))
    tree, filled = old.tree.grow([leaf_hash(entry) for entry in entries])
    count = old.statements + len(statements)
    new = LogState(old.origin, tree, lookup_set, count, tree.frontier.root(), b"")
    puts = _puts(old.size, statements, entries, strings, filled)
    _read_back(puts, statements, old, new)
    new = new.signed(key)
    puts.append((layout.STATE, new.record(old.size)))
    return new, puts


def _entry_of(statement: Statement | Vacancy) -> StatementEntry:
    return statement.entry if isinstance(statement, Vacancy) else entry_of(statement)


def _content(index: int, statement: Statement | Vacancy) -> Pair:
    """What is stored of it beside its entry."""
    if isinstance(statement, Vacancy):
        return layout.tombstone(index), statement.tombstone.to_bytes()
    return layout.body(index), statement.to_envelope()


def _puts(
    size: int,
    statements: Sequence[Statement | Vacancy],
    entries: Sequence[bytes],
    strings: Sequence[bytes],
    filled: Sequence[FullTile],
) -> list[Pair]:
    contents = [_content(index, one) for index, one in enumerate(statements, size)]
    ids = [(one.id, index) for index, one in enumerate(statements, size)]
    return contents + entry_puts(size, entries, ids, strings, filled)


def entry_puts(
    size: int,
    entries: Sequence[bytes],
    ids: Iterable[tuple[bytes, int]],
    strings: Iterable[bytes],
    filled: Iterable[FullTile],
) -> list[Pair]:
    """All that entries from index `size` on bring to the store, but for bodies."""
    puts = [(layout.entry(index), entry) for index, entry in enumerate(entries, size)]
    puts += [(layout.id_key(id_), layout.u64(index)) for id_, index in ids]
    puts += [(layout.string_key(string), b"") for string in strings]
    puts += [(layout.tile(one.level, one.index), one.hashes) for one in filled]
    return puts


# Reading back


def _read_back(
    puts: Sequence[Pair],
    statements: Sequence[Statement | Vacancy],
    old: LogState,
    new: LogState,
) -> None:
    """Derive what is about to be signed once more, from what is about to be written.

    A bit that flipped between hashing and storing has ended logs: the proofs of such a
    log verify, but its entries do not.
    """
    kinds: defaultdict[bytes, list[Pair]] = defaultdict(list)
    for key, value in puts:
        kinds[key[:1]].append((key[1:], value))
    written = [value for _key, value in kinds[layout.ENTRIES]]
    tree, filled = old.tree.grow([leaf_hash(entry) for entry in written])
    entries = _parse(written)
    if tree.frontier.root() != new.root:
        raise _flipped("a log entry")
    logged = [one for one in entries if isinstance(one, StatementEntry)]
    strings = sorted(string for one in logged for string in one.lookup_strings())
    _read_commitment(entries[-1], len(strings), old, new)
    if [_hash_of(statement) for statement in statements] != [one.id for one in logged]:
        raise _flipped("a statement")
    at = [layout.u64(index) for index in range(old.size, new.size)]
    expected: dict[bytes, list[Pair]] = {
        layout.ENTRIES: list(zip(at, written, strict=True)),
        layout.IDS: [(one.id, i) for one, i in zip(logged, at, strict=False)],
        layout.STRINGS: [(string, b"") for string in strings],
        layout.TILES: [
            (layout.tile(one.level, one.index)[1:], one.hashes) for one in filled
        ],
    }
    for index, statement in enumerate(statements, old.size):
        key, value = _content(index, statement)
        expected.setdefault(key[:1], []).append((key[1:], value))
    if {kind: pairs for kind, pairs in expected.items() if pairs} != kinds:
        raise _flipped("what is stored beside the log entries")


def _hash_of(statement: Statement | Vacancy) -> bytes:
    """The id, from the body where there is one."""
    if isinstance(statement, Vacancy):
        return statement.id
    return sha256(statement.body).digest()


def _parse(written: Sequence[bytes]) -> list[Entry]:
    try:
        return [parse_entry(entry) for entry in written]
    except MalformedError as error:
        raise _flipped("a log entry") from error


def _read_commitment(entry: Entry, added: int, old: LogState, new: LogState) -> None:
    """It says what the set is; that the set has grown by as much as was written."""
    expected = CommitmentEntry(old.lookup_set.count + added, new.lookup_set.root)
    if entry != expected or new.lookup_set.count != expected.count:
        raise _flipped("the commitment")


def _flipped(what: str) -> StoreError:
    return StoreError(
        f"{what} changed in memory before it was written",
        hint="nothing was kept of this commit; check the memory of this machine",
    )
