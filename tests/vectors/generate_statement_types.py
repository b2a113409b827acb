"""Writes statement_types.json, from docs/spec/statement.md, "Types", alone.

    python tests/vectors/generate_statement_types.py

Imports nothing of the program.  A case has the fields of one type (a canonical map in
hex, without the common fields), what a reader knows of them, the names of the fields
that are not sound, and whether the statement says anything.  Each unsound case has one
thing wrong with it.  Bytes are written in hex.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import naive_content
from naive_bundle import pack
from statement_type_values import (
    ABOUT,
    FOR_OTHERS,
    FULL,
    KEY,
    OTHER,
    SOUND,
    TRAINING,
    UNSOUND,
    UNSOUND_FOREIGN,
    UNSOUND_USES,
    USES_LISTS,
    Fields,
    multihash,
    sha256,
)

HERE = Path(__file__).parent
Case = dict[str, Any]


TEXTS = {
    "title": 512,
    "note": 512,
    "constraint-info": 1024,
    "name": 128,
    "terms-url": 512,
    "contact": 256,
    "purpose": 2048,
    "description": 2048,
    "version": 64,
    "url": 512,
    "origin": 256,
    "format": 64,
    "validator": 128,
    "issuer": 256,
}
WORDS = ("oversight", "role", "reason", "use", "validation")
KEYS = [
    "group",
    "seal",
    "seal-nonce",
    "replacement",
    "grantee",
    "request",
    "recovery",
    "successor",
    "offer",
    "root",
    "set-root",
    "for",
    "delegation",
]
DIGESTS = ("terms", "label", "manifest", "trust-list", "issuer-key", "rows")
TIMES = ("from", "until", "checked")
COUNTS = ["size", "bytes", "violations", "disputed", "withdrawn", "log-size", "members"]
LISTS = {
    "tools": 32,
    "evidence": 64,
    "links": 16,
    "proofs": 16,
    "types": 16,
    "manifests": 16,
}


def minimal(kind: str) -> Fields:
    """What a type needs, and nothing else; a rotation needs one of two."""
    marked = naive_content.TYPES[kind]
    needed = [name[:-1] for name in marked if name.endswith("!")]
    if kind == "rotate":
        needed = ["successor"]
    return {name: FULL[kind][name] for name in needed}


def sound_values(kind: str, name: str) -> Iterator[tuple[str, Any]]:
    """Values at the edge of what is sound."""
    if name in TEXTS:
        limit = text_limit(kind, name)
        yield f"of {limit} characters", "\u00e9" * limit
        yield "of one character", "\U0001f40b"
        if name == "title":
            yield "that is not normalised", "e\u0301"
    if name in TIMES:
        yield "at 0", 0
        yield "at 2^63-1", 2**63 - 1
    if name in COUNTS or (name == "count" and kind != "delegate"):
        yield "of 0", 0
        yield "of 2^64-1", 2**64 - 1
    if name in LISTS:
        yield f"of {LISTS[name]}", FULL[kind][name][:1] * LISTS[name]
    yield from SOUND.get(name, {}).items()


def unsound_values(kind: str, name: str) -> Iterator[tuple[str, Any]]:
    """Values with one thing wrong."""
    if name in TEXTS:
        limit = text_limit(kind, name)
        yield "of no characters", ""
        yield f"of {limit + 1} characters", "x" * (limit + 1)
        yield "as bytes", b"text"
    if name in WORDS:
        yield "that is no word", FULL[kind][name] + "s"
        yield "in capitals", FULL[kind][name].upper()
        yield "as bytes", FULL[kind][name].encode()
    if name in KEYS:
        yield "of 31 bytes", bytes(31)
        yield "of 33 bytes", bytes(33)
        yield "as text", "k" * 32
    if name in DIGESTS:
        yield "of 32 bytes", bytes(32)
        yield "of another hash", b"\x1e\x20" + bytes(32)
        yield "as text", "x" * 34
    if name in TIMES:
        yield "at 2^63", 2**63
        yield "as text", "2026-01-01"
        yield "as a boolean", True
    if name in COUNTS or name in ("count", "number", "parts"):
        yield "as a boolean", True
        yield "as text", "7"
    if name in ("parts", "number") or (name == "count" and kind == "delegate"):
        yield "of 0", 0
        yield "of 1000001", 1_000_001
    if name in LISTS:
        yield "as an empty array", []
        yield f"of {LISTS[name] + 1}", FULL[kind][name][:1] * (LISTS[name] + 1)
        yield "that is no array", {}
        yield "of which one is a number", [*FULL[kind][name], 7]
    if kind in ("label", "settlement") and name == "items":
        yield "as text", "7"
    if name == "uses":
        yield "as text", TRAINING
        yield from (UNSOUND_USES if isinstance(FULL[kind][name], dict) else USES_LISTS)
    if name in ("created", "gathered"):
        yield from UNSOUND_FOREIGN
    if not (kind == "settlement" and name == "items"):
        yield from UNSOUND.get(name, {}).items()


def text_limit(kind: str, name: str) -> int:
    """Notes and names differ from type to type."""
    if name == "note" and kind in ("endorse", "dispute"):
        return 2048
    return TEXTS[name]


def type_cases(kind: str) -> Iterator[Case]:
    yield case(kind, "all that it can say", FULL[kind], [])
    least = minimal(kind)
    yield case(kind, "no more than it must", least, [])
    yield case(kind, "fields that nobody knows", {**least, "x-more": [1]}, [])
    for name in FULL[kind]:
        whole = name in ("seal", "seal-nonce") or (kind, name) == ("rotate", "reason")
        base = FULL[kind] if whole else least
        for words, value in sound_values(kind, name):
            yield case(kind, f"{name} {words}", {**base, name: value}, [])
        for words, value in unsound_values(kind, name):
            yield case(kind, f"{name} {words}", {**base, name: value}, [name])
    for name in least:
        rest = {other: one for other, one in least.items() if other != name}
        yield case(kind, f"no {name}", rest, [name])
    if kind == "work":
        for name, other in (("seal", "seal-nonce"), ("seal-nonce", "seal")):
            fields = {name: FULL[kind][name]}
            yield case(kind, f"{name} without {other}", fields, [name])
    if kind == "rotate":
        stolen = {"reason": "compromised"}
        yield case(kind, "no successor, stolen", stolen, [])
        fields = {**stolen, "successor": bytes(31)}
        yield case(kind, "a bad successor, stolen", fields, ["successor"])
        yield case(kind, "no successor, lost", {"reason": "lost"}, ["successor"])
    if kind in ("grant", "admit", "offer", "delegate"):
        fields = {**least, "from": 9, "until": 5}
        yield case(kind, "a term that ends before it begins", fields, [])


def case(kind: str, name: str, fields: Fields, problems: list[str]) -> Case:
    found, named, says = naive_content.read(kind, fields, ABOUT)
    assert named == problems, (kind, name, named)
    return {
        "name": f"{kind}: {name}",
        "type": kind,
        "fields": pack(fields).hex(),
        "known": shown(found),
        "problems": named,
        "says": says,
    }


def delegated_cases() -> Iterator[Case]:
    pair = {name: FOR_OTHERS[name] for name in ("for", "delegation")}
    yield delegated("all that it can say", FOR_OTHERS, [])
    yield delegated("the two that it must", pair, [])
    yield delegated("nothing", {}, [])
    for name in FOR_OTHERS:
        for words, value in sound_values("any", name):
            yield delegated(f"{name} {words}", {**pair, name: value}, [])
        for words, value in unsound_values("any", name):
            yield delegated(f"{name} {words}", {**pair, name: value}, [name])
    for name in pair:
        yield delegated(f"{name} alone", {name: pair[name]}, [name])


def delegated(name: str, fields: Fields, problems: list[str]) -> Case:
    found, named = naive_content.read_for_others(fields)
    assert named == problems, (name, named)
    return {
        "name": name,
        "fields": pack(fields).hex(),
        "known": shown(found),
        "problems": named,
    }


def shown(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: shown(one) for name, one in value.items()}
    if isinstance(value, list):
        return [shown(one) for one in value]
    return value


def seals() -> list[Case]:
    """Commitments: SHA-256 of the prefix, a zero byte, nonce, work and author."""
    cases = []
    for name, parts in {
        "a photo": (sha256(b"nonce"), multihash("a photo"), KEY),
        "another nonce": (sha256(b"nonce 2"), multihash("a photo"), KEY),
        "another work": (sha256(b"nonce"), multihash("a photo."), KEY),
        "another author": (sha256(b"nonce"), multihash("a photo"), OTHER),
    }.items():
        nonce, work, author = parts
        about = b"\x12\x20" + sha256(b"byline/seal/v1\0" + nonce + work + author)
        cases.append(
            {
                "name": name,
                "nonce": nonce.hex(),
                "work": work.hex(),
                "author": author.hex(),
                "about": about.hex(),
            }
        )
    return cases


def main() -> None:
    content = {
        "about": ABOUT.hex(),
        "types": [one for kind in FULL for one in type_cases(kind)],
        "for_others": list(delegated_cases()),
        "seals": seals(),
    }
    text = json.dumps(content, indent=1, sort_keys=True)
    (HERE / "statement_types.json").write_text(text + "\n", encoding="ascii")
    print(f"statement_types.json: {len(content['types'])} cases")


if __name__ == "__main__":
    main()
