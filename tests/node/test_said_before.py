"""What a key is about to say again is found, unless it was taken back since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from tests.support.signed import TIME, key, signed, withdraw

from byline_ledger.digest import digest_bytes
from byline_ledger.statement import Statement
from byline_node.said_before import Which, claimed_before, said_before
from byline_node.taken_down import Takedowns

PHOTO = digest_bytes(b"a photo")


class Log:
    """What a log has of anybody; it answers as a node does."""

    def __init__(self, *said: Statement) -> None:
        self._said = said

    def authored(self, author: bytes, digests: Sequence[bytes]) -> list[Statement]:
        return [one for one in self._said if one.author == author]

    def taken_down(self, author: bytes, works: Sequence[bytes]) -> Takedowns:
        return {}


def offer(price: int, at: int = 0, **more: Any) -> Statement:
    """An offer that differs by its price, some time later."""
    return signed(PHOTO, type="offer", time=TIME + at, price=price, **more)


@pytest.mark.parametrize("which", ["any", "last"])
def test_the_same_with_another_time_and_salt_is_said_before(which: Which) -> None:
    first = offer(1)
    assert said_before(Log(first), offer(1, at=9), which) == first


def test_what_was_taken_back_may_be_said_again() -> None:
    first = offer(1)
    assert said_before(Log(first, withdraw(first)), offer(1), "any") is None
    # Somebody else's withdrawal counts for nothing.
    log = Log(first, withdraw(first, key(2)))
    assert said_before(log, offer(1), "any") == first


def test_what_others_say_or_what_is_another_type_is_not_the_same() -> None:
    other = signed(PHOTO, key(2), type="offer", price=1)
    request = signed(PHOTO, type="request", price=1)
    elsewhere = signed(digest_bytes(b"x"), type="offer", price=1)
    log = Log(other, request, elsewhere, offer(2))
    assert said_before(log, offer(1), "any") is None


def test_an_earlier_profile_may_come_back_but_not_an_earlier_offer() -> None:
    log = Log(offer(1), offer(2, at=5))
    assert said_before(log, offer(1, at=9), "last") is None
    assert said_before(log, offer(1, at=9), "any") is not None


def test_a_claim_that_stands_already_is_told_beside_the_new_one() -> None:
    """By the same author about the same work; not the new one itself, nor what was
    taken back, nor another's, nor another statement about the work."""
    first, new = signed(PHOTO), signed(PHOTO)
    other = signed(PHOTO, key(2))
    assert claimed_before(Log(first, other), [new, offer(1)]) == [(new, first)]
    assert claimed_before(Log(first), [first]) == []
    assert claimed_before(Log(first, withdraw(first)), [new]) == []
    assert claimed_before(Log(other), [new]) == []
