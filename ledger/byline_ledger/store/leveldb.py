"""The LevelDB engine: the only file that imports plyvel, which has no types.

Rules: every read verifies checksums; every write is synced; nothing of plyvel gets out,
neither its objects nor its errors.  Layout and settings: docs/adr/0006-store-layout.md.
"""

from __future__ import annotations

import errno
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

import plyvel

from byline_ledger.errors import CorruptStoreError, StoreError, StoreLockedError
from byline_ledger.store.damage import damaged, disk_full
from byline_ledger.store.durable import file_error, sync_folder, write_durably
from byline_ledger.store.gate import Gate
from byline_ledger.store.interface import KeyReader, Pair

FIRST_CHUNK = 16
CHUNK = 1024
"""Pairs read at a time: the longest that `close` waits for a reader."""

ROOM_BYTES = 64 << 20
"""Kept free on the disk: LevelDB needs space to start again after a crash."""

_SETTINGS: dict[str, Any] = {
    "paranoid_checks": True,
    "bloom_filter_bits": 10,
    "write_buffer_size": 8 << 20,
    "lru_cache_size": 8 << 20,
    "max_file_size": 1 << 20,
    "max_open_files": 74,
    "compression": None,
}
DANGLING = "CURRENT points to a non-existent file"
_FULL = tuple(os.strerror(n) for n in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


class _Translated:
    """plyvel's errors as ours; a class, since it is entered for every read."""

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: object, _trace: object) -> None:
        if isinstance(error, plyvel.Error):
            raise _store_error(error) from error


_translated = _Translated()


def _store_error(error: Exception) -> StoreError:
    raw = error.args[0] if error.args else b""
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    if isinstance(error, plyvel.CorruptionError):
        return damaged(f"the database is damaged: {text}")
    if "lock" in text and "LOCK" in text:
        return StoreLockedError("the database is open in another process")
    if any(reason in text for reason in _FULL):
        return disk_full(text)
    return StoreError(f"the database cannot be used: {text}")


class LevelReader:
    """Reads `source`, a plyvel database or snapshot, behind its store's gate."""

    __slots__ = ("__weakref__", "_gate", "_source")

    def __init__(self, source: Any, gate: Gate) -> None:
        self._source = source
        self._gate = gate

    def get(self, key: bytes) -> bytes | None:
        with self._gate, _translated:
            value: bytes | None = self._source.get(key, verify_checksums=True)
            return value

    def get_many(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """LevelDB charges a `get` to the files that it looked into in vain, and soon
        moves those; an iterator costs it nothing, and is as fast where keys are many.
        """
        found: dict[bytes, bytes] = {}
        with self._gate, _translated:
            iterator = self._iterator()
        ascending = iter(sorted(keys))
        while chunk := list(islice(ascending, CHUNK)):
            with self._gate, _translated:
                for key in chunk:
                    iterator.seek(key)
                    at, value = next(iterator, (None, b""))
                    if at == key:
                        found[key] = value
        return found

    def iterate(self, start: bytes, stop: bytes) -> Iterator[Pair]:
        return self._chunks(lambda: self._iterator(start=start, stop=stop))

    def keys(self, start: bytes, stop: bytes) -> Iterator[bytes]:
        return self._chunks(
            lambda: self._iterator(start=start, stop=stop, include_value=False)
        )

    def key_reader(self) -> KeyReader:
        with self._gate, _translated:
            iterator = self._iterator(include_value=False)

        def read(low: bytes, high: bytes) -> list[bytes]:
            with self._gate, _translated:
                iterator.seek(low)
                return list(takewhile(high.__ge__, iterator))

        return read

    def _iterator(self, **bounds: Any) -> Any:
        return self._source.iterator(verify_checksums=True, **bounds)

    def _chunks(self, start: Callable[[], Any]) -> Iterator[Any]:
        """All that an iterator gives, without staying inside the gate meanwhile."""
        iterator = None
        wanted = found = FIRST_CHUNK
        while found == wanted:
            # Many readers want a few only; the others soon get large chunks.
            wanted = FIRST_CHUNK if iterator is None else min(4 * wanted, CHUNK)
            with self._gate, _translated:
                iterator = start() if iterator is None else iterator
                chunk = list(islice(iterator, wanted))
            found = len(chunk)
            yield from chunk


def _open(path: Path, create: bool) -> Any:
    with _translated:
        return plyvel.DB(str(path), create_if_missing=create, **_SETTINGS)


def _point_to_manifest(path: Path) -> bool:
    """Mends a CURRENT that names a manifest which is not there; whether it could.

    LevelDB removes a new manifest when renaming CURRENT reports a failure, even if the
    rename was done.  The manifest before it is still there, and so is every file that
    it needs: they are removed only after a rename that went well.
    """
    found = sorted(one.name for one in path.glob("MANIFEST-*"))
    if not found:
        return False
    write_durably(path / "CURRENT", f"{found[-1]}\n".encode())
    return True


class LevelSnapshot(LevelReader):
    """A frozen state.  Given back to LevelDB by the store, never by a finalizer: that
    could run in any thread, while another one closes the database."""

    __slots__ = ("_dropped",)

    def __init__(self, source: Any, gate: Gate, dropped: deque[Any]) -> None:
        super().__init__(source, gate)
        self._dropped = dropped

    def __del__(self) -> None:
        self._dropped.append(self._source)


class LevelStore(LevelReader):
    """One open LevelDB database."""

    __slots__ = ("_dropped", "_live", "_path", "_unerased")

    def __init__(self, path: Path, database: Any) -> None:
        super().__init__(database, Gate())
        self._path = path
        # Snapshots in use, and those whose last reader is gone.
        self._live: dict[int, Any] = {}
        self._dropped: deque[Any] = deque()
        self._unerased: list[bytes] = []

    @classmethod
    def open(cls, path: Path, create: bool = False) -> LevelStore:
        """The database in the folder `path`.

        Raises StoreLockedError, CorruptStoreError, or StoreError where there is none
        and `create` is not set.
        """
        if not create and not (path / "CURRENT").is_file():
            raise StoreError(f"no database in {path}")
        try:
            return cls(path, _open(path, create))
        except CorruptStoreError as error:
            if DANGLING not in str(error) or not _point_to_manifest(path):
                raise
            return cls(path, _open(path, create))

    def write(self, puts: Sequence[Pair], deletes: Sequence[bytes] = ()) -> None:
        with self._gate, _translated:
            batch = self._source.write_batch(sync=True)
            put = batch.put
            for key, value in puts:
                put(key, value)
            for key in deletes:
                batch.delete(key)
            batch.write()
            self._sync_names()

    def _sync_names(self) -> None:
        """LevelDB syncs a new write log, but not always the folder that names it."""
        try:
            sync_folder(self._path)
        except OSError as error:
            raise file_error(self._path, error) from error

    def erase(self, keys: Sequence[bytes]) -> bool:
        with self._gate, _translated:
            self._release_dropped()
            self._erase(keys)
            seen = [key for key in keys if self._is_seen(key)]
            self._unerased = list({*self._unerased, *seen})
            return not seen

    def _is_seen(self, key: bytes) -> bool:
        """Whether a snapshot in use is from before the key was deleted."""
        return any(one.get(key) is not None for one in self._live.values())

    def _erase(self, keys: Sequence[bytes]) -> None:
        """A compaction drops what a deletion above it hides.  A value and its deletion
        from one memory table come to lie in one file, which may be the lowest there is
        and never be rewritten: so each key is deleted once more, above that file."""
        for key in keys:
            bounds = {"start": key, "stop": key + b"\x00"}
            self._source.compact_range(**bounds)
            self._source.delete(key, sync=True)
            self._source.compact_range(**bounds)

    def snapshot(self) -> LevelSnapshot:
        with self._gate, _translated:
            self._release_dropped()
            source = self._source.snapshot()
            self._live[id(source)] = source
            return LevelSnapshot(source, self._gate, self._dropped)

    def _release_dropped(self) -> None:
        while self._dropped:
            source = self._dropped.popleft()
            self._live.pop(id(source), None)
            source.close()

    def require_room(self) -> None:
        try:
            disk = os.statvfs(self._path)
        except OSError as error:
            raise file_error(self._path, error) from error
        wanted = min(ROOM_BYTES, disk.f_blocks * disk.f_frsize // 20)
        free = disk.f_bavail * disk.f_frsize
        if free < wanted:
            raise disk_full(f"{free:,} bytes are left, {wanted:,} are kept free")

    def close(self) -> None:
        if self._gate.shut():
            for source in self._live.values():
                source.close()
            self._live.clear()
            # Erased again at the next start, should it fail now.
            with suppress(plyvel.Error):
                self._erase(self._unerased)
            self._source.close()
