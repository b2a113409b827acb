"""Trust policies (docs/spec/log.md, "Policy")."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.vectors import as_expected, cases, load

from byline_ledger.checkpoint import Checkpoint, log_vkey, sign_checkpoint
from byline_ledger.cosignature import cosign, cosigner_vkey
from byline_ledger.crypto import SigningKey
from byline_ledger.errors import BadSignatureError, MalformedError, UnsupportedError
from byline_ledger.note import NoteSignature, parse_note
from byline_ledger.policy import MAX_POLICY_BYTES, Policy

LOG = SigningKey.from_seed(bytes(32))
ORIGIN = "log.example/1"
NAMES = ("one", "two", "three")
KEYS = {name: SigningKey.from_seed(name.encode().ljust(32)) for name in NAMES}
SECONDS = 1_790_000_000
LINES = [
    f"log {log_vkey(ORIGIN, LOG.public)} https://log.example/",
    *(f"witness {n} {cosigner_vkey(f'{n}.example', KEYS[n].public)}" for n in NAMES),
    f"group most 2 {' '.join(NAMES)}",
    "quorum most",
]
POLICY = Policy.from_bytes(("\n".join(LINES) + "\n").encode())
policies = st.sampled_from(
    [bytes.fromhex(case["policy"]) for case in load("log_policy.json")["parse"]]
)


def checkpoint_by(*names: str, seconds: int = SECONDS) -> bytes:
    note = parse_note(sign_checkpoint(Checkpoint(ORIGIN, 3, bytes(32)), LOG))
    for name in names:
        line = cosign(note.text, f"{name}.example", KEYS[name], seconds)
        note = note.with_signature(line)
    return note.to_bytes()


@cases("log_policy.json", "parse")
def test_parse(case: dict[str, Any]) -> None:
    with as_expected(case):
        policy = Policy.from_bytes(bytes.fromhex(case["policy"]))
        for names in case["satisfied"]:
            assert policy.is_satisfied(set(names)), names
        for names in case["unsatisfied"]:
            assert not policy.is_satisfied(set(names)), names


@given(policies, st.data())
def test_any_bytes_are_a_policy_or_not(whole: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(whole)))
    new = data.draw(st.binary(max_size=4))
    changed = whole[:place] + new + whole[place + data.draw(st.integers(0, 4)) :]
    try:
        policy = Policy.from_bytes(changed)
    except (MalformedError, UnsupportedError):
        return
    everybody = {witness.name for witness in policy.witnesses}
    assert policy.is_satisfied(everybody)


def test_the_line_of_an_error_is_named() -> None:
    with pytest.raises(MalformedError, match="policy line 3: "):
        Policy.from_bytes(b"# one\n\nlog x\nquorum none\n")


def test_a_policy_is_bounded() -> None:
    with pytest.raises(MalformedError, match="256 KiB"):
        Policy.from_bytes(b"\n" * MAX_POLICY_BYTES + b"\n")


def test_a_long_chain_of_groups_is_no_recursion() -> None:
    """Groups in groups, thousands deep, are evaluated all the same."""
    chain = "".join(f"group g{n + 1} all g{n}\n" for n in range(5000))
    text = f"{LINES[1]}\ngroup g0 any one\n{chain}quorum g5000\n"
    policy = Policy.from_bytes(text.encode())
    assert policy.is_satisfied({"one"})
    assert not policy.is_satisfied(set())


def test_the_log_of_an_origin() -> None:
    found = POLICY.log_for(ORIGIN)
    assert found is not None
    assert found.vkey == log_vkey(ORIGIN, LOG.public)
    assert found.url == "https://log.example/"
    assert POLICY.log_for("log.example/2") is None


def test_who_witnessed() -> None:
    """Valid lines of known witnesses count; strangers' lines are passed over."""
    assert POLICY.witnessed_by(checkpoint_by()) == {}
    both = POLICY.witnessed_by(checkpoint_by("one", "three"))
    assert both == {"one": SECONDS, "three": SECONDS}
    assert POLICY.is_satisfied(set(both))
    assert not POLICY.is_satisfied({"one"})
    note = parse_note(checkpoint_by("one"))
    line = cosign(note.text, "stranger.example", SigningKey.from_seed(bytes(32)), 1)
    assert set(POLICY.witnessed_by(note.with_signature(line).to_bytes())) == {"one"}


def test_a_false_line_of_a_known_witness_rejects_the_note() -> None:
    note = parse_note(checkpoint_by("one", "two"))
    true = note.signatures[1]
    changed = true.signature[:8] + bytes(64)
    false = NoteSignature(true.name, true.id, changed)
    with pytest.raises(BadSignatureError):
        POLICY.witnessed_by(note.with_signature(false).to_bytes())


def test_a_cosignature_from_the_future_does_not_count() -> None:
    note = checkpoint_by("one", seconds=SECONDS)
    assert POLICY.witnessed_by(note, now=1000 * SECONDS) == {"one": SECONDS}
    assert POLICY.witnessed_by(note, now=1000 * (SECONDS - 300)) == {"one": SECONDS}
    assert POLICY.witnessed_by(note, now=1000 * (SECONDS - 301)) == {}
