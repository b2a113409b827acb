"""Log entries and lookup strings (docs/spec/log.md, "Entries")."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.vectors import as_expected, cases

from byline_ledger.entry import (
    CommitmentEntry,
    RetirementEntry,
    StatementEntry,
    commitment_entry,
    parse_entry,
    retirement_entry,
    statement_entry,
)
from byline_ledger.errors import MalformedError, UsageError
from byline_ledger.lookup_set import LookupSet, naive_root
from byline_ledger.merkle import leaf_hash
from byline_ledger.statement import Statement

hashes = st.binary(min_size=32, max_size=32)
entries = st.one_of(
    st.builds(
        StatementEntry,
        hashes,
        st.binary(min_size=8, max_size=8),
        st.sets(hashes, min_size=2, max_size=66).map(sorted).map(tuple),
    ),
    st.builds(CommitmentEntry, st.integers(0, 2**63 - 1), hashes),
    st.builds(
        RetirementEntry,
        st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=250),
    ),
)


@cases("log_entry.json", "statements")
def test_entry_of_a_statement(case: dict[str, Any]) -> None:
    statement = Statement.from_envelope(bytes.fromhex(case["envelope"]))
    data = statement_entry(statement)
    assert data.hex() == case["entry"]
    assert leaf_hash(data).hex() == case["leaf"]
    entry = parse_entry(data)
    assert isinstance(entry, StatementEntry)
    assert entry.id.hex() == case["id"]
    assert entry.tag.hex() == case["tag"]
    assert [key.hex() for key in entry.keys] == case["keys"]
    assert [string.hex() for string in entry.lookup_strings()] == case["strings"]


@cases("log_entry.json", "parse")
def test_parse(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["entry"])
    with as_expected(case):
        assert parse_entry(data).to_bytes() == data


@cases("log_lookup.json", "sets")
def test_set_roots(case: dict[str, Any]) -> None:
    """The definition and the engine give the vectors' roots."""
    strings = [bytes.fromhex(string) for string in case["strings"]]
    assert naive_root(strings).hex() == case["root"]
    assert LookupSet.build(strings).root.hex() == case["root"]
    root = bytes.fromhex(case["root"])
    assert commitment_entry(len(strings), root).hex() == case["commitment"]


@given(entries)
def test_round_trip(entry: StatementEntry | CommitmentEntry | RetirementEntry) -> None:
    """Every entry is read back as itself."""
    assert parse_entry(entry.to_bytes()) == entry


@given(entries, st.data())
def test_a_cut_or_longer_entry_is_another_or_malformed(
    entry: StatementEntry | CommitmentEntry | RetirementEntry, data: st.DataObject
) -> None:
    """Only a retirement notice, being text, has prefixes and extensions."""
    whole = entry.to_bytes()
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    for other in (cut, whole + b"x"):
        try:
            assert parse_entry(other).to_bytes() == other
        except MalformedError:
            continue
        assert isinstance(entry, RetirementEntry)


@given(st.binary(max_size=300))
def test_any_bytes_parse_or_are_malformed(data: bytes) -> None:
    """What parses is the one encoding of what it says."""
    try:
        assert parse_entry(data).to_bytes() == data
    except MalformedError:
        return


@pytest.mark.parametrize("text", ["", "two\nlines", "\x1b[2J", "x" * 1025, "\ud800"])
def test_a_retirement_notice_is_a_line_of_text(text: str) -> None:
    with pytest.raises(UsageError):
        retirement_entry(text)


def test_a_retirement_notice() -> None:
    entry = parse_entry(retirement_entry("moved to log.example/2"))
    assert entry == RetirementEntry("moved to log.example/2")
