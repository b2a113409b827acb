"""One question of consent over one list of works, as `consent`, `filter` ask it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from byline_cli import output
from byline_cli.as_of import parse_as_of
from byline_cli.connect import connect, now_ms
from byline_cli.naming import parse_optional_key
from byline_cli.options import USE_WORDS
from byline_cli.policy import chosen_policy
from byline_cli.verdicts import counts_rows, describe_checked, describe_single
from byline_cli.work_list import WorkList
from byline_ledger.manifest import BadLine
from byline_ledger.vocabulary import use_key
from byline_node.consents import Checked, Counts, Question, Results, check
from byline_node.many_consents import asker

Works = Annotated[str, typer.Argument(metavar="PATH|HASH|LIST", hidden=True)]
Use = Annotated[
    str,
    typer.Option(
        "--for",
        metavar="USE",
        help=f"To do what: {USE_WORDS}.",
    ),
]
Grantee = Annotated[
    str | None,
    typer.Option(
        "--grantee",
        metavar="KEY",
        help="For whom: a key that may have a grant.",
    ),
]


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, as it was typed."""

    use: str
    grantee: str | None
    as_of: str | None
    policy: Path | None
    no_policy: bool


class Job:
    """One question over one list of works."""

    def __init__(self, asked: Asked, works: WorkList) -> None:
        self.use = use_key(asked.use)
        self._grantee = parse_optional_key(asked.grantee)
        self._as_of_text = asked.as_of
        self._as_of = parse_as_of(asked.as_of)
        self._policy = chosen_policy(asked.policy, asked.no_policy)[0]
        self._works = works

    @contextmanager
    def checking(
        self, results: Results | None = None
    ) -> Iterator[Iterator[Checked | BadLine]]:
        """The verdicts as a stream, with a bar, while the node is connected."""
        with connect(make=False) as client, self._works.reading() as lines:
            ask = asker(
                client, self._policy, self.use, self._grantee, self._as_of, now_ms()
            )
            if results is None:
                yield check(lines, ask)
            else:
                yield results.write(check(results.left(lines), ask))

    def run_into(self, out: Path) -> Counts:
        """Write the file of results, going on with what an earlier run left."""
        question = Question(
            self.use, self._grantee, self._as_of_text, self._works.digest()
        )
        results = Results(out, question)
        results.open()
        if results.done:
            output.note(f"Going on after line {results.done:,}.", "quiet")
        with self.checking(results) as found:
            for _one in found:
                pass
        results.finish()
        return results.counts

    def show(self, as_json: bool) -> Counts:
        """Print each verdict; of one work alone, with the reasons."""
        counts = Counts()
        first: Checked | BadLine | None = None
        with self.checking() as found:
            for one in found:
                counts.add(one)
                if self._works.is_single:
                    first = one
                elif as_json:
                    output.line(json.dumps(one_json(one)))
                else:
                    output.lines(describe_checked(one))
        if isinstance(first, Checked):
            output.result(as_json, first.to_json(), describe_single(first))
        elif not as_json:
            output.lines(counts_rows(counts, self.use))
        return counts


def one_json(one: Checked | BadLine) -> dict[str, object]:
    """A verdict, or a line that names no work."""
    if isinstance(one, BadLine):
        return {"line": one.number, "bad": one.reason}
    return one.to_json()
