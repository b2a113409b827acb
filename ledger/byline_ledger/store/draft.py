"""A folder that is there whole or not at all: made aside, synced, moved into place.

Rule: until everything in it is certain to stay it has another name, that of the folder
and `.unfinished`.  A draft that a crash left is removed by the next attempt, and by
nothing else; two attempts at a time are refused.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from byline_ledger.errors import StoreLockedError, UsageError
from byline_ledger.store.durable import PRIVATE, file_error, make_folder, sync_folder

SUFFIX = ".unfinished"
CHUNK = 1 << 20

Copied = Callable[[int], None]
"""Told the number of bytes of each piece."""


@contextmanager
def draft_of(target: Path) -> Iterator[Path]:
    """The draft; moved to `target` at the end, removed if anything fails.

    Raises UsageError if there is something at `target` but an empty folder,
    StoreLockedError, StoreError.
    """
    require_free(target)
    draft = target.with_name(target.name + SUFFIX)
    make_folder(draft)
    with _held(draft):
        try:
            _empty(draft)
            yield draft
            sync_folder(draft)
            # A folder takes the place of an empty one, and of no other.
            draft.rename(target)
            sync_folder(target.parent)
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            raise file_error(target, error) from error
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise


def require_free(target: Path) -> None:
    """UsageError if there is something, but for an empty folder."""
    try:
        is_free = not any(target.iterdir())
    except FileNotFoundError:
        is_free = not target.is_symlink()
    except NotADirectoryError:
        is_free = False
    except OSError as error:
        raise file_error(target, error) from error
    if not is_free:
        raise UsageError(
            f"{target} is not empty: nothing is written over it",
            hint="name a folder that is not there yet",
        )


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise file_error(folder, error) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreLockedError(f"another program is writing {folder}") from None
        yield
    finally:
        os.close(descriptor)


def _empty(folder: Path) -> None:
    for left in folder.iterdir():
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        else:
            left.unlink()


def copy_file(source: Path, target: Path, copied: Copied = lambda _bytes: None) -> None:
    """Copies a file for its owner alone, synced.  OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    descriptor = os.open(target, flags, PRIVATE)
    with source.open("rb") as read, os.fdopen(descriptor, "wb") as write:
        while chunk := read.read(CHUNK):
            write.write(chunk)
            copied(len(chunk))
        write.flush()
        os.fsync(write.fileno())


def copy_also(
    source: Path, target: Path, names: tuple[str, ...], copied: Copied = lambda _n: None
) -> None:
    """Copies files of these names, and folders with nothing but files in them, as far
    as they are there.  OSError."""
    for name in names:
        place = source / name
        if place.is_dir():
            make_folder(target / name)
            for file in sorted(place.iterdir()):
                if file.is_file():
                    copy_file(file, target / name / file.name, copied)
            sync_folder(target / name)
        elif place.is_file():
            copy_file(place, target / name, copied)
