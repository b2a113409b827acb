"""`byline consent export`: what may be done with a work, in the words of others."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from byline_cli import output
from byline_cli.connect import connect
from byline_cli.export_losses import describe, require_words, use_word
from byline_cli.files import require_new, write_new_file
from byline_cli.naming import parse_keys
from byline_cli.options import Json, NoPolicy, PolicyFile, TrustKeys
from byline_cli.policy import chosen_policy
from byline_cli.query import check, wanted
from byline_cli.targets import Target, parse_target
from byline_ledger.answer import Answer
from byline_ledger.bundle import DEFAULT_DEPTH
from byline_ledger.errors import UsageError, VerificationError
from byline_ledger.projection import (
    VERSION,
    VERSIONS,
    Placed,
    aipref,
    cawg,
    robots,
    tdmrep,
    url_path,
)
from byline_ledger.sayings import Losses, sayings_of
from byline_ledger.vocabulary import check_word
from byline_node.attest import PassedOver, find_files

PLACED = ("robots", "tdmrep")
"""Projections that speak about places on a web site."""


def export(
    what: Annotated[str, typer.Argument(metavar="PATH|HASH|DIR", hidden=True)],
    form: Annotated[
        str,
        typer.Option("--format", metavar="FORM", help=f"{', '.join(VERSIONS)}."),
    ],
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="URL-PATH",
            help="Where a web site serves it, e.g. /photos; usually /NAME, or / of a"
            " folder.",
        ),
    ] = None,
    policy: PolicyFile = None,
    no_policy: NoPolicy = False,
    trusted: TrustKeys = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Write it into FILE.", dir_okay=False
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write what works may be used for in the form that crawlers and programs read.

    robots: lines for your site's robots.txt; tdmrep: its /.well-known/tdmrep.json;
    aipref: the header Content-Usage for your web server; cawg: the part of Content
    Credentials about AI. Where nobody said anything, nothing is written, and crawlers
    go by their own rules. What a form has no words for is said beside it; where that
    is all, nothing is written and it ends with 2. Run it again when authors say
    something new.
    """
    check_word("--format", form, tuple(VERSIONS))
    if out is not None:
        require_new(out)
    rules, _where = chosen_policy(policy, no_policy)
    keys = parse_keys(trusted)
    works = list(find_works(what, at, form))
    answers: list[Answer] = []
    with connect(make=False) as client:
        total = len(works)
        with output.progress("Asking", total, unit="works") as advance:
            for target, _path in works:
                bundle = client.query_bundle(
                    wanted(target), depth=DEFAULT_DEPTH, keys=keys
                )
                verdict = check(bundle, target, rules, DEFAULT_DEPTH, None, keys=keys)
                if not verdict.ok or verdict.answer is None:
                    raise VerificationError(
                        f"{target.name}: the answer does not hold",
                        hint=f"see what is wrong with: byline query {target.name}",
                    )
                answers.append(verdict.answer)
                advance(1)
    found = [
        Exported(Placed(path, sayings_of(answer)), answer.asked)
        for (_target, path), answer in zip(works, answers, strict=True)
    ]
    losses = Losses.of(form, [one.placed for one in found])
    require_words(losses)
    text = written(form, found, alone=not Path(what).is_dir())
    output.note(f"By the rules of {VERSIONS[form]}.", "quiet")
    for row in describe(losses):
        output.note(row, "doubt")
    if out is not None:
        write_new_file(out, text.encode())
    value = {
        "projection": VERSION,
        "of": VERSIONS[form],
        "form": form,
        "works": [one.to_json() for one in found],
        "not_written": {use_word(use): n for use, n in losses.unsaid.items()},
        "text": text,
        "out": str(out) if out else None,
    }
    rows = [f"Wrote {output.safe(str(out))}."] if out else text.splitlines()
    output.result(as_json, value, rows)


@dataclass(frozen=True, slots=True)
class Exported:
    """A work where it is served, and its multihash."""

    placed: Placed
    digest: bytes

    @property
    def digest_text(self) -> str:
        """As people and programs name it."""
        return f"sha256:{self.digest[2:].hex()}"

    def to_json(self) -> dict[str, object]:
        """For scripts: the work and what is known of it."""
        return {
            "path": self.placed.path,
            "digest": self.digest_text,
            "uses": {use: one.word for use, one in self.placed.sayings.items()},
        }


def find_works(what: str, at: str | None, form: str) -> Iterator[tuple[Target, str]]:
    """Each work and its path on the web site."""
    names = [name for name in (at or "").split("/") if name]
    folder = Path(what)
    if not folder.is_dir():
        target = parse_target(what)
        if at is None and target.path is None and form in PLACED:
            raise UsageError(
                f"--format {form} needs --at: a hash does not say where a site"
                " serves it"
            )
        own = [target.path.name] if target.path else [target.name]
        yield target, url_path(names or own)
        return
    found, passed = find_files([folder], recursive=True)
    for one in passed:
        output.note(output.safe(f"{one.path}: {one.reason}, passed over"), style(one))
    for file in found:
        inner = file.path.relative_to(folder).parts
        yield parse_target(str(file.path)), url_path([*names, *inner])


def style(one: PassedOver) -> str:
    """Whether passing it over is a loss."""
    return "bad" if one.exit_code else "quiet"


def written(form: str, found: Sequence[Exported], *, alone: bool) -> str:
    """The projection as the file that it is; `alone` of one file, not of a folder."""
    placed = [one.placed for one in found]
    if form == "robots":
        return robots(placed)
    if form == "tdmrep":
        return as_text(tdmrep(placed))
    if form == "cawg":
        return as_text(assertions(found, alone))
    values = [(one.path, aipref(one.sayings)) for one in placed]
    headers = [(path, f"Content-Usage: {value}") for path, value in values if value]
    if alone:
        return "".join(f"{header}\n" for _, header in headers)
    return "".join(f"{path}  {header}\n" for path, header in headers)


def assertions(found: Sequence[Exported], alone: bool) -> object:
    """One assertion; of a folder those of which something is known, each with its
    work."""
    if alone:
        return cawg(found[0].placed.sayings)
    return [
        {
            "path": one.placed.path,
            "digest": one.digest_text,
            **cawg(one.placed.sayings),
        }
        for one in found
        if one.placed.sayings
    ]


def as_text(value: object) -> str:
    """JSON as people keep it in files."""
    return json.dumps(value, indent=2) + "\n"
