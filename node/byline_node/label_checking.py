"""Checks the folder of a label: everything is computed again from manifest and proofs.

Rule: nothing that a label says is believed.  What differs is named: a file that was
changed, a proof that does not hold or is of an older log than the label says, a work
whose line is not what its proof gives, a figure, and, where the works themselves are at
hand, a file of the set.  Specification: docs/spec/label.md, "Checking".
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from byline_ledger.amount import amount
from byline_ledger.answer import Answer
from byline_ledger.bundle_rows import MAX_BUNDLE
from byline_ledger.content_sets import LabelContent, read_label
from byline_ledger.digest import digest_bytes
from byline_ledger.errors import (
    BylineError,
    MalformedError,
    NotFoundError,
    ProofError,
    StoreError,
)
from byline_ledger.label_document import (
    MAX_LABEL,
    ReadLabel,
    differences,
    headline,
    parse_label,
)
from byline_ledger.label_maker import LabelMaker
from byline_ledger.label_table import COLUMNS, fields_of, header_line
from byline_ledger.manifest import ManifestRow
from byline_ledger.policy import Policy
from byline_node.label_making import (
    ITEMS,
    LABEL,
    STATEMENT,
    names_in,
    rendered,
)
from byline_node.label_proofs import read_proof
from byline_node.manifests import manifest_digest, rows_of
from byline_node.set_files import PROOFS, read_bounded, read_statement

MAX_FINDINGS = 200
MAX_KEPT = 8
"""Files of proofs in memory."""
MAX_READ = 16
"""Times that a file of proofs is read: its lines stand together where a label was made,
and a stranger's need not."""
MAX_LINE = 1 << 17
"""Characters of a line of items.csv."""

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """What does not fit: in which file, at which place of it if there is one."""

    where: str
    what: str


@dataclass(slots=True)
class Check:
    """What came of checking a label; it holds if nothing was found."""

    label: ReadLabel
    author: bytes | None = None
    """The key (32 bytes) that signed it, if its signature holds."""
    id: bytes | None = None
    findings: list[Finding] = field(default_factory=list)
    more: int = 0
    """Findings beyond MAX_FINDINGS."""
    unproven: Counter[str] = field(default_factory=Counter)
    """Files of proofs that do not hold, to the number of works that rest on them."""

    def found(self, where: str, what: str) -> None:
        """One more thing that does not fit."""
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(Finding(where, what))
        else:
            self.more += 1

    @property
    def holds(self) -> bool:
        return not self.findings


def check_label(folder: Path, policy: Policy | None, advance: Advance) -> Check:
    """Check a label's folder; `advance` is called with numbers of works.

    MalformedError or NotFoundError if there is no label.json that can be read.
    """
    data = read_bounded(folder / LABEL, MAX_LABEL)
    check = Check(parse_label(data))
    content = check_statement(folder, data, check)
    check_files(folder, check)
    maker = check_items(folder, policy, check, advance)
    if maker is not None:
        check_figures(folder, maker, content, check)
    return check


def check_statement(folder: Path, data: bytes, check: Check) -> LabelContent | None:
    """The signature, and that it is about this label."""
    try:
        statement = read_statement(folder / STATEMENT)
    except BylineError as error:
        check.found(STATEMENT, str(error))
        return None
    check.author, check.id = statement.author, statement.id
    content, head = read_label(statement), check.label.head
    if statement.type != "label" or not content.sound:
        check.found(STATEMENT, "it is no label")
    if content.label != digest_bytes(data):
        check.found(LABEL, "it is not what was signed: it was changed since")
    if statement.about != head.manifest:
        check.found(STATEMENT, "it is about another manifest")
    if statement.author != head.creator:
        check.found(STATEMENT, "it is by another key than the label says")
    return content


def check_files(folder: Path, check: Check) -> None:
    """The files that the label lists are there, unchanged, and there are no others."""
    there = set(names_in(folder)) - {LABEL, STATEMENT}
    for name, digest in check.label.files.items():
        if name not in there:
            check.found(name, "it is missing")
        elif manifest_digest(folder / name) != digest:
            check.found(name, "it was changed since the label was made")
    for name in sorted(there - set(check.label.files)):
        check.found(name, "it is not a part of the label")
    manifest = check.label.head
    if check.label.files.get(manifest.file) != manifest.manifest:
        check.found(LABEL, "the manifest that it lists is another than it is about")


class UnprovenError(ProofError):
    """A work whose whole file of proofs does not hold: told once, for the file."""


class ProofFiles:
    """The verified answers of a label's proofs; the last few files stay in memory."""

    def __init__(self, folder: Path, check: Check, policy: Policy | None) -> None:
        self._folder = folder
        self._check = check
        self._policy = policy
        self._kept: dict[str, Mapping[bytes, Answer] | None] = {}
        self._read_times: Counter[str] = Counter()

    def answer(self, name: str, digest: bytes) -> Answer:
        """The answer about a work, or ProofError."""
        if name not in self._kept:
            while len(self._kept) >= MAX_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[name] = self._read(name)
        answers = self._kept[name]
        if answers is None:
            self._check.unproven[name] += 1
            raise UnprovenError(f"its proof {name} does not hold")
        if digest not in answers:
            raise ProofError(f"{name} is the proof of another work")
        return answers[digest]

    def _read(self, name: str) -> Mapping[bytes, Answer] | None:
        """The answers of a file; what is wrong with it is a finding."""
        self._read_times[name] += 1
        if self._read_times[name] == MAX_READ:
            self._check.found(name, f"its lines are scattered over {ITEMS}")
        if self._read_times[name] >= MAX_READ:
            return None
        if name not in self._check.label.files or not name.startswith(f"{PROOFS}/"):
            self._check.found(name, "it is not among the label's proofs")
            return None
        try:
            data = read_bounded(self._folder / name, MAX_BUNDLE)
            answers = read_proof(data, self._policy, self._check.label.head.time)
        except BylineError as error:
            self._check.found(name, str(error))
            return None
        said = self._check.label.log_size
        oldest = min(one.log_size for one in answers.values())
        if oldest < said:
            self._check.found(
                name,
                f"it is of the log up to entry {oldest}, the label says {said}: what "
                "was said in between, such as a withdrawal, is hidden",
            )
            return None
        return answers


def check_items(
    folder: Path, policy: Policy | None, check: Check, advance: Advance
) -> LabelMaker | None:
    """Every line of items.csv is what its proof gives; None if some are not known."""
    proofs = ProofFiles(folder, check, policy)
    maker, whole = LabelMaker(check.label.head.use), True
    try:
        rows = rows_of(folder / check.label.head.file)
        with (folder / ITEMS).open(encoding="utf-8", newline="") as items:
            if items.readline(MAX_LINE) != header_line():
                check.found(ITEMS, "line 1: it has other columns")
            for number, row in enumerate(rows, start=2):
                line = items.readline(MAX_LINE)
                whole &= check_item(number, row, line, proofs, maker, check)
                advance(1)
            check_end(items, check)
            for name, count in check.unproven.items():
                check.found(
                    name, f"{amount(count, 'work')} cannot be checked without it"
                )
    except (BylineError, OSError, UnicodeDecodeError) as error:
        check.found(ITEMS, f"it cannot be compared: {error}")
        return None
    return maker if whole else None


def check_item(
    number: int,
    row: ManifestRow,
    line: str,
    proofs: ProofFiles,
    maker: LabelMaker,
    check: Check,
) -> bool:
    """One line; whether its work could be counted."""
    name = row.path or f"sha256:{row.digest[2:].hex()}"
    where = f"{ITEMS} line {number}"
    said = fields_of(line)
    if said is None:
        check.found(where, f"{name}: expected a line for this work")
        return False
    try:
        answer = proofs.answer(said["proof"], row.digest)
        wanted = maker.add(row, answer, said["proof"])
    except UnprovenError:
        return False
    except BylineError as error:
        check.found(where, f"{name}: {error}")
        return False
    if wanted != line:
        given = fields_of(wanted)
        assert given is not None
        for column in COLUMNS:
            if said[column] != given[column]:
                what = f"{said[column]!a}, its proof gives {given[column]!a}"
                check.found(where, f"{name}: {column}: {what}")
    return True


def check_end(items: TextIO, check: Check) -> None:
    if items.readline(MAX_LINE):
        check.found(ITEMS, "it has more lines than the manifest has works")


def check_figures(
    folder: Path, maker: LabelMaker, content: LabelContent | None, check: Check
) -> None:
    """All figures, and what is drawn and written from them."""
    label = check.label
    if not maker.total.count:
        check.found(label.head.file, "it names no works")
        return
    document = maker.document(label.head)
    said = {name: one for name, one in label.said.items() if name != "files"}
    # Through JSON, as what was read went.
    again = json.loads(json.dumps(document))
    for line in differences(said, again):
        check.found(LABEL, line)
    if content is not None:
        for name, proven in headline(document).items():
            signed = getattr(content, name)
            if signed not in (None, {}):  # what it does not say is no lie
                for line in differences(signed, proven, name):
                    check.found(STATEMENT, line)
    try:
        texts = rendered(folder, document)
    except (BylineError, OSError) as error:
        check.found(LABEL, f"its documents cannot be written again: {error}")
        return
    for name, text in texts.items():
        if label.files.get(name) != digest_bytes(text.encode()):
            check.found(name, "it does not show what the proofs give")


def rows_with_lines(
    folder: Path, label: ReadLabel
) -> Iterator[tuple[ManifestRow, dict[str, str]]]:
    """The rows of a label's manifest with the fields of their lines in items.csv.

    NotFoundError or MalformedError where the folder has no such file.
    """
    path = folder / ITEMS
    try:
        with path.open(encoding="utf-8", newline="") as items:
            items.readline(MAX_LINE)
            for row in rows_of(folder / label.head.file):
                fields = fields_of(items.readline(MAX_LINE))
                if fields is None:
                    raise MalformedError(f"{ITEMS}: expected a line for each work")
                yield row, fields
    except FileNotFoundError:
        raise NotFoundError(f"{path} does not exist") from None
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise MalformedError(f"{ITEMS}: expected UTF-8") from None
