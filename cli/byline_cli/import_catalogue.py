"""`byline import --csv` and `--dublin-core`: a catalogue's lines become statements."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import typer

from byline_cli import output
from byline_cli.attest import MOST_NAMED, parse_uses
from byline_cli.connect import (
    AnyClient,
    StoppedError,
    connect,
    now_ms,
    with_progress,
    work_asked,
)
from byline_cli.ended import connect_to_sign
from byline_cli.files import read_file, require_new, write_new_file
from byline_cli.signing import find_key, load_key
from byline_cli.statement_file import write_statements
from byline_cli.wording import amount
from byline_ledger.catalogue import COLUMNS, MAX_CATALOGUE, Entry, read_csv
from byline_ledger.content import work_fields
from byline_ledger.crypto import SigningKey
from byline_ledger.digest import cid_of_statement, multihash
from byline_ledger.dublin_core import read_dublin_core
from byline_ledger.errors import MalformedError, NotFoundError, UsageError
from byline_ledger.manifest_path import FORMULA
from byline_ledger.statement import Statement
from byline_ledger.vocabulary import nearest
from byline_node.catalogue_import import (
    BATCH,
    NEW,
    OTHER,
    REFUSED,
    SAME,
    Importer,
    Outcome,
    about,
    sign_new,
)
from byline_node.errors import NodeUnavailableError, RefusedError

REPORT_HEADER = ("line", "status", "digest", "statement", "why", "left out", "ignored")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for on the command line."""

    path: Path
    is_csv: bool
    folder: Path | None
    made: str | None
    source_type: str | None
    license: str | None
    uses: tuple[str, ...]
    encoding: str
    dry_run: bool
    report: Path | None
    work_bits: int | None
    out: Path | None
    key_name: str
    as_json: bool

    def defaults(self) -> dict[str, Any]:
        """What is said of each line that does not say it; UsageError if unsound."""
        given: dict[str, Any] = {
            "made": self.made,
            "source_type": self.source_type,
            "license": self.license,
            "uses": parse_uses(list(self.uses)),
        }
        said = {name: value for name, value in given.items() if value}
        work_fields(about=multihash(bytes(32)), time=0, salt=bytes(16), **said)
        return said


@dataclass(slots=True)
class Tally:
    """What became of the lines, kept while they stream by."""

    counts: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    named: list[Outcome] = field(default_factory=list)
    """The first MOST_NAMED of those that people are told of one by one."""
    to_name: int = 0
    """All of those."""
    all: list[Outcome] = field(default_factory=list)
    """Every one, for scripts."""
    published: int = 0


def import_catalogue(wanted: Wanted) -> None:
    """Read, report and, unless it is a dry run, publish; the exit code is 65 if a line
    was refused."""
    for path in (wanted.report, wanted.out):
        if path is not None:
            require_new(path)
    if wanted.folder is not None and not wanted.folder.is_dir():
        raise NotFoundError(f"--files {wanted.folder} is not a folder")
    data = read_file(wanted.path, MAX_CATALOGUE)
    read = read_csv if wanted.is_csv else read_dublin_core
    try:
        entries = read(data, wanted.encoding)
        Run(wanted, entries, data.count(b"\n") + 1).go()
    except MalformedError as error:
        raise MalformedError(f"{wanted.path}: {error}", hint=error.hint) from None


class Run:
    """One import."""

    def __init__(self, wanted: Wanted, entries: Iterator[Entry], lines: int) -> None:
        self._wanted = wanted
        self._entries = entries
        self._lines = lines
        self._tally = Tally()
        self._report = io.StringIO()
        self._writer = csv.writer(self._report, lineterminator="\n")
        self._signed: list[Statement] = []

    def go(self) -> None:
        """All of it, and then the result."""
        wanted = self._wanted
        defaults = wanted.defaults()
        self._writer.writerow(REPORT_HEADER)
        if wanted.dry_run:
            author = find_key(wanted.key_name).public
            self._dry_run(Importer(author, defaults, wanted.folder))
        else:
            key = load_key(wanted.key_name)
            self._run(Importer(key.public, defaults, wanted.folder), key)
        if wanted.report is not None:
            write_new_file(wanted.report, self._report.getvalue().encode())
        if wanted.out is not None and self._signed:
            write_statements(wanted.out, self._signed)
        output.result(wanted.as_json, self._to_json(), self._describe())
        if self._tally.counts[REFUSED]:
            raise typer.Exit(MalformedError.exit_code)
        if self._tally.counts[OTHER]:
            raise typer.Exit(UsageError.exit_code)

    def _dry_run(self, importer: Importer) -> None:
        try:
            with connect(make=False) as client:
                self._each_batch(importer, client, None, 0)
        except NodeUnavailableError:
            self._each_batch(importer, None, None, 0)

    def _run(self, importer: Importer, key: SigningKey) -> None:
        wanted = self._wanted
        public = wanted.out is None
        with connect_to_sign(key.public) if public else nullcontext() as client:
            bits = wanted.work_bits
            if bits is None:
                bits = work_asked(client, key.public) if client else 0
            self._each_batch(importer, client, key, bits)

    def _each_batch(
        self,
        importer: Importer,
        client: AnyClient | None,
        key: SigningKey | None,
        bits: int,
    ) -> None:
        what = "Reading" if key is None else "Importing"
        with output.steps(what, unit="lines", total=self._lines) as report:
            while batch := list(islice(self._entries, BATCH)):
                try:
                    outcomes = importer.look_at(batch, client)
                    if key is not None:
                        outcomes, signed = sign_new(
                            outcomes, key, now=now_ms(), work_bits=bits
                        )
                        self._take(client, signed)
                except KeyboardInterrupt:
                    raise self._stopped() from None
                self._keep(outcomes)
                report(min(batch[-1].number, self._lines), self._lines)

    def _take(self, client: AnyClient | None, signed: list[Statement]) -> None:
        """Publish a batch, or keep it for the file."""
        if client is None:
            self._signed += signed
            return
        done = self._tally.published
        try:
            client.publish(signed)
        except RefusedError as error:
            raise with_progress(error, done, done + len(signed), "lines") from None
        self._tally.published += len(signed)

    def _stopped(self) -> StoppedError:
        return StoppedError(
            f"stopped; at least {amount(self._tally.published, 'line')} published",
            hint="run it again for the rest",
        )

    def _keep(self, outcomes: list[Outcome]) -> None:
        for one in outcomes:
            self._tally.counts[one.status] += 1
            self._tally.ignored.update(one.entry.ignored)
            if one.status in (REFUSED, OTHER) or one.notes:
                self._tally.to_name += 1
                if len(self._tally.named) < MOST_NAMED:
                    self._tally.named.append(one)
            if self._wanted.as_json:
                self._tally.all.append(one)
            if self._wanted.report is not None:
                row = outcome_to_json(one)
                self._writer.writerow([as_cell(value) for value in row.values()])

    def _describe(self) -> Iterator[output.Line]:
        """What became of it, for people."""
        for one in self._tally.named:
            yield from describe(one)
        more = self._tally.to_name - MOST_NAMED
        if more > 0:
            hint = "" if self._wanted.report else " (for all: --report FILE)"
            yield (f"and {amount(more, 'more line')} of this kind{hint}", "quiet")
        for name, count in self._tally.ignored.most_common(MOST_NAMED):
            near = nearest(name, COLUMNS, 0.8) if self._wanted.is_csv else None
            asked = f"; did you mean {near}?" if near else ""
            what = "column " if self._wanted.is_csv else ""
            read = f"not read, in {amount(count, 'line')}{asked}"
            text = f"{what}{output.safe(name)}: {read}"
            yield (text, "doubt" if near else "quiet")
        yield (self._summary(), "head")

    def _summary(self) -> str:
        counts, wanted = self._tally.counts, self._wanted
        new = amount(counts[NEW], "line")
        if wanted.dry_run:
            done = f"Would publish {new}. Nothing was signed."
        elif wanted.out is not None:
            done = f"Signed {new} into {wanted.out}. Nothing was published."
            done = done if counts[NEW] else "Nothing to sign."
        else:
            done = f"Published {new}."
        parts = [
            f"{counts[status]:,} {'with other terms' if status == OTHER else status}"
            for status in (SAME, OTHER, REFUSED)
            if counts[status]
        ]
        return f"{done} {', '.join(parts).capitalize()}." if parts else done

    def _to_json(self) -> dict[str, object]:
        """The same, for scripts, with every line."""
        counts = self._tally.counts
        return {
            "dry_run": self._wanted.dry_run,
            "counts": {one: counts[one] for one in (NEW, SAME, OTHER, REFUSED)},
            "ignored": dict(self._tally.ignored),
            "lines": [outcome_to_json(one) for one in self._tally.all],
            "out": str(self._wanted.out) if self._signed else None,
        }


def outcome_to_json(one: Outcome) -> dict[str, object]:
    """One line of the report."""
    digest = about(one.fields) if one.fields else one.entry.digest
    return {
        "line": one.entry.number,
        "status": one.status,
        "digest": f"sha256:{digest[2:].hex()}" if digest else None,
        "statement": cid_of_statement(one.id) if one.id else None,
        "why": one.why,
        "left_out": list(one.notes),
        "ignored": list(one.entry.ignored),
    }


def as_cell(value: object) -> object:
    """A value in a cell of the report; nothing that a spreadsheet would compute."""
    text = "; ".join(map(str, value)) if isinstance(value, list) else value
    if not isinstance(text, str):
        return text
    return ("'" if text[:1] in tuple(FORMULA) else "") + output.safe(text)


def describe(one: Outcome) -> Iterator[output.Line]:
    """A line that was refused, that says other things than stand, or lost some."""
    where = f"line {one.entry.number}"
    if one.status == REFUSED:
        yield (output.safe(f"{where}: refused: {one.why}"), "bad")
    elif one.status == OTHER and one.id is not None:
        id_ = cid_of_statement(one.id)
        text = (
            f"{where}: you claimed this work already, with other terms ({one.why}). To"
            f" replace that: byline withdraw {id_} --reason superseded, then import"
            " again"
        )
        yield (output.safe(text), "doubt")
    for note in one.notes:
        yield (output.safe(f"{where}: {note}"), "doubt")
