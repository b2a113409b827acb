"""Fingerprints of many files, in threads, of the very bytes that were attested.

Rule: a file is read once for all of its codes and for its digest; if that is another
than it was, it changed, and has no fingerprints.  One file that cannot be read never
stops the others.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from byline_ledger.digest import CHUNK_SIZE, SHA256_PREFIX
from byline_ledger.errors import StoreError
from byline_node.fingerprint import (
    MAX_BYTES,
    Asked,
    Found,
    fingerprint,
    question_about,
    require_extra,
)

THREADS = max(1, min(4, os.cpu_count() or 1))
AHEAD = 2 * THREADS
"""Files handed to the threads before the first is taken back."""

T = TypeVar("T")


def fingerprint_files(
    files: Iterable[tuple[Path, bytes]], advance: Callable[[int], None]
) -> Iterator[Found]:
    """Of each file and its multihash, in order; `advance` is called with 1 for each.

    UsageError where the extra is not installed.
    """
    require_extra()
    running: deque[Future[Found]] = deque()
    with ThreadPoolExecutor(THREADS, thread_name_prefix="fingerprint") as pool:
        try:
            for path, digest in files:
                running.append(pool.submit(fingerprint_file, path, digest))
                if len(running) > AHEAD:
                    yield running.popleft().result()
                    advance(1)
            while running:
                yield running.popleft().result()
                advance(1)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def fingerprint_file(path: Path, digest: bytes) -> Found:
    """Of one file, if it still is what was hashed (multihash)."""
    try:
        found, now = _read(path, fingerprint)
    except StoreError as error:
        return Found(None, str(error))
    if now != digest:
        return Found(None, "it changed while it was read")
    return found


def ask_about_file(path: Path) -> Asked:
    """What to ask a node about a file.  StoreError, UsageError."""
    require_extra()
    return _read(path, question_about)[0]


def _read(
    path: Path, make: Callable[[Iterable[bytes], bytes | None], T]
) -> tuple[T, bytes]:
    """What is made of the file, and its multihash, of one reading."""
    try:
        with path.open("rb") as file:
            start = file.read(MAX_BYTES + 1)
            hasher = sha256(start)

            def chunks() -> Iterator[bytes]:
                yield start
                while chunk := file.read(CHUNK_SIZE):
                    hasher.update(chunk)
                    yield chunk

            made = make(chunks(), start if len(start) <= MAX_BYTES else None)
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror or error}") from None
    return made, SHA256_PREFIX + hasher.digest()
