"""The two files that a set is parted into: what may be used, and the rest.

Rule: both get their names when both are whole; a run that breaks off leaves neither.
What is not taken by name, unknown and lines that name no work among it, is denied.
"""

from __future__ import annotations

from collections.abc import Set
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import TextIO

from byline_ledger.manifest import BadLine
from byline_ledger.manifest_path import quote_path
from byline_node.consents import COLUMNS, Checked, csv_line, result_line


class Sieve:
    """A path a line, or the hash where there is none, for what is taken; the lines of
    `byline consent check --out` for the rest."""

    def __init__(self, out: Path, denied: Path, verdicts: Set[str]) -> None:
        """`verdicts` are those that are taken."""
        self._paths = (out, denied)
        self._parts = tuple(p.with_name(p.name + ".part") for p in self._paths)
        self._verdicts = verdicts
        self._files = ExitStack()
        self.taken = 0
        self.denied = 0

    def __enter__(self) -> Sieve:
        try:
            self._out, self._denied = map(self._open, self._parts)
        except OSError:
            self._drop()
            raise
        self._denied.write(csv_line(COLUMNS))
        return self

    def _open(self, part: Path) -> TextIO:
        file = part.open("w", encoding="utf-8", errors="surrogateescape", newline="")
        return self._files.enter_context(file)

    def _drop(self) -> None:
        """Nothing is left of a run that broke off."""
        with suppress(OSError):  # where the disk is full, it still is
            self._files.close()
        for part in self._parts:
            part.unlink(missing_ok=True)

    def put(self, one: Checked | BadLine) -> None:
        """Into one of the two."""
        if isinstance(one, Checked) and one.consent.verdict in self._verdicts:
            self.taken += 1
            path = one.row.path
            name = one.row.digest[2:].hex() if path is None else quote_path(path)
            self._out.write(name + "\n")
        else:
            self.denied += 1
            self._denied.write(result_line(one))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._drop()
            return
        try:
            self._files.close()
        except OSError:
            self._drop()
            raise
        for part, path in zip(self._parts, self._paths, strict=True):
            part.replace(path)
