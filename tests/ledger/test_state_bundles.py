"""Random worlds of statements, really signed and logged: what a bundle shows of them
comes to what they come to, or to less."""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from tests.support.state_vectors import IDS, KEYS, nonce, work

from byline_ledger.answer import Answer
from byline_ledger.bundle import build_bundle
from byline_ledger.chain import FOLLOWED
from byline_ledger.crypto import SigningKey
from byline_ledger.digest import SHA256_PREFIX, digest_bytes, multihash
from byline_ledger.facts import AsOf, Facts, Record
from byline_ledger.log import Ledger
from byline_ledger.state import State
from byline_ledger.statement import Statement, sign_statement
from byline_ledger.verify import verify_bundle

VECTORS = Path(__file__).parent.parent / "vectors"
sys.path.insert(0, str(VECTORS))

from generate_state import fields as written  # noqa: E402
from state_random import random_case  # noqa: E402

USE = "cawg.ai_generative_training"


def signer(name: str) -> SigningKey:
    return SigningKey.from_seed(sha256(f"key {name}".encode()).digest())


class Signed:
    """The statements of a case, as they would be published."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.made: dict[str, Statement] = {}
        for said in case["statements"]:
            self.made[said["id"]] = self._sign(written(said))
        places = {said["id"]: said["index"] for said in case["statements"]}
        names = sorted(self.made, key=places.__getitem__)
        self.in_order = [self.made[name] for name in names]

    def _sign(self, said: dict[str, Any]) -> Statement:
        own = ("id", "index", "existed_by", "author")
        fields = {
            name: self._value(name, v) for name, v in said.items() if name not in own
        }
        fields["salt"] = sha256(said["id"].encode()).digest()[:16]
        return sign_statement(fields, signer(said["author"]))

    def _value(self, name: str, found: Any) -> Any:
        if isinstance(found, dict):
            return {inner: self._value(inner, one) for inner, one in found.items()}
        if isinstance(found, list):
            return [self._value(name, one) for one in found]
        if name in KEYS:
            return signer(found).public
        if name in IDS:
            return self.made[found].id
        if name == "seal-nonce":
            return nonce(found)
        return self._about(found) if name in ("about", "digest") else found

    def _about(self, text: str) -> bytes:
        kind, _, name = text.partition(" ")
        if kind == "key":
            return digest_bytes(signer(name).public)
        if kind == "statement":
            made = self.made.get(name)
            return multihash(made.id) if made else work(name)
        if kind == "work":
            return work(name)
        secret, sealed, author = name.split(" ")
        sealing = nonce(secret) + work(sealed) + signer(author).public
        return SHA256_PREFIX + sha256(b"byline/seal/v1\x00" + sealing).digest()


def logged(statements: list[Statement]) -> tuple[list[Record], dict[str, bytes]]:
    """Their places in a log, and the bundles about each work."""
    with TemporaryDirectory() as folder:
        ledger = Ledger.init(Path(folder) / "node")
        try:
            ledger.append(statements)
            view = ledger.view
            records = []
            for one in statements:
                index = view.index_of(one.id)
                assert index is not None
                records.append(Record(one, index))
            bundles = {name: build_bundle(view, work(name)) for name in ("u", "v", "w")}
        finally:
            ledger.close()
    return records, bundles


def answer_of(bundle: bytes, name: str, as_of: AsOf) -> Answer:
    verdict = verify_bundle(bundle, digest=work(name), now=as_of.now, as_of=as_of)
    assert verdict.answer is not None
    verdict.answer.to_json()
    return verdict.answer


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
