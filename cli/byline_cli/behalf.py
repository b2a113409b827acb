"""Signing for another key: `--on-behalf-of`, `--delegation`, `--number`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from byline_cli.naming import parse_key
from byline_cli.targets import parse_id
from byline_ledger.content import Fields, delegated_fields
from byline_ledger.errors import UsageError
from byline_node.attest import Behalf
from byline_node.manifest_proofs import ManifestProofs

For = Annotated[
    str | None,
    typer.Option(
        "--on-behalf-of", metavar="KEY", help="Whom you sign for, with --delegation."
    ),
]
Delegation = Annotated[
    str | None,
    typer.Option(
        "--delegation", metavar="STATEMENT-ID", help="What lets you sign for them."
    ),
]
Number = Annotated[
    int | None,
    typer.Option(
        "--number",
        metavar="N",
        help="If the delegation is for a number of statements: which one this is.",
    ),
]
InManifest = Annotated[
    Path | None,
    typer.Option(
        "--manifest",
        metavar="MANIFEST",
        help="If the delegation is for the works of a manifest: that file.",
        dir_okay=False,
    ),
]


def parse_behalf(
    key: str | None,
    delegation: str | None,
    number: int | None,
    manifest: Path | None = None,
) -> Behalf | None:
    """Whom one signs for: both or neither."""
    if key is None and delegation is None and number is None and manifest is None:
        return None
    if key is None or delegation is None:
        raise UsageError(
            "--on-behalf-of and --delegation go together",
            hint="the key that let you sign, and the id of the statement that says so",
        )
    proofs = None if manifest is None else ManifestProofs.of(manifest)
    return Behalf(parse_key(key), parse_id(delegation), number, proofs)


def speak_for(fields: Fields, behalf: Behalf | None) -> Fields:
    """The fields of a statement, now signed for somebody if it is to be."""
    if behalf is None:
        return fields
    return delegated_fields(
        fields,
        for_=behalf.key,
        delegation=behalf.delegation,
        number=behalf.number,
    )
