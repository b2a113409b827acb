"""Statements and their envelopes (docs/spec/statement.md)."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import strategies
from tests.support.signed import key, work
from tests.support.vectors import as_expected, cases, load

from byline_ledger import codec
from byline_ledger.digest import digest_bytes
from byline_ledger.errors import (
    BadSignatureError,
    MalformedError,
    UnsupportedError,
    UsageError,
)
from byline_ledger.statement import (
    MAX_BODY,
    MAX_ENVELOPE,
    STATEMENT_TYPE,
    Statement,
    pae,
    sign_statement,
)

SOUND = [
    bytes.fromhex(case["envelope"])
    for case in load("statement.json")["envelopes"]
    if case["expect"] == "ok" and len(case["envelope"]) < 2000
]
COMMON = {
    "type": "work",
    "time": 1,
    "about": digest_bytes(b"a photo"),
    "salt": bytes(16),
}


@cases("statement.json", "envelopes")
def test_vector(case: dict[str, Any]) -> None:
    """Sound envelopes parse and verify and stay byte for byte; others say why not."""
    data = bytes.fromhex(case["envelope"])
    with as_expected(case):
        statement = Statement.from_envelope(data)
        statement.verify()
        assert (case["id"], case["cid"]) == (statement.id.hex(), statement.cid)
        assert statement.to_envelope() == data


def test_worked_example() -> None:
    """The example of the specification, from its fields to its envelope."""
    example = load("statement.json")["example"]
    statement = Statement.from_envelope(bytes.fromhex(example["envelope"]))
    assert statement.body.hex() == example["body"]
    assert statement.signature.hex() == example["signature"]
    assert pae(STATEMENT_TYPE, statement.body).hex() == example["pae"]
    assert statement.about == digest_bytes(example["work"].encode())
    (source,) = statement.sources
    assert source.digest == digest_bytes(example["source"].encode())
    assert source.relationship == "parentOf"


def test_pae_is_that_of_dsse() -> None:
    """The example that the DSSE specification prints."""
    wanted = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert wanted == pae("http://example.com/HelloWorld", b"hello world")


@given(strategies.fields, st.integers(1, 255))
def test_signed_statement_round_trip(fields: dict[str, Any], number: int) -> None:
    """What is signed can be read, verifies, and says what was signed."""
    signer = key(number)
    statement = sign_statement(fields, signer)
    statement.verify()
    again = Statement.from_envelope(statement.to_envelope())
    assert again == statement
    assert hash(again) == hash(statement)
    assert again.fields == {**fields, "author": signer.public}
    assert again.id == hashlib.sha256(statement.body).digest()
    assert again.author == signer.public
    assert (again.type, again.time) == (fields["type"], fields["time"])
    assert again.about == fields["about"]
    assert list(again.also) == fields.get("also", [])
    assert [one.fields for one in again.sources] == fields.get("sources", [])
    assert len(again.to_envelope()) <= MAX_ENVELOPE


@given(st.binary(max_size=300))
def test_any_bytes_parse_or_are_refused(data: bytes) -> None:
    """A stranger's bytes raise MalformedError or UnsupportedError, nothing else."""
    try:
        Statement.from_envelope(data)
    except (MalformedError, UnsupportedError):
        pass


@given(st.sampled_from(SOUND), st.data())
def test_mutated_envelopes(sound: bytes, data: Any) -> None:
    """A byte changed anywhere is noticed: it does not parse, or does not verify."""
    at = data.draw(st.integers(0, len(sound) - 1))
    instead = data.draw(st.binary(max_size=2).filter(lambda b: b != sound[at : at + 1]))
    mutated = sound[:at] + instead + sound[at + 1 :]
    with pytest.raises((MalformedError, UnsupportedError, BadSignatureError)):
        Statement.from_envelope(mutated).verify()


@given(strategies.values)
def test_any_value_as_a_body(value: Any) -> None:
    """Whatever a body says canonically, it parses or is malformed."""
    try:
        Statement.from_parts(codec.pack(value), bytes(64))
    except MalformedError:
        pass


@given(
    st.sampled_from(["type", "author", "time", "about", "salt", "also", "sources"]),
    st.one_of(strategies.shallow, st.lists(strategies.sources, max_size=3)),
)
def test_any_value_as_a_common_field(name: str, value: Any) -> None:
    """A common field of any value is accepted or malformed."""
    body = codec.pack({**COMMON, "author": bytes(32), name: value})
    try:
        statement = Statement.from_parts(body, bytes(64))
    except MalformedError:
        return
    assert statement.fields[name] == value


def test_id_does_not_depend_on_the_signature() -> None:
    """One body under two signatures is one statement, in two envelopes."""
    one = work("a photo")
    other = Statement.from_parts(one.body, bytes(64))
    assert one.id == other.id
    assert one != other


def test_bad_signature() -> None:
    """A signature by another key over the same bytes does not hold."""
    statement = work("a photo")
    other = key(2).sign(pae(STATEMENT_TYPE, statement.body))
    with pytest.raises(BadSignatureError):
        Statement.from_parts(statement.body, other).verify()


@pytest.mark.parametrize(
    "change",
    [
        {"type": "Work"},
        {"time": -1},
        {"time": 2**63},
        {"time": 1.0},
        {"about": b"\x12\x20"},
        {"salt": bytes(15)},
        {"author": bytes(32)},
        {"sources": []},
        {"also": [digest_bytes(b"")]},
        {"note": None},
        {"note": "x" * MAX_BODY},
        {"deep": [[[[[[]]]]]]},
    ],
)
def test_refuses_to_sign(change: dict[str, Any]) -> None:
    """What no node would accept is not signed: that is the caller's mistake."""
    with pytest.raises(UsageError):
        sign_statement({**COMMON, **change}, key())


@pytest.mark.parametrize("name", ["type", "time", "about", "salt"])
def test_refuses_to_sign_without(name: str) -> None:
    """Every common field must be given."""
    fields = {field: value for field, value in COMMON.items() if field != name}
    with pytest.raises(UsageError, match=f"{name}: expected"):
        sign_statement(fields, key())


def test_17_kib_body_is_named() -> None:
    """The limit and the size are in the one line."""
    body = codec.pack({**COMMON, "author": key().public, "note": "x" * 17_000})
    with pytest.raises(MalformedError, match=r"at most 16384 bytes, got 171\d\d"):
        Statement.from_parts(body, bytes(64))


@pytest.mark.parametrize("size", [0, 63, 65])
def test_signature_of_another_length(size: int) -> None:
    """A signature is 64 bytes, wherever a statement comes from."""
    with pytest.raises(MalformedError, match="expected 64 bytes"):
        Statement.from_parts(work("a photo").body, bytes(size))


def test_text_form_is_short() -> None:
    """A statement in a log line shows what it is, not all it says."""
    statement = sign_statement({**COMMON, "note": "x" * 9000}, key())
    assert len(repr(statement)) < 700
    assert "xxxx" not in repr(statement)
