"""Writes network.json, the vectors of docs/spec/network.md, from that page alone.

    python tests/vectors/generate_network.py            write the file
    python tests/vectors/generate_network.py --check    compare it with what is there

Every case has a `name` and `expect`: "ok", or the kind of error that a reader owes it;
an invalid case differs from a valid one in one thing.  Bytes are in hex.
Imports nothing of the program: naive_bundle.py has a log of its own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from naive_bundle import Said, commitment, pack
from network_cases_sessions import session_cases
from network_cases_sets import set_cases, set_requests, set_responses
from network_log import (
    FIRST,
    HASH,
    LOG,
    SAID,
    Case,
    ask,
    bad,
    forged,
    log_vkey,
    ok,
    session,
    work,
)

# Messages


def request_cases() -> list[Case]:
    good = {
        "meet": {"ask": "meet", "root": HASH},
        "meet in any case": {"ask": "meet", "root": b""},
        "next": {"ask": "next", "from": 7},
        "head at first contact": {"ask": "head", "from": 0},
        "head": {"ask": "head", "from": 2**63 - 1},
        "commitment": {"ask": "commitment", "size": 7},
        "entries": {"ask": "entries", "size": 7, "start": 3},
        "statements": {"ask": "statements", "ids": HASH + HASH[::-1]},
        "4,096 statements": {"ask": "statements", "ids": HASH * 4096},
    }
    wrong = {
        "something else": {"ask": "everything"},
        "nothing": {"from": 0},
        "a key too many": {"ask": "head", "from": 0, "to": 1},
        "a key too few": {"ask": "entries", "size": 7},
        "a size of 2^63": {"ask": "head", "from": 2**63},
        "a size as text": {"ask": "commitment", "size": "7"},
        "no ids": {"ask": "statements", "ids": b""},
        "a part of an id": {"ask": "statements", "ids": HASH[1:]},
        "4,097 statements": {"ask": "statements", "ids": HASH * 4097},
        "ids in an array": {"ask": "statements", "ids": [HASH]},
        "a root of 31 bytes": {"ask": "meet", "root": HASH[1:]},
        "a root of 33 bytes": {"ask": "meet", "root": HASH + b"0"},
        "next from nowhere": {"ask": "next"},
    }
    good_sets, wrong_sets = set_requests()
    good, wrong = good | good_sets, wrong | wrong_sets
    raw = {
        "no map": pack(["head", 0]),
        "keys out of order": b"\x82\xa4from\x00\xa3ask\xa4head",
        "a long integer": b"\x82\xa3ask\xa4head\xa4from\xcc\x00",
        "a byte too many": pack({"ask": "head", "from": 0}) + b"\x00",
        "truncated": pack({"ask": "head", "from": 0})[:-1],
        "empty": b"",
    }
    return message_cases(good, wrong, raw)


def response_cases() -> list[Case]:
    good = {
        "an equal set": {"equal": True},
        "met": {
            "entry": commitment(0, HASH),
            "frontier": [HASH],
            "note": b"note",
            "vkey": "vkey",
        },
        "news": {"entries": [b"\x00"], "note": b"note", "proof": [HASH]},
        "the same": {"same": True},
        "head": {"note": b"note", "proof": [HASH], "vkey": "vkey"},
        "commitment": {"entry": commitment(0, HASH), "frontier": [HASH]},
        "entries": {"entries": [b"\x00", b""], "proof": []},
        "envelopes": {"envelopes": [b"\x93", b""]},
        "a refusal": {"error": "why"},
    }
    wrong = {
        "not the same": {"same": False},
        "a key too many": {"same": True, "size": 1},
        "no key": {},
        "entries that are text": {"entries": ["entry"], "proof": []},
        "a hash of 31 bytes": {"entries": [], "proof": [HASH[1:]]},
        "129 hashes": {"entries": [], "proof": [HASH] * 129},
        "4,097 envelopes": {"envelopes": [b""] * 4097},
        "a commitment of 65 bytes": {"entry": bytes(65), "frontier": []},
        "a key that is bytes": {"note": b"", "proof": [], "vkey": b""},
        "nested too deep": {"entries": [[b""]], "proof": [[HASH]]},
        "not equal": {"equal": False},
        "257 entries of news": {"entries": [b""] * 257, "note": b"", "proof": []},
        "a note that is text": {"entries": [], "note": "", "proof": []},
    }  # fmt: skip
    good_sets, wrong_sets = set_responses()
    good, wrong = good | good_sets, wrong | wrong_sets
    return message_cases(good, wrong, {"nil": b"\xc0", "empty": b""})


def message_cases(
    good: dict[str, Any], wrong: dict[str, Any], raw: dict[str, bytes]
) -> list[Case]:
    return [
        *(ok(name, bytes=pack(fields).hex()) for name, fields in good.items()),
        *(bad(name, bytes=pack(fields).hex()) for name, fields in wrong.items()),
        *(bad(name, bytes=data.hex()) for name, data in raw.items()),
    ]


def frame_cases() -> list[Case]:
    """`bodies` come out of `bytes`, at most `most` bytes each; then the stream ends."""
    two = "00000002aabb"
    return [
        ok("none", bytes="", most=2, bodies=[]),
        ok("one", bytes=two, most=2, bodies=["aabb"]),
        ok("two", bytes=two + "00000001cc", most=2, bodies=["aabb", "cc"]),
        ok("an empty one", bytes="00000000", most=2, bodies=[""]),
        bad("too long", bytes=two, most=1, bodies=[]),
        bad("half a length", bytes="0000", most=2, bodies=[]),
        bad("half a body", bytes="00000002aa", most=2, bodies=[]),
    ]


def batch_cases() -> list[Case]:
    one, two = work(1), work(2)
    later = pack([2, one.body, one.signature])
    first, second = pack([1, one.body, one.signature]), two.envelope

    def sifted(name: str, items: list[bytes], fresh: list[Said], **counts: int) -> Case:
        header = pack([0] * len(items))[: 1 if len(items) < 16 else 3]
        expected = {"known": 0, "unsupported": 0, "bad": 0} | counts
        ids = [said.id.hex() for said in fresh]
        return ok(name, bytes=(header + b"".join(items)).hex(), fresh=ids, **expected)

    return [
        sifted("empty", [], []),
        sifted("two statements", [first, second], [one, two]),
        sifted("one of them twice", [first, second, first], [one, two], known=1),
        sifted("a forgery first", [forged(one), first], [one], bad=1),
        sifted("a later version", [later, second], [two], unsupported=1),
        sifted("an item that is none", [b"\x01", second], [two], bad=1),
        sifted("1,024 items", [b"\x01"] * 1024, [], bad=1024),
        bad("1,025 items", bytes=(b"\xdc\x04\x01" + b"\x01" * 1025).hex()),
        bad("no array", bytes="80"),
        bad("a long header", bytes="dc0000"),
        bad("a byte too many", bytes="9000"),
        bad("an item missing", bytes="91"),
        bad("60,001 bytes", bytes=(b"\x91\xc5\xea\x5d" + bytes(59_997)).hex()),
    ]


# The worked example


def example() -> dict[str, Any]:
    """A log of two statements, followed from its start."""
    frame = [len(body).to_bytes(4, "big") + body for body in FIRST[0]]
    return {
        "vkey": log_vkey(),
        "note": LOG.note(4).decode(),
        "entries": [entry.hex() for entry in LOG.entries[:4]],
        "meet_frames": [data.hex() for data in frame],
        "exchanges": session(*FIRST),
        "same": session((ask("next", **{"from": 4}), pack({"same": True}))),
        "batch": (b"\x92" + SAID[0].envelope + SAID[1].envelope).hex(),
    }


def vectors() -> dict[str, Any]:
    return {
        "batches": batch_cases(),
        "example": example(),
        "frames": frame_cases(),
        "requests": request_cases(),
        "responses": response_cases(),
        "sessions": session_cases(),
        "sets": set_cases(),
    }


def main() -> None:
    path = Path(__file__).with_name("network.json")
    text = json.dumps(vectors(), indent=1, sort_keys=True) + "\n"
    if "--check" not in sys.argv[1:]:
        path.write_text(text, "ascii")
        print(f"{path.name}: {len(text)} bytes")
    elif path.read_text("ascii") != text:
        sys.exit(f"{path.name} is not what {Path(__file__).name} writes")


if __name__ == "__main__":
    main()
