"""Verdicts as projections say them, and what a form has no words for."""

from __future__ import annotations

from typing import Any

import pytest
from tests.ledger.test_answer import answer
from tests.support.signed import work

from byline_ledger.consent import Consent
from byline_ledger.content_terms import Price
from byline_ledger.digest import cid_of_statement
from byline_ledger.projection import Placed, Saying
from byline_ledger.sayings import Losses, saying_of, sayings_of
from byline_ledger.use_word import Term

GENERATIVE, TRAINING = "cawg.ai_generative_training", "cawg.ai_training"
INFERENCE, MINING = "cawg.ai_inference", "cawg.data_mining"
ID, TERMS = bytes(32), "https://terms.example/7"
NO = Saying("notAllowed")


def consent(verdict: str, *terms: Term) -> Consent:
    return Consent(b"", GENERATIVE, None, verdict, (), terms, (), True)


def test_an_answer_says_what_all_its_claims_come_to() -> None:
    """Unknown is left out: nowhere does it become a word."""
    uses: dict[str, Any] = {
        GENERATIVE: {"use": "notAllowed"},
        MINING: {"use": "allowed"},
        TRAINING: {"use": "constrained", "constraint-info": TERMS},
    }
    assert sayings_of(answer(work("photo", uses=uses))) == {
        GENERATIVE: NO,
        MINING: Saying("allowed"),
        TRAINING: Saying("constrained", None, TERMS),
    }
    assert sayings_of(answer()) == {}


def test_a_verdict_without_conditions_is_its_word() -> None:
    assert saying_of(consent("allowed", Term(ID, "never looked at"))) == Saying(
        "allowed"
    )
    assert saying_of(consent("unknown")) is None


@pytest.mark.parametrize(
    ("terms", "text", "address"),
    [
        ((Term(ID, terms_url=TERMS),), None, TERMS),
        ((Term(ID, TERMS), Term(ID, terms_url=TERMS)), None, TERMS),
        ((Term(ID, "name me"),), "name me", None),
        # What an address does not say is said in words.
        ((Term(ID, "name me", terms_url=TERMS),), f"name me; {TERMS}", None),
        (
            (Term(ID, price=Price(250, "EUR", "item"), terms_url=TERMS),),
            f"2.50 EUR per item; {TERMS}",
            None,
        ),
        ((Term(ID, terms_url=TERMS), Term(ID, "b")), f"{TERMS}; b", None),
        ((Term(ID, terms=ID),), f"those of {cid_of_statement(ID)}", None),
        ((), None, None),
    ],
)
def test_conditions_are_an_address_or_words(
    terms: tuple[Term, ...], text: str | None, address: str | None
) -> None:
    """All of them, and an address only where it is all that there is to say."""
    assert saying_of(consent("constrained", *terms)) == Saying(
        "constrained", text, address
    )


def test_what_a_form_has_no_word_for_is_counted() -> None:
    works = [
        Placed("/a", {GENERATIVE: NO, MINING: NO}),
        Placed("/b", {MINING: NO}),
        Placed("/c", {}),
    ]
    found = Losses.of("robots", works)
    assert found == Losses("robots", 1, 1, 1, {MINING: 2})
    assert not found.protects_nothing
    assert found.better(found.unsaid) == ["tdmrep", "cawg"]
    assert Losses.of("cawg", works) == Losses("cawg", 1, 2, 0, {})


def test_where_all_would_be_lost_nothing_is_protected() -> None:
    lost = Losses.of("tdmrep", [Placed("/a", {INFERENCE: NO})])
    assert lost.protects_nothing
    assert lost.better(lost.unsaid) == ["cawg"]
    # TDMRep has the word, but one number for three: an allowance alone has no place.
    alone = Losses.of("tdmrep", [Placed("/a", {MINING: Saying("allowed")})])
    assert alone.protects_nothing
    assert alone.unsaid == {}
    assert alone.better(alone.unsaid) == ["cawg"]
    assert not Losses.of("robots", [Placed("/a", {})]).protects_nothing
