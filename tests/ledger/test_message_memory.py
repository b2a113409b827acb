"""Bounds of a stranger's message: in memory no more than some times its size."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest

from byline_ledger.alarm_messages import parse_alarm_answer
from byline_ledger.codec import SMALL, pack, unpack
from byline_ledger.errors import MalformedError
from byline_ledger.follow_messages import parse_response
from byline_ledger.likeness_messages import parse_candidates
from byline_ledger.merkle import MAX_PROOF
from byline_ledger.query_messages import (
    RootAnswer,
    parse_bundle_answer,
    parse_root_answer,
)

SIZE = 1 << 20
"""Empty arrays take some 64 times their byte."""


def peak(parse: Callable[[bytes], object], data: bytes) -> int:
    """Bytes that are taken while this is found to be malformed."""
    tracemalloc.start()
    try:
        with pytest.raises(MalformedError):
            parse(data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("inner", [b"\x90", b"\x80"])
@pytest.mark.parametrize(
    ("key", "parse"),
    [
        ("bundle", parse_bundle_answer),
        ("alarm", parse_alarm_answer),
        ("statements", parse_candidates),
        ("envelopes", parse_response),
    ],
)
def test_a_message_full_of_empty_arrays_or_maps_is_refused_before_it_is_decoded(
    key: str, parse: Callable[[bytes], object], inner: bytes
) -> None:
    """32 MiB of them for a proof bundle took 2.4 GB."""
    data = b"\x81" + pack(key) + b"\xdd" + SIZE.to_bytes(4, "big") + inner * SIZE
    assert peak(parse, data) < 16 * SIZE


def test_containers_are_counted_in_large_values_and_in_small_ones() -> None:
    for size in (8, SMALL):
        value = [[bytes(size)], {"key": []}]
        data = pack(value)
        again = unpack(data, max_size=SIZE, max_depth=3, max_containers=4, what="it")
        assert again == value
        with pytest.raises(MalformedError, match="at most 3 maps and arrays"):
            unpack(data, max_size=SIZE, max_depth=3, max_containers=3, what="it")


def test_no_tree_has_an_inclusion_proof_of_64_hashes() -> None:
    hashes = (bytes(32),) * MAX_PROOF
    longest = RootAnswer(b"", b"", proof=hashes, since=(*hashes, bytes(32)), vkey="")
    assert parse_root_answer(longest.to_bytes()) == longest
    longer = RootAnswer(b"", b"", proof=longest.since, since=(), vkey="")
    with pytest.raises(MalformedError, match="at most 63 hashes"):
        parse_root_answer(longer.to_bytes())
