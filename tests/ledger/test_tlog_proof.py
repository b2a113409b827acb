"""C2SP tlog-proof files: one spelling, and they prove one thing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.memory_log import MemoryLog
from tests.support.signed import work
from tests.support.vectors import as_expected, cases, raw

from byline_ledger.entry import statement_entry
from byline_ledger.errors import BadSignatureError, MalformedError, ProofError
from byline_ledger.merkle import inclusion_proof
from byline_ledger.statement import Statement
from byline_ledger.tlog_proof import MAX_TLOG_PROOF, TlogProof

LOG = MemoryLog(3)
LOG.append([work(f"work {number}") for number in range(20)])


def proof(index: int = 5, extra: bytes | None = b"\x00extra") -> TlogProof:
    hashes = tuple(inclusion_proof(index, LOG.size, LOG.node))
    return TlogProof(index, hashes, LOG.checkpoint, extra)


@cases("log_proof.json", "proofs")
def test_vectors(case: dict[str, Any]) -> None:
    data, entry = raw(case["file"]), raw(case["entry"])
    with as_expected(case):
        one = TlogProof.from_bytes(data)
        assert one.to_bytes() == data
        checkpoint = one.verify(entry, case["vkey"])
        assert (one.index, checkpoint.size) == (case["index"], case["size"])
        assert [value.hex() for value in one.proof] == case["hashes"]
        expected = case["extra"]
        assert one.extra == (None if expected is None else raw(expected))
        if case["statement"]:
            assert one.extra is not None
            statement = Statement.from_envelope(one.extra)
            statement.verify()
            assert statement_entry(statement) == entry


@pytest.mark.parametrize("extra", [None, b"", b"anything"])
def test_a_proof_comes_back_from_its_bytes_and_holds(extra: bytes | None) -> None:
    one = proof(extra=extra)
    again = TlogProof.from_bytes(one.to_bytes())
    assert again == one
    assert again.verify(LOG.log[5], LOG.vkey).size == LOG.size


def test_the_text_is_that_of_the_specification() -> None:
    lines = proof(extra=b"x").to_bytes().split(b"\n")
    assert lines[:3] == [b"c2sp.org/tlog-proof@v1", b"extra eA==", b"index 5"]
    assert b"\n".join(lines).endswith(b"\n\n" + LOG.checkpoint)


def test_it_proves_this_entry_at_this_place_alone() -> None:
    one = proof()
    with pytest.raises(ProofError):
        one.verify(LOG.log[6], LOG.vkey)
    with pytest.raises(ProofError):
        replace(one, index=6).verify(LOG.log[5], LOG.vkey)
    with pytest.raises(BadSignatureError):
        one.verify(LOG.log[5], MemoryLog(4).vkey)


GOOD = proof().to_bytes()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        GOOD.replace(b"@v1", b"@v2"),
        GOOD.replace(b"\n\n", b"\n", 1),
        GOOD.replace(b"index 5", b"index 05"),
        GOOD.replace(b"index 5", b"index +5"),
        GOOD.replace(b"index 5", b"Index 5"),
        GOOD.replace(b"index 5\n", b""),
        GOOD.replace(b"index 5\n", b"index 5\n" + b"A" * 43 + b"\n"),
        GOOD.replace(b"extra ", b"extra  "),
        GOOD.replace(b"extra AG", b"extra AH="),
        GOOD.replace(b"index 5\n", b"index 5\n" + (b"A" * 43 + b"=\n") * 60),
        GOOD.replace(b"\n", b"\r\n", 3),
        b"\n" + GOOD,
        GOOD + bytes(MAX_TLOG_PROOF),
    ],
)
def test_other_bytes_are_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        TlogProof.from_bytes(data)


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_a_changed_byte_has_another_meaning_or_none(at: int, change: int) -> None:
    data = bytearray(GOOD)
    data[at] ^= change
    try:
        changed = TlogProof.from_bytes(bytes(data))
    except MalformedError:
        return
    assert changed.to_bytes() == bytes(data)
