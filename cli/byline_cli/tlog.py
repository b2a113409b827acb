"""C2SP tlog-proof files: written by `byline query`, checked by `byline verify`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from byline_cli import output
from byline_cli.alarms import require_no_alarm
from byline_cli.connect import now_ms
from byline_cli.files import write_new_file
from byline_cli.targets import Target
from byline_ledger.answer import Answer
from byline_ledger.bundle import Bundle
from byline_ledger.policy import NONE, Policy
from byline_ledger.tlog_check import Named, check_tlog_proof, tlog_proofs, trusted_log
from byline_ledger.tlog_proof import SUFFIX, TlogProof
from byline_ledger.verify import signed_by, unwitnessed

if TYPE_CHECKING:
    from byline_cli.verify import Wanted


def write_tlog_proofs(bundle: bytes, answer: Answer, out: Path) -> list[Path]:
    """One file for each claim about the work asked for; `out` names the first.

    NotFoundError where there is no claim.
    """
    written = []
    proofs = tlog_proofs(Bundle.from_bytes(bundle), answer)
    for number, proof in enumerate(proofs, start=1):
        path = out if number == 1 else numbered(out, number)
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
    rules, trusted = trusted_log(proof, wanted.rules)
    require_no_alarm(trusted.vkey)
    found = check_tlog_proof(
        proof,
        rules,
        trusted,
        named(wanted.target),
        now=now_ms(),
        max_age=wanted.max_age,
    )
    compared = "yes" if found.is_right else "the work's own bytes were not compared"
    where = f"entry {found.index} of {found.size}"
    rows: list[output.Line] = [
        f"  statement   {found.statement.cid}",
        f"  right file  {compared}",
        f"  log         {output.safe(trusted.origin)}, {where}",
        witness_row(rules, found.times),
        ("The proof holds: the statement is in this log.", "good"),
        "It says nothing of what else is: whether it was withdrawn or disputed.",
    ]
    value = {
        "ok": True,
        "statement": found.statement.cid,
        "right_file": found.is_right,
        "origin": trusted.origin,
        "index": found.index,
        "size": found.size,
        "witnesses": sorted(found.times),
    }
    output.result(as_json, value, rows)


def named(target: Target | None) -> Named | None:
    """What was named; a hash may mean a statement, a file never does."""
    if target is None:
        return None
    return Named(target.multihash, target.sha256 if target.path is None else None)


def witness_row(rules: Policy, times: Mapping[str, int]) -> output.Line:
    """Who signed; that nobody had to is no proof of anything."""
    if rules.quorum == NONE:
        return (f"  witnesses   not checked: {unwitnessed(rules, times)}", "doubt")
    return f"  witnesses   {signed_by(rules, times)}"
