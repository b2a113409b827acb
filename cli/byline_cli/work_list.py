"""What people name to be looked through: a file, a folder, a hash, or a list of works.

A folder is hashed; a list is a manifest in any form that docs/spec/collection.md
knows, `-` one on standard input.  Any other file is a single work.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from hashlib import sha256
from itertools import starmap
from pathlib import Path
from typing import Protocol

from byline_cli import output
from byline_cli.attest import describe_passed
from byline_cli.set_words import reading
from byline_cli.targets import is_there, named_path, parse_target
from byline_ledger.errors import MalformedError
from byline_ledger.manifest import Line, ManifestRow, read_manifest
from byline_node.collections import find_in_folder, folder_rows
from byline_node.manifests import manifest_digest, open_manifest

STDIN = "-"
CHUNK = 1 << 18
LINE = 4_096


class WorkList(Protocol):
    """The works that were named, to be read once."""

    is_single: bool
    """Whether it is one work rather than a list."""

    @property
    def base(self) -> Path | None:
        """What the paths of its rows are relative to: where the command was typed; None
        where no files are at hand."""
        ...

    def reading(self) -> AbstractContextManager[Iterator[Line]]:
        """Its lines, with a bar."""
        ...

    def digest(self) -> bytes:
        """32 bytes that name the list, so that a run over the same one can go on."""
        ...


def find_works(text: str) -> WorkList:
    """A folder, a list, a file or a hash.  One clear error for anything else."""
    if text == STDIN:
        return Piped()
    path = named_path(text)
    if not is_there(path):
        return Single(text)
    if path.is_dir():
        return Folder(path)
    if is_list(path):
        return Listed(path)
    if names_a_file(path):
        output.note(
            f"{output.safe(text)} is taken as one work, and its first line names a"
            " file. For the works that it lists: xargs -d '\\n' sha256sum <"
            f" {output.safe(text)} | byline … -",
            "doubt",
        )
    return Single(text)


def names_a_file(path: Path) -> bool:
    """Whether the first line of a file is the path of another, as `filter --out` writes
    them: a list without hashes."""
    try:
        with path.open("rb") as file:
            line = file.readline(LINE).decode().strip()
        return bool(line) and Path(line).is_file()
    except (OSError, ValueError):
        return False


def is_list(path: Path) -> bool:
    """Whether a file has the header of a manifest, or begins with a hash."""
    try:
        first = next(open_manifest(path), None)
    except MalformedError:
        return False
    return isinstance(first, ManifestRow) or (first is not None and first.number > 1)


class Single:
    """One work: a file or a hash."""

    is_single = True

    def __init__(self, text: str) -> None:
        target = parse_target(text)
        path = str(target.path) if target.path is not None else None
        self.base = Path() if path is not None else None
        self._row = ManifestRow(1, target.multihash, path)

    @contextmanager
    def reading(self) -> Iterator[Iterator[Line]]:
        yield iter([self._row])

    def digest(self) -> bytes:
        return self._row.digest[2:]


class Listed:
    """A manifest or a list of hashes."""

    is_single = False
    base = None

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def reading(self) -> Iterator[Iterator[Line]]:
        with reading(self._path) as advance:
            yield open_manifest(self._path, advance)

    def digest(self) -> bytes:
        return manifest_digest(self._path)[2:]


class Piped:
    """A list on standard input; nobody can tell whether the next one is the same."""

    is_single = False
    base = None

    @contextmanager
    def reading(self) -> Iterator[Iterator[Line]]:
        yield read_manifest(iter(lambda: sys.stdin.buffer.read(CHUNK), b""))

    def digest(self) -> bytes:
        return secrets.token_bytes(32)


class Folder:
    """The files of a folder, hashed as they are reached; their paths begin with the
    folder as it was typed, so that they can be opened."""

    is_single = False
    base = Path()

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found, self._passed = find_in_folder(path)

    @contextmanager
    def reading(self) -> Iterator[Iterator[Line]]:
        total = sum(one.size for one in self._found)
        with output.progress("Hashing", total, unit="bytes") as advance:
            rows = folder_rows(self._path, self._found, self._passed, advance)
            yield starmap(self._as_typed, enumerate(rows, start=1))
        for row in describe_passed(self._passed):
            output.note(*((row,) if isinstance(row, str) else row))

    def _as_typed(self, number: int, row: ManifestRow) -> ManifestRow:
        path = self._path / (row.path or "")
        return replace(row, number=number, path=path.as_posix())

    def digest(self) -> bytes:
        """By names, sizes and times, as tools that look for changes do."""
        total = sha256()
        for one in self._found:
            status = one.path.stat()
            said = f"{one.path}\0{status.st_size}\0{status.st_mtime_ns}\n"
            total.update(said.encode("utf-8", "surrogateescape"))
        return total.digest()
