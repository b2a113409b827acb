"""Writes query.json, the vectors of docs/spec/network.md, "Query", from that alone.

    python tests/vectors/generate_query.py            write the file
    python tests/vectors/generate_query.py --check    compare it with what is there

Every case has a `name` and `expect`: "ok", or the kind of error that a reader owes it;
an invalid case differs from a valid one in one thing.  Bytes are in hex.
Imports nothing of the program: naive_bundle.py and naive_prover.py have logs of their
own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from naive_bundle import Key, consistency, inclusion, pack, vkey
from query_cases import reading_cases
from query_log import HASH, VIEW, WORK, Case, ask_crowd, bad, crowd_fields, ok


def message_cases(
    good: dict[str, Any], wrong: dict[str, Any], raw: dict[str, bytes]
) -> list[Case]:
    return [
        *(ok(name, bytes=pack(fields).hex()) for name, fields in good.items()),
        *(bad(name, bytes=pack(fields).hex()) for name, fields in wrong.items()),
        *(bad(name, bytes=data.hex()) for name, data in raw.items()),
    ]


def request_cases() -> list[Case]:
    bundle = {"ask": "bundle", "depth": 4, "digest": WORK}
    crowd = ask_crowd(b"\xa8", 5)
    good = {
        "a bundle": bundle,
        "a bundle of depth 16": bundle | {"depth": 16},
        "the root": {"ask": "root", "from": 0},
        "the root since a tree": {"ask": "root", "from": 2**63 - 1},
        "a crowd": crowd,
        "the whole set": ask_crowd(b"", 0),
        "a crowd of 64 bits": ask_crowd(b"\xff" * 8, 64),
        "a later page": crowd | {"after": HASH},
    }
    wrong = {
        "something else": {"ask": "everything"},
        "a kind that is no text": {"ask": 1},
        "nothing": {"from": 0},
        "depth 17": bundle | {"depth": 17},
        "a depth as text": bundle | {"depth": "4"},
        "a digest of 33 bytes": bundle | {"digest": WORK[:-1]},
        "a digest of another kind": bundle | {"digest": b"\x13" + WORK[1:]},
        "a digest as text": bundle | {"digest": "12"},
        "a key too many": bundle | {"from": 0},
        "a size of 2^63": {"ask": "root", "from": 2**63},
        "65 bits": ask_crowd(b"\xff" * 9, 65),
        "a prefix that is too short": crowd | {"prefix": b""},
        "a prefix that is too long": crowd | {"prefix": b"\xa8\x00"},
        "padding that is not zero": crowd | {"prefix": b"\xac"},
        "no bits and a prefix": ask_crowd(b"\x00", 0),
        "part of a key": crowd | {"after": HASH[1:]},
        "a key of 33 bytes": crowd | {"after": HASH + b"\x00"},
        "a crowd without a depth": {k: v for k, v in crowd.items() if k != "depth"},
        "a crowd of depth 17": crowd | {"depth": 17},
    }
    raw = {"no map": pack([1]), "empty": b"", "257 bytes": pack({"ask": "x" * 300})}
    return message_cases(good, wrong, raw)


def bundle_answer_cases() -> list[Case]:
    good = {
        "a bundle": {"bundle": b"\x80"},
        "a refusal": {"error": "why"},
        "busy": {"busy": 3600},
    }
    wrong = {
        "a bundle as text": {"bundle": "bundle"},
        "a key too many": {"bundle": b"", "depth": 1},
        "nothing": {},
        "busy for no time": {"busy": 0},
        "busy for long": {"busy": 3601},
        "a refusal that is no text": {"error": b"why"},
        "a refusal of 201 characters": {"error": "x" * 201},
    }
    raw = {
        "a refusal with a byte too many": pack({"error": "why"}) + b"\x00",
        "a refusal that is cut short": pack({"busy": 300})[:-1],
    }
    return message_cases(good, wrong, raw)


def root_fields(seen: int = 0) -> dict[str, Any]:
    last = len(VIEW.entries) - 1
    return {
        "entry": VIEW.entries[last],
        "note": VIEW.note,
        "proof": inclusion(last, VIEW.entries),
        "since": consistency(seen, VIEW.entries) if seen else [],
        "vkey": VIEW.vkey,
    }


def root_cases() -> list[Case]:
    """`strings` and `set_root` are what a reader knows then."""
    root = root_fields()
    known = {"strings": VIEW.count, "set_root": root["entry"][9:].hex()}
    entry, stranger = root["entry"], vkey(VIEW.log.origin, Key("stranger"))

    def answer(name: str, expect: str = "ok", **changes: Any) -> Case:
        data = pack(root | changes).hex()
        if expect == "ok":
            return ok(name, bytes=data, **known)
        return bad(name, expect, bytes=data)

    return [
        answer("a root"),
        answer("a root since a tree", since=root_fields(5)["since"]),
        answer("another count", "proof", entry=entry[:8] + b"\x63" + entry[9:]),
        answer("a notice in place of a commitment", "proof", entry=b"\x02bye"),
        answer("an entry of 65 bytes", "malformed", entry=bytes(65)),
        answer("another key", "bad-signature", vkey=stranger),
        answer("a proof that leads elsewhere", "proof", proof=root["proof"][::-1]),
        answer("no proof", "proof", proof=[]),
        answer("a hash of 31 bytes", "malformed", since=[HASH[1:]]),
        answer("129 hashes", "malformed", since=[HASH] * 129),
        answer("no note", "malformed", note=b"note"),
    ]


def page_cases() -> list[Case]:
    page = crowd_fields(b"", 0)
    (row,) = page["gone"]
    good = {"a page": page}
    wrong = {
        "a key too many": page | {"depth": 4},
        "a key missing": {k: v for k, v in page.items() if k != "upto"},
        "an end of 31 bytes": page | {"upto": HASH[1:]},
        "an end of 33 bytes": page | {"upto": HASH + b"\x00"},
        "a bundle as text": page | {"bundles": ["bundle"]},
        "bundles as bytes": page | {"bundles": b""},
        "other of 33 bytes": page | {"others": [HASH + b"\x00"]},
        "other of 34 bytes that are no multihash": page | {"others": [b"\x00" * 34]},
        "other of 35 bytes": page | {"others": [b"\x12\x20" + HASH + b"\x00"]},
        "other as text": page | {"others": ["other"]},
        "half a hash": page | {"proof": page["proof"][:-16]},
        "64 hashes": page | {"proof": HASH * 64},
        "a count as text": page | {"strings": "7"},
        "a count of 2^63": page | {"strings": 2**63},
        "a row of three": page | {"gone": [row[:3]]},
        "a commitment that was taken down": page
        | {"gone": [[row[0], VIEW.entries[-1], *row[2:]]]},
        "a log of 1,025 characters": page | {"log": "x" * 1025},
        "a note as text": page | {"note": "note"},
    }
    whole = pack(page)
    raw = {"empty": b"", "a byte too many": whole + b"\x00", "cut": whole[:-1]}
    return message_cases(good, wrong, raw)


def vectors() -> dict[str, Any]:
    return {
        "bundle_answers": bundle_answer_cases(),
        "pages": page_cases(),
        "readings": reading_cases(),
        "requests": request_cases(),
        "root_answers": root_cases(),
    }


def main() -> None:
    path = Path(__file__).with_name("query.json")
    text = json.dumps(vectors(), indent=1, sort_keys=True) + "\n"
    if "--check" not in sys.argv[1:]:
        path.write_text(text, "ascii")
        print(f"{path.name}: {len(text)} bytes")
    elif path.read_text("ascii") != text:
        sys.exit(f"{path.name} is not what {Path(__file__).name} writes")


if __name__ == "__main__":
    main()
