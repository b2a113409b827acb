"""What the tests of the ledger share."""

from __future__ import annotations

from pathlib import Path

from tests.support.signed import key, work

from byline_ledger.check import check_ledger
from byline_ledger.checkpoint import Checkpoint, log_vkey, sign_checkpoint
from byline_ledger.commit import LogState
from byline_ledger.crypto import SigningKey
from byline_ledger.entry import commitment_entry, entry_of
from byline_ledger.log import Ledger, LogView
from byline_ledger.lookup_set import LookupSet
from byline_ledger.merkle import leaf_hash
from byline_ledger.statement import Statement
from byline_ledger.store import layout
from byline_ledger.store.interface import OpenStore
from byline_ledger.store.leveldb import LevelStore
from byline_ledger.store.memory import MemoryStore
from byline_ledger.tombstone import Tombstone
from byline_ledger.tree import Tree, cached_rows


def works(start: int, end: int, author: int = 1) -> list[Statement]:
    return [work(f"work {number}", key(author)) for number in range(start, end)]


def require_sound(folder: Path, open_store: OpenStore = LevelStore.open) -> None:
    assert check_ledger(folder, open_store=open_store).problem is None


def strings_of(statements: list[Statement]) -> list[bytes]:
    return [string for one in statements for string in entry_of(one).lookup_strings()]


def after_a_fault(
    folder: Path, open_store: OpenStore, before: int, statements: list[Statement]
) -> None:
    """Reopens: the commit is there whole or not at all, and the log goes on."""
    require_sound(folder, open_store)
    ledger = Ledger.open(folder, open_store=open_store)
    assert ledger.read_only is None
    count = ledger.view.statement_count
    assert count in (before, before + len(statements))
    found = [ledger.view.statement(one.id) for one in statements]
    assert found == (statements if count > before else [None] * len(statements))
    assert all(place.new == (count == before) for place in ledger.append(statements))
    ledger.append(works(9000, 9010))
    ledger.close()
    require_sound(folder, open_store)


def take_down(ledger: Ledger, statement: Statement, reason: str = "asked to") -> None:
    """What a takedown leaves in the store."""
    index = ledger.view.index_of(statement.id)
    assert index is not None
    tombstone = Tombstone(reason, 1_790_000_000_000).to_bytes()
    puts = [(layout.tombstone(index), tombstone)]
    ledger._store.write(puts, [layout.body(index)])
    ledger.view = ledger._view_of(ledger.view.state)


class LongLog:
    """A log of nothing but commitments to the empty set: long, quickly made, sound."""

    def __init__(self, number: int = 1) -> None:
        self.key = SigningKey.from_seed(number.to_bytes(32, "big"))
        self.origin = f"long.example/{number}"
        self.vkey = log_vkey(self.origin, self.key.public)
        self.store = MemoryStore()
        self.tree = Tree.empty()

    def grow(self, size: int) -> LogView:
        """The view of the tree of `size` entries; only ever larger ones."""
        entry = commitment_entry(0, LookupSet.empty().root)
        old = self.tree.size
        self.tree, filled = self.tree.grow([leaf_hash(entry)] * (size - old))
        puts = [(layout.entry(index), entry) for index in range(old, size)]
        puts += [(layout.tile(one.level, one.index), one.hashes) for one in filled]
        self.store.write(puts)
        root = self.tree.frontier.root()
        note = sign_checkpoint(Checkpoint(self.origin, size, root), self.key)
        state = LogState(self.origin, self.tree, LookupSet.empty(), 0, root, note)
        rows = cached_rows(
            lambda level, index: self.store.get(layout.tile(level, index))
        )
        return LogView.of(self.vkey, state, self.store.snapshot(), rows)
