"""Openings: complete answers, absence, pages; and nothing else passes."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from byline_ledger.errors import CorruptStoreError, MalformedError, ProofError
from byline_ledger.lookup_set import LookupSet
from byline_ledger.opening import MAX_LEVELS, MAX_OPENING, Walk, parse_opening, walk_set

keys = st.one_of(
    st.integers(0, 3).map(lambda i: bytes(31) + bytes([i])),
    st.binary(min_size=32, max_size=32),
)
tags = st.one_of(
    st.just(b"a" * 8), st.just(b"b" * 8), st.binary(min_size=8, max_size=8)
)
members = st.builds(
    lambda key, tag, n: key + tag + n.to_bytes(32, "big"),
    keys,
    tags,
    st.integers(0, 99),
)
prefixes = st.builds(lambda key, tag: key + tag, keys, st.one_of(st.just(b""), tags))
questions = st.lists(
    st.tuples(prefixes, st.sampled_from([1, 8, 64])), min_size=1, max_size=4
)


def no_store(low: bytes, high: bytes) -> list[bytes]:
    raise AssertionError("everything is cached in these tests")


@given(st.sets(members, max_size=120), questions)
@settings(max_examples=200, deadline=None)
def test_the_opened_trie_answers_as_the_live_one(
    members: set[bytes], questions: list[tuple[bytes, int]]
) -> None:
    """Same strings, same counts, same bytes again; nothing open without need."""
    whole = sorted(members)
    live = LookupSet.build(whole)
    walk = walk_set(live, no_store)
    answers = [walk.find(*question) for question in questions]
    for (prefix, limit), found in zip(questions, answers, strict=True):
        expected = [one for one in whole if one.startswith(prefix)]
        assert len(expected) == found.count
        assert expected[: len(found.strings)] == list(found.strings)
        assert found.complete or len(found.strings) >= limit
    data = walk.to_bytes()
    top = parse_opening(data, len(whole))
    assert live.root == top.hash
    opened = Walk(top)
    assert answers == [opened.find(*question) for question in questions]
    opened.require_no_surplus()
    assert data == opened.to_bytes()


@given(st.sets(members, min_size=1, max_size=120), questions, st.data())
@settings(max_examples=300, deadline=None)
def test_a_flipped_bit_changes_the_root_or_is_refused(
    members: set[bytes], questions: list[tuple[bytes, int]], data: st.DataObject
) -> None:
    """No byte of an opening is free."""
    live = LookupSet.build(sorted(members))
    walk = walk_set(live, no_store)
    for question in questions:
        walk.find(*question)
    opening = bytearray(walk.to_bytes())
    at = data.draw(st.integers(0, len(opening) - 1))
    opening[at] ^= 1 << data.draw(st.integers(0, 7))
    with suppress(ProofError, MalformedError):
        assert live.root != parse_opening(bytes(opening), live.count).hash


@given(st.binary(max_size=400), st.integers(0, 2**63 - 1))
def test_any_bytes_parse_or_are_refused(data: bytes, count: int) -> None:
    """Bytes from outside raise MalformedError or ProofError, never anything else."""
    with suppress(MalformedError, ProofError):
        parse_opening(data, count)


def members_of(keys: int) -> list[bytes]:
    return sorted(
        bytes([k]) * 32 + bytes(8) + bytes([i]) * 32
        for k in range(keys)
        for i in range(3)
    )


def test_a_closed_node_does_not_answer() -> None:
    """A lookup that the prover left out meets a closed node."""
    live = LookupSet.build(members_of(200))
    walk = walk_set(live, no_store)
    walk.find(bytes([7]) * 32, 8)
    opened = Walk(parse_opening(walk.to_bytes(), live.count))
    with pytest.raises(ProofError, match="closed where an owed lookup leads"):
        opened.find(bytes([180]) * 32, 8)


def test_more_open_than_needed_is_refused() -> None:
    """What no owed lookup visited must stay closed."""
    live = LookupSet.build(members_of(200))
    walk = walk_set(live, no_store)
    walk.find(bytes([7]) * 32, 8)
    walk.find(bytes([180]) * 32, 8)
    opened = Walk(parse_opening(walk.to_bytes(), live.count))
    opened.find(bytes([7]) * 32, 8)
    with pytest.raises(ProofError, match="more than the owed lookups"):
        opened.require_no_surplus()


def nested(levels: int) -> tuple[bytes, int]:
    """An opening of inner nodes within each other, and the count it claims."""
    count = 10_000
    heads = [
        b"\x03"
        + depth.to_bytes(2, "big")
        + (count - depth - 1).to_bytes(8, "big")
        + (1).to_bytes(8, "big")
        + bytes((depth + 7) // 8)
        for depth in range(levels)
    ]
    closed = b"\x00" + bytes(32)
    return b"".join(heads) + closed * (levels + 1), count


def test_a_hostile_opening_cannot_exhaust_the_stack() -> None:
    """Nesting is bounded far below what the interpreter's stack takes."""
    data, count = nested(MAX_LEVELS)
    assert parse_opening(data, count).count == count
    data, count = nested(MAX_LEVELS + 1)
    with pytest.raises(MalformedError, match="nested more than 256 deep"):
        parse_opening(data, count)


def test_leaves_that_are_not_cached_are_read_from_the_store() -> None:
    """And a store that has something else there is damaged, and gives no answer."""
    whole = members_of(40)
    live = LookupSet.build(whole, cache_bytes=0)

    def read(low: bytes, high: bytes) -> list[bytes]:
        return [one for one in whole if low <= one <= high]

    walk = walk_set(live, read)
    assert [walk.find(one, 1).strings for one in whole] == [(one,) for one in whole]
    for wrong in ([], [bytes(72)] * 16):
        with pytest.raises(CorruptStoreError, match="lookup strings of a leaf"):
            walk_set(live, lambda low, high, wrong=wrong: wrong).find(whole[0], 1)


def test_an_opening_of_more_bytes_than_any_is_not_read() -> None:
    with pytest.raises(MalformedError, match="at most"):
        parse_opening(bytes(MAX_OPENING + 1), 1)
