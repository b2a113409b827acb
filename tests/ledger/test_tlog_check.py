"""Proof files that are made of an answer hold by a policy, and for one file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.support.signed import TIME, forged, key, signed

from byline_ledger.answer import Answer
from byline_ledger.bundle import Bundle, build_bundle
from byline_ledger.cosignature import cosign, cosigner_vkey
from byline_ledger.digest import digest_bytes
from byline_ledger.errors import (
    BadSignatureError,
    NotFoundError,
    ProofError,
    UsageError,
    VerificationError,
)
from byline_ledger.log import Ledger
from byline_ledger.note import parse_note
from byline_ledger.policy import Policy
from byline_ledger.statement import Statement
from byline_ledger.tlog_check import (
    Named,
    Placed,
    check_tlog_proof,
    tlog_proofs,
    trusted_log,
)
from byline_ledger.tlog_proof import TlogProof
from byline_ledger.verify import OTHER_FILE, verify_bundle

PHOTO = digest_bytes(b"a photo")
WITNESS = "witness.example/1"
SEEN = TIME // 1000


@dataclass(frozen=True)
class Log:
    """Two claims of a work, and what the log answers."""

    claims: tuple[Statement, Statement]
    vkey: str
    bundle: Bundle
    answer: Answer

    def proof(self) -> TlogProof:
        return tlog_proofs(self.bundle, self.answer)[0]

    def policy(self, *, witnessed: bool = False) -> Policy:
        lines = [f"log {self.vkey}"]
        if witnessed:
            lines.append(f"witness w {cosigner_vkey(WITNESS, key(9).public)}")
        lines += [f"quorum {'w' if witnessed else 'none'}", ""]
        return Policy.from_bytes("\n".join(lines).encode())

    def check(
        self,
        proof: TlogProof,
        named: Named | None = None,
        *,
        witnessed: bool = False,
        now: int = TIME,
        max_age: int | None = None,
    ) -> Placed:
        rules, trusted = trusted_log(proof, self.policy(witnessed=witnessed))
        return check_tlog_proof(proof, rules, trusted, named, now=now, max_age=max_age)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    ledger = Ledger.init(tmp_path / "node")
    claims = signed(PHOTO, key(1)), signed(PHOTO, key(2))
    ledger.append(claims)
    data = build_bundle(ledger.view, PHOTO)
    answer = verify_bundle(data, digest=PHOTO, now=TIME).answer
    assert answer is not None
    yield Log(claims, ledger.view.vkey, Bundle.from_bytes(data), answer)
    ledger.close()


def cosigned(proof: TlogProof) -> TlogProof:
    note = parse_note(proof.checkpoint)
    note = note.with_signature(cosign(note.text, WITNESS, key(9), SEEN))
    return replace(proof, checkpoint=note.to_bytes())


def test_each_claim_of_the_work_has_its_proof(log: Log) -> None:
    found = [log.check(one) for one in tlog_proofs(log.bundle, log.answer)]
    assert {one.statement.id for one in found} == {one.id for one in log.claims}
    assert {one.size for one in found} == {log.answer.log_size}
    assert [one.is_right for one in found] == [None, None]
    nothing = replace(log.answer.works[0], claims=())
    with pytest.raises(NotFoundError, match="nobody claims the work"):
        tlog_proofs(log.bundle, replace(log.answer, works=(nothing,)))


def test_it_is_of_the_work_or_the_statement_that_was_named(log: Log) -> None:
    proof = log.proof()
    (id_,) = {log.check(proof).statement.id}
    assert log.check(proof, Named(PHOTO)).is_right is True
    assert log.check(proof, Named(b"\x12\x20" + id_, id_)).is_right is None
    for wrong in (Named(digest_bytes(b"x")), Named(b"\x12\x20" + id_)):
        with pytest.raises(VerificationError, match="the statement is about") as caught:
            log.check(proof, wrong)
        assert str(caught.value).endswith(OTHER_FILE)


def test_the_policy_must_name_the_log(log: Log) -> None:
    other = Policy.from_bytes(b"quorum none\n")
    for rules in (None, other):
        with pytest.raises(UsageError, match="needs a policy that names the log"):
            trusted_log(log.proof(), rules)


def test_the_quorum_must_have_signed_and_lately(log: Log) -> None:
    proof = log.proof()
    with pytest.raises(VerificationError, match="0 trusted witnesses signed: no quo"):
        log.check(proof, witnessed=True)
    seen = cosigned(proof)
    assert log.check(seen, witnessed=True).times == {"w": SEEN}
    assert log.check(seen, witnessed=True, now=TIME + 60_000, max_age=60)
    with pytest.raises(VerificationError, match="signed 2 minutes ago: expected at mo"):
        log.check(seen, witnessed=True, now=TIME + 120_000, max_age=60)
    with pytest.raises(VerificationError, match="signed at no known time"):
        log.check(seen, max_age=60)


def test_what_is_not_in_the_log_is_not_proven(log: Log) -> None:
    """Another statement, a false signature, another place, and no statement at all."""
    proof = log.proof()
    other = replace(proof, extra=signed(PHOTO, key(3)).to_envelope())
    with pytest.raises(ProofError):
        log.check(other, Named(PHOTO))
    false = forged(log.check(proof).statement)
    with pytest.raises(BadSignatureError):
        log.check(replace(proof, extra=false.to_envelope()))
    with pytest.raises(ProofError):
        log.check(replace(proof, index=proof.index + 1))
    with pytest.raises(UsageError, match="holds no statement"):
        log.check(replace(proof, extra=None))
