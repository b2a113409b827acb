"""Tombstones: what may stand in one, and in which bytes."""

from __future__ import annotations

import pytest

from byline_ledger.codec import pack
from byline_ledger.errors import MalformedError, UsageError
from byline_ledger.tombstone import MAX_REASON, MAX_TIME, Tombstone


def test_a_tombstone_comes_back_from_its_bytes() -> None:
    tombstone = Tombstone("court order of 2026-03-01", 1_790_000_000_000)
    assert Tombstone.from_bytes(tombstone.to_bytes()) == tombstone


@pytest.mark.parametrize("reason", ["", "x" * (MAX_REASON + 1), "two\nlines", "\x00"])
def test_a_reason_is_one_short_printable_line(reason: str) -> None:
    with pytest.raises(UsageError):
        Tombstone(reason, 0)
    with pytest.raises(MalformedError):
        Tombstone.from_bytes(pack({"reason": reason, "time": 0}))


@pytest.mark.parametrize("time", [-1, MAX_TIME + 1])
def test_a_time_is_in_range(time: int) -> None:
    with pytest.raises(UsageError):
        Tombstone("x", time)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc0",
        pack("x"),
        pack({}),
        pack({"reason": "x"}),
        pack({"reason": "x", "time": "1"}),
        pack({"reason": b"x", "time": 1}),
        pack({"reason": "x", "time": True}),
        pack({"reason": "x", "time": 2**63}),
        pack({"reason": "x", "time": 1, "z": 1}),
        pack({"reason": "x", "time": 1}) + b"\x00",
        b"\x82\xa4time\x01\xa6reason\xa1x",
    ],
)
def test_other_bytes_are_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        Tombstone.from_bytes(data)
