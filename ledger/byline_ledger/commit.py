"""One commit: from the log as it is, and new statements, to the log as it will be.

Rule: every published tree ends with a commitment entry, the count and root of the
lookup set of all statements before it.  All that a commit writes goes into one atomic
batch, the signed checkpoint included; nothing here writes or releases anything.
Specification: docs/spec/log.md, "Commitments" and "Never two histories".
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from byline_ledger.checkpoint import Checkpoint, sign_checkpoint
from byline_ledger.crypto import SigningKey
from byline_ledger.entry import commitment_entry, entry_of
from byline_ledger.errors import StoreError
from byline_ledger.lookup_set import LookupSet, StringReader
from byline_ledger.merkle import leaf_hash
from byline_ledger.statement import SIGNATURE_SIZE, Statement
from byline_ledger.store import layout
from byline_ledger.store.interface import Pair
from byline_ledger.tree import FullTile, Tree

_AFTER_BODY = 2 + SIGNATURE_SIZE
"""Bytes of an envelope behind the body."""


@dataclass(frozen=True, slots=True, eq=False)
class LogState:
    """A published tree with all that the next one is made from."""

    origin: str
    tree: Tree
    lookup_set: LookupSet
    statements: int
    root: bytes
    checkpoint: bytes
    """The signed note."""

    @classmethod
    def empty(cls, origin: str) -> LogState:
        """Before the first commit; never published."""
        tree = Tree.empty()
        return cls(origin, tree, LookupSet.empty(), 0, tree.frontier.root(), b"")

    @property
    def size(self) -> int:
        """Number of log entries."""
        return self.tree.size


def prepare_commit(
    old: LogState, statements: Sequence[Statement], key: SigningKey, read: StringReader
) -> tuple[LogState, list[Pair]]:
    """The next state and what must be written for it.

    `statements` are verified, distinct and new to the log; there may be none.  `read`
    gives the strings stored so far.
    """
    parsed = [entry_of(statement) for statement in statements]
    strings = sorted(string for one in parsed for string in one.lookup_strings())
    lookup_set = old.lookup_set.insert(strings, read)
    entries = [one.to_bytes() for one in parsed]
    entries.append(commitment_entry(lookup_set.count, lookup_set.root))
    hashes = [leaf_hash(entry) for entry in entries]
    tree, filled = old.tree.grow(hashes)
    puts = _puts(old.size, statements, entries, strings, filled)
    _read_back(puts, statements, hashes)
    root = tree.frontier.root()
    note = sign_checkpoint(Checkpoint(old.origin, tree.size, root), key)
    count = old.statements + len(statements)
    puts.append((layout.STATE, layout.State(old.size, count, note).to_bytes()))
    return LogState(old.origin, tree, lookup_set, count, root, note), puts


def _puts(
    size: int,
    statements: Sequence[Statement],
    entries: Sequence[bytes],
    strings: Sequence[bytes],
    filled: Sequence[FullTile],
) -> list[Pair]:
    """Bodies first and entries second, as `_read_back` expects them."""
    numbered = list(enumerate(statements, size))
    puts = [(layout.body(index), one.to_envelope()) for index, one in numbered]
    puts += [(layout.entry(index), entry) for index, entry in enumerate(entries, size)]
    puts += [(layout.id_key(one.id), layout.u64(index)) for index, one in numbered]
    puts += [(layout.string_key(string), b"") for string in strings]
    puts += [(layout.tile(one.level, one.index), one.hashes) for one in filled]
    return puts


def _read_back(
    puts: Sequence[Pair], statements: Sequence[Statement], hashes: Sequence[bytes]
) -> None:
    """Hash what is about to be written once more, before it is signed.

    A bit that flipped between hashing and storing has ended logs: the proofs of such a
    log verify, but its entries do not.
    """
    for (_key, envelope), statement in zip(puts, statements, strict=False):
        body = envelope[-_AFTER_BODY - len(statement.body) : -_AFTER_BODY]
        if hashlib.sha256(body).digest() != statement.id:
            raise _flipped("a statement")
    entries = puts[len(statements) : len(statements) + len(hashes)]
    for (_key, entry), expected in zip(entries, hashes, strict=True):
        if leaf_hash(entry) != expected:
            raise _flipped("a log entry")


def _flipped(what: str) -> StoreError:
    return StoreError(
        f"{what} changed in memory before it was written",
        hint="nothing was kept of this commit; check the memory of this machine",
    )
