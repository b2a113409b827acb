"""Which claims a settlement counts: effective ones of members that name the group."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.state_vectors import facts, id_, key, work

from byline_ledger.content_terms import Price
from byline_ledger.facts import AsOf
from byline_ledger.settlement_claims import counted_claims, priced_offer
from byline_ledger.state import State

USE = "cawg.ai_generative_training"
GROUP = key("g")


def said(name: str, type_: str, author: str, about: str, **more: Any) -> dict[str, Any]:
    place = int(name[1:])
    return {
        "id": name,
        "type": type_,
        "author": author,
        "about": about,
        "time": place,
        "index": place,
        **more,
    }


PRICE = {"amount": 250, "currency": "EUR", "per": "item"}
ADMIT = said("s1", "admit", "g", "key a")
OFFER = said("s2", "offer", "g", "key g", uses={USE: {"use": "allowed"}}, price=PRICE)
CLAIM = said("s3", "work", "a", "work w", group="g")


def state(*statements: dict[str, Any], now: int | None = None) -> State:
    case: dict[str, Any] = {"statements": [ADMIT, OFFER, CLAIM, *statements]}
    return State(facts(case | {"as_of": {"now": now}}))


def counted(found: State) -> list[str]:
    names = {id_(f"s{number}"): f"s{number}" for number in range(20)}
    claims = counted_claims(found, work("w"), GROUP, USE, None)
    return [names[one.id] for one in claims]


def test_a_members_claim_counts_with_the_verdict_on_the_use() -> None:
    (one,) = counted_claims(state(), work("w"), GROUP, USE, b"o")
    assert (one.id, one.kin, one.shares) == (id_("s3"), key("a"), {key("a"): 1})
    assert (one.word, one.offer, one.disputed) == ("constrained", b"o", False)


def test_shares_are_those_of_the_claim() -> None:
    shares = [{"key": b"x" * 32, "parts": 2}, {"key": b"y" * 32, "parts": 1}]
    claim = said("s4", "work", "a", "work v", group="g", shares=shares)
    (one,) = counted_claims(state(claim), work("v"), GROUP, USE, None)
    assert one.shares == {b"x" * 32: 2, b"y" * 32: 1}


@pytest.mark.parametrize(
    "more",
    [
        said("s4", "work", "b", "work w", group="g"),
        said("s4", "work", "a", "work w", group="h"),
        said("s4", "work", "a", "work w"),
    ],
    ids=["no member", "another group", "no group"],
)
def test_other_claims_do_not_count(more: dict[str, Any]) -> None:
    assert counted(state(more)) == ["s3"]


def test_a_withdrawn_claim_does_not_count() -> None:
    gone = said("s4", "withdraw", "a", "statement s3", reason="mistaken")
    assert counted(state(gone)) == []


def test_a_member_that_left_does_not_count() -> None:
    assert counted(state(said("s4", "leave", "a", "key g"))) == []


@pytest.mark.parametrize("about", ["work w", "statement s3"])
def test_a_dispute_about_authorship_contests(about: str) -> None:
    found = state(said("s4", "dispute", "z", about, reason="authorship"))
    assert counted_claims(found, work("w"), GROUP, USE, None)[0].disputed


def test_another_dispute_or_one_taken_back_does_not() -> None:
    found = state(
        said("s4", "dispute", "z", "work w", reason="misleading"),
        said("s5", "dispute", "y", "work w", reason="authorship"),
        said("s6", "withdraw", "y", "statement s5", reason="mistaken"),
    )
    assert not counted_claims(found, work("w"), GROUP, USE, None)[0].disputed


def test_the_earliest_offer_with_a_price_counts() -> None:
    later = said("s4", "offer", "g", "key g", uses=OFFER["uses"], price=PRICE)
    assert priced_offer(state(later), GROUP, USE) == (
        id_("s2"),
        Price(250, "EUR", "item"),
    )


@pytest.mark.parametrize(
    "change",
    [
        {"price": None},
        {"grantee": "z"},
        {"uses": {"cawg.data_mining": {"use": "allowed"}}},
        {"uses": None},
        {"until": 5},
        {"author": "b"},
    ],
)
def test_other_offers_do_not(change: dict[str, Any]) -> None:
    offer = {name: one for name, one in (OFFER | change).items() if one is not None}
    case: dict[str, Any] = {"statements": [offer], "as_of": {"now": 9}}
    assert priced_offer(State(facts(case)), GROUP, USE) is None


def test_an_offer_that_was_withdrawn_does_not() -> None:
    gone = said("s4", "withdraw", "g", "statement s2", reason="superseded")
    assert priced_offer(state(gone), GROUP, USE) is None


def test_the_moment_is_that_of_the_reader() -> None:
    assert AsOf(now=3).moment == 3
