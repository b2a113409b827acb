"""`byline find`: which works of a list are an author's, altered copies included."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from byline_cli import output
from byline_cli.connect import AnyClient, connect, now_ms
from byline_cli.naming import parse_key
from byline_cli.options import Json, NoPolicy, PolicyFile, examples, make_app
from byline_cli.policy import chosen_policy
from byline_cli.signing import DEFAULT_KEY
from byline_cli.similar import WARNING, in_words
from byline_cli.wording import amount
from byline_cli.work_list import WorkList, find_works
from byline_ledger.answer import Claim
from byline_ledger.digest import cid_of_statement, multihash_hex
from byline_ledger.errors import UsageError
from byline_ledger.manifest import BadLine, ManifestRow
from byline_node.altered import Look, look_for_altered
from byline_node.finding import Found, asking_for, find
from byline_node.fingerprint import require_extra
from byline_node.many_works import Asking

app = make_app()


@app.command(
    "find",
    epilog=examples(
        "byline find --in set.csv --key did:key:z6Mk…",
    ),
)
def find_command(
    works: Annotated[
        str, typer.Option("--in", metavar="DIR|LIST", help="A folder, or a list.")
    ],
    who: Annotated[
        str, typer.Option("--key", metavar="KEY", help="Whose works.")
    ] = DEFAULT_KEY,
    similar: Annotated[
        bool,
        typer.Option(
            "--similar",
            help="Look for altered copies too; the files must be at hand.",
        ),
    ] = False,
    policy: PolicyFile = None,
    no_policy: NoPolicy = False,
    as_json: Json = False,
) -> None:
    """Find an author's works in a data set.

    A work is found if the log holds a claim about it by the author's key, by one that
    follows it, or one signed for it. KEY is a did:key, or the name of a key of yours.
    What only resembles one is listed apart, and never counts as found.
    """
    author = parse_key(who)
    rules, _where = chosen_policy(policy, no_policy)
    named = find_works(works)
    base = require_files(named) if similar else None
    asking = asking_for(author, rules, now_ms())
    found: list[Found] = []
    bad: list[BadLine] = []
    others: list[tuple[ManifestRow, Path]] = []
    count = 0
    look: Look | None = None
    with connect(make=False) as client:
        with named.reading() as lines:
            for line, one in find(lines, client, asking, author):
                count += 1
                if isinstance(line, BadLine):
                    bad.append(line)
                elif one is not None:
                    found.append(one)
                elif base is not None and line.path is not None:
                    others.append((line, base / line.path))
        if base is not None:
            look = look_at(others, client, asking, author)
    told = {
        "lines": count,
        "found": [one.to_json() for one in found],
        "similar": None if look is None else [one.to_json() for one in look.similar],
        "bad_lines": len(bad),
    }
    rows = describe(found, bad, count)
    if look is not None:
        rows += describe_similar(look)
        told["not_compared"] = [
            {"path": row.path, "problem": problem} for row, problem in look.problems
        ]
        told["not_searched"] = look.behind
    output.result(as_json, told, rows)


def require_files(named: WorkList) -> Path:
    """Where the files are; UsageError where a list only names them."""
    require_extra()
    if named.base is None:
        raise UsageError(
            "--similar compares files, and none are at hand",
            hint="name the folder that holds them: byline find --similar --in DIR",
        )
    return named.base


def look_at(
    files: list[tuple[ManifestRow, Path]],
    client: AnyClient,
    asking: Asking,
    author: bytes,
) -> Look:
    """Compares them, with a bar."""
    with output.progress("Comparing", len(files)) as advance:
        return look_for_altered(files, client, asking, author, advance)


def describe(found: list[Found], bad: list[BadLine], count: int) -> list[output.Line]:
    """The works that were found, a line each."""
    rows: list[output.Line] = [
        f"{name_of(one.row)}  {in_short(one.claims)}" for one in found
    ]
    head = f"{len(found):,} of {amount(count, 'work')} in the list"
    rows.append((f"{head} are claimed by that key.", "head"))
    if bad:
        rows.append((amount(len(bad), "line names", "lines name") + " no work", "bad"))
    return rows


def describe_similar(look: Look) -> list[output.Line]:
    """What resembles a work of theirs, apart from what is one."""
    rows: list[output.Line] = []
    if look.similar:
        rows.append("")
    for one in look.similar:
        rows.append(f"{name_of(one.row)}  {in_words(one.likeness)}")
        rows.append(f"  to {multihash_hex(one.work)}")
        rows.append(f"  {in_short(one.claims)}")
    files = len({one.row.number for one in look.similar})
    resemble = amount(files, "more file resembles", "more files resemble")
    rows.append((f"{resemble} works claimed by that key.", "head"))
    if look.similar:
        rows.append((WARNING, "quiet"))
    if look.problems:
        few = amount(len(look.problems), "file was", "files were")
        how = "compared by the bytes alone, or not at all"
        rows.append((f"{few} {how}: --json says why", "doubt"))
    if look.behind:
        entries = amount(look.behind, "entry", "entries")
        rows.append((f"{entries} of the log were not searched.", "doubt"))
    return rows


def name_of(row: ManifestRow) -> str:
    """A file's name, or the work's digest."""
    return output.safe(row.path or multihash_hex(row.digest))


def in_short(claims: tuple[Claim, ...]) -> str:
    """What became of the author's claims, and the first."""
    statuses = ", ".join(sorted({claim.status for claim in claims}))
    return f"{statuses}  {cid_of_statement(claims[0].id)}"
