"""Codes of one kind, packed in a file, and the scan over them; the only file that
imports numpy, and only when it is needed: it takes 12 MiB, and few nodes are ever asked
what is alike.

Rule: a record is one code (64 or 256 bits, big-endian) and a u64, what it is of;
records are only appended, or made empty in their place.  The file is read in blocks, so
a scan needs the memory of a block whatever the file's size, and a record that is being
written is not looked at.  Specification: docs/spec/similar.md, "The index".
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from byline_ledger.errors import CorruptStoreError, StoreError
from byline_node.fingerprint import missing_extra

if find_spec("numpy") is None:
    raise missing_extra()


def _numpy() -> Any:
    """When it is needed.  UsageError where it is of no use."""
    try:
        import numpy as np
    except ImportError:
        raise missing_extra() from None
    return np


BLOCK = 65_536
"""Records that are looked at at once: 2.6 MB of codes, and as much again for each of
what is compared."""
WORD = 8
EMPTY = 2**64 - 1
"""What the record of a statement that was taken down is of."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A record near enough: what it is of, and in how many bits it differs."""

    of: int
    distance: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Codes that are looked for; with `only`, among the records whose `of` has these
    bits (mask, value)."""

    codes: Sequence[bytes]
    only: tuple[int, int] | None = None


@dataclass(slots=True)
class CodeFile:
    """`words` 64-bit words a code; `count` records are sound, what follows is not."""

    path: Path
    words: int
    count: int = 0
    crc: int = 0
    """CRC-32 of the sound records."""

    @property
    def _dtype(self) -> Any:
        np = _numpy()

        return np.dtype([("code", ">u8", (self.words,)), ("of", ">u8")])

    @property
    def record(self) -> int:
        """Bytes of a record."""
        return (self.words + 1) * WORD

    def append(self, records: Iterable[tuple[bytes, int]]) -> None:
        """Adds codes (bytes) and what they are of."""
        data = b"".join(code + of.to_bytes(WORD, "big") for code, of in records)
        if not data:
            return
        try:
            with self.path.open("r+b" if self.path.exists() else "w+b") as file:
                file.seek(self.count * self.record)
                file.truncate()
                file.write(data)
        except OSError as error:
            raise _failed(self.path, error) from None
        self.count += len(data) // self.record
        self.crc = zlib.crc32(data, self.crc)

    def clear(self) -> None:
        """Removes the file and all that is known of it."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise _failed(self.path, error) from None
        self.count = self.crc = 0

    def is_sound(self) -> bool:
        """Whether the records are those that were written."""
        try:
            found = 0
            for block in self._blocks():
                found = zlib.crc32(block, found)
        except (CorruptStoreError, StoreError):
            return False
        return found == self.crc

    def erase(self, gone: list[int], shift: int) -> int:
        """Makes the records empty that are `of` one of these, but for the last `shift`
        bits; how many there were."""
        np = _numpy()

        erased, crc, at = 0, 0, 0
        wanted = np.array(gone, np.uint64)
        try:
            with self.path.open("r+b") as file:
                for data in self._blocks():
                    block = np.frombuffer(data, self._dtype).copy()
                    found = np.isin(block["of"] >> np.uint64(shift), wanted)
                    if found.any():
                        block["code"][found] = 0
                        block["of"][found] = EMPTY
                        file.seek(at)
                        file.write(block.tobytes())
                        erased += int(found.sum())
                    crc = zlib.crc32(block.tobytes(), crc)
                    at += len(data)
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise _failed(self.path, error) from None
        self.crc = crc
        return erased

    def scan(
        self, wanted: Sequence[Wanted], limit: int, shift: int, most: int
    ) -> Iterator[tuple[int, list[Hit]]]:
        """Block by block: before what all was looked at, and the nearest `most` within
        `limit` bits of what is wanted; what a record is of counts without its last
        `shift` bits, and once, with the smallest distance."""
        np = _numpy()

        for data in self._blocks():
            block = np.frombuffer(data, self._dtype)
            of = block["of"].astype(np.uint64)
            kept = of != np.uint64(EMPTY)
            stored, of = block["code"][kept].astype(np.uint64), of[kept]
            if not len(of):
                continue
            least: Any = np.full(len(of), 64 * self.words, np.uint16)
            for one in wanted:
                rows: Any = slice(None)
                if one.only is not None:
                    mask, value = map(np.uint64, one.only)
                    rows = np.flatnonzero((of & mask) == value)
                bits = nearest(stored[rows], one.codes)
                least[rows] = np.minimum(least[rows], bits)
            index = of >> np.uint64(shift)
            yield int(index[-1]), hits(index, least, limit, most)

    def _blocks(self) -> Iterator[bytes]:
        """The sound records, in blocks.  CorruptStoreError if there are fewer."""
        left = self.count
        if not left:
            return
        try:
            with self.path.open("rb") as file:
                while left:
                    want = min(left, BLOCK)
                    data = file.read(want * self.record)
                    if len(data) < want * self.record:
                        raise CorruptStoreError(f"{self.path} was cut off")
                    left -= want
                    yield data
        except OSError as error:
            raise _failed(self.path, error) from None


def nearest(stored: Any, codes: Sequence[bytes]) -> Any:
    """For each stored code, the bits in which it differs from the nearest of these."""
    np = _numpy()

    words = stored.shape[1]
    least: Any = np.full(len(stored), 64 * words, np.uint16)
    asked = np.frombuffer(b"".join(codes), ">u8").reshape(-1, words)
    for code in asked.astype(np.uint64):
        bits = np.bitwise_count(stored ^ code)
        np.minimum(least, bits.sum(axis=1, dtype=np.uint16), out=least)
    return least


def hits(index: Any, least: Any, limit: int, most: int) -> list[Hit]:
    """The nearest of one block, each index once; of those as near the first."""
    np = _numpy()

    near = np.flatnonzero(least <= limit)
    index, least = index[near], least[near]
    order = np.lexsort((index, least))
    first = np.sort(np.unique(index[order], return_index=True)[1])
    return [Hit(int(index[at]), int(least[at])) for at in order[first[:most]]]


def _failed(path: Path, error: OSError) -> StoreError:
    return StoreError(f"{path}: {error.strerror or error}")
