"""The log of the vectors' naive prover, in the shape that `build_bundle` reads."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from byline_ledger.errors import RedactedError
from byline_ledger.lookup_set import LookupSet, StringReader
from byline_ledger.statement import Statement
from byline_ledger.tombstone import Tombstone

sys.path.insert(0, str(Path(__file__).parent.parent / "vectors"))

import naive_bundle
import naive_prover


@dataclass
class NaiveView:
    """An oracle's log, in the shape of LogView that `build_bundle` reads."""

    view: naive_prover.View

    def __post_init__(self) -> None:
        strings = sorted(self.view.log.strings)
        self.lookup_set = LookupSet.build(strings)
        self.strings = strings
        self.checkpoint = self.view.note
        self.vkey = self.view.vkey
        self.size = len(self.view.entries)
        self.set_count = self.view.count

    def read_strings(self, low: bytes, high: bytes) -> list[bytes]:
        return [s for s in self.strings if low <= s <= high]

    def strings_under(self, prefix: bytes, *, limit: int) -> list[bytes]:
        return [s for s in self.strings if s.startswith(prefix)][:limit]

    def string_reader(self) -> StringReader:
        return self.read_strings

    def tombstone(self, id_: bytes) -> Tombstone | None:
        data = self.view.log.gone.get(id_)
        return Tombstone.from_bytes(data) if data else None

    def entry(self, index: int) -> bytes:
        return self.view.entries[index]

    def earliest_cosigned(self, index: int) -> bytes | None:
        return None

    def indexes_of(self, ids: Iterable[bytes]) -> dict[bytes, int]:
        return {id_: self.view.log.index[id_] for id_ in ids}

    def bodies(self, indexes: Iterable[int]) -> dict[int, bytes]:
        return {}

    def statement_at(
        self, index: int, id_: bytes, stored: bytes | None = None
    ) -> Statement:
        if id_ in self.view.log.gone:
            raise RedactedError("taken down")
        return Statement.from_envelope(self.view.log.said[id_].envelope)

    def index_of(self, id_: bytes) -> int | None:
        return self.view.log.index.get(id_)

    def node(self, level: int, index: int) -> bytes:
        start = index << level
        return naive_bundle.tree_root(self.view.entries[start : start + (1 << level)])

    def inclusion_proof(self, index: int) -> tuple[bytes, ...]:
        return tuple(naive_bundle.inclusion(index, self.view.entries))

    def node_root(self) -> bytes:
        """Root of the tree."""
        return naive_bundle.tree_root(self.view.entries)
