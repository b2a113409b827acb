"""`byline similar`: which attested works does a file resemble?

What is found is never the answer about the file: each row is asked for by its own
digest, with its own proof.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from byline_cli import output
from byline_cli.connect import connect
from byline_cli.known_names import with_own_name
from byline_cli.options import Json, make_app
from byline_cli.targets import hash_file, named_path
from byline_cli.wording import MADE, amount, day
from byline_ledger.content import read_work
from byline_ledger.did import did_key
from byline_ledger.digest import cid_of_statement
from byline_ledger.errors import BylineError, NotFoundError
from byline_ledger.likeness import Likeness
from byline_ledger.windows import how_turned
from byline_node.fingerprint_files import ask_about_file
from byline_node.home import find_home
from byline_node.local import open_client
from byline_node.similar_calls import Resemblances, Resembling, nearest_of_works

app = make_app()

MOST_SHOWN = 20
"""Works; scripts get all."""

KINDS = {
    "bytes": "nearly the same bytes",
    "image": "the same picture",
    "part": "a part of it",
    "larger": "it is a part of this file",
    "text": "nearly the same text",
    "excerpt": "some of the same text",
}
WARNING = "Likeness is no proof: now and then it is of something else."
NEXT = "To see what is said of one, and the proof: byline query HASH"


@app.command()
def similar(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", hidden=True, parser=named_path)
    ],
    as_json: Json = False,
) -> None:
    """Look for works that a file resembles: copies that were resized, cut or quoted.

    Finds works whose authors published fingerprints (attest --similar). What was
    said of each, byline query tells by the hash in its row. Ends with code 3 if nothing
    is like it.
    """
    digest = hash_file(file)
    found, problem = ask(file)
    rows: list[output.Line] = []
    if problem is not None:
        rows.append((output.safe(f"{file}: {problem}"), "doubt"))
    rows += describe(file, digest, found)
    output.result(as_json, to_json(digest, found) | {"problem": problem}, rows)
    if not found.found:
        raise typer.Exit(NotFoundError.exit_code)


def ask(file: Path) -> tuple[Resemblances, str | None]:
    """What the node of this home knows that resembles the file; why not more of it was
    compared."""
    asked = ask_about_file(file)
    with connect(make=False) as client:
        return client.similar(asked), asked.problem


def ask_again(file: Path) -> Resemblances:
    """The same of a node that was asked just now."""
    asked = ask_about_file(file)
    with open_client(find_home(), make=False) as client:
        return client.similar(asked)


def look_for_altered(file: Path) -> tuple[dict[str, Any], list[output.Line]]:
    """The same for a file about which nothing is known, if it can be done."""
    try:
        found, digest = ask_again(file), hash_file(file)
    except BylineError as error:
        output.note(f"Altered copies were not looked for: {error}", "quiet")
        return {}, []
    rows = describe(file, digest, found) if found.found else unsearched(found)
    return to_json(digest, found), ["", *rows] if rows else []


def describe(file: Path, digest: bytes, found: Resemblances) -> list[output.Line]:
    """What was found, for people."""
    name = output.safe(str(file))
    works = nearest_of_works(found.found)
    if not works:
        rows: list[output.Line] = [f"Nothing that is known here resembles {name}."]
    else:
        rows = [(f"{name} resembles {amount(len(works), 'work')}:", "head")]
        for claims in works[:MOST_SHOWN]:
            rows += describe_work(digest, claims)
        if len(works) > MOST_SHOWN:
            rows.append(f"  {len(works) - MOST_SHOWN} more: see --json")
        rows += [(WARNING, "quiet"), NEXT]
    return rows + unsearched(found)


def unsearched(found: Resemblances) -> list[output.Line]:
    """How much of the log was searched, where that is not all."""
    if found.searched >= found.size:
        return []
    done = f"{found.searched:,} of {found.size:,} entries"
    return [(f"Searched {done} for what resembles it.", "doubt")]


def describe_work(digest: bytes, claims: list[Resembling]) -> list[output.Line]:
    """One work, and who claims it."""
    work = claims[0].statement.about
    rows: list[output.Line] = [f"  {work[2:].hex()}"]
    if work == digest:
        rows.append(("    this very file", "good"))
    else:
        rows.append((f"    {in_words(claims[0].likeness)}", "doubt"))
    for one in claims:
        content = read_work(one.statement)
        title = f' "{output.safe(content.title)}"' if content.title else ""
        rows.append(f"    claimed by {with_own_name(one.statement.author)}")
        rows.append(
            f"      on {day(one.statement.time)}, made: {MADE[content.made]}{title}"
        )
    return rows


def in_words(likeness: Likeness) -> str:
    """The distance, always, and how it is like it."""
    turned = how_turned(likeness.turn)
    how = KINDS[likeness.kind] + (f", {turned}" if turned else "")
    distance = f"{likeness.distance}/{likeness.of}"
    return f"similar ({how}), distance {distance}, not the attested file"


def to_json(digest: bytes, found: Resemblances) -> dict[str, Any]:
    """The same for scripts."""
    return {
        "similar": [
            {
                "digest": f"sha256:{one.statement.about[2:].hex()}",
                "same_file": one.statement.about == digest,
                "statement": cid_of_statement(one.statement.id),
                "author": did_key(one.statement.author),
                "time": one.statement.time,
                "title": read_work(one.statement).title,
                "made": read_work(one.statement).made,
                "kind": one.likeness.kind,
                "distance": one.likeness.distance,
                "of": one.likeness.of,
                "turned": how_turned(one.likeness.turn) or None,
            }
            for one in found.found
        ],
        "searched": found.searched,
        "size": found.size,
    }
