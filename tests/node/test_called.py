"""What keys call themselves in an answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.ledger.test_answer import ANN, BOB, NEW, about_key, answer
from tests.support.signed import key, work

from byline_ledger.answer import WITHDRAWN
from byline_ledger.crypto import SigningKey
from byline_ledger.name_proofs import NameProof
from byline_ledger.statement import Statement
from byline_node.called import Called, called_in, is_linked, linked_in

A, B, C, D = (key(number).public for number in range(1, 5))


def profile(name: str, of: SigningKey = ANN, by: SigningKey = ANN) -> Statement:
    return about_key(of, by, "profile", name=name)


def called(*said: Statement) -> dict[bytes, Called]:
    return dict(called_in(answer(work("photo", ANN), *said)))


def test_the_last_profile_counts_that_nothing_is_known_against() -> None:
    assert called() == {}
    first, second = profile("Ann"), profile("Ann B.")
    assert called(first, second) == {ANN.public: Called("Ann B.")}
    ended = about_key(ANN, ANN, "rotate", successor=NEW.public)
    assert called(first, ended, second) == {ANN.public: Called("Ann")}


def test_a_profile_that_was_taken_back_calls_nobody() -> None:
    """As far as the answer knows of it: one about a work asks for no withdrawals."""
    found = answer(work("photo", ANN), profile("Ann"))
    (page,) = found.keys
    (said,) = page.statements
    gone = replace(page, statements=(replace(said, status=WITHDRAWN),))
    assert dict(called_in(found)) == {ANN.public: Called("Ann")}
    assert dict(called_in(replace(found, keys=(gone,)))) == {}


def test_nobody_calls_a_key_but_itself() -> None:
    assert called(profile("Thief", by=BOB)) == {}


def test_a_profile_without_a_name_has_its_proofs() -> None:
    proof: dict[str, Any] = {"method": "domain-file", "name": "ann.example"}
    said = about_key(ANN, ANN, "profile", proofs=[proof])
    expected = Called("", (NameProof("domain-file", "ann.example"),))
    assert called(said) == {ANN.public: expected}


def test_who_follows_whom_is_read_from_the_answer() -> None:
    rotate = about_key(ANN, ANN, "rotate", successor=NEW.public)
    assert linked_in(answer(work("photo", ANN), rotate)) == {ANN.public: NEW.public}
    assert linked_in(answer(work("photo", ANN))) == {}


@pytest.mark.parametrize("linked", [{A: B}, {B: A}, {A: C, C: B}, {B: C, C: A}])
def test_keys_are_linked_in_however_many_steps(linked: dict[bytes, bytes]) -> None:
    assert is_linked(A, B, linked)


@pytest.mark.parametrize("linked", [{}, {A: C, C: A}, {C: D}])
def test_others_are_not(linked: dict[bytes, bytes]) -> None:
    """And a circle is gone through once."""
    assert not is_linked(A, B, linked)
