"""Digests and the texts that name them (docs/spec/statement.md, "Names")."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.cids import cid_raw
from tests.support.vectors import as_expected, cases, load

from byline_ledger import digest
from byline_ledger.errors import BylineError, MalformedError

SHA256 = hashlib.sha256(b"a photo").digest()

sha256s = st.binary(min_size=32, max_size=32)


@cases("statement.json", "hashes")
def test_hash_vector(case: dict[str, Any]) -> None:
    """Each accepted form gives the digest, and says what it can be."""
    with as_expected(case):
        parsed = digest.parse_hash(case["text"])
        assert (SHA256, case["kind"]) == (parsed.sha256, parsed.kind)


@given(sha256s)
def test_forms_round_trip(sha256: bytes) -> None:
    """What we write we read."""
    of_statement = digest.parse_hash(digest.cid_of_statement(sha256))
    assert (sha256, "statement") == (of_statement.sha256, of_statement.kind)
    multihash = digest.multihash(sha256)
    raw = digest.parse_hash(cid_raw(multihash))
    assert (multihash, "digest") == (raw.multihash, raw.kind)
    bare = digest.parse_hash(digest.multihash_hex(multihash))
    assert (multihash, "either") == (bare.multihash, bare.kind)


@given(st.text(max_size=120))
def test_any_text_parses_or_is_malformed(text: str) -> None:
    """Whatever somebody types is a hash or a MalformedError."""
    try:
        assert len(digest.parse_hash(text).multihash) == 34
    except MalformedError:
        pass


@given(st.text("b234567abcdefghijklmnopqrstuvwxyz", min_size=50, max_size=70))
def test_any_base32_parses_or_is_malformed(text: str) -> None:
    """So is whatever looks like a CID."""
    try:
        digest.parse_hash("b" + text)
    except MalformedError:
        pass


def test_error_names_the_accepted_forms() -> None:
    """One line, without the control characters of what was typed."""
    with pytest.raises(MalformedError) as caught:
        digest.parse_hash("no\x1b[31mhash" + "x" * 500)
    assert "sha256sum" in str(caught.value.hint)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 150


def test_a_mistyped_cid_is_shown_and_called_so() -> None:
    """The last character of a statement's id has bits that must be zero."""
    cid = digest.cid_of_statement(bytes(32))
    with pytest.raises(MalformedError, match=f"not a CID: '{cid[:-1]}b'") as caught:
        digest.parse_hash(cid[:-1] + "b")
    assert "copy it again" in str(caught.value.hint)


def test_statement_ids() -> None:
    """A CID of a statement or bare hex; a file's digest is refused by name."""
    cid = digest.cid_of_statement(SHA256)
    assert digest.parse_statement_id(cid) == SHA256
    assert digest.parse_statement_id(SHA256.hex()) == SHA256
    for text in ("sha256:" + SHA256.hex(), cid_raw(digest.multihash(SHA256))):
        with pytest.raises(MalformedError, match="names a file's digest"):
            digest.parse_statement_id(text)


@given(st.binary(max_size=5000))
def test_stream_gives_the_digest_of_the_bytes(data: bytes) -> None:
    """A stream and its bytes have the same digest; progress adds up to the size."""
    seen: list[int] = []
    found, size = digest.digest_stream(io.BytesIO(data), progress=seen.append)
    assert (digest.digest_bytes(data), len(data)) == (found, size)
    assert sum(seen) == size
    assert hashlib.sha256(data).hexdigest() == digest.multihash_hex(found)


def test_stream_longer_than_a_chunk() -> None:
    """A stream is read in chunks, none of them lost."""
    data = bytes(digest.CHUNK_SIZE * 2 + 1)
    seen: list[int] = []
    found, _ = digest.digest_stream(io.BytesIO(data), progress=seen.append)
    assert digest.digest_bytes(data) == found
    assert seen == [digest.CHUNK_SIZE, digest.CHUNK_SIZE, 1]
    assert digest.digest_stream(io.BytesIO(data)) == (found, len(data))


def test_wrong_lengths_are_refused() -> None:
    """A digest is 32 bytes, a multihash 34, and nothing else becomes one."""
    for wrong in (b"", SHA256 + b"\0"):
        with pytest.raises(BylineError):
            digest.multihash(wrong)
        with pytest.raises(BylineError):
            digest.multihash_hex(wrong)
    assert digest.is_multihash(digest.multihash(SHA256))
    assert not digest.is_multihash(SHA256)
    assert not digest.is_multihash("12 20" + "x" * 30)
    assert not digest.is_multihash(b"\x1e\x20" + SHA256)


def test_cid_of_the_worked_example() -> None:
    """The CID printed in the specification."""
    example = load("statement.json")["example"]
    assert example["cid"] == digest.cid_of_statement(bytes.fromhex(example["id"]))
