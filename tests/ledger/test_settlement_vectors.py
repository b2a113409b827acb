"""Settlements are what tests/vectors/settlement.json says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.state_vectors import facts, key, work

from byline_ledger.content_terms import Price
from byline_ledger.settlement import members_to_bytes, rows_of, totals
from byline_ledger.settlement_claims import counted_claims, priced_offer
from byline_ledger.settlement_rows import (
    Row,
    rows_from_bytes,
    rows_root,
    rows_to_bytes,
)
from byline_ledger.state import State

PATH = Path(__file__).parent.parent / "vectors" / "settlement.json"
FOUND: dict[str, Any] = json.loads(PATH.read_text())
GROUP, USE = key(FOUND["group"]), FOUND["use"]


def settled(case: dict[str, Any]) -> tuple[list[Row], dict[bytes, Price]]:
    state = State(facts({**case, "as_of": {"now": FOUND["now"]}}))
    sizes: dict[bytes, int] = {}
    for one in case["works"]:
        sizes.setdefault(work(one["work"]), one["bytes"] or 0)
    offer = priced_offer(state, GROUP, USE)
    id_ = None if offer is None else offer[0]
    rows = [
        row
        for digest, size in sizes.items()
        for row in rows_of(
            digest[2:], size, counted_claims(state, digest, GROUP, USE, id_)
        )
    ]
    rows.sort(key=lambda row: row.place)
    return rows, {} if offer is None else dict([offer])


@pytest.mark.parametrize("case", FOUND["cases"], ids=lambda one: one["name"])
def test_a_settlement_is_what_the_vectors_say(case: dict[str, Any]) -> None:
    rows, prices = settled(case)
    data = case["expect"]["rows"].encode()
    assert rows_to_bytes(rows) == data
    assert rows_from_bytes(data) == tuple(rows)
    assert rows_root(rows).hex() == case["expect"]["root"]
    members = members_to_bytes(totals(rows, prices))
    assert members == case["expect"]["members"].encode()
