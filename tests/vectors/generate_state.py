"""Writes state.json, the vectors of docs/spec/state.md, from that page alone.

    python tests/vectors/generate_state.py            write the file
    python tests/vectors/generate_state.py --check    compare it with what is there

A case has `statements` (with `index` and, in seconds, `existed_by`), what is `missing`
([about, key], or [about, null] for anybody), of what something was taken down (`gone`),
and a point `as_of`.  Names stand for bytes: a key NAME for SHA-256("key NAME"), a
statement's id for SHA-256("statement NAME"), a work for the multihash of
SHA-256("work NAME"), a nonce for SHA-256("nonce NAME").  `about` says which is meant;
"seal NONCE WORK KEY" is a commitment, "tree A B C" a manifest of these works, "hex:..."
bytes.  Imports nothing of the program.
"""

from __future__ import annotations

import json
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from naive_state import World
from naive_state_works import consent, depths
from state_cases import TRAIN, Case, key_cases
from state_cases_acting import delegation_cases, time_cases
from state_cases_consent import consent_cases
from state_cases_works import depth_cases, dispute_cases, member_cases, seal_cases
from state_random import random_cases

TERM = "http://cv.iptc.org/newscodes/digitalsourcetype/"
MADE = {
    "human": "digitalCreation",
    "assisted": "compositeSynthetic",
    "generated": "trainedAlgorithmicMedia",
    "other": "algorithmicMedia",
    "unknown": "composite",
}
RANDOM_CASES = 200
SEED = 5


def expected(case: Case) -> dict[str, Any]:
    world = World(case)
    keys = sorted({one["author"] for one in case["statements"]})
    works = names(case, "work")
    groups = sorted({one["group"] for one in world.all if "group" in one})
    grantees = sorted({one["grantee"] for one in world.ever if "grantee" in one})
    judged = {one["id"]: world.delegation(one) for one in world.all}
    back = {one["id"]: world.withdrawn_by(one) for one in world.all}
    claims = [one for one in world.all if one["type"] == "work"]
    sealed = [one for one in claims if "seal" in one and "seal-nonce" in one]
    seals = {one["id"]: world.seal_of(one) for one in sealed}
    found = depths(world, works)
    return {
        "keys": {
            key: {**world.key(key), "succession": world.succession(key)[0]}
            for key in keys
        },
        "statuses": {one["id"]: world.status(one) for one in world.all},
        "withdrawn": {name: by for name, by in back.items() if by},
        "delegations": {name: list(by) for name, by in judged.items() if by},
        "disputed": [one["id"] for one in claims if world.is_disputed(one)],
        "seals": {name: by and by["id"] for name, by in seals.items()},
        "order": {work: world.order(work) for work in works},
        "members": {
            f"{key} {group}": world.membership(key, group)[0]
            for key in keys
            for group in groups
        },
        "consent": [
            {"work": work, "grantee": who, **consent(world, work, TRAIN, who)}
            for work in works
            for who in (None, *grantees)
        ],
        "depth": {work: list(found[work]) for work in works},
        "by_claims": world.time is not None
        and any(one.get("existed_by") is None for one in world.ever),
    }


def names(case: Case, kind: str) -> list[str]:
    """Works that anybody claims."""
    split = [one["about"].partition(" ") for one in case["statements"]]
    return sorted({name for found, _, name in split if found == kind})


def check_by_hand(case: Case, found: dict[str, Any]) -> None:
    """What the case says by hand has to be what the oracle says."""
    for path, wanted in case["hand"].items():
        section, _, name = path.partition(".")
        value = found[section] if section != "offers" else None
        if section in ("consent", "offers"):
            work, _, who = name.split(" ")
            (row,) = (
                one
                for one in found["consent"]
                if one["work"] == work and (one["grantee"] or "-") == who
            )
            value = row["verdict" if section == "consent" else "offers"]
        elif name:
            for step in name.split("."):
                value = value[step]
        assert value == wanted, (case["name"], path, wanted, value)


# The statements as statement.md has them


def written(case: Case) -> Case:
    case = {**case, "statements": [fields(one) for one in case["statements"]]}
    del case["hand"]
    return case


def fields(said: dict[str, Any]) -> dict[str, Any]:
    said = {name: value for name, value in said.items() if value is not None}
    made, sources = said.pop("made", None), said.pop("from-works", [])
    if made is not None:
        said["source-type"] = TERM + MADE[made]
    if sources:
        said["sources"] = [
            {"digest": f"work {one}", "relationship": "parentOf"} for one in sources
        ]
    said.pop("proven-in", None)
    if "in-manifest" in said:
        tree, index = said["in-manifest"]
        said["in-manifest"] = place(tree, index)
    return said


def place(tree: str, index: int) -> dict[str, Any]:
    """The first of three entries, as the proof of entry `index`."""
    works = tree.split(" ")[1:]
    leaves = [sha256(b"\x00" + digest_of(one)).digest() for one in works]
    return {
        "manifest": tree,
        "index": index,
        "count": len(works),
        "proof": f"hex:{leaves[1].hex()}{leaves[2].hex()}",
    }


def digest_of(work: str) -> bytes:
    return b"\x12\x20" + sha256(f"work {work}".encode()).digest()


def document() -> str:
    rooms = {
        "keys": key_cases(),
        "delegation": delegation_cases(),
        "as of": time_cases(),
        "disputes": dispute_cases(),
        "seals": seal_cases(),
        "members": member_cases(),
        "consent": consent_cases(),
        "depth": depth_cases(),
        "random": random_cases(SEED, RANDOM_CASES),
    }
    cases = [
        {**case, "name": f"{room}: {case['name']}"}
        for room, found in rooms.items()
        for case in found
    ]
    seen = [one["name"] for one in cases]
    assert len(seen) == len(set(seen)), [one for one in seen if seen.count(one) > 1]
    rows = []
    for case in cases:
        found = expected(case)
        check_by_hand(case, found)
        rows.append(json.dumps({**written(case), "expect": found}, sort_keys=True))
    use = json.dumps(TRAIN)
    return f'{{"use": {use}, "cases": [\n' + ",\n".join(rows) + "\n]}\n"


def main() -> None:
    path = Path(__file__).with_name("state.json")
    text = document()
    if "--check" not in sys.argv[1:]:
        path.write_text(text, "ascii")
        print(f"{path.name}: {len(text)} bytes")
    elif path.read_text("ascii") != text:
        sys.exit(f"{path.name} is not what {Path(__file__).name} writes")


if __name__ == "__main__":
    main()
