"""Taking a body down: what is written, and what must still leave the disk.

Rule: tombstone and removal are one write, so there is always one of the two.  An
operator's takedown is final: the first reason stands, and the body is not taken in
again.  Only a body that was lost (tombstone.NOT_RECOVERED) may still be taken down, or
come back.  Specification: docs/spec/log.md, "Takedown".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from byline_ledger.digest import cid_of_statement
from byline_ledger.errors import NotFoundError, UsageError
from byline_ledger.log_files import taken_down
from byline_ledger.store import layout
from byline_ledger.store.damage import damaged
from byline_ledger.store.interface import Pair, Reader
from byline_ledger.tombstone import NOT_RECOVERED, Tombstone
from byline_ledger.view import LogView

UNERASED = b"takedown/unerased"
"""Side record: u64 indexes of bodies whose bytes may still be on the disk."""


@dataclass(frozen=True, slots=True)
class Takedown:
    """One statement's; nothing is to be done if there is an `earlier` tombstone."""

    index: int
    tombstone: Tombstone
    earlier: Tombstone | None

    @property
    def body(self) -> bytes:
        """The key whose value has to go."""
        return layout.body(self.index)

    def writes(self, store: Reader) -> tuple[list[Pair], list[bytes]]:
        """What is put and deleted, in one write; `store` is as it is now."""
        record = layout.record(UNERASED)
        waiting = (store.get(record) or b"") + layout.u64(self.index)
        mark = layout.tombstone(self.index), self.tombstone.to_bytes()
        return [mark, (record, waiting)], [self.body]


def plan_takedown(view: LogView, statement_id: bytes, tombstone: Tombstone) -> Takedown:
    """Raises NotFoundError, or UsageError for a reason that is not an operator's."""
    index = view.index_of(statement_id)
    if index is None:
        raise NotFoundError(
            f"this log holds no statement {cid_of_statement(statement_id)}"
        )
    if tombstone.is_lost:
        raise UsageError(f"{NOT_RECOVERED!r} is said of bodies that nobody took down")
    earlier = view.tombstone(statement_id)
    if earlier is not None and earlier.is_lost:
        earlier = None
    return Takedown(index, tombstone, earlier)


def keys_to_erase(record: bytes) -> list[bytes]:
    """Keys of the bodies that the record UNERASED names."""
    if len(record) % 8:
        raise damaged(f"the list of takedowns has {len(record)} bytes")
    starts = range(0, len(record), 8)
    return [
        layout.body(layout.parse_index(record[start : start + 8])) for start in starts
    ]


def lost_statements(view: LogView) -> Iterator[bytes]:
    """Ids of the statements whose bodies were lost, in the order of the log."""
    for id_ in taken_down(view):
        tombstone = view.tombstone(id_)
        if tombstone is not None and tombstone.is_lost:
            yield id_
