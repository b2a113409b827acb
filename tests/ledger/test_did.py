"""did:key of author keys (docs/spec/statement.md, "Names")."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.vectors import as_expected, cases

from byline_ledger.did import did_key, parse_did_key
from byline_ledger.errors import MalformedError


@cases("statement.json", "did_keys")
def test_vector(case: dict[str, Any]) -> None:
    """An Ed25519 key in its one spelling, and nothing else."""
    with as_expected(case):
        public = parse_did_key(case["text"])
        assert case["public"] == public.hex()


@given(st.binary(min_size=32, max_size=32))
@example(bytes(32))
@example(b"\xff" * 32)
def test_round_trip(public: bytes) -> None:
    """Every key has one name, z6Mk…, which gives the key back."""
    text = did_key(public)
    assert text.startswith("did:key:z6Mk")
    assert public == parse_did_key(text)


@given(st.one_of(st.text(), st.from_regex(r"did:key:z[1-9A-Za-z]{45,48}")))
def test_any_text_parses_or_is_malformed(text: str) -> None:
    """What parses is what we would write."""
    try:
        assert text == did_key(parse_did_key(text))
    except MalformedError:
        pass


@pytest.mark.parametrize("size", [0, 31, 33])
def test_wrong_length(size: int) -> None:
    """A key is 32 bytes."""
    with pytest.raises(MalformedError, match="expected 32 bytes"):
        did_key(bytes(size))
