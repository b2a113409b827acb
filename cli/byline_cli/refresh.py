"""`byline verify --refresh`: a saved proof, brought up to today."""

from __future__ import annotations

from pathlib import Path

import typer

from byline_cli import output
from byline_cli.connect import connect, now_ms
from byline_cli.render import Reader, render_verdict, verdict_to_json
from byline_cli.signing import key_names
from byline_cli.wording import amount
from byline_ledger.answer import Answer
from byline_ledger.bundle import Bundle
from byline_ledger.checkpoint import checkpoint_of
from byline_ledger.errors import (
    ContradictionError,
    ProofError,
    VerificationError,
)
from byline_ledger.merkle import verify_consistency
from byline_ledger.policy import Policy
from byline_ledger.store.durable import write_durably
from byline_ledger.verify import Verdict, verify_bundle


def refresh(path: Path, saved: bytes, rules: Policy | None, as_json: bool) -> None:
    """Replaces the file once all holds; ContradictionError, and the old file kept, if
    the log does not continue what it signed then."""
    old = Bundle.from_bytes(saved)
    before = require_good(saved, old, rules, "the saved proof")
    with connect() as client:
        fresh = client.query_bundle(old.asked, depth=max(old.depth, 4))
        new = Bundle.from_bytes(fresh)
        proof = client.consistency(checkpoint_of(old.checkpoint).size, new.checkpoint)
    after = require_good(fresh, new, rules, "the node's answer")
    added = require_continues(old, new, proof)
    write_durably(path, fresh)
    assert before.answer is not None
    assert after.answer is not None
    rows = render_verdict(after, Reader(None, key_names()))
    told = describe(before.answer, after.answer, added)
    rows += ["", *told, (f"Renewed {output.safe(str(path))}.", "good")]
    value = verdict_to_json(after) | {"added": added, "file": str(path)}
    output.result(as_json, value, rows)
    if not after.ok:
        raise typer.Exit(after.exit_code)


def require_good(
    data: bytes, bundle: Bundle, rules: Policy | None, what: str
) -> Verdict:
    """A verdict whose answer is proven."""
    verdict = verify_bundle(data, digest=bundle.asked, policy=rules, now=now_ms())
    if verdict.answer is None:
        raise VerificationError(f"{what} does not hold: {verdict.failure()}")
    return verdict


def require_continues(old: Bundle, new: Bundle, proof: tuple[bytes, ...]) -> int:
    """Entries that were added since, all behind those that the saved proof is of."""
    if old.log != new.log:
        raise VerificationError(
            "the node keeps another log than the saved proof is of",
            hint="ask a node of the log that signed it, with BYLINE_NODE",
        )
    was, now = checkpoint_of(old.checkpoint), checkpoint_of(new.checkpoint)
    if now.size < was.size:
        raise VerificationError(
            f"the node answers with {now.size} entries, the saved proof has {was.size}"
        )
    try:
        verify_consistency(was.size, now.size, was.root, now.root, proof)
    except ProofError as error:
        raise ContradictionError(
            f"log {was.origin} does not continue what it signed: {error}",
            hint="the saved proof is kept: it is evidence",
            vkey=old.log,
            notes=(old.checkpoint, new.checkpoint),
            proof=proof,
        ) from error
    return now.size - was.size


def describe(before: Answer, after: Answer, added: int) -> list[output.Line]:
    """What came since."""
    was = {claim.id: claim.status for work in before.works for claim in work.claims}
    now = {claim.id: claim.status for work in after.works for claim in work.claims}
    new = len(said(after) - said(before))
    changed = [now[id_] for id_ in now if was.get(id_, now[id_]) != now[id_]]
    entries = amount(added, "entry", "entries")
    rows: list[output.Line] = [
        f"  since then    {entries} more, all behind those the saved proof is of",
        f"  new           {amount(new, 'statement')} in this answer",
    ]
    rows += [(f"  changed       a claim is {one} now", "doubt") for one in changed]
    return rows


def said(answer: Answer) -> set[bytes]:
    """Ids of what is said about the works of an answer, and about the claims."""
    claims = {claim.id for work in answer.works for claim in work.claims}
    remarks = {remark.id for work in answer.works for remark in work.remarks}
    about = {
        remark.id
        for work in answer.works
        for claim in work.claims
        for remark in (*claim.endorsements, *claim.disputes, *claim.others)
    }
    return claims | remarks | about
