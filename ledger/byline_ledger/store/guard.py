"""The guard file: the last tree this node signed, kept outside its database.

    byline-guard/1
    <origin>
    <size, decimal>
    <root, 64 hex digits>
    <SHA-256 of the lines above, 64 hex digits>

Rule: a database that is behind its guard was rolled back, by a restore or a lost write;
to sign on would give two histories to one log, so it is only served.  The guard is
written after the database and before anything is released.  Specification:
docs/spec/log.md, "Never two histories".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from byline_ledger.errors import CorruptStoreError, InconsistentLogError
from byline_ledger.merkle import EMPTY_ROOT
from byline_ledger.store.durable import read_small, write_durably

MAX_BYTES = 1024
_FORM = re.compile(
    rb"(byline-guard/1\n"
    rb"(?P<origin>[^\n]{1,255})\n"
    rb"(?P<size>0|[1-9][0-9]{0,18})\n"
    rb"(?P<root>[0-9a-f]{64})\n)"
    rb"(?P<sum>[0-9a-f]{64})\n"
)


@dataclass(frozen=True, slots=True)
class Guard:
    """Size and 32-byte root of the last signed tree of the log `origin`."""

    origin: str
    size: int
    root: bytes

    @classmethod
    def start(cls, origin: str) -> Guard:
        """Of a log that has signed nothing yet."""
        return cls(origin, 0, EMPTY_ROOT)

    def to_bytes(self) -> bytes:
        """The content of the guard file."""
        lines = f"byline-guard/1\n{self.origin}\n{self.size}\n{self.root.hex()}\n"
        text = lines.encode()
        return text + hashlib.sha256(text).hexdigest().encode() + b"\n"

    @classmethod
    def from_bytes(cls, data: bytes) -> Guard:
        """Raises CorruptStoreError."""
        match = _FORM.fullmatch(data)
        if (
            match is None
            or hashlib.sha256(match[1]).hexdigest().encode() != match["sum"]
        ):
            raise CorruptStoreError("the guard file is damaged")
        try:
            origin = match["origin"].decode()
        except UnicodeDecodeError as error:
            raise CorruptStoreError("the guard file is damaged") from error
        return cls(origin, int(match["size"]), bytes.fromhex(match["root"].decode()))


def read_guard(path: Path) -> Guard | None:
    """None if there is no guard file.  Raises CorruptStoreError or StoreError."""
    data = read_small(path, MAX_BYTES)
    return None if data is None else Guard.from_bytes(data)


def write_guard(path: Path, guard: Guard) -> None:
    """Durable when it returns.  Raises StoreError."""
    write_durably(path, guard.to_bytes())


def compare_guard(
    guard: Guard, stored: Guard, previous: int, root_at: Callable[[int], bytes]
) -> str | None:
    """Why the log `stored` must not be signed any further; None if it may be.

    `previous` is the size of the last tree but one: a crash between the database's
    write and the guard's leaves the guard there, and nowhere else.  `root_at(size)`
    gives the stored log's earlier roots.  Raises InconsistentLogError if the two are
    not of one history.
    """
    if guard.origin != stored.origin:
        return f"the guard file is that of another log, {guard.origin}"
    if guard.size > stored.size:
        return f"the database has {stored.size} entries, but {guard.size} were signed"
    if root_at(guard.size) != guard.root:
        raise InconsistentLogError(
            f"the database and the guard file hold different trees of {guard.size}"
            f" entries of {guard.origin}",
            hint="restore both from one backup, or start a new node",
        )
    if guard.size not in (previous, stored.size):
        return f"the guard file is from an earlier time, {guard.size} entries"
    return None
