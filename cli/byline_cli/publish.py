"""`byline publish`: publish statements that were signed earlier, on another machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from byline_cli import connect, output
from byline_cli.ended import what_became
from byline_cli.options import Json, make_app
from byline_cli.statement_file import read_statements
from byline_cli.targets import named_path
from byline_cli.wording import day
from byline_ledger.did import did_key
from byline_ledger.digest import cid_of_statement
from byline_ledger.statement import Statement
from byline_node.key_story import ended_before
from byline_node.receipts import Receipt
from byline_node.said_before import Pair, claimed_before

app = make_app()


@app.command()
def publish(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", hidden=True, parser=named_path)
    ],
    as_json: Json = False,
) -> None:
    """Publish statements from files that `--out` wrote; all of a file or none of it."""
    statements = [one for file in files for one in read_statements(file)]
    with connect.connect() as client:
        earlier = claimed_before(client, statements)
        receipts = connect.publish(client, statements, "statements")
        ended = describe_ended(client, statements, receipts)
    value = {
        "receipts": [one.to_json() for one in receipts],
        "earlier": [
            {"id": cid_of_statement(one.id), "earlier": cid_of_statement(before.id)}
            for one, before in earlier
        ],
    }
    rows = [*describe(receipts), *describe_earlier(earlier), *ended]
    output.result(as_json, value, rows)


def describe_earlier(earlier: list[Pair]) -> list[output.Line]:
    """What the author may want to do about each."""
    rows: list[output.Line] = []
    for one, before in earlier:
        id_, old = cid_of_statement(one.id), cid_of_statement(before.id)
        text = (
            f"{id_}: its author claimed this work on {day(before.time)} already, and"
            " both claims stand. To take the earlier one back: byline withdraw"
            f" {old} --reason superseded"
        )
        rows.append((text, "doubt"))
    return rows


def describe_ended(
    client: connect.AnyClient, statements: list[Statement], receipts: list[Receipt]
) -> list[output.Line]:
    """A line for each key that had ended before what is new here came in."""
    places = [
        (one.author, receipt.index)
        for one, receipt in zip(statements, receipts, strict=True)
        if receipt.new
    ]
    rows: list[output.Line] = []
    for story in ended_before(client, places):
        text = f"{did_key(story.key)} {what_became(story)}: what it signed"
        rows.append((f"{text} counts for nothing from there on.", "doubt"))
    return rows


def describe(receipts: list[Receipt]) -> list[output.Line]:
    """One line for each, and the sum."""
    rows: list[output.Line] = [
        f"{cid_of_statement(one.id)}  entry {one.index}"
        + ("" if one.new else ", was there already")
        for one in receipts
    ]
    new = sum(one.new for one in receipts)
    return [*rows, (f"Published {new:,} of {len(receipts):,} statements.", "head")]
