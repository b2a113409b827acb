"""Room on the disk that is set aside, so that a full disk can still be opened.

Rule: LevelDB cannot be opened, not even to be read, where it cannot write down what its
last process left in its log.  So a node keeps a file of that size which holds nothing,
gives it up only when it cannot start without, and makes it again when there is room.
New statements are refused long before it is needed (Store.require_room).
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from byline_ledger.store.durable import PRIVATE, file_error, sync_folder

RESERVE_BYTES = 32 << 20
"""Twice the log that LevelDB writes before it begins another one."""
SMALLEST_DISK = 1 << 30
"""Bytes: on a smaller disk nothing is set aside."""
FREE_BYTES = 128 << 20
"""What must be free beside it for the reserve to be made."""


def keep_reserve(path: Path) -> bool:
    """Makes the file, unless it is there or there is no room; whether it is there."""
    try:
        disk = os.statvfs(path.parent)
        size = path.stat().st_size if path.exists() else 0
        if size >= RESERVE_BYTES:
            return True
        wanted = RESERVE_BYTES - size + FREE_BYTES
        if disk.f_blocks * disk.f_frsize < SMALLEST_DISK:
            return False
        if disk.f_bavail * disk.f_frsize < wanted:
            return False
        _allocate(path)
    except OSError:
        # It is a precaution: nothing that works without it may fail for it.
        with suppress(OSError):
            path.unlink(missing_ok=True)
        return False
    return True


def _allocate(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, PRIVATE)
    try:
        os.posix_fallocate(descriptor, 0, RESERVE_BYTES)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def release_reserve(path: Path) -> bool:
    """Gives the room up; False if there was none.  Raises StoreError."""
    try:
        path.unlink()
        sync_folder(path.parent)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise file_error(path, error) from error
    return True
