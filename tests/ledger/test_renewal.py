"""Saved proofs and today's answers: does one continue the other, and what differs?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.support.logs import take_down
from tests.support.signed import TIME, key, signed, withdraw, work

from byline_ledger.answer import EFFECTIVE, UNKNOWN, Answer
from byline_ledger.bundle import Bundle, build_bundle
from byline_ledger.content import name_of_key
from byline_ledger.digest import digest_bytes, multihash
from byline_ledger.errors import ContradictionError, VerificationError
from byline_ledger.log import Ledger
from byline_ledger.renewal import Since, changes_since, is_renewable, require_continues
from byline_ledger.statement import Statement
from byline_ledger.verify import FAILED, OK, Level, Verdict, verify_bundle

ANN, BOB = key(1), key(2)
PHOTO = digest_bytes(b"photo")


@dataclass(frozen=True)
class Proof:
    """What a log answers at one moment."""

    bundle: Bundle
    verdict: Verdict
    size: int

    @property
    def answer(self) -> Answer:
        assert self.verdict.answer is not None
        return self.verdict.answer


def proof_of(ledger: Ledger, asked: bytes = PHOTO) -> Proof:
    data = build_bundle(ledger.view, asked)
    verdict = verify_bundle(data, digest=asked, now=TIME + 10)
    return Proof(Bundle.from_bytes(data), verdict, ledger.view.size)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger.init(tmp_path / "node")
    yield made
    made.close()


def since(ledger: Ledger, old: Proof) -> Since:
    """What is different now, all of it proven to continue the old."""
    new = proof_of(ledger)
    path = ledger.view.consistency_proof(old.size)
    entries = require_continues(old.bundle, new.bundle, path)
    assert entries == new.size - old.size
    return changes_since(old.bundle, new.bundle, old.answer, new.answer, entries)


def ids(said: tuple[object, ...]) -> list[bytes]:
    return [one.one.id for one in said]  # type: ignore[attr-defined]


def endorse(statement: Statement) -> Statement:
    return signed(multihash(statement.id), BOB, type="endorse", role="reviewed")


def test_only_its_age_may_be_wrong_with_what_is_renewed(ledger: Ledger) -> None:
    held = proof_of(ledger).verdict
    assert is_renewable(held)
    old = (*held.levels, Level("freshness", FAILED, "too old"))
    assert is_renewable(replace(held, levels=old))
    assert not is_renewable(replace(held, levels=(Level("log", FAILED, ""),)))
    assert not is_renewable(Verdict((Level("log", OK, ""),), None))


def test_what_came_and_was_withdrawn_is_named(ledger: Ledger) -> None:
    """A withdrawal is told with what it takes back, not as news of its own."""
    mine = work("photo", ANN)
    ledger.append([mine])
    old = proof_of(ledger)
    assert since(ledger, old) == Since(0, (), (), (), (), (), 0, ())
    theirs, word = work("photo", BOB), endorse(mine)
    ledger.append([theirs, word, withdraw(mine, ANN)])
    found = since(ledger, old)
    assert sorted(ids(found.added)) == sorted([theirs.id, word.id])
    assert ids(found.withdrawn) == [mine.id]
    assert [one.is_claim for one in found.withdrawn] == [True]
    assert found.lost == ()


def test_what_was_taken_down_is_lost_with_the_saved_proof(ledger: Ledger) -> None:
    """And what the saved proof lacks too is only counted."""
    mine, theirs = work("photo", ANN), work("photo", BOB)
    ledger.append([mine, theirs])
    old = proof_of(ledger)
    late = work("photo", key(3))
    ledger.append([late])
    take_down(ledger, theirs)
    take_down(ledger, late)
    found = since(ledger, old)
    assert ids(found.taken_down) == [theirs.id]
    assert ids(found.lost) == [theirs.id]
    assert found.unseen == 1
    assert found.left_out == ()


def test_full_pages_show_other_statements(ledger: Ledger) -> None:
    """Of what is not shown any more only claims are lost; what is shown now and was in
    the log before is no news."""
    mine, theirs = work("photo", ANN), work("photo", BOB)
    word = signed(PHOTO, BOB, type="dispute", reason="consent")
    ledger.append([mine, theirs, word])
    whole = proof_of(ledger)
    (shown,) = whole.answer.works
    first = tuple(one for one in shown.claims if one.id == mine.id)
    fewer = replace(whole.answer, works=(replace(shown, claims=first, remarks=()),))
    bundle = whole.bundle
    lost = changes_since(bundle, bundle, whole.answer, fewer, 0)
    assert sorted(ids(lost.left_out)) == sorted([theirs.id, word.id])
    assert ids(lost.lost) == [theirs.id]
    more = changes_since(bundle, bundle, fewer, whole.answer, 0)
    assert sorted(ids(more.shown)) == sorted([theirs.id, word.id])
    assert more.added == ()


def test_what_stands_for_itself_is_no_mere_withdrawal(ledger: Ledger) -> None:
    """Wherever else it is named, before or after; of a key's statements as well."""
    mine = work("photo", ANN)
    gone = withdraw(mine, ANN)
    ledger.append([mine, gone])
    told = proof_of(ledger)
    (shown,) = told.answer.works
    (claim,) = shown.claims
    assert claim.withdrawal is not None
    before = replace(told.answer, works=(replace(shown, claims=()),))
    after = replace(told.answer, works=(replace(shown, remarks=(claim.withdrawal,)),))
    found = changes_since(told.bundle, told.bundle, before, after, told.size)
    assert sorted(ids(found.added)) == sorted([mine.id, gone.id])
    early = replace(shown, claims=(replace(claim, endorsements=(claim.withdrawal,)),))
    twice = replace(early, remarks=(claim.withdrawal,))
    after = replace(told.answer, works=(twice,))
    found = changes_since(told.bundle, told.bundle, before, after, told.size)
    assert sorted(ids(found.added)) == sorted([mine.id, gone.id])


def test_a_key_s_statements_are_news_and_doubts_too(ledger: Ledger) -> None:
    mine = work("photo", ANN)
    ledger.append([mine])
    old = proof_of(ledger)
    name = signed(name_of_key(ANN.public), ANN, type="profile", name="Ann")
    ledger.append([name])
    assert ids(since(ledger, old).added) == [name.id]
    told = proof_of(ledger)
    (shown,) = told.answer.works
    (claim,) = shown.claims
    assert claim.status == EFFECTIVE
    unsure = replace(shown, claims=(replace(claim, status=UNKNOWN),))
    after = replace(told.answer, works=(unsure,))
    found = changes_since(told.bundle, told.bundle, told.answer, after, 0)
    assert ids(found.unsure) == [mine.id]


def test_an_answer_to_something_else_continues_nothing(
    ledger: Ledger, tmp_path: Path
) -> None:
    ledger.append([work("photo", ANN)])
    old = proof_of(ledger)
    other = proof_of(ledger, digest_bytes(b"another"))
    with pytest.raises(VerificationError, match="for another digest"):
        require_continues(old.bundle, other.bundle, ())
    stranger = Ledger.init(tmp_path / "stranger")
    try:
        with pytest.raises(VerificationError, match="keeps another log"):
            require_continues(old.bundle, proof_of(stranger).bundle, ())
    finally:
        stranger.close()
    ledger.append([work("photo", BOB)])
    new = proof_of(ledger)
    with pytest.raises(VerificationError, match="3 entries, the saved proof has 5"):
        require_continues(new.bundle, old.bundle, ())


def test_a_log_that_does_not_continue_is_accused(ledger: Ledger) -> None:
    """With both notes and the proof: what an alarm needs."""
    ledger.append([work("photo", ANN)])
    old = proof_of(ledger)
    ledger.append([work("photo", BOB)])
    new = proof_of(ledger)
    wrong = [bytes(32) for _ in ledger.view.consistency_proof(old.size)]
    with pytest.raises(ContradictionError, match="does not continue") as caught:
        require_continues(old.bundle, new.bundle, wrong)
    assert caught.value.notes == (old.bundle.checkpoint, new.bundle.checkpoint)
    assert caught.value.proof == tuple(wrong)
