"""What is remembered of refused statements, for how long, and in what bounds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from tests.support.vectors import as_expected, cases

from byline_ledger.admission import Reason
from byline_ledger.errors import MalformedError
from byline_ledger.refusals import (
    MAX_DEFERRED_OF_PEER,
    MAX_IN_PLACE,
    MAX_PLACE_BYTES,
    NOBODY,
    PLACES,
    Refusal,
    Refusals,
    parse_place,
)

POLICY = bytes(32)
AUTHOR, PEER = b"author  ", b"peer    "
NUMBERS: Iterator[int] = count()


def never(_id: bytes, _hint: bytes) -> bool:
    return False


def an_id(place: int = 7) -> bytes:
    return next(NUMBERS).to_bytes(31, "big") + bytes([place])


def refusal(
    reason: Reason = Reason.NOT_LISTED,
    until: int | None = None,
    peer: bytes = PEER,
    *,
    deferred: bool = False,
) -> Refusal:
    return Refusal(reason, until, AUTHOR, peer, deferred)


def test_a_refusal_stands_until_its_time() -> None:
    table, one, two = Refusals(POLICY), an_id(), an_id()
    table.add(one, refusal())
    table.add(two, refusal(Reason.TOO_EARLY, 100))
    assert table.is_refused(one, 10**15, never)
    assert table.is_refused(two, 99, never)
    assert not table.is_refused(two, 100, never)
    assert not table.is_refused(an_id(), 0, never)
    assert list(table.due(99, never)) == []
    assert list(table.due(100, never)) == [(two, PEER)]
    assert table.counts() == {"not-listed": 1, "too-early": 1}
    table.forget(two)
    assert table.ids() == [one]
    assert len(table) == 1


def test_vouching_makes_it_wanted_again() -> None:
    table, asked = Refusals(POLICY), []

    def is_vouched(id_: bytes, hint: bytes) -> bool:
        asked.append((id_, hint))
        return True

    one, two, three = an_id(), an_id(), an_id()
    table.add(one, refusal(Reason.NOT_VOUCHED))
    table.add(two, refusal(Reason.TOO_LITTLE_WORK))
    table.add(three, refusal(Reason.NOT_LISTED))
    assert [id_ for id_, _ in table.due(0, is_vouched)] == [one, two]
    assert asked == [(one, AUTHOR), (two, AUTHOR)]


def test_only_what_lies_in_a_followed_log_falls_due() -> None:
    table, one = Refusals(POLICY), an_id()
    table.add(one, refusal(Reason.NOT_VOUCHED, peer=NOBODY))
    assert list(table.due(0, lambda *_: True)) == []
    table.found_in(one, PEER)
    table.found_in(one, b"another ")
    table.found_in(an_id(), PEER)
    assert list(table.due(0, lambda *_: True)) == [(one, PEER)]


def test_the_oldest_of_a_place_is_forgotten_but_nothing_deferred() -> None:
    table = Refusals(POLICY)
    late = an_id()
    table.add(late, refusal(Reason.AUTHOR_RATE, 5, deferred=True))
    ids = [an_id() for _ in range(MAX_IN_PLACE)]
    for one in ids:
        table.add(one, refusal())
    assert table.is_full
    assert len(table) == MAX_IN_PLACE + 1
    table.add(an_id(), refusal())
    assert table.get(ids[0]) is None
    assert table.get(ids[1]) is not None
    assert table.get(late) is not None
    table.add(an_id(8), refusal())
    assert len(table) == MAX_IN_PLACE + 2


def test_deferring_is_bounded_for_each_peer_and_in_all() -> None:
    table = Refusals(POLICY)
    last = b""
    for _ in range(MAX_DEFERRED_OF_PEER):
        assert table.may_defer(PEER)
        last = an_id()
        table.add(last, refusal(Reason.AUTHOR_RATE, 5, deferred=True))
    assert not table.may_defer(PEER)
    assert table.may_defer(b"another ")
    assert table.deferred == MAX_DEFERRED_OF_PEER
    assert not table.is_full
    table.forget(last)
    assert table.may_defer(PEER)


def test_places_are_written_and_read_back() -> None:
    table = Refusals(POLICY)
    items = {an_id(place): refusal() for place in (7, 7, 9)}
    items[an_id(7)] = refusal(Reason.PEER_RATE, 2**63, deferred=True)
    for one, kept in items.items():
        table.add(one, kept)
    assert table.changed == {7, 9}
    again = Refusals(POLICY)
    for place in range(PLACES):
        again.read_place(place, table.place_to_bytes(place))
    assert {one: again.get(one) for one in items} == items
    assert again.deferred == 1
    assert again.changed == set()


def test_a_place_of_another_policy_or_number_says_nothing() -> None:
    table = Refusals(POLICY)
    table.add(an_id(7), refusal())
    data = table.place_to_bytes(7)
    again = Refusals(b"another " * 4)
    again.read_place(7, data)
    other = Refusals(POLICY)
    other.read_place(8, data)
    assert (len(again), len(other)) == (0, 0)


@cases("admission.json", "places")
def test_place(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["place"])
    with as_expected(case):
        policy, records = parse_place(data)
    if case["expect"] == "ok" and case["name"] != "each reason":
        table = Refusals(policy)
        table.read_place(7, data)
        assert len(table) == len(records)
        assert table.place_to_bytes(7) == data


def test_a_place_has_a_greatest_size() -> None:
    with pytest.raises(MalformedError):
        parse_place(b"\x01" + bytes(MAX_PLACE_BYTES))
