"""Writes witness.json, the vectors of docs/spec/witness.md, from the page alone.

    python tests/vectors/generate_witness.py            write the file
    python tests/vectors/generate_witness.py --check    compare it with what is there

keys             a node's secret, its log's origin and renewal -> seeds and keys
add_checkpoint   `request`, what is `known` (verifier key and the note that is
                 remembered, null before the first), the clock (`now`, Unix seconds),
                 whether this tree was `replayed` -> `status`, `body`, and the note
                 that the witness `keeps` (null: what it had).  `body` of other answers
                 is one line of any text.  `state`: the witness is `held`, or has
                 `no room` to store a note, or an alarm about the log (`alarmed`)
requests, responses
                 of /byline/witness/1
lines, sizes     what a log reads in an answer of 200, of 409
followed         what a node says of its copy of a log

Bytes are in hex; where they are many, an array of pieces of hex and how often each is
repeated.  Imports nothing of the program and no signature library.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from witness_cases import KEYS, RENEWAL, SECRET, Case, NodeKeys
from witness_cases_messages import (
    followed_cases,
    line_cases,
    message_requests,
    message_responses,
    size_cases,
)
from witness_cases_refused import refused_cases
from witness_cases_signed import signed_cases

ROLES = ("log", "witness", "replay")


def key_case(name: str, keys: NodeKeys) -> Case:
    return {
        "name": name,
        "secret": keys.secret.hex(),
        "origin": keys.origin,
        "renewal": keys.renewal.hex(),
        "seeds": {r: keys.key(r).seed.hex() for r in ("transport", *ROLES)},
        "public": {r: keys.key(r).public.hex() for r in ("transport", *ROLES)},
        "vkeys": {role: keys.vkey(role) for role in ROLES},
    }


def key_cases() -> list[Case]:
    secret, origin = KEYS.secret, KEYS.origin
    longest = "o" * (255 - len("/witness"))
    return [
        key_case("the witness of these vectors", KEYS),
        key_case("renewed", NodeKeys(secret, origin, RENEWAL)),
        key_case("renewed again", NodeKeys(secret, origin, b"\xff" * 16)),
        key_case("renewed with zeros", NodeKeys(secret, origin, bytes(16))),
        key_case("another origin", NodeKeys(secret, origin[:-1] + "1")),
        key_case("another secret", NodeKeys(bytes(32), origin)),
        key_case("an origin in another script", NodeKeys(secret, "пример/журнал")),
        key_case("an origin of 247 bytes", NodeKeys(secret, longest)),
    ]


def vectors() -> dict[str, Any]:
    return {
        "witness": {"secret": SECRET.hex(), "origin": KEYS.origin, "renewal": ""},
        "keys": key_cases(),
        "add_checkpoint": [*signed_cases(), *refused_cases()],
        "requests": message_requests(),
        "responses": message_responses(),
        "lines": line_cases(),
        "sizes": size_cases(),
        "followed": followed_cases(),
    }


def main() -> None:
    path = Path(__file__).with_name("witness.json")
    text = json.dumps(vectors(), indent=1, sort_keys=True) + "\n"
    if "--check" not in sys.argv[1:]:
        path.write_text(text, "ascii")
        print(f"{path.name}: {len(text)} bytes")
    elif path.read_text("ascii") != text:
        sys.exit(f"{path.name} is not what {Path(__file__).name} writes")


if __name__ == "__main__":
    main()
