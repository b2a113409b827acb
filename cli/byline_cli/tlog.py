"""C2SP tlog-proof files: written by `byline query`, checked by `byline verify`."""

from __future__ import annotations

import time
from pathlib import Path

from byline_cli import output
from byline_cli.files import write_new_file
from byline_ledger.answer import Answer
from byline_ledger.bundle import Bundle
from byline_ledger.checkpoint import checkpoint_of
from byline_ledger.digest import cid_of_statement
from byline_ledger.entry import statement_entry
from byline_ledger.errors import NotFoundError, UsageError, VerificationError
from byline_ledger.policy import Policy
from byline_ledger.statement import Statement
from byline_ledger.tlog_proof import SUFFIX, TlogProof


def write_tlog_proofs(bundle: bytes, answer: Answer, out: Path) -> list[Path]:
    """One file for each claim about the work asked for; `out` names the first.

    NotFoundError where there is no claim.
    """
    parsed = Bundle.from_bytes(bundle)
    rows = {one.statement.id: one for one in parsed.statements}
    claims = [claim.id for claim in answer.works[0].claims]
    if not claims:
        raise NotFoundError("nobody claims the work, so there is no entry to prove")
    written = []
    for number, id_ in enumerate(claims):
        row = rows[id_]
        proof = TlogProof(
            row.index, row.proof, parsed.checkpoint, row.statement.to_envelope()
        )
        path = out if not number else numbered(out, number + 1)
        write_new_file(path, proof.to_bytes())
        written.append(path)
    return written


def numbered(path: Path, number: int) -> Path:
    """`photo.tlog-proof`, `photo.2.tlog-proof`."""
    stem = path.name.removesuffix(SUFFIX)
    return path.with_name(f"{stem}.{number}{SUFFIX}")


def verify_tlog(data: bytes, rules: Policy | None, as_json: bool) -> None:
    """Checks a proof by a policy: it names the log and says which witnesses count."""
    proof = TlogProof.from_bytes(data)
    if proof.extra is None:
        raise UsageError("the proof holds no statement, so there is nothing to compare")
    statement = Statement.from_envelope(proof.extra)
    statement.verify()
    origin = checkpoint_of(proof.checkpoint).origin
    trusted = rules.log_for(origin) if rules else None
    if rules is None or trusted is None:
        raise UsageError(
            f"a .tlog-proof needs a policy that names the log {origin}",
            hint="make one with: byline policy init --log VKEY",
        )
    tree = proof.verify(statement_entry(statement), trusted.vkey)
    now = time.time_ns() // 1_000_000
    times = rules.witnessed_by(proof.checkpoint, now=now)
    if not rules.is_satisfied(set(times)):
        raise VerificationError(f"{len(times)} trusted witnesses signed: no quorum")
    name = cid_of_statement(statement.id)
    rows: list[output.Line] = [
        f"  statement  {name}",
        f"  log        {output.safe(origin)}, entry {proof.index} of {tree.size}",
        f"  witnesses  {len(times)} signed",
        ("The proof holds: the statement is in this log.", "good"),
        "It says nothing of what else is: whether it was withdrawn or disputed.",
    ]
    value = {
        "ok": True,
        "statement": name,
        "origin": origin,
        "index": proof.index,
        "size": tree.size,
        "witnesses": sorted(times),
    }
    output.result(as_json, value, rows)
