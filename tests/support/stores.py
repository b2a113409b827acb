"""Stores for tests: memory that outlives a restart, and stores that fail on command."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from byline_ledger.errors import StoreError
from byline_ledger.store.interface import KeyReader, OpenStore, Pair, Reader, Store
from byline_ledger.store.leveldb import LevelStore
from byline_ledger.store.memory import MemoryStore

Act = Callable[[], None]


class MemoryDisk:
    """Opens one and the same memory store again and again, as a disk would."""

    def __init__(self) -> None:
        self.store = MemoryStore()

    def __call__(self, path: Path, create: bool) -> MemoryStore:
        if not create and not any(True for _ in self.store.reopen().keys(b"", b"\xff")):
            raise StoreError(f"no database in {path}")
        self.store = self.store.reopen()
        return self.store

    def change(self, *puts: Pair) -> None:
        """Writes behind the back of whoever uses it."""
        self.store = self.store.reopen()
        self.store.write(puts)

    def pairs(self) -> dict[bytes, bytes]:
        return dict(self.store.reopen().iterate(b"", b"\xff"))

    def replace(self, pairs: dict[bytes, bytes]) -> None:
        self.store = MemoryStore()
        self.store.write(list(pairs.items()))


class FaultyStore:
    """Passes everything on, but for what it was told to do at the next write."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.before_write: Act | None = None
        """Runs instead of nothing just before a write; may raise: not persisted."""
        self.after_write: Act | None = None
        """Runs just after a write; may raise: failed, yet persisted."""
        self.broken = False
        """Every read fails, as after a disk error."""

    def write(self, puts: Sequence[Pair], deletes: Sequence[bytes] = ()) -> None:
        if self.before_write is not None:
            self.before_write()
        self._store.write(puts, deletes)
        if self.after_write is not None:
            self.after_write()

    def get(self, key: bytes) -> bytes | None:
        self._require_whole()
        return self._store.get(key)

    def get_many(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        self._require_whole()
        return self._store.get_many(keys)

    def iterate(self, start: bytes, stop: bytes) -> Iterator[Pair]:
        self._require_whole()
        return self._store.iterate(start, stop)

    def keys(self, start: bytes, stop: bytes) -> Iterator[bytes]:
        self._require_whole()
        return self._store.keys(start, stop)

    def key_reader(self) -> KeyReader:
        self._require_whole()
        return self._store.key_reader()

    def snapshot(self) -> Reader:
        self._require_whole()
        return self._store.snapshot()

    def erase(self, keys: Sequence[bytes]) -> bool:
        return self._store.erase(keys)

    def require_room(self) -> None:
        self._store.require_room()

    def close(self) -> None:
        self._store.close()

    def _require_whole(self) -> None:
        if self.broken:
            raise StoreError("the disk does not answer")


class Faults:
    """An `open_store` whose last store is at hand for sabotage."""

    def __init__(self, inner: OpenStore = LevelStore.open) -> None:
        self._inner = inner
        self.store: FaultyStore
        self.prepare: Callable[[FaultyStore], None] = lambda _store: None

    def __call__(self, path: Path, create: bool) -> FaultyStore:
        self.store = FaultyStore(self._inner(path, create))
        self.prepare(self.store)
        return self.store


def fail() -> None:
    """What a failing disk says."""
    raise StoreError("the disk failed")
