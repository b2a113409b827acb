"""`byline consent`: may these works be put to a use?

`byline consent PATH ...` is `byline consent check PATH ...`: the group has further
commands beside the check.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from byline_cli import output
from byline_cli.as_of import AsOfOption
from byline_cli.consent_export import export
from byline_cli.consent_job import Asked, Grantee, Job, Use, Works
from byline_cli.files import require_new
from byline_cli.groups import app_with_default
from byline_cli.options import Json, NoPolicy, PolicyFile, examples
from byline_cli.verdicts import counts_rows
from byline_cli.work_list import find_works

DEFAULT_COMMAND = "check"


app = app_with_default(
    "Ask what may be done with works, and say it in the words of others.",
    DEFAULT_COMMAND,
)
app.command(
    epilog=examples("byline consent export photos/ --format robots --out robots.txt")
)(export)


@app.command(
    DEFAULT_COMMAND,
    epilog=examples(
        "byline consent photos/ --for ai_training",
        "byline consent set.csv --for ai_training --out verdicts.csv",
    ),
)
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
    policy: PolicyFile = None,
    no_policy: NoPolicy = False,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="End with 1 unless every work is allowed."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Say of each work: allowed, constrained, notAllowed or unknown, and by whose word.

    PATH is a file, a folder or a list: a manifest (CSV, Parquet), what sha256sum
    prints, or one hash a line, of any length. A list named - is read from standard
    input.
    """
    if out is not None:
        require_new(out)
    job = Job(Asked(use, grantee, as_of, policy, no_policy), find_works(works))
    if out is not None:
        counts = job.run_into(out)
        output.result(as_json, counts.to_json(), counts_rows(counts, job.use))
    else:
        counts = job.show(as_json)
    if strict and not counts.all_allowed:
        raise typer.Exit(1)
