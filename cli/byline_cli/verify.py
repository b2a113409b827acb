"""`byline verify`: check a saved proof, offline.  Imports no network code."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from byline_cli import output
from byline_cli.alarms import require_no_alarm
from byline_cli.as_of import AsOfOption, parse_as_of
from byline_cli.files import read_file
from byline_cli.known_names import labels_in
from byline_cli.options import (
    Json,
    MaxAge,
    NoPolicy,
    PolicyFile,
    examples,
    make_app,
    refuse_beside,
)
from byline_cli.policy import chosen_policy, require_ageable
from byline_cli.render import Reader, render_verdict, verdict_to_json
from byline_cli.signing import key_names
from byline_cli.targets import Target, parse_target
from byline_cli.wording import LEVELS
from byline_ledger.bundle import BEGINNING, Bundle
from byline_ledger.bundle_rows import MAX_BUNDLE
from byline_ledger.errors import BylineError, MalformedError, UsageError
from byline_ledger.facts import NOW, AsOf
from byline_ledger.policy import Policy
from byline_ledger.tlog_proof import HEADER
from byline_ledger.verify import FAILED, Verdict, verify_bundle

app = make_app()

PROOF_FIRST = "the proof comes first: byline verify PROOF [FILE]"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the reader holds a proof against."""

    target: Target | None
    rules: Policy | None
    max_age: int | None
    as_of: AsOf = NOW


@app.command(epilog=examples("byline verify harbour.byline harbour.jpg"))
def verify(
    bundle: Annotated[
        Path, typer.Argument(metavar="BUNDLE", hidden=True, readable=False)
    ],
    what: Annotated[
        str | None, typer.Argument(metavar="PATH|HASH", hidden=True)
    ] = None,
    policy: PolicyFile = None,
    no_policy: NoPolicy = False,
    max_age: MaxAge = None,
    as_of: AsOfOption = None,
    refresh: Annotated[
        bool,
        typer.Option(
            "--refresh",
            help="Ask a node for the answer of today, show that it continues the saved"
            " one, and keep it in its place.",
        ),
    ] = False,
    accept_loss: Annotated[
        bool,
        typer.Option(
            "--accept-loss",
            help="With --refresh: replace the saved proof even if today's answer lacks"
            " what it holds.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Check a proof that was saved earlier, with no node and no network.

    With PATH, the file's own bytes are compared too. A proof that the log shows nothing
    holds as well, and ends with code 0. A .tlog-proof is checked in the same way.
    """
    data = read_file(bundle, MAX_BUNDLE, PROOF_FIRST)
    target = parse_target(what) if what is not None else None
    rules, _where = chosen_policy(policy, no_policy)
    require_ageable(rules, max_age)
    if accept_loss and not refresh:
        raise UsageError("--accept-loss needs --refresh")
    if as_of is not None and refresh:
        raise UsageError("--as-of and --refresh do not go together")
    wanted = Wanted(target, rules, max_age, parse_as_of(as_of))
    if data.startswith(HEADER):
        from byline_cli.tlog import verify_tlog

        if refresh:
            raise not_renewable()
        refuse_beside("a .tlog-proof, which is a place in the log", {"--as-of": as_of})
        verify_tlog(data, wanted, as_json)
        return
    try:
        verdict = check(data, wanted)
    except MalformedError as error:
        raise no_proof(bundle, data, error) from None
    except BylineError as error:
        raise type(error)(f"{bundle}: {error}", hint=error.hint) from None
    value = verdict_to_json(verdict)
    if refresh:
        from byline_cli.refresh import Saved
        from byline_cli.refresh import refresh as refresh_saved
        from byline_ledger.renewal import is_renewable

        if is_renewable(verdict):
            saved = Saved(bundle, Bundle.from_bytes(data), verdict)
            refresh_saved(saved, wanted, accept_loss, as_json)
            return
        value |= {"renewed": False}
    name = str(target.path) if target and target.path else None
    reader = Reader(name, key_names(), labels_in(verdict.answer))
    rows = render_verdict(verdict, reader)
    output.result(as_json, value, [*rows, "", conclusion(verdict)])
    if not verdict.ok:
        raise typer.Exit(verdict.exit_code)


def check(data: bytes, wanted: Wanted) -> Verdict:
    """The verdict, by this machine's clock; InconsistentLogError if the log lied."""
    target = wanted.target
    verdict = verify_bundle(
        data,
        digest=target.multihash if target else None,
        work=target.multihash if target and target.path else None,
        policy=wanted.rules,
        now=time.time_ns() // 1_000_000,
        max_age=wanted.max_age,
        as_of=wanted.as_of,
    )
    require_no_alarm(Bundle.from_bytes(data).log)
    return verdict


def no_proof(path: Path, data: bytes, error: MalformedError) -> MalformedError:
    """A proof that was harmed, or another file given in its place."""
    if data[: len(BEGINNING)] == BEGINNING[: len(data)]:
        return MalformedError(
            f"{path} is cut short or damaged ({error})", hint="save the proof again"
        )
    return MalformedError(
        f"{path} is not a saved proof",
        hint=PROOF_FIRST,
    )


def not_renewable() -> UsageError:
    """A place in the log is for ever the same: there is nothing newer of it."""
    return UsageError(
        "a .tlog-proof cannot be renewed: it is a place in the log, not an answer",
        hint="for the answer of today: byline query FILE --save PROOF",
    )


def conclusion(verdict: Verdict) -> output.Line:
    """The sum of all levels in one line."""
    if verdict.ok:
        holds = "The proof holds. It shows what was claimed, not that it is true."
        if not verdict.is_complete:
            holds += " That nothing was left out is not proven."
        return (holds, "good")
    failed = next(level for level in verdict.levels if level.status == FAILED)
    why = f"{LEVELS.get(failed.name, failed.name)}: {output.safe(failed.detail)}"
    return (f"The proof does NOT hold. {why}", "bad")
