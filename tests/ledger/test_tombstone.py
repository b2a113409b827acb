"""Tombstones and marks of backups: what may stand in one, and in which bytes."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.vectors import as_expected, cases

from byline_ledger.codec import pack
from byline_ledger.errors import CorruptStoreError, MalformedError, UsageError
from byline_ledger.store.restored import Restored
from byline_ledger.tombstone import MAX_REASON, MAX_TIME, Tombstone


@cases("log_tombstone.json", "tombstones")
def test_tombstone_vectors(case: dict[str, Any]) -> None:
    with as_expected(case):
        found = Tombstone.from_bytes(bytes.fromhex(case["data"]))
        assert (found.reason, found.time) == (case["reason"], case["time"])
        assert found.to_bytes().hex() == case["data"]


@cases("log_restored.json", "restored")
def test_marks_of_backups(case: dict[str, Any]) -> None:
    data = case["text"].encode()
    with as_expected(case):
        found = Restored.from_bytes(data)
        assert (found.origin, found.size) == (case["origin"], case["size"])
        assert (found.time, found.reason) == (case["time"], case.get("reason"))
        assert found.is_backup == ("reason" not in case)
        assert found.to_bytes() == data
        assert found.moment.endswith(" UTC")


def test_a_mark_that_is_no_text_is_damaged() -> None:
    with pytest.raises(CorruptStoreError):
        Restored.from_bytes(b"byline-restored/1\n\xff\n1\n1\n")


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
