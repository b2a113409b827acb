"""The file `restored`: this folder came out of a backup, and may be behind.

    byline-restored/1
    <origin>
    <size, decimal>
    <time of the backup, Unix seconds>

Rule: a backup knows nothing of what was signed after it, and its own guard file is as
old as it is.  So each backup holds this file, wherever it is put; while it is there,
the log is served and not signed.  `byline node recover` removes it.  Specification:
docs/spec/log.md, "Backups".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from byline_ledger.errors import CorruptStoreError
from byline_ledger.store.durable import read_small, write_durably

MAX_BYTES = 1024
LAST_DAY = 253_402_300_799
"""The last second of the year 9999."""
_FORM = re.compile(
    rb"byline-restored/1\n"
    rb"(?P<origin>[^\n]{1,255})\n"
    rb"(?P<size>0|[1-9][0-9]{0,18})\n"
    rb"(?P<time>0|[1-9][0-9]{0,11})\n"
)


@dataclass(frozen=True, slots=True)
class Restored:
    """What the log `origin` was when the backup was made (`time`: Unix seconds)."""

    origin: str
    size: int
    time: int

    def to_bytes(self) -> bytes:
        """The content of the file."""
        lines = f"byline-restored/1\n{self.origin}\n{self.size}\n{self.time}\n"
        return lines.encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Restored:
        """Raises CorruptStoreError."""
        match = _FORM.fullmatch(data)
        if match is None or int(match["time"]) > LAST_DAY:
            raise CorruptStoreError("the file `restored` is damaged")
        try:
            origin = match["origin"].decode()
        except UnicodeDecodeError as error:
            raise CorruptStoreError("the file `restored` is damaged") from error
        return cls(origin, int(match["size"]), int(match["time"]))

    @property
    def moment(self) -> str:
        """When the backup was made, in UTC to the minute."""
        return datetime.fromtimestamp(self.time, UTC).strftime("%Y-%m-%d %H:%M UTC")


def read_restored(path: Path) -> Restored | None:
    """None if there is no such file.  Raises CorruptStoreError or StoreError."""
    data = read_small(path, MAX_BYTES)
    return None if data is None else Restored.from_bytes(data)


def write_restored(path: Path, restored: Restored) -> None:
    """Durable when it returns.  Raises StoreError."""
    write_durably(path, restored.to_bytes())


def describe_restored(path: Path) -> str | None:
    """One line about the backup that a folder came from; None if from none.

    A file that cannot be read says that it came from one all the same.
    """
    try:
        found = read_restored(path)
    except CorruptStoreError as error:
        return f"this node was restored from a backup ({error})"
    if found is None:
        return None
    return (
        f"this node was restored from the backup of {found.moment}, with"
        f" {found.size:,} log entries"
    )
