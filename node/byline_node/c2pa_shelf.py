"""Manifests that a node keeps for whoever finds a work without them.

Rule (docs/spec/content-credentials.md, "Left with a node"): files beside the store, of
a bounded number and size, each kept for a statement of the log; anybody can put
somebody else's label on theirs, so several may have one.  What was withdrawn or taken
down is not given out.  Losing the folder loses no proof: nothing of ours rests
on it.
"""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from byline_ledger.content import read_work
from byline_ledger.digest import cid_of_statement
from byline_ledger.effective import LATE, WITHDRAWN
from byline_ledger.errors import NotFoundError, RedactedError, StoreError
from byline_ledger.fingerprint_codes import Codes, codes_of
from byline_ledger.one_standing import OneStanding
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
SHARES = 64
"""What one author may have where more than half is taken: a part of so many."""
SUFFIX = ".c2pa"
BETWEEN = "@"
"""In an id, between a label that several statements have and the statement's id."""
NOT_KEPT = "no manifest of this id is kept here"
NO_LONGER = "the statement that this manifest is about was withdrawn or taken down"


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


NO_CODES = Codes()


@dataclass(frozen=True, slots=True)
class About:
    """Of a statement: its entry in the log, who made it, its ISCC units, 34 bytes each,
    and its codes."""

    place: int = 0
    author: bytes = b""
    units: tuple[bytes, ...] = ()
    codes: Codes = NO_CODES


NOTHING = About()


def about_of(statement: Statement, place: int) -> About:
    """Only a `work` has fingerprints."""
    author = statement.author
    found = read_work(statement).fingerprints if statement.type == "work" else None
    if found is None:
        return About(place, author)
    return About(place, author, tuple(map(unit_bytes, found.iscc)), codes_of(found))


@dataclass(slots=True)
class Noted:
    """What was found out about a statement that has manifests on the shelf."""

    about: About | None = None
    stood: int = 0
    """The size of the log in which it stood."""
    gone: bool = False
    """It was withdrawn or late.  Next to nothing undoes that (a recovery key can): once
    its manifests have made room for others, they may be left again."""


class Shelf:
    """The folder, and what is known of each file in it; for any number of threads.

    `folder` is None where the operator keeps none: then nothing is taken.
    """

    def __init__(self, folder: Path | None, view: Callable[[], LogView]) -> None:
        self._folder = folder
        self._view = view
        self._lock = threading.Lock()
        self._known: dict[str, dict[bytes, Kept]] | None = None
        self._noted: dict[bytes, Noted] = {}
        """Of the statements that have manifests here, and of no others: of those that
        are only offered, there is no end."""

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
        if not self.stands(kept):
            raise RedactedError(NO_LONGER)
        with self._lock:
            if kept.statement not in self._load().get(kept.label, ()):
                self._make_room(kept)
                make_folder(self._folder)
                write_durably(self._folder / kept.name, data)
                self._enter(kept)
            elif self._read(kept) != data:
                raise RefusedError("another manifest of this id is kept here")
        return found

    def get(self, name: str) -> bytes:
        """The store of that id.  NotFoundError, RedactedError.

        Where a label is on manifests of several statements, it means that of the
        earliest in the log.
        """
        label, _, statement = name.partition(BETWEEN)
        with self._lock:
            found = list(self._load().get(label, {}).values())
        if statement:
            found = [
                one for one in found if cid_of_statement(one.statement) == statement
            ]
        found.sort(key=lambda one: self.about(one).place)
        why = NotFoundError(NOT_KEPT)
        for kept in found:
            if not self.stands(kept):
                why = RedactedError(NO_LONGER)
                continue
            data = self._read(kept)
            if data is not None:
                return data
        raise why

    def name_of(self, kept: Kept) -> str:
        """The id under which `get` gives this very one."""
        with self._lock:
            is_alone = len(self._load().get(kept.label, {})) < 2
        cid = cid_of_statement(kept.statement)
        return kept.label if is_alone else f"{kept.label}{BETWEEN}{cid}"

    def _read(self, kept: Kept) -> bytes | None:
        assert self._folder is not None
        return read_small(self._folder / kept.name, MAX_DEPOSIT)

    def stands(self, kept: Kept) -> bool:
        """Whether the statement that answers for it was neither taken back nor down, by
        the rules of all answers; unknown is not taken back."""
        noted = self._note(kept)
        if noted.gone:
            return False
        view = self._view()
        try:
            statement = operations.find_statement(view, kept.statement)
        except NotFoundError:
            return False
        if noted.stood == view.size:
            return True
        standing = OneStanding(view, statement).as_of()
        noted.gone = standing is not None and standing.status in (WITHDRAWN, LATE)
        noted.stood = 0 if noted.gone else view.size
        return not noted.gone

    def all(self) -> list[Kept]:
        """Everything that is kept and was not found to be withdrawn."""
        with self._lock:
            return [one for one in self._all() if not self._note(one).gone]

    def _all(self) -> Iterator[Kept]:
        return (one for of_one in self._load().values() for one in of_one.values())

    def about(self, kept: Kept) -> About:
        """What its statement says that is looked at here."""
        noted = self._note(kept)
        if noted.about is None:
            view = self._view()
            try:
                statement = operations.find_statement(view, kept.statement)
            except NotFoundError:
                return NOTHING
            noted.about = about_of(statement, view.index_of(kept.statement) or 0)
        return noted.about

    def _note(self, kept: Kept) -> Noted:
        """What is remembered of its statement; nothing of one that is not here."""
        return self._noted.get(kept.statement) or Noted()

    def _load(self) -> dict[str, dict[bytes, Kept]]:
        """By label and statement; read from the folder once."""
        if self._known is None:
            self._known = {}
            for kept in files_in(self._folder) if self._folder is not None else ():
                self._enter(kept)
        return self._known

    def _enter(self, kept: Kept) -> None:
        self._load().setdefault(kept.label, {})[kept.statement] = kept
        self._noted.setdefault(kept.statement, Noted())

    def _make_room(self, kept: Kept) -> None:
        """RefusedError where there is none, even without what was withdrawn."""
        try:
            self._require_room(kept)
        except RefusedError:
            if not self._drop_gone():
                raise
            self._require_room(kept)

    def _require_room(self, kept: Kept) -> None:
        others = list(self._all())
        if sum(one.statement == kept.statement for one in others) >= MAX_OF_ONE:
            raise RefusedError(f"{MAX_OF_ONE} manifests for one statement are enough")
        size = sum(one.size for one in others) + kept.size
        if len(others) >= MAX_KEPT or size > MAX_KEPT_BYTES:
            raise RefusedError("this node has no room for further manifests")
        if len(others) < MAX_KEPT // 2 and size <= MAX_KEPT_BYTES // 2:
            return
        author = self.about(kept).author
        same = [one for one in others if self.about(one).author == author]
        size = sum(one.size for one in same) + kept.size
        if len(same) >= MAX_KEPT // SHARES or size > MAX_KEPT_BYTES // SHARES:
            raise RefusedError("this node has no room for more manifests of one author")

    def _drop_gone(self) -> bool:
        """Removes what was found to be withdrawn; whether there was any."""
        gone = [one for one in self._all() if self._note(one).gone]
        for one in gone:
            assert self._folder is not None
            (self._folder / one.name).unlink(missing_ok=True)
            del self._load()[one.label][one.statement]
            if not self._load()[one.label]:
                del self._load()[one.label]
        for one in gone:
            self._noted.pop(one.statement, None)
        return bool(gone)


def forget_manifests(folder: Path, statement: bytes) -> None:
    """Removes the manifests for a statement (id of 32 bytes) that was taken down; a
    shelf that is open notices when it looks.  StoreError."""
    try:
        for path in folder.glob(f"{statement.hex()}.*{SUFFIX}"):
            path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"cannot clear {folder}: {error.strerror}") from None


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
