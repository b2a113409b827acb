"""Who is vouched for: by whom, for how long, and how far it goes."""

from __future__ import annotations

from hashlib import sha256
from itertools import permutations

import pytest
from tests.support.signed import TIME, key, signed, withdraw, work

from byline_ledger.crypto import SigningKey
from byline_ledger.digest import multihash
from byline_ledger.statement import Statement
from byline_ledger.vouching import Vouching, hint_of

VOUCHER, OTHER, ANN, BEN = key(1), key(2), key(3), key(4)


class Log:
    """The statements of a log."""

    def __init__(self, *statements: Statement) -> None:
        self.statements = {one.id: one for one in statements}

    def author_of(self, statement_id: bytes) -> bytes | None:
        found = self.statements.get(statement_id)
        return found.author if found else None

    def left(self, author: bytes, voucher: bytes) -> int:
        about = multihash(sha256(voucher).digest())
        times = [
            one.time
            for one in self.statements.values()
            if (one.type, one.author, one.about) == ("leave", author, about)
        ]
        return max(times, default=-1)


def endorse(what: Statement, by: SigningKey = VOUCHER) -> Statement:
    return signed(multihash(what.id), by, type="endorse", role="publisher")


def about_key(kind: str, what: SigningKey, by: SigningKey, time: int) -> Statement:
    about = multihash(sha256(what.public).digest())
    return signed(about, by, type=kind, time=time)


def vouching(*statements: Statement) -> Vouching:
    log = Log(*statements)
    made = Vouching(frozenset({VOUCHER.public}), log)
    made.learn(statements)
    return made


PHOTO, NEXT = work("photo", ANN), work("next", ANN)
ENDORSED = endorse(PHOTO)


def test_an_endorsed_statement_is_vouched_for_before_it_is_here() -> None:
    """So that it can be taken at all; its author only once it is."""
    made = vouching(ENDORSED)
    assert made.is_vouched(PHOTO)
    assert made.is_vouched_hint(PHOTO.id, hint_of(ANN.public))
    assert not made.is_vouched(NEXT)
    made.learn([PHOTO])
    assert made.is_vouched(NEXT)
    assert made.is_vouched_hint(NEXT.id, hint_of(ANN.public))
    assert not made.is_vouched(work("x", BEN))


@pytest.mark.parametrize("order", [*permutations([PHOTO, ENDORSED])])
def test_the_order_makes_no_difference(order: tuple[Statement, ...]) -> None:
    made = vouching(*order)
    assert made.is_vouched(NEXT)
    assert made.news == 1


def test_only_vouchers_vouch_and_only_one_step() -> None:
    photo = work("of ben", BEN)
    made = vouching(PHOTO, ENDORSED, photo, endorse(photo, ANN), endorse(photo, OTHER))
    assert not made.is_vouched(photo)
    assert not made.is_vouched_hint(photo.id, hint_of(BEN.public))


def test_an_endorsement_that_was_withdrawn_counts_no_more() -> None:
    assert not vouching(PHOTO, ENDORSED, withdraw(ENDORSED, VOUCHER)).is_vouched(NEXT)
    assert vouching(PHOTO, ENDORSED, withdraw(ENDORSED, OTHER)).is_vouched(NEXT)
    again = endorse(PHOTO)
    made = vouching(PHOTO, ENDORSED, withdraw(ENDORSED, VOUCHER), again)
    assert made.is_vouched(NEXT)


def test_an_admitted_key_is_vouched_for_until_it_leaves() -> None:
    admitted = about_key("admit", ANN, VOUCHER, TIME)
    assert vouching(admitted).is_vouched(PHOTO)
    assert vouching(admitted).is_vouched_hint(PHOTO.id, hint_of(ANN.public))
    assert not vouching(admitted).is_vouched(work("x", BEN))
    assert not vouching(about_key("admit", ANN, OTHER, TIME)).is_vouched(PHOTO)
    gone = withdraw(admitted, VOUCHER)
    assert not vouching(admitted, gone).is_vouched(PHOTO)
    left = about_key("leave", VOUCHER, ANN, TIME)
    made = vouching(admitted, left)
    assert not made.is_vouched(PHOTO)
    # Asked once in vain, and not again.
    assert not made.is_vouched_hint(PHOTO.id, hint_of(ANN.public))
    back = about_key("admit", ANN, VOUCHER, TIME + 1)
    made.learn([back])
    assert made.is_vouched(PHOTO)


def test_what_else_a_voucher_says_vouches_for_nobody() -> None:
    dispute = signed(multihash(PHOTO.id), VOUCHER, type="dispute", reason="other")
    made = vouching(PHOTO, dispute)
    assert not made.is_vouched(PHOTO)
    assert made.news == 0
