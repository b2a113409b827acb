"""Reading and writing the files that commands are given, with one clear line each."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from byline_ledger.errors import NotFoundError, StoreError, UsageError


def require_new(path: Path) -> None:
    """Raises UsageError if anything is there, before work is done for it."""
    if os.path.lexists(path):
        raise exists(path)


def exists(path: Path) -> UsageError:
    return UsageError(f"{path} exists", hint="remove it first, or choose another name")


def write_new_file(path: Path, data: bytes) -> None:
    """Create a file with these bytes, synced; raises UsageError if it exists."""
    try:
        with path.open("xb") as file:
            try:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                path.unlink()
                raise
    except FileExistsError:
        raise exists(path) from None
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from None


def replace_file(path: Path, data: bytes) -> None:
    """Puts these bytes in the place of a file, durably; who may read it stays so."""
    from byline_ledger.store.durable import write_durably

    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from None
    write_durably(path, data, mode=mode)


def read_file(path: Path, limit: int, hint: str | None = None) -> bytes:
    """The bytes of a file of at most `limit` bytes; `hint` for one that is larger."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError:
        raise NotFoundError(f"{path} does not exist") from None
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder; name one file") from None
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from None
    if len(data) > limit:
        raise UsageError(f"{path} is larger than {limit:,} bytes", hint=hint)
    return data
