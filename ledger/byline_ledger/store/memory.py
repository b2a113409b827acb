"""A store in memory, for tests: the same behaviour as leveldb.py, nothing kept."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

from byline_ledger.errors import StoreError
from byline_ledger.store.interface import KeyReader, Pair


class MemoryReader:
    """One state of a memory store; `owner` says whether it may still be read."""

    def __init__(self, owner: MemoryStore, pairs: dict[bytes, bytes]) -> None:
        self._owner = owner
        self._pairs = pairs
        self._sorted: list[bytes] | None = None

    def get(self, key: bytes) -> bytes | None:
        self._owner.require_open()
        return self._pairs.get(key)

    def get_many(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        self._owner.require_open()
        pairs = self._pairs
        return {key: pairs[key] for key in keys if key in pairs}

    def iterate(self, start: bytes, stop: bytes) -> Iterator[Pair]:
        for key in self.keys(start, stop):
            yield key, self._pairs[key]

    def keys(self, start: bytes, stop: bytes) -> Iterator[bytes]:
        self._owner.require_open()
        keys = self._sorted_keys()
        for key in keys[bisect_left(keys, start) : bisect_left(keys, stop)]:
            self._owner.require_open()
            yield key

    def key_reader(self) -> KeyReader:
        def read(low: bytes, high: bytes) -> list[bytes]:
            self._owner.require_open()
            keys = self._sorted_keys()
            return keys[bisect_left(keys, low) : bisect_right(keys, high)]

        return read

    def _sorted_keys(self) -> list[bytes]:
        if self._sorted is None:
            self._sorted = sorted(self._pairs)
        return self._sorted


class MemoryStore:
    """Every write makes a new dictionary, so that a snapshot costs nothing."""

    def __init__(self) -> None:
        self._closed = False
        self._now = MemoryReader(self, {})

    def require_open(self) -> None:
        """StoreError once closed."""
        if self._closed:
            raise StoreError("the store is closed")

    def reopen(self) -> MemoryStore:
        """A new store with the same content: what a restart finds."""
        again = MemoryStore()
        again._now = MemoryReader(again, self._now._pairs)
        return again

    def get(self, key: bytes) -> bytes | None:
        return self._now.get(key)

    def get_many(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        return self._now.get_many(keys)

    def iterate(self, start: bytes, stop: bytes) -> Iterator[Pair]:
        return self._now.iterate(start, stop)

    def keys(self, start: bytes, stop: bytes) -> Iterator[bytes]:
        return self._now.keys(start, stop)

    def key_reader(self) -> KeyReader:
        return self._now.key_reader()

    def write(self, puts: Sequence[Pair], deletes: Sequence[bytes] = ()) -> None:
        self.require_open()
        pairs = {**self._now._pairs, **dict(puts)}
        for key in deletes:
            pairs.pop(key, None)
        self._now = MemoryReader(self, pairs)

    def erase(self, keys: Sequence[bytes]) -> bool:
        self.require_open()
        return True

    def snapshot(self) -> MemoryReader:
        self.require_open()
        return self._now

    def require_room(self) -> None:
        self.require_open()

    def close(self) -> None:
        self._closed = True
