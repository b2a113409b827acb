"""`byline verify`: check a saved proof, offline.  Imports no network code."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from byline_cli import output
from byline_cli.files import read_file
from byline_cli.options import Json, make_app
from byline_cli.render import Reader, render_verdict, verdict_to_json
from byline_cli.signing import key_names
from byline_cli.targets import Target, parse_target
from byline_cli.wording import LEVELS
from byline_ledger.bundle import MAX_BUNDLE
from byline_ledger.errors import BylineError, MalformedError
from byline_ledger.policy import Policy
from byline_ledger.verify import FAILED, Verdict, verify_bundle

app = make_app()

MAX_POLICY = 1 << 20

OPENING = b"\x8b\xa5asked"
"""How every saved proof begins: a map of eleven fields, in order (spec/bundle.md)."""


@app.command()
def verify(
    bundle: Annotated[
        Path, typer.Argument(metavar="BUNDLE", hidden=True, readable=False)
    ],
    what: Annotated[
        str | None, typer.Argument(metavar="PATH|HASH", hidden=True)
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(
            "--policy",
            metavar="FILE",
            help="Whom you trust, as a C2SP tlog-policy.",
            readable=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a proof that was saved earlier, with no node and no network.

    With PATH, the file's own bytes are compared too. A proof that nobody said anything
    holds as well, and ends with code 0.
    """
    data = read_file(bundle, MAX_BUNDLE)
    target = parse_target(what) if what is not None else None
    rules = read_policy(policy) if policy is not None else None
    try:
        verdict = check(data, target, rules)
    except MalformedError as error:
        raise no_proof(bundle, data, error) from None
    except BylineError as error:
        raise type(error)(f"{bundle}: {error}", hint=error.hint) from None
    name = str(target.path) if target and target.path else None
    rows = render_verdict(verdict, Reader(name, key_names()))
    output.result(as_json, verdict_to_json(verdict), [*rows, "", conclusion(verdict)])
    if not verdict.ok:
        raise typer.Exit(verdict.exit_code)


def check(data: bytes, target: Target | None, rules: Policy | None) -> Verdict:
    """The verdict, by this machine's clock."""
    return verify_bundle(
        data,
        digest=target.multihash if target else None,
        work=target.multihash if target and target.path else None,
        policy=rules,
        now=time.time_ns() // 1_000_000,
    )


def no_proof(path: Path, data: bytes, error: MalformedError) -> MalformedError:
    """A proof that was harmed, or another file given in its place."""
    if data[: len(OPENING)] == OPENING[: len(data)]:
        return MalformedError(
            f"{path} is cut short or damaged ({error})", hint="save the proof again"
        )
    return MalformedError(
        f"{path} is not a saved proof",
        hint="the proof comes first: byline verify PROOF [FILE]",
    )


def read_policy(path: Path) -> Policy:
    """The reader's policy; raises MalformedError with the file's name."""
    try:
        return Policy.from_bytes(read_file(path, MAX_POLICY))
    except MalformedError as error:
        raise MalformedError(f"{path}: {error}", hint=error.hint) from None


def conclusion(verdict: Verdict) -> output.Line:
    """The sum of all levels in one line."""
    if verdict.ok:
        return (
            "The proof holds. It shows what was claimed, not that it is true.",
            "good",
        )
    failed = next(level for level in verdict.levels if level.status == FAILED)
    why = f"{LEVELS.get(failed.name, failed.name)}: {output.safe(failed.detail)}"
    return (f"The proof does NOT hold. {why}", "bad")
