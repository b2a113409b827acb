"""Work in statements: what counts, and how it is found."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.signed import TIME, key
from tests.support.vectors import cases

from byline_ledger.digest import digest_bytes
from byline_ledger.errors import UsageError
from byline_ledger.proof_of_work import WorkSearch, work_of, zero_bits
from byline_ledger.statement import Statement, sign_statement


@cases("admission.json", "work")
def test_work(case: dict[str, Any]) -> None:
    statement = Statement.from_parts(bytes.fromhex(case["body"]), bytes(64))
    assert statement.id.hex() == case["id"]
    assert work_of(statement) == case["bits"]


def fields(**more: Any) -> dict[str, Any]:
    about = digest_bytes(b"x")
    common = {"type": "work", "about": about, "time": TIME, "salt": bytes(16)}
    return common | more


@given(st.integers(1, 9), st.text(max_size=300), st.integers(1, 100))
def test_what_is_found_is_the_work_asked_for(bits: int, title: str, step: int) -> None:
    """Whatever else the statement says, and however the search is cut into steps."""
    search = WorkSearch(fields(title=title), key().public, bits)
    while (found := search.step(step)) is None:
        pass
    statement = sign_statement(found, key())
    statement.verify()
    assert work_of(statement) == bits
    assert zero_bits(statement.id) >= bits
    assert int.from_bytes(found["proof-of-work"]["nonce"], "big") + 1 == search.tried  # type: ignore[index,call-overload,arg-type]


def test_a_step_that_finds_nothing_says_so() -> None:
    search = WorkSearch(fields(), key().public, 64)
    assert search.step(100) is None
    assert search.tried == 100


@pytest.mark.parametrize("bits", [0, 65])
def test_targets_that_nobody_can_ask_for(bits: int) -> None:
    with pytest.raises(UsageError, match="1 to 64"):
        WorkSearch(fields(), key().public, bits)


def test_zero_bits() -> None:
    assert [zero_bits(one) for one in (b"\xff", b"\x01", b"\x00\x40", bytes(2))] == [
        0,
        7,
        9,
        16,
    ]
