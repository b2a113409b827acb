"""`byline filter`: part a data set into what may be used and what may not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from byline_cli import output
from byline_cli.as_of import AsOfOption
from byline_cli.consent_job import Asked, Grantee, Job, Use, Works
from byline_cli.files import require_new
from byline_cli.options import Json, NoPolicy, PolicyFile, examples, make_app
from byline_cli.verdicts import counts_rows
from byline_cli.work_list import find_works
from byline_ledger.errors import UsageError
from byline_ledger.manifest import BadLine
from byline_ledger.manifest_path import quote_path
from byline_ledger.use_word import ALLOWED, CONSTRAINED
from byline_node.consents import COLUMNS, Checked, Counts, csv_line, result_line

app = make_app()


@app.command(
    "filter",
    epilog=examples(
        "byline filter set.csv --use ai_training --out may.txt --denied maynot.csv",
    ),
)
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
    policy: PolicyFile = None,
    no_policy: NoPolicy = False,
    as_json: Json = False,
) -> None:
    """Part a folder or a list into what may be used and what may not.

    --out gets a path a line, or the hash where there is none; --denied the rest with
    the verdict and the statements that decide. Unknown is not allowed. Paths in a
    folder begin with the folder; those of a list are as the list has them.
    """
    for path in (out, denied):
        require_new(path)
    if out == denied:
        raise UsageError("--out and --denied name the same file")
    job = Job(Asked(use, grantee, as_of, policy, no_policy), find_works(works))
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
