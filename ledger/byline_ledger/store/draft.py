"""A folder that is there whole or not at all: made aside, synced, moved into place.

Rule: until everything in it is certain to stay it has another name, that of the folder
and `.unfinished`.  A draft that a crash left is emptied by the next attempt, and by
nothing else; two attempts at a time are refused.  Whatever else has that name was put
there by somebody else: it is neither followed nor emptied nor written into.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from byline_ledger.errors import StoreLockedError, UsageError
from byline_ledger.store.durable import PRIVATE, file_error, make_folder, sync_folder

SUFFIX = ".unfinished"
CHUNK = 1 << 20
FOR_OWNER = 0o700

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
    with _held(draft) as descriptor:
        try:
            _empty(descriptor)
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
def _held(folder: Path) -> Iterator[int]:
    """A descriptor of the folder, which is made if need be, for us alone."""
    try:
        descriptor = _open_own(folder)
    except OSError as error:
        raise file_error(folder, error) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreLockedError(f"another program is writing {folder}") from None
        yield descriptor
    finally:
        os.close(descriptor)


def _open_own(folder: Path) -> int:
    """Opens the folder itself, never what a link at its name leads to.  OSError."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir(mode=FOR_OWNER)
    sync_folder(folder.parent)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(descriptor).st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, "it belongs to another user")
        os.fchmod(descriptor, FOR_OWNER)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _empty(folder: int) -> None:
    """By descriptor: the name may lead elsewhere by now.  OSError."""
    for name in os.listdir(folder):
        if stat.S_ISDIR(os.lstat(name, dir_fd=folder).st_mode):
            shutil.rmtree(name, dir_fd=folder)
        else:
            os.unlink(name, dir_fd=folder)


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
