"""Fingerprints at the command line: made when files are attested, and shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer

from byline_cli import output
from byline_cli.wording import amount
from byline_ledger.errors import UsageError
from byline_node.attest import HashedFile

MOST_NAMED = 20
"""Files without fingerprints of their content that are named one by one."""

Similar = Annotated[
    bool,
    typer.Option(
        "--similar",
        help="Say also what the files look like, so that altered copies are found.",
    ),
]


def require_fingerprints(sealed: bool) -> None:
    """UsageError where they cannot be made, before any file is hashed."""
    from byline_node.fingerprint import require_extra

    if sealed:
        raise UsageError(
            "--sealed and --similar do not go together",
            hint="fingerprints tell what a work looks like: attest it without --sealed",
        )
    require_extra()


def add_fingerprints(
    files: Sequence[HashedFile],
) -> tuple[list[HashedFile], list[output.Line]]:
    """The files with their fingerprints, with a bar, and a line for each that has none
    of its content."""
    from byline_node.fingerprint_files import fingerprint_files

    named = [(one.path, one.digest) for one in files]
    with output.progress("Fingerprints", len(files), unit="files") as advance:
        made = list(fingerprint_files(named, advance))
    rows: list[output.Line] = []
    for file, found in zip(files, made, strict=True):
        if found.problem is not None:
            has = "none" if found.fingerprints is None else "of its bytes alone"
            said = f"{file.path}: {found.problem}; fingerprints: {has}"
            rows.append((output.safe(said), "doubt"))
    if len(rows) > MOST_NAMED:
        more = amount(len(rows) - MOST_NAMED, "more file")
        rows[MOST_NAMED:] = [(f"{more} without fingerprints of the content", "doubt")]
    pairs = zip(files, made, strict=True)
    return [replace(file, fingerprints=one.fingerprints) for file, one in pairs], rows
