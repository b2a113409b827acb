"""Random worlds of statements, really signed and logged: what a bundle shows of them
comes to what they come to, or to less."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from tests.support.signed_worlds import USE, Signed, answer_of, logged, signer
from tests.support.state_vectors import work

from state_random import random_case  # isort: skip

from byline_ledger.answer import Answer
from byline_ledger.chain import FOLLOWED
from byline_ledger.crypto import SigningKey
from byline_ledger.digest import digest_bytes, multihash
from byline_ledger.facts import AsOf, Facts
from byline_ledger.state import State
from byline_ledger.statement import Statement, sign_statement


@pytest.mark.parametrize("seed", range(60))
def test_a_bundle_comes_to_what_its_statements_do(seed: int) -> None:
    """No page is full in these, so what is owed suffices for every question."""
    dice = Random(f"bundles {seed}")
    case = random_case(dice, str(seed))
    statements = Signed(case).in_order
    records, bundles = logged(statements)
    moment = 1000 * dice.randint(0, 14)
    last = dice.choice([None, dice.choice(records).index])
    as_of = AsOf(index=last, time=dice.choice([None, moment]), now=moment)
    whole = State(Facts(records, as_of=as_of))
    # What a cooperative's own key says on behalf of yet another is not looked into.
    sure = not any(one.type in FOLLOWED and "for" in one.fields for one in statements)
    for name, bundle in bundles.items():
        answer = answer_of(bundle, name, as_of)
        agree(answer, whole)
        for grantee in (None, signer("z").public):
            expected = whole.consents.of(work(name), USE, grantee)
            found = answer.consent(USE, grantee)
            likely = found.verdict in (expected.verdict, "unknown")
            assert found == expected or (not sure and likely)
        for member in answer.members:
            known = whole.groups.membership(member.member, member.group)
            assert member.status == known.status or not sure


def agree(answer: Answer, whole: State) -> None:
    """Statuses, seals, members, keys and depth as those of all statements."""
    asked = answer.works[0]
    claims = whole.claims(asked.digest)
    assert [one.id for one in asked.claims] == [one.statement.id for one in claims]
    for shown, claim in zip(asked.claims, claims, strict=True):
        assert shown.status == whole.standings.status(claim)
        assert shown.disputed == whole.standings.is_disputed(claim)
        sealing = whole.seals.of(claim)
        seal = sealing.seal.statement.id if sealing and sealing.seal else None
        assert (shown.seal.id if shown.seal else None) == seal
        delegation = whole.authority.delegation(claim)
        assert shown.delegation == (delegation.validity if delegation else None)
        assert shown.linked == whole.keys.end_of(whole.authority.principal(claim))
    for remark in asked.remarks:
        record = whole.facts.by_id(remark.id)
        assert record is not None
        assert remark.status == whole.standings.status(record)
    depth = whole.synthetic_depths([one.digest for one in answer.works])
    assert asked.synthetic_depth is not None
    assert asked.synthetic_depth.least == depth[asked.digest].least
    assert asked.synthetic_depth.greatest == depth[asked.digest].greatest


def test_what_was_not_looked_up_is_not_taken_for_shown() -> None:
    """A cooperative admits somebody on behalf of a founder, who withdraws that:
    nobody has to look for the founder's word on it, so it permits nothing."""
    group, founder, member = (signer(name) for name in ("group", "founder", "member"))
    number = iter(range(100))

    def said(by: SigningKey, type_: str, about: bytes, **more: Any) -> Statement:
        salt = next(number).to_bytes(16, "big")
        common = {"type": type_, "about": about, "time": 1, "salt": salt}
        return sign_statement({**common, **more}, by)

    allowed = {USE: {"use": "allowed"}}
    of_group, of_member = digest_bytes(group.public), digest_bytes(member.public)
    given = said(founder, "delegate", of_group, types=["work", "admit"], until=9)
    under = {"for": founder.public, "delegation": given.id}
    admit = said(group, "admit", of_member, **under)
    statements = [
        given,
        admit,
        said(group, "offer", of_group, uses=allowed),
        said(group, "work", work("w"), uses=allowed, **under),
        said(member, "work", work("w"), group=group.public),
        said(founder, "withdraw", multihash(admit.id), reason="mistaken"),
    ]
    records, bundles = logged(statements)
    whole, found = State(Facts(records)), answer_of(bundles["w"], "w", AsOf())
    assert whole.groups.membership(member.public, group.public).status == "no"
    assert [one.status for one in found.members] == ["unknown"]
    assert found.consent(USE).verdict == "unknown"
