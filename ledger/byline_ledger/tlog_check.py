"""Proof files of a work's claims: made of an answer, and checked by a reader's policy.

Rule (docs/spec/log.md, "Proof files"): the policy names the log and says which
witnesses count.  Such a file says that a statement is in a log, and nothing of what
else is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from byline_ledger.answer import Answer
from byline_ledger.bundle import Bundle, proof_of
from byline_ledger.checkpoint import checkpoint_of
from byline_ledger.entry import statement_entry
from byline_ledger.errors import NotFoundError, UsageError, VerificationError
from byline_ledger.policy import Policy, PolicyLog
from byline_ledger.statement import Statement
from byline_ledger.tlog_proof import TlogProof
from byline_ledger.verify import OTHER_FILE, signed_by, span


def tlog_proofs(bundle: Bundle, answer: Answer) -> list[TlogProof]:
    """One proof for each claim about the work asked for; NotFoundError where there is
    none."""
    rows = {one.statement.id: one for one in bundle.statements}
    claims = [rows[claim.id] for claim in answer.works[0].claims]
    if not claims:
        raise NotFoundError("nobody claims the work, so there is no entry to prove")
    return [
        TlogProof(
            row.index,
            proof_of(bundle, row.index),
            bundle.checkpoint,
            row.statement.to_envelope(),
        )
        for row in claims
    ]


@dataclass(frozen=True, slots=True)
class Named:
    """What the reader named beside the proof: a work (multihash), and a statement (id)
    where what they typed may mean one."""

    work: bytes
    statement: bytes | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A statement that is proven to be in a log."""

    statement: Statement
    is_right: bool | None
    """Whether it is about what the reader named; None if they named nothing, or it."""
    index: int
    size: int
    times: Mapping[str, int]
    """Witnesses that cosigned, by their names in the policy, and when."""


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


def check_tlog_proof(
    proof: TlogProof,
    rules: Policy,
    trusted: PolicyLog,
    named: Named | None,
    *,
    now: int,
    max_age: int | None = None,
) -> Placed:
    """VerificationError, ProofError or BadSignatureError unless all of it holds; `now`
    in Unix milliseconds, `max_age` in seconds."""
    if proof.extra is None:
        raise UsageError("the proof holds no statement, so there is nothing to compare")
    statement = Statement.from_envelope(proof.extra)
    statement.verify()
    is_right = _compare(statement, named)
    tree = proof.verify(statement_entry(statement), trusted.vkey)
    times = rules.witnessed_by(proof.checkpoint, now=now)
    if not rules.is_satisfied(set(times)):
        raise VerificationError(f"{signed_by(rules, times)}: no quorum")
    _require_age(rules.fresh_time(times), now // 1000, max_age)
    return Placed(statement, is_right, proof.index, tree.size, times)


def _compare(statement: Statement, named: Named | None) -> bool | None:
    """Whether the statement is about what was named, or is what was named; None if
    nothing was.  VerificationError where it is another."""
    if named is None:
        return None
    if named.work == statement.about:
        return True
    if named.statement == statement.id:
        return None
    raise VerificationError(
        f"the statement is about sha256:{statement.about[2:].hex()}, "
        f"not about sha256:{named.work[2:].hex()}: {OTHER_FILE}"
    )


def _require_age(fresh: int | None, now: int, max_age: int | None) -> None:
    """VerificationError if the quorum signed longer ago than the reader takes."""
    if max_age is None:
        return
    age = None if fresh is None else max(0, now - fresh)
    if age is None or age > max_age:
        signed = "at no known time" if age is None else f"{span(age)} ago"
        raise VerificationError(
            f"the quorum signed {signed}: expected at most {span(max_age)}"
        )
