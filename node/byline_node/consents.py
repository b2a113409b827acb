"""May these works be put to a use?  One verdict for each line of a list, in its order.

The verdict is docs/spec/state.md, "Consent", over verified answers; many works share
one question to the node (many_works.py).  Lists may have any length: they are read,
asked and given out as a stream, and a run that was broken off goes on where it ended
(`Results`).
"""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from io import StringIO
from pathlib import Path
from typing import TypeAlias

from byline_ledger.consent import Consent
from byline_ledger.did import did_key
from byline_ledger.digest import cid_of_statement, multihash_hex
from byline_ledger.errors import MalformedError, UsageError
from byline_ledger.manifest import BadLine, Line, ManifestRow
from byline_ledger.manifest_path import quote_path
from byline_ledger.use_word import ALLOWED, Term
from byline_node.paired import paired

Ask: TypeAlias = Callable[[Iterable[bytes]], Iterator[Consent]]
"""From multihashes to their verdicts, in the same order."""

COLUMNS = (
    "line",
    "digest",
    "path",
    "verdict",
    "terms",
    "deciding",
    "offers",
)
BAD = "bad-line"
"""What a line that names no work has in the column `verdict`."""
EVERY = 4_096
"""Rows after which what was written is put on the disk."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A line of the list and its verdict."""

    row: ManifestRow
    consent: Consent

    @property
    def name(self) -> str:
        """What people know it by: its path, else its digest."""
        return self.row.path or multihash_hex(self.row.digest)

    def to_json(self) -> dict[str, object]:
        """As `byline consent --json` prints it."""
        consent = self.consent
        return {
            "line": self.row.number,
            "digest": f"sha256:{multihash_hex(self.row.digest)}",
            "path": self.row.path,
            "verdict": consent.verdict,
            "terms": [term_json(one) for one in consent.terms],
            "deciding": [cid_of_statement(one) for one in consent.deciding],
            "offers": [cid_of_statement(one) for one in consent.offers],
            "complete": consent.complete,
        }


def term_json(term: Term) -> dict[str, object]:
    """A term in JSON, without what it does not say."""
    found: dict[str, object] = {
        "statement": cid_of_statement(term.statement),
        "text": term.text,
        "price": asdict(term.price) if term.price is not None else None,
        "terms": f"sha256:{multihash_hex(term.terms)}" if term.terms else None,
        "terms_url": term.terms_url,
    }
    return {name: value for name, value in found.items() if value is not None}


def check(lines: Iterable[Line], ask: Ask) -> Iterator[Checked | BadLine]:
    """The verdict of each line, and the bad lines, in the order of the list."""
    for line, consent in paired(lines, ask):
        if isinstance(line, BadLine):
            yield line
        elif consent is not None:
            yield Checked(line, consent)


@dataclass(slots=True)
class Counts:
    """What came of a list: how many lines have which verdict."""

    verdicts: Counter[str] = field(default_factory=Counter)
    unattested: int = 0
    """Of the unknown ones, those about which nobody claims anything."""
    bad: int = 0

    def add(self, one: Checked | BadLine) -> None:
        """One more line."""
        if isinstance(one, BadLine):
            self.bad += 1
            return
        self.verdicts[one.consent.verdict] += 1
        self.unattested += not one.consent.deciding and one.consent.complete

    @property
    def all_allowed(self) -> bool:
        """Whether every line names a work that may be used without further terms."""
        return not self.bad and self.verdicts.total() == self.verdicts[ALLOWED]

    def to_json(self) -> dict[str, object]:
        """Counts by name."""
        return {
            "verdicts": dict(sorted(self.verdicts.items())),
            "unattested": self.unattested,
            "bad_lines": self.bad,
        }


# The file of results


def csv_line(values: Iterable[object]) -> str:
    """One line of CSV (RFC 4180), ended by a line feed."""
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()


def result_line(one: Checked | BadLine) -> str:
    """A line of the file of results."""
    if isinstance(one, BadLine):
        return csv_line([one.number, "", "", BAD, one.reason, "", ""])
    terms = [term_json(term) for term in one.consent.terms]
    return csv_line(
        [
            one.row.number,
            one.row.digest[2:].hex(),
            quote_path(one.row.path) if one.row.path is not None else "",
            one.consent.verdict,
            json.dumps(terms, separators=(",", ":")) if terms else "",
            " ".join(map(cid_of_statement, one.consent.deciding)),
            " ".join(map(cid_of_statement, one.consent.offers)),
        ]
    )


@dataclass(frozen=True, slots=True)
class Question:
    """What a list is checked for; two runs with the same one may share their work.

    `grantee` is a 32-byte key, `as_of` an index or a time as it was typed, `of` the
    digest of the list.
    """

    use: str
    grantee: bytes | None
    as_of: str | None
    of: bytes

    def to_line(self) -> str:
        """One line of JSON."""
        grantee = None if self.grantee is None else did_key(self.grantee)
        said = {
            "as-of": self.as_of,
            "grantee": grantee,
            "list": self.of.hex(),
            "use": self.use,
        }
        return json.dumps(said) + "\n"


class Results:
    """The file of results while it is written: PATH.part beside it, PATH at the end.

    The first line of the part is the question, then CSV.  A run that finds the part of
    the same question goes on after its last whole line.
    """

    def __init__(self, path: Path, question: Question) -> None:
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._question = question
        self.counts = Counts()
        self.done = 0
        """The number of the last line that an earlier run had finished."""

    def open(self) -> None:
        """Start, or go on.  UsageError where the part is of another question."""
        head = (self._question.to_line() + csv_line(COLUMNS)).encode()
        kept = self._kept(head)
        with self._part.open("ab") as file:
            file.truncate(kept)
            if not kept:
                file.write(head)

    def _kept(self, head: bytes) -> int:
        """Bytes of whole lines that an earlier run left, counted into `counts`."""
        if not self._part.exists() or not self._part.stat().st_size:
            return 0
        with self._part.open("rb") as file:
            if file.read(len(head)) != head:
                raise UsageError(
                    f"{self._part} is of another question, or of another list",
                    hint="remove it, or name another file with --out",
                )
            kept = len(head)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._count(line)
                kept += len(line)
        return kept

    def _count(self, line: bytes) -> None:
        cells = next(csv.reader([line.decode()]))
        if len(cells) != len(COLUMNS) or not cells[0].isdigit():
            raise MalformedError(f"{self._part} is damaged: remove it")
        self.done = int(cells[0])
        if cells[3] == BAD:
            self.counts.bad += 1
        else:
            self.counts.verdicts[cells[3]] += 1
            self.counts.unattested += not cells[5]

    def left(self, lines: Iterable[Line]) -> Iterator[Line]:
        """The lines that no earlier run finished."""
        return (line for line in lines if line.number > self.done)

    def write(self, found: Iterable[Checked | BadLine]) -> Iterator[Checked | BadLine]:
        """Writes each on its way through; whole lines alone ever reach the file."""
        with self._part.open("ab") as file:
            rows: list[str] = []
            try:
                for one in found:
                    rows.append(result_line(one))
                    self.counts.add(one)
                    if len(rows) == EVERY:
                        put(file.fileno(), rows)
                    yield one
            finally:
                put(file.fileno(), rows)

    def finish(self) -> None:
        """Give the file its name, without the line that only we need."""
        head = len(self._question.to_line().encode())
        whole = self._path.with_name(self._path.name + ".whole")
        with self._part.open("rb") as file, whole.open("wb") as out:
            file.seek(head)
            while chunk := file.read(1 << 20):
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        whole.replace(self._path)
        self._part.unlink()


def put(file: int, rows: list[str]) -> None:
    """Write lines and have them on the disk; the list is empty afterwards."""
    data = "".join(rows).encode("utf-8", "surrogateescape")
    while data:
        data = data[os.write(file, data) :]
    os.fsync(file)
    rows.clear()
