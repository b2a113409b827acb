"""`byline stats`: how an archive divides, or a set by what is claimed of its works."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from byline_cli import output
from byline_cli.connect import connect
from byline_cli.options import Json, make_app
from byline_cli.set_words import describe_bad
from byline_cli.targets import named_path
from byline_ledger.errors import MalformedError
from byline_ledger.label_item import MADE
from byline_ledger.label_words import SLICES, percent
from byline_ledger.vocabulary import PLAIN_ANSWERS
from byline_node.local import LocalClient
from byline_node.stats_client import SetStats, count_all, count_on, count_set

app = make_app()


@app.command()
def stats(
    manifest: Annotated[
        Path | None,
        typer.Option(
            "--in",
            metavar="MANIFEST",
            help="Of the works of this set, those about which nobody said anything "
            "included.",
            parser=named_path,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say how the claims in a log divide: how made, by year and by medium.

    The log is counted once, and what is new when you ask again. With --in, the works
    of a set are asked about one by one.
    """
    with connect(make=False) as client:
        if manifest is not None:
            with output.progress("Asking", 0, unit="works") as advance:
                found = count_set(manifest, client, advance)
            output.result(as_json, found.to_json(), describe_set(found))
            if found.bad:
                raise typer.Exit(MalformedError.exit_code)
            return
        with output.steps("Counting", unit="entries") as report:
            if isinstance(client, LocalClient):
                value = count_all(client.view, report)
            else:
                value = count_on(client, report)
    output.result(as_json, value, describe(value))


def describe(value: Mapping[str, Any]) -> list[output.Line]:
    """The whole archive, then by year and by medium."""
    claims, withdrawn = value["claims"], value["withdrawn"]
    total, back = sum(claims.values()), sum(withdrawn.values())
    head = (
        f"{total:,} claims that stand, {back:,} withdrawn, by entry {value['counted']}"
    )
    rows: list[output.Line] = [(head, "head"), *figures(claims)]
    for title, name in (("By year", "by_year"), ("By medium", "by_medium")):
        if value[name]:
            words = "".join(f"{word:>11}" for word in PLAIN_ANSWERS)
            rows.append((f"{title:<14}{words}", "head"))
        for word, counts in value[name].items():
            numbers = "".join(f"{counts[made]:>11,}" for made in PLAIN_ANSWERS)
            rows.append(f"{output.safe(str(word)):<14}{numbers}")
    return rows


def describe_set(found: SetStats) -> list[output.Line]:
    """The works of a manifest."""
    rows = describe_bad(found.bad, found.bad_count)
    return [
        *rows,
        (f"{found.works.total():,} works", "head"),
        *figures({word: found.works[word] for word in MADE}),
    ]


def figures(counts: Mapping[str, int]) -> list[output.Line]:
    """A row for each slice."""
    whole = sum(counts.values())
    return [
        f"  {said:<30} {counts[word]:>9,}  {percent(counts[word], whole):>5}"
        for word, said in SLICES.items()
        if word in counts or word in PLAIN_ANSWERS
    ]
