"""Making `work` statements of a catalogue's entries: find the files, hash, leave out
what stands already, sign.

The caller reads the entries (`byline_ledger.catalogue`, `dublin_core`), hands them over
a batch at a time, publishes what is new and tells what became of each.  What the log
has is left out, so a run that was stopped is simply made again.
"""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from byline_ledger.catalogue import Entry, explain
from byline_ledger.content import Fields, work_fields
from byline_ledger.crypto import SigningKey, random_bytes
from byline_ledger.errors import NotFoundError, UsageError
from byline_ledger.statement import Statement, sign_statement
from byline_node.attest import (
    Candidate,
    HashedFile,
    Memory,
    candidate,
    do_work,
    hash_in_threads,
    standing_works,
)
from byline_node.differing import differing

BATCH = 1_000
"""Entries that are looked up, signed and published at a time."""

NEW, SAME, OTHER, REFUSED = "new", "already there", "other terms stand", "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one entry."""

    entry: Entry
    status: str
    """NEW, SAME, OTHER or REFUSED."""
    why: str = ""
    """Why it was refused, or the names of fields that differ."""
    fields: Fields | None = None
    """Of the statement to be made."""
    id: bytes | None = None
    """32 bytes: of the statement that was made, or that stands already."""
    notes: tuple[str, ...] = ()
    """What was left out of it."""


@dataclass(slots=True)
class Importer:
    """Turns entries into outcomes; remembers which works the catalogue named before."""

    author: bytes
    """32-byte key."""
    defaults: Mapping[str, Any]
    """Arguments of `work_fields` for what an entry does not say."""
    folder: Path | None = None
    """Where the files of the catalogue are."""
    seen: dict[bytes, int] = field(default_factory=dict)
    """Work to the number of the entry that named it first."""

    def look_at(self, batch: Sequence[Entry], memory: Memory | None) -> list[Outcome]:
        """What would become of each entry; `memory` tells what the log has."""
        outcomes = [self._complete(one) for one in self._hash(batch)]
        if memory is None:
            return outcomes
        wanted = [one.fields for one in outcomes if one.fields is not None]
        said = memory.authored(self.author, [about(fields) for fields in wanted])
        standing = standing_works(self.author, said)
        compared = [compare(one, standing) for one in outcomes]
        return leave_out_gone(compared, memory, self.author)

    def _hash(self, batch: Sequence[Entry]) -> list[tuple[Entry, HashedFile | None]]:
        """Each entry with its file, where a folder is given and has it."""
        found = {i: path for i, one in enumerate(batch) if (path := self._find(one))}
        hashed = hash_in_threads(list(found.values()), lambda _: None)
        files = dict(zip(found, hashed, strict=True))
        results: list[tuple[Entry, HashedFile | None]] = []
        for i, entry in enumerate(batch):
            file = files.get(i)
            if file is None or isinstance(file, HashedFile):
                results.append((entry, file))
            else:
                refused = f"{file.path.name}: {file.reason}"
                results.append((replace(entry, refused=refused), None))
        return results

    def _find(self, entry: Entry) -> Candidate | None:
        """The file of an entry: the first of its names that is one in the folder."""
        if self.folder is None or entry.refused is not None:
            return None
        for name in entry.files:
            try:
                path = inside(self.folder, name)
                found = candidate(path, path.stat()) if path else None
            except (OSError, ValueError):
                continue
            if isinstance(found, Candidate):
                return found
        return None

    def _complete(self, given: tuple[Entry, HashedFile | None]) -> Outcome:
        """An entry with its digest and all that is said of it, or why not."""
        entry, file = given
        if entry.refused is not None or entry.says is None:
            return Outcome(entry, REFUSED, entry.refused or "")
        digest = file.digest if file else entry.digest
        if digest is None:
            where = f"in {self.folder}" if self.folder else "without --files"
            return Outcome(entry, REFUSED, f"no digest, and no such file {where}")
        if entry.digest not in (None, digest):
            why = "the file is not the one that the catalogue's digest names"
            return Outcome(entry, REFUSED, why)
        if digest in self.seen:
            why = f"the same work as line {self.seen[digest]}"
            return Outcome(entry, REFUSED, why)
        self.seen[digest] = entry.number
        notes = entry.left_out
        if self.folder and entry.files and file is None:
            notes += ("no such file in the folder; the digest is the catalogue's",)
        try:
            fields = self._fields(entry.says, digest, file)
        except UsageError as error:
            return Outcome(entry, REFUSED, explain(error))
        return Outcome(entry, NEW, "", fields, None, notes)

    def _fields(
        self, says: Mapping[str, Any], digest: bytes, file: HashedFile | None
    ) -> Fields:
        """The fields of the statement, but for time and salt."""
        said = {**self.defaults, **says}
        if not {"made", "source_type"}.isdisjoint(says):
            for name in {"made", "source_type"} - set(says):
                said.pop(name, None)
        said["uses"] = {**self.defaults.get("uses", {}), **says.get("uses", {})}
        if file is not None:
            said["size"] = file.size
            guessed = mimetypes.guess_type(file.path.name)[0]
            said.setdefault("media_type", guessed)
        return work_fields(about=digest, time=0, salt=bytes(16), **said)


def about(fields: Fields) -> bytes:
    """The work that the fields speak about."""
    value = fields["about"]
    assert isinstance(value, bytes)
    return value


def inside(folder: Path, name: str) -> Path | None:
    """The path of that name below the folder; None for one that leads out of it, by
    itself or by a link."""
    relative = PurePosixPath(name.replace("\\", "/"))
    if relative.is_absolute() or ".." in relative.parts:
        return None
    path = folder / relative
    real, root = os.path.realpath(path), os.path.realpath(folder)
    return path if Path(real).is_relative_to(root) else None


def compare(one: Outcome, standing: Mapping[bytes, Statement]) -> Outcome:
    """The same outcome, unless a claim of this author about the work stands."""
    before = standing.get(about(one.fields)) if one.fields else None
    if before is None or one.fields is None:
        return one
    other = differing(before.fields, one.fields)
    status = OTHER if other else SAME
    return replace(one, status=status, why=", ".join(other), fields=None, id=before.id)


def leave_out_gone(
    outcomes: list[Outcome], memory: Memory, author: bytes
) -> list[Outcome]:
    """The same, but for works of which the node took down what the author said: that
    must not be undone by importing again."""
    new = [about(one.fields) for one in outcomes if one.fields is not None]
    try:
        gone = memory.taken_down(author, new)
    except NotFoundError:
        return outcomes  # a node of a version that is not asked
    return [
        replace(one, status=REFUSED, why=str(gone[about(one.fields)]), fields=None)
        if one.fields is not None and about(one.fields) in gone
        else one
        for one in outcomes
    ]


def sign_new(
    outcomes: Sequence[Outcome], key: SigningKey, *, now: int, work_bits: int = 0
) -> tuple[list[Outcome], list[Statement]]:
    """The outcomes with the ids of what was signed for the new ones, and that, signed
    at `now` in Unix milliseconds."""
    signed: list[Statement] = []
    told: list[Outcome] = []
    for one in outcomes:
        if one.fields is None:
            told.append(one)
            continue
        fields: Fields = {**one.fields, "time": now, "salt": random_bytes(16)}
        if work_bits:
            fields = do_work(fields, key, work_bits, lambda _: None)
        statement = sign_statement(fields, key)
        signed.append(statement)
        told.append(replace(one, id=statement.id))
    return told, signed
