"""`byline publish`: publish statements that were signed earlier, on another machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from byline_cli import connect, output
from byline_cli.options import Json, make_app
from byline_cli.statement_file import read_statements
from byline_ledger.digest import cid_of_statement
from byline_ledger.statement import Statement
from byline_node.receipts import Receipt

app = make_app()


@app.command()
def publish(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", hidden=True, readable=False)
    ],
    as_json: Json = False,
) -> None:
    """Publish statements from files that `--out` wrote; all of a file or none of it."""
    statements = [one for file in files for one in read_statements(file)]
    receipts = publish_statements(statements)
    value = {"receipts": [one.to_json() for one in receipts]}
    output.result(as_json, value, describe(receipts))


def publish_statements(statements: list[Statement]) -> list[Receipt]:
    """Publish to the node or the local store, with a bar."""
    with connect.connect() as client:
        return connect.publish(client, statements, "statements")


def describe(receipts: list[Receipt]) -> list[output.Line]:
    """One line for each, and the sum."""
    rows: list[output.Line] = [
        f"{cid_of_statement(one.id)}  entry {one.index}"
        + ("" if one.new else ", was there already")
        for one in receipts
    ]
    new = sum(one.new for one in receipts)
    return [*rows, (f"Published {new:,} of {len(receipts):,} statements.", "head")]
