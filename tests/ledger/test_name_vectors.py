"""docs/spec/names.md and its vectors: reproducible, and what we do."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from tests.support.signed import key
from tests.support.vectors import VECTORS, as_expected, cases, load, raw

from byline_ledger.did_document import key_of, ssh_keys
from byline_ledger.errors import MalformedError
from byline_ledger.name_check import MAX_KEPT, Fetched, Finding, check_name
from byline_ledger.name_proofs import NameProof, is_name, require_name
from byline_ledger.sshsig import SshSignature

KEY = key(1).public


def test_the_vectors_are_what_the_naive_generator_writes() -> None:
    """The committed file is the generator's, to the byte."""
    command = [sys.executable, str(VECTORS / "generate_names.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@cases("names.json", "forms")
def test_a_name_has_the_form_of_its_method_or_is_not_looked_up(
    case: dict[str, Any],
) -> None:
    assert is_name(case["method"], case["text"]) == (case["expect"] == "ok")
    with as_expected(case):
        require_name(case["method"], case["text"])


@cases("names.json", "signatures")
def test_ssh_signatures(case: dict[str, Any]) -> None:
    with as_expected(case):
        signature = SshSignature.from_bytes(raw(case["bytes"]))
        signature.verify_for(bytes.fromhex(case["key"]))


@cases("names.json", "checks")
def test_checks_come_out_as_the_specification_says(case: dict[str, Any]) -> None:
    signature = bytes.fromhex(case.get("signature", ""))
    proof = NameProof(case["method"], case["of"], signature)
    finding = answered(proof, bytes.fromhex(case["key"]), case["world"])
    assert finding.outcome == case["expect"], finding.reason
    assert 1 <= len(finding.reason) <= 500
    assert finding.reason.isprintable()
    if finding.outcome == "confirmed":
        assert finding.steps


def answered(proof: NameProof, public: bytes, world: dict[str, Any]) -> Finding:
    """The finding of a check to which a world of vectors answers."""
    check = check_name(proof, public)
    try:
        question = next(check)
        while True:
            said = world[str(question)]
            if said == 0:
                reply = Fetched(failed="it does not answer")
            else:
                reply = Fetched(None if said is None else raw(said), via="127.0.0.1:1")
            question = check.send(reply)
    except StopIteration as end:
        finding: Finding = end.value
        return finding


def test_what_is_large_is_kept_as_its_digest() -> None:
    proof = NameProof("domain-file", "a.example")
    url = "https://a.example/.well-known/byline.json"
    small = answered(proof, KEY, {url: b'{"keys":["x"]}'.hex()}).steps[0]
    assert (small.asked, small.size, small.data) == (url, 14, b'{"keys":["x"]}')
    assert small.via == "127.0.0.1:1"
    large = b"{}".ljust(MAX_KEPT + 1)
    kept = answered(proof, KEY, {url: large.hex()}).steps[0]
    assert (kept.size, kept.data, len(kept.digest)) == (MAX_KEPT + 1, b"", 32)


def test_the_armour_of_a_signature() -> None:
    """As ssh-keygen prints it; nothing else."""
    whole = next(
        one for one in load("names.json")["signatures"] if one["name"] == "by OpenSSH"
    )
    armour = load("names.json")["armour"]
    signature, blob = SshSignature.from_armour(armour)
    assert blob == bytes.fromhex(whole["bytes"])
    signature.verify_for(bytes.fromhex(whole["key"]))
    for wrong in (
        "",
        armour.replace("BEGIN", "BEGUN"),
        armour.replace("U1NI", "!1NI"),
        armour.replace("U1NI", "ü1NI"),
        armour.replace("U1NI", "U1NJ"),
        armour + "more",
        armour.replace("\nU1NI", "\n" * 4000 + "U1NI"),
    ):
        with pytest.raises(MalformedError):
            SshSignature.from_armour(wrong)


def test_ssh_keys_are_read_within_bounds() -> None:
    assert ssh_keys(b"") == ()
    with pytest.raises(MalformedError):
        ssh_keys(b"\n" * 65_537)


def test_what_is_no_key_is_none() -> None:
    assert key_of("did:web:a.example") is None
