"""The files of a node: its secret, its log's origin, its lock, and where the rest lies.

    secret      32 random bytes in hex; every key of the node derives from it
    origin      name of its log, with a random part: a new folder is always a new log
    lock        held by the process that uses the folder
    guard       the last tree signed (guard.py)
    restored    there while the end of the log is uncertain (restored.py)
    reserve     room that a full disk leaves for opening the database (reserve.py)
    database    LevelDB (leveldb.py)
    lookup      the lookup set's skeleton as of the last orderly stop; may be deleted

Rule: secret and origin are made once and never replaced.  `origin` is written last, so
that a folder with an origin is complete.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from byline_ledger.checkpoint import check_origin
from byline_ledger.errors import (
    CorruptStoreError,
    MalformedError,
    NotFoundError,
    StoreError,
    StoreLockedError,
    UsageError,
)
from byline_ledger.note import check_name
from byline_ledger.store.durable import (
    PRIVATE,
    create_durably,
    file_error,
    make_folder,
    read_small,
)
from byline_ledger.store.guard import Guard, write_guard

DEFAULT_NAME = "byline.internal"
SECRET_BYTES = 32
_HEX = re.compile(rb"[0-9a-f]{64}\n")
_MAX_BYTES = 1024


@dataclass(frozen=True, slots=True)
class NodeFiles:
    """Paths within a node's folder."""

    folder: Path

    @property
    def secret(self) -> Path:
        return self.folder / "secret"

    @property
    def origin(self) -> Path:
        return self.folder / "origin"

    @property
    def lock(self) -> Path:
        return self.folder / "lock"

    @property
    def guard(self) -> Path:
        return self.folder / "guard"

    @property
    def restored(self) -> Path:
        return self.folder / "restored"

    @property
    def reserve(self) -> Path:
        return self.folder / "reserve"

    @property
    def database(self) -> Path:
        return self.folder / "database"

    @property
    def lookup(self) -> Path:
        return self.folder / "lookup"

    def is_node(self) -> bool:
        """Whether a node was made here.  Raises StoreError where we may not know."""
        try:
            return self.origin.exists()
        except OSError as error:
            raise StoreError(
                f"cannot read {self.folder}: {error.strerror}",
                hint="run this as the user that the node runs as",
            ) from None

    def require_node(self) -> None:
        """Raises NotFoundError."""
        if not self.is_node():
            raise NotFoundError(
                f"there is no node in {self.folder}",
                hint="make one with `byline node init`",
            )

    def read_secret(self) -> bytes:
        """32 bytes.  Raises StoreError if lost, damaged or open to other users."""
        data = read_small(self.secret, _MAX_BYTES)
        if data is None:
            raise StoreError(
                f"{self.secret} is missing", hint="restore it from a backup"
            )
        if self.secret.stat().st_mode & 0o077:
            raise StoreError(
                f"{self.secret} can be read by other users",
                hint=f"run `chmod 600 {self.secret}`",
            )
        if not _HEX.fullmatch(data):
            raise CorruptStoreError(
                f"{self.secret}: expected 64 hex digits and a newline"
            )
        return bytes.fromhex(data.decode())

    def read_origin(self) -> str:
        """The log's name.  Raises NotFoundError or CorruptStoreError."""
        data = read_small(self.origin, _MAX_BYTES)
        if data is None:
            self.require_node()
            raise StoreError(f"{self.origin} is missing")
        try:
            return check_origin(data.decode().removesuffix("\n"))
        except (UnicodeDecodeError, MalformedError) as error:
            raise CorruptStoreError(
                f"{self.origin}: expected the name of a log"
            ) from error


def successor(folder: Path) -> Path:
    """Where a new log for this node is made, before it takes the old one's place."""
    return folder.with_name(folder.name + ".next")


def init_node(folder: Path, name: str = DEFAULT_NAME) -> str:
    """Makes the files of a new node; returns the origin `<name>/<32 hex digits>`.

    Picks up where a crash left an earlier attempt.  Raises UsageError if there is a
    node already or the name cannot be part of an origin; StoreError, StoreLockedError.
    """
    origin = _new_origin(name)
    files = NodeFiles(folder)
    if successor(folder).exists():
        raise StoreError(
            f"{successor(folder)} waits to take the place of {folder}",
            hint="finish it with: byline node recover --new-origin NAME",
        )
    make_folder(folder)
    with FolderLock(files.lock):
        if files.is_node():
            raise UsageError(
                f"there is a node in {folder} already",
                hint="choose another folder for a new one",
            )
        if files.database.exists():
            raise StoreError(
                f"{folder} holds a database, but {files.origin} is missing",
                hint="restore it from a backup, or choose another folder",
            )
        if not files.secret.exists():
            secret = secrets.token_hex(SECRET_BYTES)
            create_durably(files.secret, f"{secret}\n".encode())
        write_guard(files.guard, Guard.start(origin))
        create_durably(files.origin, f"{origin}\n".encode())
    return origin


def _new_origin(name: str) -> str:
    try:
        return check_origin(f"{check_name(name)}/{secrets.token_hex(16)}")
    except MalformedError as error:
        raise UsageError(f"a log cannot be called {name[:64]!r}: {error}") from error


class FolderLock:
    """Exclusive use of a node's folder, until released or the process ends."""

    __slots__ = ("_descriptor",)

    def __init__(self, path: Path) -> None:
        """Raises StoreLockedError at once if another holder is alive."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE)
        except OSError as error:
            raise file_error(path, error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _locked(path, os.pread(descriptor, 32, 0), descriptor) from error
        except OSError as error:
            os.close(descriptor)
            raise file_error(path, error) from error
        self._descriptor: int | None = descriptor
        # Who holds it is a courtesy to the next one: a full disk is no reason to fail.
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Lets others in; safe to call twice."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __enter__(self) -> FolderLock:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.release()


def _locked(path: Path, holder: bytes, descriptor: int) -> StoreLockedError:
    os.close(descriptor)
    pid = holder.strip().decode("ascii", "replace")
    by = f" by process {pid}" if pid.isdigit() else ""
    return StoreLockedError(
        f"{path.parent} is in use{by}", hint="stop that process, or use its node's API"
    )
