"""Gossip batches: limits, duplicates, and garbage that blocks nothing."""

from __future__ import annotations

import pytest
from tests.support.signed import forged, work

from byline_ledger.codec import join_array, split_array
from byline_ledger.errors import MalformedError
from byline_ledger.gossip import (
    MAX_BATCH,
    MAX_STATEMENTS,
    Sifted,
    make_batches,
    sift_batch,
)


def nothing(_: bytes) -> bool:
    return False


def test_batches_hold_all_in_order_within_the_limits() -> None:
    envelopes = [b"\xc4\xff" + bytes([i % 251]) * 255 for i in range(3000)]
    envelopes += [b"\x01"] * 5000
    batches = list(make_batches(envelopes))
    assert max(map(len, batches)) <= MAX_BATCH
    split = [
        split_array(b, max_size=MAX_BATCH, max_items=MAX_STATEMENTS) for b in batches
    ]
    assert [item for items in split for item in items] == envelopes
    assert len(batches) < 20
    assert list(make_batches([])) == []


def test_fresh_statements_come_out_verified_once() -> None:
    one, two = work("one"), work("two")
    batch = join_array([s.to_envelope() for s in (one, two, one)])
    assert sift_batch(batch, nothing) == Sifted((one, two), 1, 0, 0)
    assert sift_batch(batch, {one.id}.__contains__) == Sifted((two,), 2, 0, 0)


def test_a_forged_copy_does_not_keep_the_real_one_out() -> None:
    """Sent before it in the same batch, or in one before."""
    real = work("real")
    items = [forged(real).to_envelope(), real.to_envelope()]
    assert sift_batch(join_array(items), nothing) == Sifted((real,), 0, 0, 1)


def test_bad_items_cost_the_good_ones_nothing() -> None:
    good = work("good")
    later = b"\x93\x02\xc4\x01x\xc4\x01y"
    items = [b"\x01", b"\x93\x01\x01\x01", later, good.to_envelope(), b"\xc4\x00"]
    assert sift_batch(join_array(items), nothing) == Sifted((good,), 0, 1, 3)


@pytest.mark.parametrize(
    "batch",
    [
        b"",
        b"\x80",
        join_array([b"\x01"]) + b"\x01",
        join_array([b"\x01"] * (MAX_STATEMENTS + 1)),
        join_array([b"\xc5\xff\xff" + bytes(65535)]),
    ],
)
def test_what_is_no_batch_is_malformed(batch: bytes) -> None:
    with pytest.raises(MalformedError):
        sift_batch(batch, nothing)
