"""C2SP tlog-proof files: written by `byline query`, checked by `byline verify`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from byline_cli import output
from byline_cli.alarms import require_no_alarm
from byline_cli.files import write_new_file
from byline_cli.targets import Target
from byline_ledger.answer import Answer
from byline_ledger.bundle import Bundle, proof_of
from byline_ledger.checkpoint import checkpoint_of
from byline_ledger.digest import cid_of_statement
from byline_ledger.entry import statement_entry
from byline_ledger.errors import NotFoundError, UsageError, VerificationError
from byline_ledger.policy import NONE, Policy, PolicyLog
from byline_ledger.statement import Statement
from byline_ledger.tlog_proof import SUFFIX, TlogProof
from byline_ledger.verify import OTHER_FILE, signed_by, span, unwitnessed

if TYPE_CHECKING:
    from byline_cli.verify import Wanted


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
            row.index,
            proof_of(parsed, row.index),
            parsed.checkpoint,
            row.statement.to_envelope(),
        )
        path = out if not number else numbered(out, number + 1)
        write_new_file(path, proof.to_bytes())
        written.append(path)
    return written


def numbered(path: Path, number: int) -> Path:
    """`photo.tlog-proof`, `photo.2.tlog-proof`."""
    stem = path.name.removesuffix(SUFFIX)
    return path.with_name(f"{stem}.{number}{SUFFIX}")


def verify_tlog(data: bytes, wanted: Wanted, as_json: bool) -> None:
    """Checks a proof by a policy: it names the log and says which witnesses count."""
    proof = TlogProof.from_bytes(data)
    if proof.extra is None:
        raise UsageError("the proof holds no statement, so there is nothing to compare")
    statement = Statement.from_envelope(proof.extra)
    statement.verify()
    is_right = compare(statement, wanted.target)
    rules, trusted = trusted_log(proof, wanted.rules)
    tree = proof.verify(statement_entry(statement), trusted.vkey)
    require_no_alarm(trusted.vkey)
    now = time.time_ns() // 1_000_000
    times = rules.witnessed_by(proof.checkpoint, now=now)
    if not rules.is_satisfied(set(times)):
        raise VerificationError(f"{signed_by(rules, times)}: no quorum")
    require_age(rules.fresh_time(times), now // 1000, wanted.max_age)
    name = cid_of_statement(statement.id)
    compared = "yes" if is_right else "the work's own bytes were not compared"
    where = f"entry {proof.index} of {tree.size}"
    rows: list[output.Line] = [
        f"  statement   {name}",
        f"  right file  {compared}",
        f"  log         {output.safe(trusted.origin)}, {where}",
        witness_row(rules, times),
        ("The proof holds: the statement is in this log.", "good"),
        "It says nothing of what else is: whether it was withdrawn or disputed.",
    ]
    value = {
        "ok": True,
        "statement": name,
        "right_file": is_right,
        "origin": trusted.origin,
        "index": proof.index,
        "size": tree.size,
        "witnesses": sorted(times),
    }
    output.result(as_json, value, rows)


def witness_row(rules: Policy, times: dict[str, int]) -> output.Line:
    """Who signed; that nobody had to is no proof of anything."""
    if rules.quorum == NONE:
        return (f"  witnesses   not checked: {unwitnessed(rules, times)}", "doubt")
    return f"  witnesses   {signed_by(rules, times)}"


def compare(statement: Statement, target: Target | None) -> bool | None:
    """Whether the statement is about what was named, or is what was named; None if
    nothing was.  VerificationError where it is another."""
    if target is None:
        return None
    if target.multihash == statement.about:
        return True
    if target.path is None and target.sha256 == statement.id:
        return None
    raise VerificationError(
        f"the statement is about sha256:{statement.about[2:].hex()}, "
        f"not about sha256:{target.sha256.hex()}: {OTHER_FILE}"
    )


def trusted_log(proof: TlogProof, rules: Policy | None) -> tuple[Policy, PolicyLog]:
    """The policy, and the log that it names; UsageError without either."""
    origin = checkpoint_of(proof.checkpoint).origin
    trusted = rules.log_for(origin) if rules else None
    if rules is None or trusted is None:
        raise UsageError(
            f"a .tlog-proof needs a policy that names the log {origin}",
            hint="make one with: byline policy init --log VKEY",
        )
    return rules, trusted


def require_age(fresh: int | None, now: int, max_age: int | None) -> None:
    """VerificationError if the quorum signed longer ago than the reader takes."""
    if max_age is None:
        return
    age = None if fresh is None else max(0, now - fresh)
    if age is None or age > max_age:
        signed = "at no known time" if age is None else f"{span(age)} ago"
        raise VerificationError(
            f"the quorum signed {signed}: expected at most {span(max_age)}"
        )
