"""Checkpoints and cosignatures (docs/spec/log.md)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.vectors import as_expected, cases, load

from byline_ledger.checkpoint import (
    Checkpoint,
    checkpoint_of,
    log_vkey,
    open_checkpoint,
    sign_checkpoint,
)
from byline_ledger.cosignature import (
    cosign,
    cosigner_vkey,
    verify_cosignature,
)
from byline_ledger.crypto import SigningKey
from byline_ledger.errors import BadSignatureError, MalformedError, UsageError
from byline_ledger.note import Verifier, parse_note

LOG = SigningKey.from_seed(bytes(32))
WITNESS = SigningKey.from_seed(bytes(31) + b"\1")
ORIGIN = "log.example/1"
CHECKPOINT = Checkpoint(ORIGIN, 17, bytes(range(32)))


@cases("log_checkpoint.json", "text")
def test_text(case: dict[str, Any]) -> None:
    text = bytes.fromhex(case["text"])
    with as_expected(case):
        checkpoint = Checkpoint.from_text(text)
        assert checkpoint.to_text() == text
        assert checkpoint.origin == case["origin"]
        assert checkpoint.size == case["size"]
        assert checkpoint.root.hex() == case["root"]


@cases("log_checkpoint.json", "signed")
def test_signed(case: dict[str, Any]) -> None:
    note = bytes.fromhex(case["note"])
    with as_expected(case):
        checkpoint = open_checkpoint(note, case["vkey"])
        assert checkpoint.size == case["size"]
        assert checkpoint == checkpoint_of(note)
        assert open_checkpoint(note, Verifier.from_text(case["vkey"])) == checkpoint


@cases("log_cosignature.json", "verify")
def test_cosignatures(case: dict[str, Any]) -> None:
    with as_expected(case):
        note = parse_note(bytes.fromhex(case["note"]))
        time = verify_cosignature(note, Verifier.from_text(case["vkey"]))
        assert time == case["time"]


@given(
    st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="+"))
    .filter(lambda origin: 0 < len(origin.encode()) < 256)
    .filter(lambda origin: origin != "cosignature/v1"),
    st.integers(0, 2**63 - 1),
    st.binary(min_size=32, max_size=32),
)
def test_round_trip(origin: str, size: int, root: bytes) -> None:
    checkpoint = Checkpoint(origin, size, root)
    note = sign_checkpoint(checkpoint, LOG)
    assert open_checkpoint(note, log_vkey(origin, LOG.public)) == checkpoint


@given(st.binary(max_size=100))
def test_any_bytes_are_a_checkpoint_or_malformed(text: bytes) -> None:
    try:
        assert Checkpoint.from_text(text).to_text() == text
    except MalformedError:
        return


@given(st.data())
def test_every_byte_of_a_signed_checkpoint_counts(data: st.DataObject) -> None:
    """A note with one byte changed is malformed or not signed."""
    note = bytearray(sign_checkpoint(CHECKPOINT, LOG))
    place = data.draw(st.integers(0, len(note) - 1))
    note[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises((MalformedError, BadSignatureError)):
        open_checkpoint(bytes(note), log_vkey(ORIGIN, LOG.public))


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "cosignature/v1", "o" * 256])
def test_origins_that_no_log_may_have(origin: str) -> None:
    with pytest.raises(MalformedError):
        log_vkey(origin, LOG.public)
    with pytest.raises(MalformedError):
        sign_checkpoint(Checkpoint(origin, 0, bytes(32)), LOG)


def test_a_witness_cosigns() -> None:
    """The line a witness returns verifies in the note, and says when."""
    note = parse_note(sign_checkpoint(CHECKPOINT, LOG))
    line = cosign(note.text, "witness.example", WITNESS, 1_790_000_000)
    cosigned = parse_note(note.with_signature(line).to_bytes())
    verifier = Verifier.from_text(cosigner_vkey("witness.example", WITNESS.public))
    assert verify_cosignature(cosigned, verifier) == 1_790_000_000
    vkey = log_vkey(ORIGIN, LOG.public)
    assert open_checkpoint(cosigned.to_bytes(), vkey) == CHECKPOINT


def test_a_witness_cosigns_only_checkpoints() -> None:
    """No other text, no time before 1970, no log under the witness's own name."""
    text = CHECKPOINT.to_text()
    with pytest.raises(MalformedError):
        cosign(b"a line\n", "witness.example", WITNESS, 1)
    for time in (0, -1, 2**63):
        with pytest.raises(UsageError):
            cosign(text, "witness.example", WITNESS, time)
    with pytest.raises(UsageError):
        cosign(text, ORIGIN, WITNESS, 1)


def test_bad_sizes_are_named() -> None:
    """The error of a bad size says what was expected and what came."""
    for case in load("log_checkpoint.json")["text"]:
        if case["name"].startswith("size: "):
            with pytest.raises(MalformedError, match="tree size as a plain decimal"):
                Checkpoint.from_text(bytes.fromhex(case["text"]))
