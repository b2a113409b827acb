"""A log in memory, with what follow needs of `LogView`: naive, small, deterministic."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from byline_ledger.checkpoint import Checkpoint, log_vkey, sign_checkpoint
from byline_ledger.crypto import SigningKey
from byline_ledger.entry import commitment_entry, entry_of
from byline_ledger.lookup_set import LookupSet, naive_root
from byline_ledger.merkle import leaf_hash, node_hash, root_from
from byline_ledger.statement import Statement


class MemoryLog:
    """Every `append` is one commit; the object itself is its present view."""

    def __init__(self, number: int, name: str = "log.example") -> None:
        self.key = SigningKey.from_seed(number.to_bytes(32, "big"))
        self.origin = f"{name}/{number}"
        self.vkey = log_vkey(self.origin, self.key.public)
        self.bodies: dict[bytes, bytes] = {}
        self.indexes: dict[bytes, int] = {}
        self.strings: list[bytes] = []
        self._lookup_set: LookupSet | None = None
        self.log: list[bytes] = []
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.commit(())

    @property
    def size(self) -> int:
        return len(self.log)

    @property
    def root(self) -> bytes:
        return root_from(self.size, self.node)

    @property
    def set_count(self) -> int:
        return len(self.strings)

    @property
    def lookup_set(self) -> LookupSet:
        if self._lookup_set is None or self._lookup_set.count != len(self.strings):
            self._lookup_set = LookupSet.build(self.strings)
        return self._lookup_set

    def read_strings(self, low: bytes, high: bytes) -> list[bytes]:
        start, stop = bisect_left(self.strings, low), bisect_right(self.strings, high)
        return self.strings[start:stop]

    def append(self, statements: Iterable[Statement]) -> None:
        fresh = {s.id: s for s in statements if s.id not in self.indexes}
        if fresh:
            self.commit(list(fresh.values()))

    def commit(self, statements: Sequence[Statement]) -> None:
        for statement in statements:
            entry = entry_of(statement)
            self.indexes[statement.id] = self.size
            self.bodies[statement.id] = statement.to_envelope()
            self.add_entry(entry.to_bytes())
            self.strings += entry.lookup_strings()
        self.strings.sort()
        self.set_root = naive_root(self.strings)
        self.add_entry(commitment_entry(len(self.strings), self.set_root))
        self.publish()

    def publish(self) -> None:
        checkpoint = Checkpoint(self.origin, self.size, self.root)
        self.checkpoint = sign_checkpoint(checkpoint, self.key)

    def add_entry(self, entry: bytes) -> None:
        index, level, value = self.size, 0, leaf_hash(entry)
        self.log.append(entry)
        self.nodes[0, index] = value
        while index & 1:
            value = node_hash(self.nodes[level, index - 1], value)
            index, level = index >> 1, level + 1
            self.nodes[level, index] = value

    # What followers and their peers ask

    def node(self, level: int, index: int) -> bytes:
        return self.nodes[level, index]

    def entry(self, index: int) -> bytes:
        return self.log[index]

    def entries(self, start: int, end: int, max_bytes: int) -> list[bytes]:
        page = self.log[start : start + 1]
        for entry in self.log[start + 1 : end]:
            if sum(map(len, page)) + len(entry) > max_bytes:
                break
            page.append(entry)
        return page

    def envelope(self, statement_id: bytes) -> bytes | None:
        return self.bodies.get(statement_id)

    def index_of(self, statement_id: bytes) -> int | None:
        return self.indexes.get(statement_id)

    def indexes_of(self, ids: Iterable[bytes]) -> dict[bytes, int]:
        return {id_: self.indexes[id_] for id_ in ids if id_ in self.indexes}

    def entries_of(self, ids: Iterable[bytes]) -> dict[bytes, bytes]:
        return {id_: self.log[at] for id_, at in self.indexes_of(ids).items()}
