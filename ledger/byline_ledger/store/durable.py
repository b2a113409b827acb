"""Small files that survive a crash: whole, or as they were before.

Rule: write aside, sync the file, move it into place, sync the folder.  A file left over
beside the real one is from a crash and is removed; the node's lock makes sure
that nobody else writes here.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from byline_ledger.errors import StoreError
from byline_ledger.store.damage import disk_full

PRIVATE = 0o600
"""Mode of every file of a node: its owner alone reads and writes."""


def write_durably(path: Path, data: bytes, *, mode: int = PRIVATE) -> None:
    """Replaces the file at `path`, or makes it.  Raises StoreError."""
    try:
        aside = _write_aside(path, data, mode)
        aside.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise file_error(path, error) from error


def create_durably(path: Path, data: bytes) -> None:
    """Makes a file that must not be there yet.  Raises StoreError."""
    try:
        aside = _write_aside(path, data)
        # Unlike a rename, a link never replaces what is there.
        os.link(aside, path)
        aside.unlink()
        sync_folder(path.parent)
    except OSError as error:
        raise file_error(path, error) from error


def remove_durably(path: Path) -> None:
    """Removes the file, if it is there.  Raises StoreError."""
    try:
        path.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise file_error(path, error) from error


def make_folder(path: Path) -> None:
    """Makes the folder, for its owner alone, and its parents.  Raises StoreError."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise file_error(path, error) from error


def remove_folder(path: Path) -> None:
    """Removes a folder of files, itself included.  Raises StoreError."""
    try:
        for file in path.iterdir():
            file.unlink()
        path.rmdir()
        sync_folder(path.parent)
    except OSError as error:
        raise file_error(path, error) from error


def read_small(path: Path, limit: int) -> bytes | None:
    """The file's bytes, None if there is none.  StoreError, also above `limit`."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise file_error(path, error) from error
    if len(data) > limit:
        raise StoreError(f"{path}: expected at most {limit} bytes")
    return data


def sync_folder(folder: Path) -> None:
    """Makes names in the folder durable; fsync of a file need not.  OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_error(path: Path, error: OSError) -> StoreError:
    """An operating system's refusal in one line."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return disk_full(f"{path}: {error.strerror or error}")
    hint = None
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        hint = "check who owns the folder and that it may be written"
    return StoreError(f"{path}: {error.strerror or error}", hint=hint)


def _write_aside(path: Path, data: bytes, mode: int = PRIVATE) -> Path:
    aside = path.with_name(path.name + ".new")
    # What a crash left may still be linked to the real file: never write into it.
    aside.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    descriptor = os.open(aside, flags, PRIVATE)
    try:
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            file.write(data)
        if mode != PRIVATE:
            # Only now, and not on opening, where the umask would take from it.
            os.fchmod(descriptor, mode)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return aside
