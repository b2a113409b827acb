"""Signed notes and verifier keys (docs/spec/log.md, "Notes")."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.vectors import as_expected, cases, load

from byline_ledger.ascii import parse_base64, parse_decimal, parse_hex
from byline_ledger.crypto import SigningKey
from byline_ledger.errors import BylineError, MalformedError, UnsupportedError
from byline_ledger.note import (
    MAX_NOTE_BYTES,
    Note,
    NoteSignature,
    Verifier,
    parse_note,
    sign_note,
    verify_note_signature,
)

KEY = SigningKey.from_seed(bytes(range(32)))
NAME = "example.com/key"
VERIFIER = Verifier(NAME, 1, KEY.public)
T = TypeVar("T")


def read(parse: Callable[[bytes, str], T], data: bytes) -> list[T]:
    """What a parser reads, or nothing."""
    try:
        return [parse(data, "a value")]
    except MalformedError:
        return []


good_notes = st.sampled_from(
    [
        bytes.fromhex(case["note"])
        for case in load("log_note.json")["parse"]
        if case["expect"] == "ok"
    ]
)


@cases("log_note.json", "verifiers")
def test_verifier_keys(case: dict[str, Any]) -> None:
    with as_expected(case):
        verifier = Verifier.from_text(case["vkey"])
        assert verifier.to_text() == case["vkey"]
        assert verifier.id.hex() == case["id"]
        assert verifier.type == case["type"]
        assert verifier.public.hex() == case["public"]


@cases("log_note.json", "parse")
def test_parse(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["note"])
    with as_expected(case):
        note = parse_note(data)
        assert note.to_bytes() == data
        assert note.text.hex() == case["text"]
        assert len(note.signatures) == case["signatures"]


@cases("log_note.json", "verify")
def test_signatures(case: dict[str, Any]) -> None:
    note = parse_note(bytes.fromhex(case["note"]))
    with as_expected(case):
        verify_note_signature(note, Verifier.from_text(case["vkey"]))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_note_or_malformed(data: bytes) -> None:
    try:
        assert parse_note(data).to_bytes() == data
    except MalformedError:
        return


@given(good_notes, st.data())
def test_a_changed_note_is_another_note_or_malformed(
    whole: bytes, data: st.DataObject
) -> None:
    """No two byte strings are read as the same note."""
    place = data.draw(st.integers(0, len(whole) - 1))
    new = data.draw(st.binary(max_size=3))
    changed = whole[:place] + new + whole[place + data.draw(st.integers(0, 2)) :]
    try:
        assert parse_note(changed).to_bytes() == changed
    except MalformedError:
        return


@given(
    st.text(max_size=100) | st.from_regex(r"\A[a-z]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]*\Z")
)
def test_any_text_is_a_verifier_key_or_not(text: str) -> None:
    try:
        assert Verifier.from_text(text).to_text() == text
    except (MalformedError, UnsupportedError):
        return


@given(st.binary(max_size=30) | st.from_regex(rb"\A[0-9 _+-]{1,20}\Z"))
def test_one_value_has_one_spelling(data: bytes) -> None:
    """Numbers, hex and base64 parse only from what a plain encoder writes."""
    spelled: dict[bytes, list[bytes]] = {
        b"decimal": [str(number).encode() for number in read(parse_decimal, data)],
        b"hex": [value.hex().encode() for value in read(parse_hex, data)],
        b"base64": [b64encode(value) for value in read(parse_base64, data)],
    }
    for found in spelled.values():
        assert found in ([], [data])


def test_sign_and_verify() -> None:
    text = "first\n\nsecond \u2014 third\n".encode()
    note = parse_note(sign_note(text, NAME, KEY).to_bytes())
    assert note.text == text
    verify_note_signature(note, VERIFIER)
    changed = Note(text + b"\n", note.signatures)
    with pytest.raises(BylineError, match="signature"):
        verify_note_signature(changed, VERIFIER)


@pytest.mark.parametrize(
    "text",
    [b"", b"no end", b"a\tb\n", b"\xff\n", "a\n\n\u2014 k AAAAAAA=\n".encode()[:-1]],
)
def test_what_cannot_be_signed(text: bytes) -> None:
    with pytest.raises(MalformedError):
        sign_note(text, NAME, KEY)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "\ud800", "n" * 256])
def test_names_that_no_key_may_have(name: str) -> None:
    with pytest.raises(MalformedError):
        sign_note(b"text\n", name, KEY)


def test_a_newer_line_takes_the_place_of_the_older() -> None:
    note = sign_note(b"text\n", NAME, KEY)
    other = NoteSignature("other", b"1234", b"x")
    newer = NoteSignature("other", b"1234", b"y")
    assert note.with_signature(other).with_signature(newer).signatures == (
        note.signatures[0],
        newer,
    )


def test_notes_are_bounded() -> None:
    signed = sign_note(b"x" * (MAX_NOTE_BYTES - 200) + b"\n", NAME, KEY).to_bytes()
    assert parse_note(signed).to_bytes() == signed
    with pytest.raises(MalformedError, match="at most 1 MB"):
        parse_note(b"x" * 200 + signed)


def test_errors_show_little_of_a_strangers_bytes() -> None:
    """No error repeats more than 64 bytes, and none control characters."""
    for case in load("log_note.json")["parse"]:
        if case["expect"] == "ok":
            continue
        with pytest.raises(MalformedError) as caught:
            parse_note(bytes.fromhex(case["note"]))
        assert len(str(caught.value)) < 400
        assert str(caught.value).isprintable()
