"""Cursors: strict on the way in, like everything else (docs/spec/network.md)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.support.memory_log import MemoryLog
from tests.support.signed import work

from byline_ledger import codec
from byline_ledger.cursor import MAX_GAPS, Cursor
from byline_ledger.errors import MalformedError
from byline_ledger.merkle import Frontier


def made() -> Cursor:
    log = MemoryLog(1)
    log.append([work("one"), work("two")])
    frontier = Frontier.of(log.size, log.node)
    gaps = (bytes(32),)
    return Cursor(log.vkey, log.checkpoint, frontier, log.set_count, log.log[-1], gaps)


def fields() -> dict[str, Any]:
    value = codec.unpack(made().to_bytes(), max_size=9999, max_depth=2, what="cursor")
    assert isinstance(value, dict)
    return value


def test_a_cursor_is_what_was_written() -> None:
    cursor = made()
    assert Cursor.from_bytes(cursor.to_bytes()) == cursor


def test_the_set_root_is_that_of_the_last_commitment_read() -> None:
    cursor = made()
    assert cursor.set_root == cursor.commitment[9:]
    assert replace(cursor, commitment=b"").set_root is None


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"vkey": b"bytes"},
        {"count": "3"},
        {"frontier": ["text"]},
        {"frontier": []},
        {"gaps": bytes(31)},
        {"gaps": bytes(32 * MAX_GAPS + 32)},
        {"commitment": b"\x02no commitment"},
        {"commitment": b"\xff"},
        {"note": b"no note"},
        {"more": 1},
    ],
    ids=repr,
)
def test_any_other_cursor_is_malformed(change: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        Cursor.from_bytes(codec.pack(fields() | change))
