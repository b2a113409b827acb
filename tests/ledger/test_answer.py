"""Answers: what the rules come to, as people and scripts are shown it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from tests.support.logs import take_down
from tests.support.signed import TIME, key, signed, withdraw, work

from byline_ledger.answer import LATE, UNKNOWN, Answer
from byline_ledger.answer_json import to_json
from byline_ledger.bundle import build_bundle
from byline_ledger.content import name_of_key, seal_commitment
from byline_ledger.crypto import SigningKey
from byline_ledger.did import did_key
from byline_ledger.digest import cid_of_statement, digest_bytes, multihash
from byline_ledger.facts import AsOf
from byline_ledger.log import Ledger
from byline_ledger.statement import Statement
from byline_ledger.verify import verify_bundle

ANN, BOB, CREW, NEW, BOT, BUYER = (key(number) for number in range(1, 7))
USE = "cawg.ai_generative_training"
HUMAN = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCreation"
MODEL = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
PHOTO = digest_bytes(b"photo")
FORBIDDEN = {USE: {"use": "notAllowed"}}
ALLOWED = {USE: {"use": "allowed"}}


def answer(
    *statements: Statement,
    asked: bytes = PHOTO,
    as_of: AsOf | None = None,
    gone: Sequence[Statement] = (),
) -> Answer:
    """What a log with these, in this order, answers; `gone` are taken down."""
    with TemporaryDirectory() as folder:
        ledger = Ledger.init(Path(folder) / "node")
        try:
            ledger.append(statements)
            for one in gone:
                take_down(ledger, one)
            bundle = build_bundle(ledger.view, asked, depth=4)
        finally:
            ledger.close()
    known: dict[str, Any] = {} if as_of is None else {"as_of": as_of}
    verdict = verify_bundle(bundle, digest=asked, now=TIME + 10, **known)
    assert verdict.ok, verdict.failure()
    assert verdict.answer is not None
    return verdict.answer


def about_key(of: SigningKey, by: SigningKey, type_: str, **fields: Any) -> Statement:
    return signed(name_of_key(of.public), by, type=type_, **fields)


def delegated(by: SigningKey, given: Statement) -> dict[str, Any]:
    return {"for": by.public, "delegation": given.id}


def statuses(found: Answer) -> list[str]:
    return [one.status for one in found.works[0].claims]


def test_a_late_claim_and_the_keys_that_follow() -> None:
    """The old key's word after its end; the key's own page says why."""
    rotate = about_key(ANN, ANN, "rotate", successor=NEW.public)
    found = answer(work("photo", ANN), rotate, work("photo", ANN), work("photo", NEW))
    assert statuses(found) == ["effective", LATE, "effective"]
    assert found.known
    assert not answer(asked=digest_bytes(b"nothing")).known
    (ann,) = (one for one in found.keys if one.author == ANN.public)
    assert ann.succession == (ANN.public, NEW.public)
    assert ann.ends == found.works[0].claims[0].index + 1
    assert (ann.successor, ann.contested, ann.settled) == (NEW.public, False, True)
    assert {one.linked for one in found.works[0].claims} == {NEW.public}


def test_what_a_recovery_key_said_is_shown() -> None:
    """Beside what the key said about itself."""
    profile = about_key(ANN, ANN, "profile", recovery=BOB.public)
    rotate = about_key(ANN, BOB, "rotate", successor=NEW.public, reason="lost")
    found = answer(profile, work("photo", ANN), rotate)
    (ann,) = (one for one in found.keys if one.author == ANN.public)
    assert ann.recovery == BOB.public
    assert [one.id for one in ann.recovered] == [rotate.id]
    assert ann.recovered[0].status == "effective"


def test_a_delegated_claim_shows_both_names() -> None:
    """Where the delegation holds; else the problem is named."""
    given = about_key(BOT, ANN, "delegate", types=["work"], until=TIME + 1)
    good = work("photo", BOT, **delegated(ANN, given))
    found = answer(given, good, work("photo", BOT, **delegated(BOB, given)))
    first, second = found.works[0].claims
    assert (first.author, first.signed_for) == (BOT.public, ANN.public)
    assert (first.delegation, second.delegation) == ("valid", "invalid")
    assert second.signed_for is None
    assert any(one.startswith("delegation: ") for one in second.problems)
    assert given.id in {one.id for one in found.supporting}


def test_one_field_of_a_delegation_is_a_problem() -> None:
    """It is the author's own word."""
    found = answer(work("photo", BOT, **{"for": ANN.public}))
    assert found.works[0].claims[0].delegation is None
    assert found.works[0].claims[0].problems


def test_a_sealed_work_comes_first() -> None:
    """By the seal's place; a seal that does not fit is a problem."""
    nonce = bytes(31) + b"n"
    commitment = seal_commitment(nonce, PHOTO, ANN.public)
    seal = signed(commitment, ANN, type="seal")
    sealed = {"seal": seal.id, "seal-nonce": nonce}
    found = answer(
        seal,
        work("photo", BOB),
        work("photo", ANN, **sealed),
        work("photo", BOB, **sealed),
    )
    first, _, third = found.works[0].claims
    assert first.author == ANN.public
    assert first.seal is not None
    assert (first.seal.id, first.seal.existed_by) == (seal.id, None)
    assert third.seal is None
    assert any("seal" in one for one in third.problems)


def test_consent_names_what_decides() -> None:
    """A no, a grant that lifts it for one, and an offer: whom to ask."""
    claim = work("photo", ANN, uses=FORBIDDEN)
    grant = work("photo", ANN, type="grant", grantee=BUYER.public, uses=[USE])
    offer = work("photo", ANN, type="offer", uses=ALLOWED)
    found = answer(claim, grant, offer)
    assert found.works[0].consent[USE] == "notAllowed"
    assert len(found.works[0].consent) == 4
    assert "painting" not in found.works[0].consent
    assert found.consent(USE).deciding == (claim.id,)
    assert found.consent(USE).offers == (offer.id,)
    lifted = found.consent(USE, BUYER.public)
    assert (lifted.verdict, lifted.deciding) == ("allowed", (claim.id, grant.id))
    assert [one.id for one in found.works[0].of_type("grant")] == [grant.id]
    assert found.works[0].remarks[0].content is not None


def test_consent_is_not_asked_of_an_answer_without_evidence() -> None:
    """One that was put together by hand has no statements behind it."""
    with pytest.raises(AssertionError):
        replace(answer(work("photo")), state=None).consent(USE)


def cooperative() -> list[Statement]:
    admit = about_key(ANN, CREW, "admit")
    price = {"amount": 5, "currency": "EUR", "per": "item"}
    offer = about_key(CREW, CREW, "offer", uses=ALLOWED, price=price)
    return [admit, offer, *[work("photo", ANN, group=CREW.public)] * 2]


def test_members_and_their_cooperatives_offer() -> None:
    """Two claims of one member are one membership."""
    admit, offer, *claims = cooperative()
    found = answer(admit, offer, *claims)
    (member,) = found.members
    assert (member.status, member.admit) == ("yes", admit.id)
    assert (member.member, member.group) == (ANN.public, CREW.public)
    consent = found.consent(USE)
    assert consent.verdict == "constrained"
    assert consent.terms[0].price is not None
    assert consent.terms[0].price.amount == 5
    assert {admit.id, offer.id} <= {one.id for one in found.supporting}


def test_no_member_has_no_admission() -> None:
    """And a claim without a cooperative is no membership."""
    found = answer(work("photo", ANN, group=CREW.public), work("photo", BOB))
    assert [(one.status, one.admit) for one in found.members] == [("no", None)]


def test_an_admission_that_was_taken_down_is_unknown() -> None:
    """So is what it would have permitted; the rest of the answer stands."""
    admit, offer, claim, again = cooperative()
    found = answer(admit, offer, claim, again, gone=[admit])
    assert [one.status for one in found.members] == ["unknown"]
    assert found.consent(USE).verdict == "unknown"
    assert statuses(found) == ["effective"]


def test_more_admissions_than_are_shown_may_hide_one() -> None:
    """A page of what a key says about another has 16 places."""
    _, offer, claim, _ = cooperative()
    old = about_key(ANN, CREW, "admit", until=1)
    full = [about_key(ANN, CREW, "admit", until=1) for _ in range(40)]
    found = answer(old, *full, offer, claim)
    assert [one.status for one in found.members] == ["unknown"]


def test_a_key_that_talks_too_much_about_itself_is_not_settled() -> None:
    """One rotation may be hidden, so nothing that it claims is sure."""
    profiles = [about_key(ANN, ANN, "profile", name=f"Ann {n}") for n in range(90)]
    found = answer(work("photo", ANN), *profiles)
    assert statuses(found) == [UNKNOWN]
    (ann,) = (one for one in found.keys if one.author == ANN.public)
    assert not ann.settled


def test_what_was_taken_down_about_a_work_or_claim_leaves_doubt() -> None:
    """It may have been a dispute, a withdrawal, another claim."""
    claim, other = work("photo", ANN, uses=ALLOWED), work("photo", BOB)
    found = answer(claim, other, gone=[other])
    assert statuses(found) == [UNKNOWN]
    assert found.works[0].claims[0].uses == {}
    note = signed(multihash(claim.id), BOB, type="dispute", reason="authorship")
    assert statuses(answer(claim, note, gone=[note])) == [UNKNOWN]


def test_works_made_from_it_and_generations() -> None:
    """Down one step, up to the end."""
    source = [{"digest": PHOTO, "relationship": "parentOf"}]
    art = work(
        "art", BOB, sources=source, **{"source-type": MODEL, "title": "After Dawn"}
    )
    photo = work("photo", ANN, **{"source-type": HUMAN})
    made = answer(photo, art).works[0]
    (derived,) = made.derived
    assert (derived.digest, derived.relationship) == (digest_bytes(b"art"), "parentOf")
    assert (derived.made, derived.title, derived.status) == (
        "generated",
        "After Dawn",
        "effective",
    )
    assert made.derived_total == 1
    found = answer(photo, art, asked=digest_bytes(b"art"))
    depth = found.works[0].synthetic_depth
    assert depth is not None
    assert (depth.least, depth.greatest, depth.complete) == (1, 1, True)


def test_as_of_an_index() -> None:
    """Neither withdrawals nor derived works of later."""
    claim = work("photo", ANN, uses=ALLOWED)
    source = [{"digest": PHOTO, "relationship": "parentOf"}]
    statements = [claim, work("art", BOB, sources=source), withdraw(claim, ANN)]
    now = answer(*statements)
    assert statuses(now) == ["withdrawn"]
    assert now.works[0].consent[USE] == "unknown"
    assert now.as_of is None
    then = answer(*statements, as_of=AsOf(index=now.works[0].claims[0].index))
    assert statuses(then) == ["effective"]
    assert then.works[0].consent[USE] == "allowed"
    assert then.works[0].derived == ()
    assert then.as_of is not None
    assert not then.by_claims


def test_as_of_a_time_that_only_authors_name() -> None:
    """It says that it goes by claims."""
    found = answer(work("photo", ANN), as_of=AsOf(time=TIME))
    assert statuses(found) == ["effective"]
    assert found.by_claims
    assert statuses(answer(work("photo", ANN), as_of=AsOf(time=TIME - 1))) == []


def test_a_dispute_is_a_mark() -> None:
    """Of the claim or of the work."""
    claim = work("photo", ANN, uses=ALLOWED)
    about = multihash(claim.id)
    dispute = signed(about, BOB, type="dispute", reason="authorship")
    endorse = signed(about, BOB, type="endorse", role="editor")
    found = answer(claim, dispute, endorse)
    assert [one.role for one in found.works[0].claims[0].endorsements] == ["editor"]
    assert found.works[0].claims[0].disputed
    assert statuses(found) == ["effective"]
    assert found.works[0].consent[USE] == "allowed"


def test_contested_successors_are_named() -> None:
    """Nobody acts, and what either withdraws is in doubt."""
    claim = work("photo", ANN)
    rotations = [
        about_key(ANN, ANN, "rotate", successor=one.public) for one in (NEW, BOB)
    ]
    found = answer(claim, *rotations, withdraw(claim, NEW))
    assert statuses(found) == [UNKNOWN]
    (ann,) = (one for one in found.keys if one.author == ANN.public)
    assert (ann.contested, set(ann.named)) == (True, {NEW.public, BOB.public})
    assert ann.successor is None


def test_everything_is_in_the_json() -> None:
    """With the names of its form, and nothing of the machinery."""
    admit, _, *claims = statements = cooperative()
    shown = json.loads(json.dumps(answer(*statements).to_json()))
    assert "state" not in shown
    assert shown["asked"] == f"sha256:{PHOTO[2:].hex()}"
    (member,) = shown["members"]
    assert member["group"] == did_key(CREW.public)
    assert member["admit"] == cid_of_statement(admit.id)
    (claim,) = shown["works"][0]["claims"]
    assert claim["id"] == cid_of_statement(claims[0].id)
    assert claim["linked"] == did_key(ANN.public)
    assert claim["content"]["group"] == did_key(CREW.public)
    assert claim["fields"]["group"] == CREW.public.hex()
    offer = next(one for one in shown["supporting"] if one["type"] == "offer")
    assert offer["content"]["from"] is None
    assert offer["content"]["price"] == {"amount": 5, "currency": "EUR", "per": "item"}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("id", bytes(32), cid_of_statement(bytes(32))),
        ("author", bytes(32), did_key(bytes(32))),
        ("author", b"\x01", "01"),
        ("digest", PHOTO, f"sha256:{PHOTO[2:].hex()}"),
        ("log_root", bytes(32), "00" * 32),
        ("", PHOTO, PHOTO.hex()),
        ("made", "human", "human"),
    ],
)
def test_a_name_decides_how_bytes_are_written(
    name: str, value: object, expected: object
) -> None:
    """A field with the wrong number of bytes is shown as they are."""
    assert to_json(value, name) == expected


def test_the_page_of_a_source_may_lack_what_another_lookup_shows() -> None:
    """It is listed all the same: more claims about a source than a page has, and one of
    them was made from the work asked for."""
    source = [{"digest": PHOTO, "relationship": "parentOf"}]
    negative = digest_bytes(b"negative")
    photo = work(
        "photo", ANN, sources=[{"digest": negative, "relationship": "parentOf"}]
    )
    crowd: Sequence[Statement] = [work("negative", key(n)) for n in range(10, 250)]
    loops = [work("negative", key(n), sources=source) for n in range(20, 50)]
    found = answer(photo, *crowd, *loops)
    asked, below = found.works
    assert below.total == len(crowd) + len(loops)
    shown = {one.id for one in below.claims}
    assert {one.id for one in asked.derived} <= shown
    assert len(shown) > 256


def test_a_work_may_be_claimed_by_others_too() -> None:
    """By a claim that counts, and that is neither by these keys nor for one."""
    mine, theirs = work("photo", ANN), work("photo", BOB)
    assert not answer(mine).is_claimed_beside({ANN.public})
    assert answer(mine, theirs).is_claimed_beside({ANN.public})
    assert not answer(mine, theirs).is_claimed_beside({ANN.public, BOB.public})
    gone = answer(mine, theirs, withdraw(theirs, BOB))
    assert not gone.is_claimed_beside({ANN.public})
    may = about_key(BOT, ANN, "delegate", types=["work"], until=TIME * 2)
    for_me = work("photo", BOT, **delegated(ANN, may))
    assert not answer(may, for_me).is_claimed_beside({ANN.public})
