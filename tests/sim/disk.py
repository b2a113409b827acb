"""A node's database in memory, with what a power cut leaves of it.

Rule: a write is a batch.  What was synced survives; of what was not, a power cut keeps
any number of whole batches from the first on (LevelDB drops a torn one and all behind
it).  Production code syncs each batch, so nothing is ever lost; a mutant does not.
Old versions stay for as long as the store is open, so a snapshot costs nothing.
"""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from byline_ledger.errors import StoreError
from byline_ledger.store.interface import KeyReader, Pair

Batch = tuple[tuple[Pair, ...], tuple[bytes, ...]]


class Disk:
    """Opens its one database again and again (interface.OpenStore)."""

    def __init__(self, dice: random.Random, *, is_synced: bool = True) -> None:
        self._dice = dice
        self._is_synced = is_synced
        self.pairs: dict[bytes, bytes] = {}
        """What is on the platter."""
        self._unsynced: list[Batch] = []
        self.store: SimStore | None = None
        self.fails: str | None = None
        """The next write fails: "before" it was kept, or "after"."""
        self.writes = 0

    def __call__(self, path: Path, create: bool) -> SimStore:
        if not create and not self.pairs and not self._unsynced:
            raise StoreError(f"no database in {path}")
        assert self.store is None or self.store.is_closed, "opened twice"
        self._sync()
        self.store = SimStore(self)
        return self.store

    def write(self, batch: Batch, keep: Callable[[], None]) -> None:
        """`keep` shows the batch to readers."""
        self.writes += 1
        if self.fails == "before":
            self.fails = None
            raise StoreError("the disk failed")
        self._unsynced.append(batch)
        if self._is_synced:
            self._sync()
        keep()
        if self.fails == "after":
            self.fails = None
            raise StoreError("the disk failed")

    def cut_power(self) -> None:
        """The store is gone, and of what was not synced some."""
        kept = self._dice.randint(0, len(self._unsynced)) if self._unsynced else 0
        del self._unsynced[kept:]
        self._sync()
        if self.store is not None:
            self.store.is_closed = True

    def _sync(self) -> None:
        for puts, deletes in self._unsynced:
            self.pairs.update(puts)
            for key in deletes:
                self.pairs.pop(key, None)
        self._unsynced.clear()


class SimReader:
    """One state of a store."""

    def __init__(self, store: SimStore, version: int | None) -> None:
        self._store = store
        self._version = version

    def get(self, key: bytes) -> bytes | None:
        return self._store.value(key, self._version)

    def get_many(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        found = ((key, self.get(key)) for key in keys)
        return {key: value for key, value in found if value is not None}

    def keys(self, start: bytes, stop: bytes) -> Iterator[bytes]:
        return (key for key, _value in self.iterate(start, stop))

    def iterate(self, start: bytes, stop: bytes) -> Iterator[Pair]:
        keys = self._store.sorted
        for key in keys[bisect_left(keys, start) : bisect_left(keys, stop)]:
            value = self.get(key)
            if value is not None:
                yield key, value

    def key_reader(self) -> KeyReader:
        def read(low: bytes, high: bytes) -> list[bytes]:
            keys = self._store.sorted
            found = keys[bisect_left(keys, low) : bisect_right(keys, high)]
            return [key for key in found if self.get(key) is not None]

        return read


class SimStore(SimReader):
    """interface.Store over a disk."""

    def __init__(self, disk: Disk) -> None:
        super().__init__(self, None)
        self._disk = disk
        self.is_closed = False
        self._now = 0
        self._versions = {key: [(0, value)] for key, value in disk.pairs.items()}
        self.sorted = sorted(self._versions)

    def value(self, key: bytes, version: int | None) -> bytes | None:
        if self.is_closed:
            raise StoreError("the store is closed")
        versions: Sequence[tuple[int, bytes | None]] = self._versions.get(key, ())
        for since, value in reversed(versions):
            if version is None or since <= version:
                return value
        return None

    def write(self, puts: Sequence[Pair], deletes: Sequence[bytes] = ()) -> None:
        if self.is_closed:
            raise StoreError("the store is closed")
        batch = (tuple(puts), tuple(deletes))
        self._disk.write(batch, lambda: self._keep(batch))

    def _keep(self, batch: Batch) -> None:
        self._now += 1
        puts, deletes = batch
        for key, value in [*puts, *((key, None) for key in deletes)]:
            if key not in self._versions:
                insort(self.sorted, key)
            self._versions.setdefault(key, []).append((self._now, value))  # type: ignore[arg-type]

    def erase(self, keys: Sequence[bytes]) -> bool:
        return True

    def snapshot(self) -> SimReader:
        if self.is_closed:
            raise StoreError("the store is closed")
        return SimReader(self, self._now)

    def require_room(self) -> None:
        if self.is_closed:
            raise StoreError("the store is closed")

    def close(self) -> None:
        self.is_closed = True
