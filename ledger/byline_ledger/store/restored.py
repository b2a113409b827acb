"""The file `restored`: this folder was put back to an earlier state, or may have been.

    byline-restored/1                     byline-unconfirmed/1
    <origin>                              <origin>
    <size, decimal>                       <size>
    <time of the backup, Unix seconds>    <time when it was found>
                                          <why, 1 to 200 printable ASCII characters>

Rule: a backup knows nothing of what was signed after it, and its own guard file is as
old as it is.  So each backup holds this file, wherever it is put; and where the guard
file says nothing, or less than was signed, the file is made before anything is
repaired.  While it is there, the log is served and not signed.  Only somebody's word
removes it (`byline node recover`).  Specification: docs/spec/log.md, "Backups".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from byline_ledger.errors import CorruptStoreError
from byline_ledger.moment import LATEST, utc
from byline_ledger.store.durable import read_small, write_durably

MAX_BYTES = 1024
_FORM = re.compile(
    rb"byline-(?:restored|(?P<unconfirmed>unconfirmed))/1\n"
    rb"(?P<origin>[^\n]{1,255})\n"
    rb"(?P<size>0|[1-9][0-9]{0,18})\n"
    rb"(?P<time>0|[1-9][0-9]{0,11})\n"
    rb"(?(unconfirmed)(?P<reason>[ -~]{1,200})\n)"
)


@dataclass(frozen=True, slots=True)
class Restored:
    """What the log `origin` was when the backup was made, or when its end was found to
    be uncertain for a `reason` (`time`: Unix seconds)."""

    origin: str
    size: int
    time: int
    reason: str | None = None
    """None of a backup."""

    @property
    def is_backup(self) -> bool:
        """Whether the folder is one, or came out of one."""
        return self.reason is None

    def to_bytes(self) -> bytes:
        """The content of the file."""
        kind = "restored" if self.reason is None else "unconfirmed"
        lines = [f"byline-{kind}/1", self.origin, str(self.size), str(self.time)]
        lines += [] if self.reason is None else [self.reason]
        return "".join(f"{line}\n" for line in lines).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Restored:
        """Raises CorruptStoreError."""
        match = _FORM.fullmatch(data)
        if match is None or int(match["time"]) > LATEST:
            raise CorruptStoreError("the file `restored` is damaged")
        try:
            origin = match["origin"].decode()
        except UnicodeDecodeError as error:
            raise CorruptStoreError("the file `restored` is damaged") from error
        reason = match["reason"].decode() if match["unconfirmed"] else None
        return cls(origin, int(match["size"]), int(match["time"]), reason)

    @property
    def moment(self) -> str:
        """When it was, in UTC to the minute."""
        return utc(self.time)


def read_restored(path: Path) -> Restored | None:
    """None if there is no such file.  Raises CorruptStoreError or StoreError."""
    data = read_small(path, MAX_BYTES)
    return None if data is None else Restored.from_bytes(data)


def write_restored(path: Path, restored: Restored) -> None:
    """Durable when it returns.  Raises StoreError."""
    write_durably(path, restored.to_bytes())


def describe_restored(path: Path) -> str | None:
    """Why the end of a log is uncertain, in one line; None if there is no such file.

    A file that cannot be read says that the folder came from a backup all the same.
    """
    try:
        found = read_restored(path)
    except CorruptStoreError as error:
        return f"this node was restored from a backup ({error})"
    if found is None:
        return None
    if found.reason is not None:
        return f"nobody has confirmed the end of this log: {found.reason}"
    return (
        f"this node was restored from the backup of {found.moment}, with"
        f" {found.size:,} log entries"
    )
