"""docs/spec/witness.md and its vectors: reproducible, and what the program does."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from tests.support.vectors import VECTORS, as_expected, cases, load, raw

from byline_ledger.checkpoint import checkpoint_of
from byline_ledger.followed import Followed
from byline_ledger.node_keys import NodeKeys
from byline_ledger.witness import Memory, decide, parse_lines, parse_size
from byline_ledger.witness_messages import (
    AskAdd,
    AskLatest,
    AskVkeys,
    added,
    latest,
    parse_added,
    parse_latest,
    parse_vkeys,
    parse_witness_request,
    vkeys,
)

PURE = [one for one in load("witness.json")["add_checkpoint"] if "state" not in one]
"""What a witness answers that is sure of itself and has no alarm; the others are in
tests/node/test_witnessing.py."""


def test_the_vectors_are_what_the_naive_generator_writes() -> None:
    """The committed file is the generator's, to the byte."""
    command = [sys.executable, str(VECTORS / "generate_witness.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_status_of_the_table_has_a_vector() -> None:
    """429 is told by who asks, not by what."""
    seen = {one["status"] for one in load("witness.json")["add_checkpoint"]}
    assert seen == {200, 400, 403, 404, 409, 422, 503}


def keys_of(case: dict[str, Any]) -> NodeKeys:
    secret, renewal = bytes.fromhex(case["secret"]), bytes.fromhex(case["renewal"])
    return NodeKeys.derive(secret, case["origin"], renewal)


@cases("witness.json", "keys")
def test_keys(case: dict[str, Any]) -> None:
    keys = keys_of(case)
    assert keys.transport_seed.hex() == case["seeds"]["transport"]
    for role in ("log", "witness", "replay"):
        assert getattr(keys, role).public.hex() == case["public"][role]
        assert getattr(keys, f"{role}_vkey") == case["vkeys"][role]


@pytest.mark.parametrize("case", PURE, ids=[one["name"] for one in PURE])
def test_add_checkpoint(case: dict[str, Any]) -> None:
    known = {one["vkey"].partition("+")[0]: memory(one) for one in case["known"]}
    answer = decide(
        raw(case["request"]),
        lambda origin: [known[origin]] if origin in known else [],
        keys_of(load("witness.json")["witness"] | case),
        case["now"],
        lambda _checkpoint: case["replayed"],
    )
    assert answer.status == case["status"], answer.body
    if "body" in case:
        assert answer.body == case["body"].encode()
    else:
        assert answer.body.endswith(b"\n")
        assert answer.body.count(b"\n") == 1
    assert answer.media_type == case.get("type", "text/plain; charset=utf-8")
    kept = answer.keep.note if answer.keep else None
    assert (kept.decode() if kept else None) == case["keeps"]
    if kept and answer.keep and answer.origin:
        assert checkpoint_of(kept).origin == answer.origin
        assert answer.keep.vkey == known[answer.origin].vkey


def memory(known: dict[str, Any]) -> Memory:
    return Memory(known["vkey"], known["note"].encode() if known["note"] else None)


# Between nodes


@cases("witness.json", "requests")
def test_requests(case: dict[str, Any]) -> None:
    data = raw(case["bytes"])
    with as_expected(case):
        request = parse_witness_request(data)
        assert request.to_bytes() == data
        asks = case["asks"]
        match request:
            case AskAdd(body, vkey):
                assert (body, vkey) == (raw(asks["add"]), asks["vkey"])
            case AskLatest(vkey):
                assert asks == {"latest": vkey}
            case AskVkeys():
                assert asks == {"vkeys": True}


@cases("witness.json", "responses")
def test_responses(case: dict[str, Any]) -> None:
    data, says = raw(case["bytes"]), case.get("says")
    with as_expected(case):
        if case["to"] == "add":
            status, body = parse_added(data)
            assert says == {"status": status, "body": body.hex()}
            assert added(status, body) == data
        elif case["to"] == "latest":
            note = parse_latest(data)
            assert says == {"note": (note or b"").hex()}
            assert latest(note) == data
        else:
            witness, replay = parse_vkeys(data)
            assert says == {"witness": witness, "replay": replay}
            assert vkeys(witness, replay) == data


@cases("witness.json", "lines")
def test_lines(case: dict[str, Any]) -> None:
    with as_expected(case):
        lines = parse_lines(raw(case["body"]))
        assert len(lines) == case["lines"]
        assert b"".join(one.to_line() for one in lines) == raw(case["body"])


@cases("witness.json", "sizes")
def test_sizes(case: dict[str, Any]) -> None:
    with as_expected(case):
        assert parse_size(raw(case["body"])) == case["size"]


@cases("witness.json", "followed")
def test_what_is_said_of_a_copy(case: dict[str, Any]) -> None:
    with as_expected(case):
        found = Followed.from_bytes(raw(case["body"]))
        assert found == Followed(
            **case["says"] | {"nonce": bytes.fromhex(case["says"]["nonce"])}
        )
        assert found.to_bytes() == raw(case["body"])
