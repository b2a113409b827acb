"""The lookup set's skeleton on disk, so that a start need not scan every string.

    "byline-lookup/1", newline, SHA-256 of the rest (32), u64 log size, to_snapshot()

Rule: a convenience, never a source of truth.  Whatever is wrong with it, it is ignored
and the set is built from the strings; its root is compared with the log's commitment.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from byline_ledger.errors import MalformedError, StoreError
from byline_ledger.lookup_set import LookupSet
from byline_ledger.store.durable import read_small, write_durably

_MAGIC = b"byline-lookup/1\n"
_HEAD = len(_MAGIC) + 32
_MAX_BYTES = 16 << 30


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The lookup set of the log's first `size` entries."""

    size: int
    lookup_set: LookupSet


def read_skeleton(path: Path) -> Skeleton | None:
    """None if there is none of any use."""
    try:
        data = read_small(path, _MAX_BYTES)
        if data is None or data[: len(_MAGIC)] != _MAGIC or len(data) < _HEAD + 8:
            return None
        if (
            hashlib.sha256(memoryview(data)[_HEAD:]).digest()
            != data[len(_MAGIC) : _HEAD]
        ):
            return None
        size = int.from_bytes(data[_HEAD : _HEAD + 8], "big")
        return Skeleton(size, LookupSet.from_snapshot(data[_HEAD + 8 :]))
    except (MalformedError, StoreError):
        return None


def write_skeleton(path: Path, skeleton: Skeleton) -> None:
    """Durable when it returns.  Raises StoreError."""
    rest = skeleton.size.to_bytes(8, "big") + skeleton.lookup_set.to_snapshot()
    write_durably(path, _MAGIC + hashlib.sha256(rest).digest() + rest)
