"""`byline consent` and `byline filter`: may these works be put to a use?

`byline consent PATH …` is `byline consent check PATH …`: the group has further
commands beside the check.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from byline_cli import output
from byline_cli.as_of import AsOfOption, parse_as_of
from byline_cli.connect import connect
from byline_cli.files import require_new
from byline_cli.naming import parse_optional_key
from byline_cli.options import Json, make_app
from byline_cli.set_words import MOST_NAMED
from byline_cli.verdicts import (
    counts_rows,
    describe_checked,
    describe_single,
)
from byline_cli.work_list import WorkList, find_works
from byline_ledger.consent import ALLOWED, CONSTRAINED
from byline_ledger.errors import UsageError
from byline_ledger.manifest import BadLine
from byline_ledger.manifest_path import quote_path
from byline_ledger.vocabulary import use_key
from byline_node.consents import (
    COLUMNS,
    Checked,
    Counts,
    Question,
    Results,
    check,
    csv_line,
    result_line,
)
from byline_node.many_consents import asker

DEFAULT_COMMAND = "check"


class ConsentGroup(TyperGroup):
    """A group whose first word may be left out: then it is `check`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As the base class, with the command that was left out."""
        if args and args[0] not in {*self.commands, "--help", "-h"}:
            args = [DEFAULT_COMMAND, *args]
        return super().parse_args(ctx, args)


app = make_app("Whether works may be put to a use, by what their authors said.")
app.info.cls = ConsentGroup

Works = Annotated[
    str, typer.Argument(metavar="PATH|HASH|LIST", help="A file, a folder, or a list.")
]
Use = Annotated[
    str,
    typer.Option(
        "--for",
        metavar="USE",
        help="ai_generative_training, ai_training, ai_inference or data_mining.",
    ),
]
Grantee = Annotated[
    str | None,
    typer.Option(
        "--grantee", metavar="KEY", help="For whom: a key that may have a grant."
    ),
]


@app.command(DEFAULT_COMMAND)
def consent(
    works: Works,
    use: Use,
    grantee: Grantee = None,
    as_of: AsOfOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Write a line of CSV for each work. Run again, it goes on where it "
            "was stopped.",
            dir_okay=False,
        ),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="End with 1 unless every work is allowed."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Say of each work: allowed, constrained, notAllowed or unknown, and by whose word.

    A list is a manifest (CSV, Parquet), what sha256sum prints, or one hash a line, of
    any length. A hash list named - is read from standard input.
    """
    if out is not None:
        require_new(out)
    job = Job(use_key(use), grantee, as_of, find_works(works))
    if out is not None:
        counts = job.run_into(out)
        output.result(as_json, counts.to_json(), counts_rows(counts, job.use))
    else:
        counts = job.show(as_json)
    if strict and not counts.all_allowed:
        raise typer.Exit(1)


def sift(
    works: Works,
    use: Use,
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FILE", help="Where the allowed ones go."),
    ],
    denied: Annotated[
        Path,
        typer.Option("--denied", metavar="FILE", help="Where the others go, as CSV."),
    ],
    grantee: Grantee = None,
    as_of: AsOfOption = None,
    constrained: Annotated[
        bool,
        typer.Option(
            "--constrained",
            help="Take also what is allowed on conditions: you keep to them.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Part a folder or a list into what may be used and what may not.

    --out gets a path a line, or the hash where there is none; --denied the rest with
    the verdict and the statements that decide. Unknown is not allowed.
    """
    for path in (out, denied):
        require_new(path)
    if out == denied:
        raise UsageError("--out and --denied name the same file")
    job = Job(use_key(use), grantee, as_of, find_works(works))
    taken = {ALLOWED, CONSTRAINED} if constrained else {ALLOWED}
    counts = Counts()
    with Sieve(out, denied, taken) as sieve, job.checking() as found:
        for one in found:
            counts.add(one)
            sieve.put(one)
    told = counts.to_json() | {"taken": sieve.taken, "denied": sieve.denied}
    rows = counts_rows(counts, job.use)
    rows.append((f"{sieve.taken:,} in {out}, {sieve.denied:,} in {denied}", "head"))
    output.result(as_json, told, rows)


class Job:
    """One question over one list of works."""

    def __init__(
        self, use: str, grantee: str | None, as_of: str | None, works: WorkList
    ) -> None:
        self.use = use
        self._grantee = parse_optional_key(grantee)
        self._as_of_text = as_of
        self._as_of = parse_as_of(as_of)
        self._works = works

    @contextmanager
    def checking(self, results: Results | None = None) -> Iterator[Iterator[Any]]:
        """The verdicts as a stream, with a bar, while the node is connected."""
        with connect(make=False) as client, self._works.reading() as lines:
            ask = asker(client, self.use, self._grantee, self._as_of)
            if results is None:
                yield check(lines, ask)
            else:
                yield results.write(check(results.left(lines), ask))

    def run_into(self, out: Path) -> Counts:
        """Write the file of results, going on with what an earlier run left."""
        question = Question(
            self.use, self._grantee, self._as_of_text, self._works.digest()
        )
        results = Results(out, question)
        results.open()
        if results.done:
            output.note(f"Going on after line {results.done:,}.", "quiet")
        with self.checking(results) as found:
            for _one in found:
                pass
        results.finish()
        return results.counts

    def show(self, as_json: bool) -> Counts:
        """Print each verdict; of one work alone, with the reasons."""
        counts = Counts()
        first: Checked | BadLine | None = None
        with self.checking() as found:
            for one in found:
                counts.add(one)
                if self._works.is_single:
                    first = one
                elif as_json:
                    output.line(output.json_bytes(one_json(one)))
                else:
                    output.lines(describe_checked(one))
        if isinstance(first, Checked):
            output.result(as_json, first.to_json(), describe_single(first))
        elif not as_json:
            output.lines(counts_rows(counts, self.use))
        return counts


def one_json(one: Checked | BadLine) -> dict[str, object]:
    """A verdict, or a line that names no work."""
    if isinstance(one, BadLine):
        return {"line": one.number, "bad": one.reason}
    return one.to_json()


class Sieve:
    """The two files of `byline filter`, given their names when both are whole."""

    def __init__(self, out: Path, denied: Path, taken: set[str]) -> None:
        self._paths = (out, denied)
        self._parts = tuple(p.with_name(p.name + ".part") for p in self._paths)
        self._taken = taken
        self.taken = 0
        self.denied = 0

    def __enter__(self) -> Sieve:
        self._files = [
            part.open("w", encoding="utf-8", errors="surrogateescape", newline="")
            for part in self._parts
        ]
        self._files[1].write(csv_line(COLUMNS))
        return self

    def put(self, one: Checked | BadLine) -> None:
        """Into one of the two."""
        if isinstance(one, Checked) and one.consent.verdict in self._taken:
            self.taken += 1
            path = one.row.path
            name = one.row.digest[2:].hex() if path is None else quote_path(path)
            self._files[0].write(name + "\n")
        else:
            self.denied += 1
            self._files[1].write(result_line(one))

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        for file in self._files:
            file.close()
        for part, path in zip(self._parts, self._paths, strict=True):
            if kind is None:
                part.replace(path)
            else:
                part.unlink()


MOST_SHOWN = MOST_NAMED
