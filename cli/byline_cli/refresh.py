"""`byline verify --refresh`: a saved proof, brought up to today.

Rule: today's answer takes the file's place only if the saved proof held, the log
continues what it signed then, all that `verify` checks holds of today's answer too, and
nothing that the saved proof holds would be lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from byline_cli import output
from byline_cli.connect import connect
from byline_cli.files import replace_file
from byline_cli.render import Reader, render_verdict, verdict_to_json
from byline_cli.signing import key_names
from byline_cli.since import describe, describe_said, to_json
from byline_ledger.bundle import DEFAULT_DEPTH, Bundle
from byline_ledger.checkpoint import checkpoint_of
from byline_ledger.errors import UsageError, VerificationError
from byline_ledger.renewal import Since, changes_since, require_continues
from byline_ledger.verify import Verdict

if TYPE_CHECKING:
    from byline_cli.verify import Wanted


@dataclass(frozen=True, slots=True)
class Saved:
    """The file as it was found, and what `verify` says of it."""

    path: Path
    bundle: Bundle
    verdict: Verdict


def refresh(saved: Saved, wanted: Wanted, accept_loss: bool, as_json: bool) -> None:
    """Replaces the file once all holds; ContradictionError, and the old file kept, if
    the log does not continue what it signed then."""
    from byline_cli.verify import check

    old = saved.bundle
    if len(old.asked) > 1:
        raise UsageError(
            f"{saved.path} answers for {len(old.asked)} works: expected one",
            hint="ask again for all of them",
        )
    with connect(make=False) as client:
        fresh = client.query_bundle(old.asked[0], depth=max(old.depth, DEFAULT_DEPTH))
        new = Bundle.from_bytes(fresh)
        proof = client.consistency(checkpoint_of(old.checkpoint).size, new.checkpoint)
    after = check(fresh, wanted)
    if after.answer is None:
        raise VerificationError(f"the node's answer does not hold: {after.failure()}")
    entries = require_continues(old, new, proof)
    assert saved.verdict.answer is not None
    since = changes_since(old, new, saved.verdict.answer, after.answer, entries)
    reader = reader_of(wanted)
    rows = [*render_verdict(after, reader), "", *describe(since, reader)]
    is_new = fresh != old.to_bytes()
    if after.ok:
        if since.lost and not accept_loss:
            raise would_lose(saved.path, since, reader)
        if is_new:
            replace_file(saved.path, fresh)
    rows.append(conclude(saved.path, after, is_new))
    value = verdict_to_json(after) | {
        "added": entries,
        "file": str(saved.path),
        "renewed": after.ok and is_new,
        "since": to_json(since),
    }
    output.result(as_json, value, rows)
    if not after.ok:
        raise typer.Exit(after.exit_code)


def reader_of(wanted: Wanted) -> Reader:
    """Who reads: with their file's name, if they gave one."""
    target = wanted.target
    return Reader(str(target.path) if target and target.path else None, key_names())


def conclude(path: Path, after: Verdict, is_new: bool) -> output.Line:
    """What became of the file."""
    name = output.safe(str(path))
    if after.ok and not is_new:
        return (f"Nothing new: {name} is today's answer already.", "good")
    if after.ok:
        return (f"Renewed {name}.", "good")
    why = output.safe(after.failure())
    return (f"NOT renewed: today's answer does not hold. {why}. {name} is kept.", "bad")


def would_lose(path: Path, since: Since, reader: Reader) -> VerificationError:
    """The saved proof may be the last that holds this."""
    first = describe_said(since.lost[0], reader)
    more = f", and {len(since.lost) - 1:,} more" if since.lost[1:] else ""
    why = "was taken down" if since.taken_down else "is not shown any more"
    return VerificationError(
        f"{first}{more} {why}: the saved proof holds it, today's answer does not;"
        f" {path} is kept",
        hint="keep today's answer beside it with byline query --save, or give it up"
        " with --accept-loss",
    )
