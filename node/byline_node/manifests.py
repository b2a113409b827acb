"""Manifests as files: opened by what they begin with, written in one piece.

Everything that takes a list of works reads it here: `open_manifest` yields rows and
bad lines of a CSV file, a hash list or a Parquet file, in bounded memory.  What a line
is: byline_ledger/manifest.py.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from byline_ledger.digest import digest_stream
from byline_ledger.errors import (
    MalformedError,
    NotFoundError,
    StoreError,
    UsageError,
)
from byline_ledger.manifest import (
    BadLine,
    Line,
    ManifestRow,
    header_line,
    read_manifest,
    row_line,
)
from byline_ledger.manifest_tree import ManifestSum

CHUNK = 1 << 18
PARQUET_MAGIC = b"PAR1"
PARQUET_SUFFIX = ".parquet"

Advance = Callable[[int], None]


def open_manifest(path: Path, advance: Advance = lambda _bytes: None) -> Iterator[Line]:
    """The lines of a manifest.  MalformedError for a file that is none.

    `advance` is called with numbers of bytes that were read; they add up to the file's
    size, whatever its format.
    """
    with readable(path) as file:
        magic = file.read(len(PARQUET_MAGIC))
        if magic == PARQUET_MAGIC:
            from byline_node.parquet_manifest import read_parquet

            yield from read_parquet(path, advance)
            return
        advance(len(magic))
        try:
            yield from read_manifest(chunks(file, magic, advance))
        except MalformedError as error:
            raise MalformedError(f"{path}: {error}", hint=error.hint) from None


def chunks(file: BinaryIO, first: bytes, advance: Advance) -> Iterator[bytes]:
    """What was read of a file, and the rest of it."""
    yield first
    while chunk := file.read(CHUNK):
        advance(len(chunk))
        yield chunk


def rows_of(
    path: Path, advance: Advance = lambda _bytes: None
) -> Iterator[ManifestRow]:
    """The rows of a manifest; UsageError at a bad line."""
    for line in open_manifest(path, advance):
        if isinstance(line, BadLine):
            raise UsageError(
                f"{path} has lines that do not parse, the first of them line "
                f"{line.number}: {line.reason}",
                hint="byline collection create writes one without them",
            )
        yield line


def entries(path: Path, advance: Advance = lambda _bytes: None) -> Iterator[bytes]:
    """The digests of a manifest's rows; UsageError at a bad line."""
    return (row.digest for row in rows_of(path, advance))


def sum_up(path: Path, advance: Advance = lambda _bytes: None) -> ManifestSum:
    """Count, bytes and root of a manifest, and its number of bad lines."""
    total = ManifestSum()
    for line in open_manifest(path, advance):
        total.add_line(line)
    return total


def manifest_digest(path: Path, advance: Advance = lambda _bytes: None) -> bytes:
    """The multihash of a manifest's own bytes."""
    with readable(path) as file:
        return digest_stream(file, progress=advance)[0]


@contextlib.contextmanager
def readable(path: Path) -> Iterator[BinaryIO]:
    """A regular file, open; one clear error for anything else."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder, expected a manifest")
    if not path.is_file():
        missing = "is not a file" if path.exists() else "does not exist"
        raise NotFoundError(f"{path} {missing}")
    try:
        file = path.open("rb")
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from None
    with file:
        yield file


def write_manifest(path: Path, rows: Iterable[ManifestRow]) -> ManifestSum:
    """Write a new manifest, as Parquet if its name ends so; what was written.

    Nothing is at `path` until it is whole.  UsageError if something is there.
    """
    if os.path.lexists(path):
        raise UsageError(
            f"{path} exists", hint="remove it first, or choose another name"
        )
    part = path.with_name(path.name + ".part")
    try:
        total = write_part(part, rows, parquet=path.suffix == PARQUET_SUFFIX)
        part.replace(path)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
    return total


def write_part(
    part: Path, rows: Iterable[ManifestRow], *, parquet: bool
) -> ManifestSum:
    """The rows in a file, synced."""
    total = ManifestSum()
    summed = adding(rows, total)
    if parquet:
        from byline_node.parquet_manifest import write_parquet

        write_parquet(part, summed)
    else:
        with part.open("w", encoding="utf-8", newline="") as file:
            file.write(header_line())
            for row in summed:
                file.write(row_line(row))
    with part.open("rb") as file:
        os.fsync(file.fileno())
    return total


def adding(rows: Iterable[ManifestRow], total: ManifestSum) -> Iterator[ManifestRow]:
    """The rows, while they are summed up."""
    for row in rows:
        total.add(row.digest, row.bytes)
        yield row


def require_manifest(path: Path) -> None:
    """Raises what `open_manifest` would raise at its start, before work is done."""
    first = next(open_manifest(path), None)
    if first is None:
        raise MalformedError(f"{path} is empty: no manifest")
