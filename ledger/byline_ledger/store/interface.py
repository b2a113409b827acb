"""What the ledger asks of a store: ordered byte keys, atomic durable writes, snapshots.

Rule: a write is whole or not there at all, and it is on the disk when `write` returns.
Engines: leveldb.py for nodes, memory.py for tests; both pass the same tests.
Why so small an interface: docs/adr/0006-store-layout.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

Pair: TypeAlias = tuple[bytes, bytes]
"""Key and value."""

KeyReader: TypeAlias = Callable[[bytes, bytes], list[bytes]]
"""`read(low, high)`: all keys k with low <= k <= high, ascending."""


class Reader(Protocol):
    """Reads; each may raise StoreError, or CorruptStoreError where a checksum fails."""

    def get(self, key: bytes) -> bytes | None:
        """The value under `key`, None if there is none."""
        ...

    def get_many(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """The values of those of the keys that are there."""
        ...

    def iterate(self, start: bytes, stop: bytes) -> Iterator[Pair]:
        """All pairs with start <= key < stop, by ascending key."""
        ...

    def keys(self, start: bytes, stop: bytes) -> Iterator[bytes]:
        """All keys with start <= key < stop, ascending."""
        ...

    def key_reader(self) -> KeyReader:
        """A reader for many small ranges, best ascending; for one thread."""
        ...


class Store(Reader, Protocol):
    """One open store.  Reads may come from any thread, writes from one at a time."""

    def write(self, puts: Sequence[Pair], deletes: Sequence[bytes] = ()) -> None:
        """All of `puts`, and the removal of the keys `deletes`, in one atomic, synced
        write; no key may be in both.

        After a StoreError it is unknown whether they were kept: the caller must stop
        writing, close, and look again after opening anew.
        """
        ...

    def erase(self, keys: Sequence[bytes]) -> bool:
        """Makes what was stored under `keys`, none of which is there any more, leave
        the disk as well; whether it has.

        What a snapshot in use still shows leaves at `close`.
        """
        ...

    def snapshot(self) -> Reader:
        """The store as it is now.  Every read after `close` raises StoreError."""
        ...

    def require_room(self) -> None:
        """StoreError if the disk is so full that a write could leave it unusable."""
        ...

    def close(self) -> None:
        """Waits for reads under way; safe to call twice."""
        ...


OpenStore: TypeAlias = Callable[[Path, bool], Store]
"""`open(path, create)`; StoreError, StoreLockedError or CorruptStoreError."""
