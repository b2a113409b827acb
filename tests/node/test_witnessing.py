"""The node's witness over the vectors of docs/spec/witness.md: with the states that
only a node has, and what is left on its disk."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from tests.support.vectors import cases, load, raw

from byline_ledger import codec
from byline_ledger.errors import DiskFullError
from byline_ledger.node_keys import NodeKeys
from byline_ledger.note import Verifier
from byline_node.witnessing import Witness

pytestmark = pytest.mark.trio
PEER = "a peer"


class Disk:
    """The records of a node, and what may be wrong with it."""

    def __init__(self, case: dict[str, Any]) -> None:
        one = load("witness.json")["witness"] | case
        secret, renewal = bytes.fromhex(one["secret"]), bytes.fromhex(one["renewal"])
        self.keys = NodeKeys.derive(secret, one["origin"], renewal)
        self.read_only: str | None = None
        self.is_full = False
        self.records: dict[bytes, bytes] = {}

    def get_record(self, name: bytes) -> bytes | None:
        return self.records.get(name)

    def put_record(self, name: bytes, value: bytes) -> None:
        if self.is_full:
            raise DiskFullError("no room")
        self.records[name] = value


def origin_of(known: dict[str, Any]) -> str:
    return Verifier.from_text(known["vkey"]).name


def note_of(disk: Disk, witness: Witness, known: dict[str, Any]) -> str | None:
    note = witness.by_hash(hashlib.sha256(origin_of(known).encode()).hexdigest())
    return note.decode() if note else None


def witness_of(case: dict[str, Any], disk: Disk) -> Witness:
    """With the memory and in the state that the case begins with."""
    witness = Witness(
        disk,
        clock=lambda: case["now"] + 0.9,
        configured=[one["vkey"] for one in case["known"] if not one["note"]],
        is_alarmed=lambda _vkey: case.get("state") == "alarmed",
        is_replayed=lambda _checkpoint: case["replayed"],
    )
    for known in case["known"]:
        witness._list(known["vkey"])
        if known["note"]:
            # As a node stores it: only what it cosigned gets there.
            fields = {"note": known["note"].encode(), "vkey": known["vkey"]}
            name = hashlib.sha256(known["vkey"].encode()).digest()
            disk.records[b"witness/log/" + name] = codec.pack(fields)
    disk.is_full = case.get("state") == "no room"
    disk.read_only = "held" if case.get("state") == "held" else None
    return witness


@cases("witness.json", "add_checkpoint")
async def test_add_checkpoint(case: dict[str, Any]) -> None:
    disk = Disk(case)
    witness = witness_of(case, disk)
    answer = await witness.add_checkpoint(raw(case["request"]))
    assert answer.status == case["status"], answer.body
    if "body" in case:
        assert answer.body == case["body"].encode()
    for known in case["known"]:
        is_asked = origin_of(known) == answer.origin
        kept = case["keeps"] if is_asked and case["keeps"] else known["note"]
        assert note_of(disk, witness, known) == kept


@pytest.mark.parametrize("state", [None, "held"])
async def test_a_held_witness_still_tells_what_it_saw(state: str | None) -> None:
    """`latest` and `vkeys` sign nothing."""
    found = load("witness.json")["add_checkpoint"]
    one = next(case for case in found if case["name"] == "from 7 to 12")
    disk = Disk(one)
    witness = witness_of(one | {"state": state}, disk)
    vkey = one["known"][0]["vkey"]
    reply = await witness.answer(PEER, codec.pack({"latest": vkey}))
    assert reply == codec.pack({"note": one["known"][0]["note"].encode()})
    keys = await witness.answer(PEER, codec.pack({"vkeys": True}))
    vkeys = load("witness.json")["keys"][0]["vkeys"]
    both = {role: vkeys[role] for role in ("replay", "witness")}
    assert keys == codec.pack(both)
