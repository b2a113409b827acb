"""A log's files in a folder that any web server can serve.

Rule: a file is there whole or not at all: written aside, synced, moved into place.
What `settle` returned for survives a crash, names included.  One program writes to the
folder at a time; whoever reads it needs to ask nobody.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from byline_ledger.errors import (
    NotFoundError,
    StoreLockedError,
    UsageError,
)
from byline_ledger.log_files import VKEY
from byline_ledger.store.durable import file_error, sync_folder

INCOMING = ".incoming"
"""Folder for files that are being written; whatever a crash left there goes."""


class FolderFiles:
    """The files below `folder`, to read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = str(folder)

    def get(self, path: str, limit: int) -> bytes:
        """See log_source.Files.get; anything but a regular file is not found."""
        place = self.folder / path
        try:
            if not place.is_file():
                raise NotFoundError(f"{self.folder} has no {path}")
            with place.open("rb") as file:
                return file.read(limit + 1)
        except OSError as error:
            raise file_error(place, error) from error

    def close(self) -> None:
        """Nothing to do."""


class FolderTarget(FolderFiles):
    """The same, to write as well; `put` and `delete` may come from many threads."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder.  UsageError if it holds something else than a log's files;
        StoreLockedError while another program writes there."""
        super().__init__(folder)
        self._changed: set[Path] = set()
        try:
            self._is_new = not folder.exists()
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = lock_folder(folder)
            require_ours(folder)
            clear(folder / INCOMING)
        except OSError as error:
            raise file_error(folder, error) from error

    def put(self, path: str, data: bytes) -> None:
        """Writes or replaces a file; its name is durable after `settle`."""
        place = self.folder / path
        aside = self.folder / INCOMING / path.replace("/", "+")
        try:
            self._make_parents(place.parent)
            with aside.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(place)
        except OSError as error:
            raise file_error(place, error) from error
        self._changed.add(place.parent)

    def delete(self, path: str) -> None:
        """Removes a file, if it is there."""
        place = self.folder / path
        try:
            place.unlink(missing_ok=True)
        except OSError as error:
            raise file_error(place, error) from error
        self._changed.add(place.parent)

    def settle(self) -> None:
        """Returns once all that was put and deleted is certain to stay so."""
        waiting, self._changed = self._changed, set()
        try:
            for folder in waiting:
                if folder.is_dir():
                    sync_folder(folder)
        except OSError as error:
            raise file_error(self.folder, error) from error

    def close(self) -> None:
        """Ends the lock; a folder made for nothing goes again."""
        with suppress(OSError):
            (self.folder / INCOMING).rmdir()
            if self._is_new:
                self.folder.rmdir()  # fails unless it is empty
        os.close(self._lock)

    def _make_parents(self, folder: Path) -> None:
        if not folder.is_dir():
            self._make_parents(folder.parent)
            folder.mkdir(exist_ok=True)
            self._changed.add(folder.parent)


def lock_folder(folder: Path) -> int:
    """A descriptor that holds the folder until it is closed."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise StoreLockedError(f"another program is writing to {folder}") from None
    return descriptor


def require_ours(folder: Path) -> None:
    """UsageError for a folder of somebody's that is no copy of a log."""
    others = {one.name for one in folder.iterdir()} - {INCOMING}
    if others and VKEY not in others:
        raise UsageError(
            f"{folder} is not empty and holds no log", hint="name a new folder"
        )


def clear(folder: Path) -> None:
    """The folder, empty; it never has folders in it."""
    folder.mkdir(exist_ok=True)
    for left in folder.iterdir():
        left.unlink()
