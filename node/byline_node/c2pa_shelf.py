"""Manifests that a node keeps for whoever finds a work without them.

Rule (docs/spec/content-credentials.md, "Left with a node"): files beside the store, of
a bounded number and size, each kept for a statement of the log.  What was withdrawn or
taken down is not given out.  Losing the folder loses no proof: nothing of ours rests
on it.
"""

from __future__ import annotations

import base64
import binascii
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from byline_ledger.content import read_work
from byline_ledger.digest import multihash
from byline_ledger.errors import NotFoundError, RedactedError, StoreError
from byline_ledger.fingerprint_codes import Codes, codes_of
from byline_ledger.statement import Statement
from byline_ledger.store.durable import make_folder, read_small, write_durably
from byline_node import operations
from byline_node.c2pa_deposit import (
    LABEL,
    MAX_DEPOSIT,
    Deposit,
    read_deposit,
)
from byline_node.c2pa_manifest import unit_bytes
from byline_node.errors import RefusedError

if TYPE_CHECKING:
    from byline_ledger.log import LogView

MAX_KEPT = 10_000
MAX_KEPT_BYTES = 512 << 20
MAX_OF_ONE = 4
"""Manifests for one statement: of several files, or made anew."""
SUFFIX = ".c2pa"
NOT_KEPT = NotFoundError("no manifest of this id is kept here")


@dataclass(frozen=True, slots=True)
class Kept:
    """A manifest on the shelf, and the id (32 bytes) of the statement that answers for
    it."""

    label: str
    statement: bytes
    size: int

    @property
    def name(self) -> str:
        """Its file's name."""
        label = base64.urlsafe_b64encode(self.label.encode()).decode().rstrip("=")
        return f"{self.statement.hex()}.{label}{SUFFIX}"

    @classmethod
    def from_name(cls, name: str, size: int) -> Kept | None:
        """The same back; None for a file of somebody else's."""
        id_, _, rest = name.removesuffix(SUFFIX).partition(".")
        try:
            text = base64.urlsafe_b64decode(rest + "=" * (-len(rest) % 4)).decode()
            found = cls(text, bytes.fromhex(id_), size)
        except (ValueError, binascii.Error):
            return None
        good = LABEL.fullmatch(text) and len(found.statement) == 32
        return found if good and found.name == name else None


@dataclass(frozen=True, slots=True)
class Prints:
    """The fingerprints of a statement: its ISCC units, 34 bytes each, and its codes."""

    units: tuple[bytes, ...]
    codes: Codes


NO_PRINTS = Prints((), Codes())


def prints_of(statement: Statement) -> Prints:
    """Those of a `work`; none of anything else."""
    found = read_work(statement).fingerprints if statement.type == "work" else None
    if found is None:
        return NO_PRINTS
    return Prints(tuple(map(unit_bytes, found.iscc)), codes_of(found))


class Shelf:
    """The folder, and what is known of each file in it; for any number of threads.

    `folder` is None where the operator keeps none: then nothing is taken.
    """

    def __init__(self, folder: Path | None, view: Callable[[], LogView]) -> None:
        self._folder = folder
        self._view = view
        self._lock = threading.Lock()
        self._known: dict[str, Kept] | None = None
        self._prints: dict[bytes, Prints] = {}

    def put(self, data: bytes, relay: bytes | None = None) -> Deposit:
        """Keeps a manifest; see read_deposit for what it must be.

        RefusedError where the operator keeps none, or there is no room.
        """
        if self._folder is None:
            raise RefusedError(
                "this node keeps no manifests",
                hint="its operator can set manifests = true in node.toml",
            )
        view = self._view()
        found = read_deposit(
            data, lambda id_: operations.find_statement(view, id_), relay
        )
        kept = Kept(found.label, found.statement.id, len(data))
        with self._lock:
            known = self._load(self._folder)
            before = known.get(kept.label)
            if before is not None and self._read(before) == data:
                return found
            self._require_room(known, kept)
            make_folder(self._folder)
            write_durably(self._folder / kept.name, data)
            known[kept.label] = kept
        return found

    def get(self, label: str) -> bytes:
        """The store of that label.  NotFoundError, RedactedError."""
        with self._lock:
            kept = self._load(self._folder).get(label)
        if kept is None:
            raise NOT_KEPT
        if self.standing(kept) is None:
            raise RedactedError(
                "the statement that this manifest is about was withdrawn or taken down"
            )
        data = self._read(kept)
        if data is None:
            raise NOT_KEPT
        return data

    def _read(self, kept: Kept) -> bytes | None:
        assert self._folder is not None
        return read_small(self._folder / kept.name, MAX_DEPOSIT)

    def standing(self, kept: Kept) -> Statement | None:
        """The statement that answers for it; None if it was taken back or down."""
        view = self._view()
        try:
            found = operations.find_statement(view, kept.statement)
        except NotFoundError:
            return None
        # What the author said of this very statement: of the work it may be much.
        said = operations.said_directly(view, found.author, multihash(found.id))
        gone = any(one.type == "withdraw" for one in said)
        return None if gone else found

    def all(self) -> list[Kept]:
        """Everything that is kept."""
        with self._lock:
            return list(self._load(self._folder).values())

    def prints(self, kept: Kept) -> Prints:
        """What the fingerprints of its statement say."""
        found = self._prints.get(kept.statement)
        if found is None:
            try:
                statement = operations.find_statement(self._view(), kept.statement)
            except NotFoundError:
                return NO_PRINTS
            found = prints_of(statement)
            self._prints[kept.statement] = found
        return found

    def _load(self, folder: Path | None) -> dict[str, Kept]:
        """By label; read from the folder once."""
        if self._known is None:
            self._known = {}
            for kept in files_in(folder) if folder is not None else ():
                self._known[kept.label] = kept
        return self._known

    def _require_room(self, known: dict[str, Kept], kept: Kept) -> None:
        before = known.get(kept.label)
        if before is not None and before.statement != kept.statement:
            raise RefusedError("another manifest of this id is kept here")
        others = [one for one in known.values() if one.label != kept.label]
        of_one: dict[bytes, int] = defaultdict(int)
        for one in others:
            of_one[one.statement] += 1
        if of_one[kept.statement] >= MAX_OF_ONE:
            raise RefusedError(f"{MAX_OF_ONE} manifests for one statement are enough")
        size = sum(one.size for one in others) + kept.size
        if len(others) >= MAX_KEPT or size > MAX_KEPT_BYTES:
            raise RefusedError("this node has no room for further manifests")


def files_in(folder: Path) -> list[Kept]:
    """The manifests in a folder, at most MAX_KEPT.  StoreError."""
    if not folder.is_dir():
        return []
    try:
        listed = sorted(folder.iterdir())[:MAX_KEPT]
        found = [Kept.from_name(one.name, one.stat().st_size) for one in listed]
    except OSError as error:
        raise StoreError(f"cannot read {folder}: {error.strerror}") from None
    return [one for one in found if one is not None]
