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
from byline_ledger.use_word import ALLOWED, CONSTRAINED
from byline_node.consents import Counts
from byline_node.sieve import Sieve

app = make_app()


@app.command(
    "filter",
    epilog=examples(
        "byline filter set.csv --for ai_training --out may.txt --denied maynot.csv",
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
