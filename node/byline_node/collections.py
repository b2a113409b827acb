"""Collections: the rows of a folder, and what of a manifest changed since.

A row for each file that `byline attest --recursive` would take, also where two have
the same bytes (docs/spec/collection.md, "What a folder becomes").
"""

from __future__ import annotations

import mimetypes
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from byline_ledger.answer import Answer
from byline_ledger.content_sets import CollectionContent
from byline_ledger.errors import MalformedError, UsageError
from byline_ledger.label_words import typed_words
from byline_ledger.manifest import BadLine, Line, ManifestRow
from byline_node.attest import (
    Advance,
    Candidate,
    PassedOver,
    find_files,
    hash_in_threads,
)

MAX_NAMED = 1_000
"""Differences of each kind that are named; all are counted."""


def find_in_folder(folder: Path) -> tuple[list[Candidate], list[PassedOver]]:
    """The files of a folder; UsageError if there is none to take."""
    found, passed = find_files([folder], recursive=True)
    if not found:
        raise UsageError(
            f"{folder} holds no file that could be taken",
            hint="links and hidden, empty and unreadable files are passed over",
        )
    return found, passed


def folder_rows(
    folder: Path, found: Sequence[Candidate], passed: list[PassedOver], advance: Advance
) -> Iterator[ManifestRow]:
    """Hashes the files; those that cannot be read then are added to `passed`."""
    number = 1
    for one in hash_in_threads(found, advance):
        if isinstance(one, PassedOver):
            passed.append(one)
            continue
        number += 1
        yield ManifestRow(
            number,
            one.digest,
            one.path.relative_to(folder).as_posix(),
            one.size,
            mimetypes.guess_type(one.path.name)[0],
        )


@dataclass(slots=True)
class Changes:
    """How a set differs from an earlier one; names are paths, else digests in hex.

    The lists hold the first MAX_NAMED of each kind, the counts all.
    """

    changed: list[str] = field(default_factory=list)
    """The same path, other bytes."""
    removed: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    moved: list[tuple[str, str]] = field(default_factory=list)
    """The same bytes under another path: earlier, now."""
    bad: list[BadLine] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def note(self, kind: str, what: object) -> None:
        """One more difference of a kind."""
        self.counts[kind] += 1
        named = getattr(self, kind)
        if len(named) < MAX_NAMED:
            named.append(what)

    @property
    def none(self) -> bool:
        """Whether nothing differs."""
        return not self.counts.total()


def compare(earlier: Iterable[Line], now: Iterable[Line]) -> Changes:
    """What differs; both are read once, and the earlier is held in memory.

    Rows with a path are compared by path, the others by digest alone.
    """
    changes = Changes()
    by_path: dict[str, bytes] = {}
    bare: Counter[bytes] = Counter()
    for row in rows_of(earlier, changes):
        if row.path is None:
            bare[row.digest] += 1
        else:
            by_path[row.path] = row.digest
    fresh: list[tuple[str | None, bytes]] = []
    for row in rows_of(now, changes):
        before = None if row.path is None else by_path.pop(row.path, None)
        if before is not None and row.path is not None:
            if before != row.digest:
                changes.note("changed", row.path)
        elif bare[row.digest] > 0:
            bare[row.digest] -= 1
        else:
            fresh.append((row.path, row.digest))
    note_moves(changes, by_path, fresh)
    for digest, count in bare.items():
        for _ in range(count):
            changes.note("removed", digest[2:].hex())
    return changes


def note_moves(
    changes: Changes, gone: dict[str, bytes], fresh: list[tuple[str | None, bytes]]
) -> None:
    """Of what is gone and what is new, the same bytes were moved; a row without a path
    is the same wherever its bytes were."""
    places: dict[bytes, deque[str]] = {}
    for path, digest in gone.items():
        places.setdefault(digest, deque()).append(path)
    for name, digest in fresh:
        before = places.get(digest)
        if not before:
            changes.note("added", name or digest[2:].hex())
        elif name is None:
            before.popleft()
        else:
            changes.note("moved", (before.popleft(), name))
    for paths in places.values():
        for path in paths:
            changes.note("removed", path)


def rows_of(lines: Iterable[Line], changes: Changes) -> Iterator[ManifestRow]:
    """The rows; bad lines are noted."""
    for line in lines:
        if isinstance(line, BadLine):
            changes.note("bad", line)
        else:
            yield line


# What was said of a set


class Asked(Protocol):
    """The part of a client that this needs."""

    def query(self, asked: str | bytes, *, depth: int = ...) -> Answer:
        """The verified answer about a manifest."""
        ...


def words_said(client: Asked, manifest: bytes, author: bytes) -> dict[str, str]:
    """What a key said of a manifest (multihash) in its last effective `collection`, by
    the words of labels, as far as a label can carry it; a title is a name."""
    remarks = client.query(manifest, depth=0).works[0].remarks
    said = [
        one
        for one in remarks
        if one.type == "collection"
        and one.author == author
        and one.status == "effective"
        and isinstance(one.content, CollectionContent)
    ]
    if not said:
        return {}
    content = max(said, key=lambda one: one.index).content
    assert isinstance(content, CollectionContent)
    found: dict[str, str] = {}
    for name, text in (
        ("name", content.title),
        ("description", content.description),
        ("version", content.version),
        ("license", content.license),
        ("url", content.url),
    ):
        with suppress(UsageError, MalformedError):
            found |= typed_words({name: text}).texts
    return found
