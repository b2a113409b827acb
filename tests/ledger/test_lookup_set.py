"""The lookup set's engine against its definition (docs/spec/log.md, "Lookup set")."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from byline_ledger.errors import CorruptStoreError, MalformedError, ProofError
from byline_ledger.lookup_set import (
    EMPTY_SET_ROOT,
    LEAF_MAX,
    Closed,
    Inner,
    Leaf,
    LookupSet,
    Node,
    bit_at,
    common_bits,
    first_bits,
    naive_root,
    span,
)


def nested(depth: int) -> bytes:
    """A string of `depth` zero bits and then ones: n of them nest n levels deep."""
    return ((1 << (576 - depth)) - 1).to_bytes(72, "big")


plain = st.binary(min_size=72, max_size=72)
clustered = st.builds(
    lambda head, tail: head * (72 - len(tail)) + tail,
    st.sampled_from([b"\x00", b"\x80", b"\xff"]),
    st.binary(max_size=3),
)
strings = st.one_of(plain, clustered, st.integers(0, 575).map(nested))
batches = st.lists(st.sets(strings, max_size=40), max_size=6)


def insert_all(parts: list[set[bytes]], cache_bytes: int) -> LookupSet:
    result, known = LookupSet.empty(cache_bytes), list[bytes]()
    for part in parts:

        def read(low: bytes, high: bytes, known: list[bytes] = known) -> list[bytes]:
            return [one for one in known if low <= one <= high]

        result = result.insert(sorted(part.difference(known)), read)
        known = sorted(part.union(known))
    return result


@given(batches, st.sampled_from([0, 2000, 1 << 20]))
@settings(max_examples=300, deadline=None)
def test_any_order_and_batching_gives_the_root_of_the_definition(
    parts: list[set[bytes]], cache_bytes: int
) -> None:
    """Forwards, backwards and at once, cached or not: one root, that of the oracle."""
    whole: set[bytes] = set().union(*parts)
    expected = naive_root(whole)
    assert expected == insert_all(parts, cache_bytes).root
    assert expected == insert_all(parts[::-1], cache_bytes).root
    assert expected == LookupSet.build(sorted(whole)).root
    assert len(whole) == LookupSet.build(sorted(whole)).count


@given(batches)
@settings(max_examples=100, deadline=None)
def test_an_older_set_stays_as_it_was(parts: list[set[bytes]]) -> None:
    """`insert` leaves the set it was called on untouched."""
    before = LookupSet.empty()
    root = before.root
    whole = sorted(set().union(*parts))
    after = before.insert(whole, lambda low, high: [])
    assert (root, 0) == (before.root, before.count)
    assert naive_root(whole) == after.root


def test_the_deepest_trie_fits_the_interpreter_stack() -> None:
    """576 nested levels, one by one and at once, stay within Python's frames."""
    whole = sorted({nested(depth) for depth in range(576)})
    assert naive_root(whole) == LookupSet.build(whole).root
    assert naive_root(whole) == insert_all([{one} for one in whole], 1 << 20).root
    built = LookupSet.build(whole)
    assert built.root == LookupSet.from_snapshot(built.to_snapshot()).root


def test_the_definition_at_the_leaf_limit() -> None:
    """Sixteen strings are one leaf, seventeen are two sides."""
    whole = [bytes([i]) * 72 for i in range(LEAF_MAX + 1)]
    assert len(LookupSet.build(whole[:-1]).to_snapshot()) == 34
    assert len(LookupSet.build(whole).to_snapshot()) > 34
    assert LookupSet.empty().root == EMPTY_SET_ROOT == naive_root([])


@given(st.binary(max_size=200))
def test_any_snapshot_parses_or_is_malformed(data: bytes) -> None:
    """Bytes from a damaged disk parse or raise MalformedError, never anything else."""
    try:
        LookupSet.from_snapshot(data)
    except MalformedError:
        pass


def test_a_snapshot_whose_leaf_is_too_large_is_malformed() -> None:
    """A subtree of more than 16 cannot pass for a leaf by having the right hash."""
    whole = LookupSet.build([bytes([i]) * 72 for i in range(LEAF_MAX + 1)])
    data = bytes([2, whole.count]) + whole.root
    with pytest.raises(MalformedError, match="no node at byte 0"):
        LookupSet.from_snapshot(data)


def test_a_deep_snapshot_is_malformed_not_a_crash() -> None:
    """Nesting below the deepest level is refused by depth, not by the stack."""
    data = b"".join(
        b"\x03" + d.to_bytes(2, "big") + bytes((d + 7) // 8) for d in range(577)
    )
    with pytest.raises(MalformedError, match="depth 576"):
        LookupSet.from_snapshot(data)


@given(plain, plain)
def test_bit_helpers_agree(a: bytes, b: bytes) -> None:
    """Common bits, first bits, single bits and spans describe the same prefix."""
    shared = common_bits(a, b)
    assert first_bits(a, shared) == first_bits(b, shared)
    if shared < 576:
        assert bit_at(a, shared) != bit_at(b, shared)
    low, high = span(a, shared)
    assert low <= a <= high
    assert low <= b <= high


def test_an_opened_set_takes_no_string_where_it_is_closed() -> None:
    whole = sorted(bytes([k]) * 72 for k in range(40))
    live = LookupSet.build(whole)
    closed = LookupSet.opened(Closed(live.count, live.root))
    assert closed.root == live.root
    with pytest.raises(ProofError, match="closed where a string"):
        closed.insert([bytes([41]) * 72], lambda _low, _high: [])


def test_a_store_that_lost_strings_of_a_leaf_is_damaged() -> None:
    whole = sorted(bytes([k]) * 72 for k in range(40))
    live = LookupSet.build(whole, cache_bytes=0)
    for held in ([], whole[:5]):
        with pytest.raises(CorruptStoreError, match="does not have the"):
            live.insert([bytes([3]) * 71 + b"x"], lambda _low, _high, held=held: held)


def test_a_snapshot_that_goes_on_is_malformed() -> None:
    data = LookupSet.build([bytes(72)]).to_snapshot()
    assert LookupSet.from_snapshot(data).count == 1
    with pytest.raises(MalformedError, match="1 bytes too many"):
        LookupSet.from_snapshot(data + b"x")


def test_a_set_before_holds_no_strings_of_what_was_replaced() -> None:
    """Views are kept while peers compare: they would hold all that was ever cached."""
    strings = [hashlib.sha512(b"%d" % i).digest() + bytes(8) for i in range(400)]
    before = LookupSet.build(sorted(strings[:200]))
    after = before.insert(sorted(strings[200:]), _none_is_read)
    assert after.root == naive_root(strings)
    assert not any(leaf.strings for leaf in _leaves(before.top, after.top))
    assert all(leaf.strings for leaf in _leaves(after.top, before.top))


def _none_is_read(low: bytes, high: bytes) -> list[bytes]:
    raise AssertionError((low, high))


def _leaves(top: Node, other: Node) -> list[Leaf]:
    """Those of the one that are not the other's."""
    return [one for one in _all_leaves(top) if one not in _all_leaves(other)]


def _all_leaves(node: Node) -> list[Leaf]:
    if isinstance(node, Leaf):
        return [node]
    assert isinstance(node, Inner)
    return _all_leaves(node.left) + _all_leaves(node.right)
