"""`byline publish`: publish statements that were signed earlier, on another machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

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
from byline_node.attest import Memory, standing_works
from byline_node.key_story import read_story
from byline_node.receipts import Receipt

app = make_app()

MOST_AUTHORS = 16
"""Keys of one file that are asked about."""

Pair: TypeAlias = tuple[Statement, Statement]
"""A statement, and an earlier one of its author about the same work."""


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
        earlier = find_earlier(client, statements)
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


def find_earlier(client: Memory, statements: list[Statement]) -> list[Pair]:
    """Claims of the same works by the same authors that stand in the log already: on
    the machine where the new ones were signed nobody could know of them."""
    works: dict[bytes, list[Statement]] = {}
    for one in statements:
        if one.type == "work":
            works.setdefault(one.author, []).append(one)
    found: list[Pair] = []
    for author, mine in works.items():
        said = client.authored(author, [one.about for one in mine])
        before = standing_works(author, said)
        ids = {one.id for one in said}
        found += [
            (one, before[one.about])
            for one in mine
            if one.about in before and one.id not in ids
        ]
    return found


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
    last: dict[bytes, int] = {}
    for one, receipt in zip(statements, receipts, strict=True):
        if receipt.new:
            last[one.author] = max(receipt.index, last.get(one.author, 0))
    rows: list[output.Line] = []
    for author in list(last)[:MOST_AUTHORS]:
        story = read_story(client, author)
        if story.state.ends is not None and story.state.ends < last[author]:
            text = f"{did_key(author)} {what_became(story)}: what it signed"
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
