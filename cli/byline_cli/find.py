"""`byline find`: which works of a list are an author's, altered copies included."""

from __future__ import annotations

from typing import Annotated

import typer

from byline_cli import output
from byline_cli.connect import connect, now_ms
from byline_cli.consent_job import PolicyFile
from byline_cli.naming import parse_key
from byline_cli.options import Json, NoPolicy, make_app
from byline_cli.policy import chosen_policy
from byline_cli.signing import DEFAULT_KEY
from byline_cli.wording import amount
from byline_cli.work_list import find_works
from byline_ledger.digest import cid_of_statement, multihash_hex
from byline_ledger.manifest import BadLine
from byline_node.finding import Found, find

app = make_app()


@app.command("find")
def find_command(
    works: Annotated[
        str, typer.Option("--in", metavar="DIR|LIST", help="A folder, or a list.")
    ],
    key: Annotated[
        str, typer.Option("--key", metavar="KEY", help="Whose works.")
    ] = DEFAULT_KEY,
    policy: PolicyFile = None,
    no_policy: NoPolicy = False,
    as_json: Json = False,
) -> None:
    """Find an author's works in a data set.

    A work is found if the log holds a claim about it by the author's key, by one that
    follows it, or one signed for it. KEY is a did:key, or the name of a key of yours.
    """
    author = parse_key(key)
    rules, _where = chosen_policy(policy, no_policy)
    found: list[Found] = []
    bad: list[BadLine] = []
    count = 0
    named = find_works(works)
    with connect(make=False) as client, named.reading() as lines:
        for one in find(lines, client, rules, author, now_ms()):
            count += 1
            if isinstance(one, BadLine):
                bad.append(one)
            elif one is not None:
                found.append(one)
    told = {
        "lines": count,
        "found": [one.to_json() for one in found],
        "bad_lines": len(bad),
    }
    output.result(as_json, told, describe(found, bad, count))


def describe(found: list[Found], bad: list[BadLine], count: int) -> list[output.Line]:
    """The works that were found, a line each."""
    rows: list[output.Line] = []
    for one in found:
        name = one.row.path or multihash_hex(one.row.digest)
        statuses = ", ".join(sorted({claim.status for claim in one.claims}))
        id_ = cid_of_statement(one.claims[0].id)
        rows.append(f"{output.safe(name)}  {statuses}  {id_}")
    head = f"{len(found):,} of {amount(count, 'work')} in the list"
    rows.append((f"{head} are claimed by that key.", "head"))
    if bad:
        rows.append((amount(len(bad), "line names", "lines name") + " no work", "bad"))
    return rows
