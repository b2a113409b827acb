"""What was read of a statement is kept for a while, and never given for another."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.signed import key, work

from byline_ledger.content_work import read_work


def test_the_last_ones_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("byline_ledger.field_reader.REMEMBERED", 2)
    statements = [work(f"work {number}", key(1), title=f"{number}") for number in "abc"]
    first = read_work(statements[0])
    assert read_work(statements[0]) is first
    for number, one in zip("abc", statements, strict=True):
        assert read_work(one).title == number
    again = read_work(statements[0])
    assert again == first


def test_another_with_the_same_id_is_read_anew() -> None:
    """As a test may make one: what counts are the fields at hand."""
    one = work("photo", key(1), title="one")
    other = replace(one, fields={**one.fields, "title": "other"})
    assert (read_work(one).title, read_work(other).title) == ("one", "other")
