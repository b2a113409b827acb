"""Where parsers written in Python go wrong, and where C2SP implementations disagree:
each has a vector that says how it is read here (docs/spec/log.md; ADR 13)."""

from __future__ import annotations

import pytest
from tests.support.vectors import load

NOTE = ("log_note.json", "parse")
VKEY = ("log_note.json", "verifiers")
CHECKPOINT = ("log_checkpoint.json", "text")
COSIGNATURE = ("log_cosignature.json", "verify")
POLICY = ("log_policy.json", "parse")
TILE = ("log_tiles.json", "paths")

HAZARDS: dict[str, dict[tuple[str, str], list[str]]] = {
    "int() takes underscores": {
        CHECKPOINT: ["size: underscore"],
        POLICY: ["threshold with an underscore"],
        TILE: ["index with an underscore"],
    },
    "int() takes blanks around": {
        CHECKPOINT: ["size: blanks around", "size: blank behind"],
        TILE: ["index with a blank"],
    },
    "int() takes a plus sign": {
        CHECKPOINT: ["size: plus sign", "size: minus zero"],
        POLICY: ["threshold with a sign"],
        TILE: ["level with a sign"],
    },
    "int() takes the digits of other scripts": {
        CHECKPOINT: ["size: another script", "size: full-width digits"],
        POLICY: ["threshold in another script"],
        TILE: [
            "level in another script",
            "index in another script",
            "width in another script",
        ],
    },
    "int() takes leading zeros": {
        CHECKPOINT: ["size: leading zeros", "size: two zeros"],
        COSIGNATURE: ["time with a zero in front"],
        POLICY: ["threshold with a zero in front"],
        TILE: ["level with a zero in front", "width with a zero in front"],
    },
    "int() has no upper end": {
        CHECKPOINT: ["size: 2^63", "size: 2^64 + 3", "size: 5,000 digits"],
        COSIGNATURE: ["time 2^63"],
        TILE: ["index of 2^63"],
    },
    "b64decode() drops what is not base64": {
        NOTE: [
            "base64 with a blank",
            "base64 with a newline",
            "base64 with other junk",
            "base64 padded for nothing",
        ],
        VKEY: ["key with a newline", "key padded for nothing"],
        CHECKPOINT: ["root with junk", "root with a blank behind"],
    },
    "b64decode(validate=True) takes loose bits": {
        NOTE: ["base64 with loose bits", "base64 with four loose bits"],
        CHECKPOINT: ["root with loose bits", "root with four loose bits"],
    },
    "splitlines() cuts where no newline is": {
        CHECKPOINT: [
            *(f"lines cut by {byte}" for byte in ("0b", "0d", "1c", "1d", "1e")),
            *(f"lines cut by U+{point}" for point in ("0085", "2028", "2029")),
            "lines cut by form feeds",
        ],
        POLICY: [
            "form feed",
            *(f"lines cut by {what}" for what in ("0b", "1e", "U+0085", "U+2028")),
        ],
        NOTE: [f"control {byte} in the text" for byte in ("0b", "0c", "1c", "1d")],
    },
    "fromhex() takes blanks": {
        VKEY: ["id with a blank", "id with a tab", "id with blanks around"],
    },
    "fromhex() takes upper case": {VKEY: ["upper-case id"]},
    "isspace() has four control characters more": {
        NOTE: [f"control {byte} in a name" for byte in ("1c", "1d", "1e", "1f")],
        VKEY: [f"U+{point} in the name" for point in ("001C", "001D", "001E", "001F")],
    },
    "a comment at the end of a line": {
        POLICY: [
            "comment behind a line",
            "comment behind a log",
            "comment behind a witness",
            "comment behind a group",
        ],
    },
    "one key under two names": {
        POLICY: ["witness key twice under two names", "log's key under another name"],
        COSIGNATURE: ["the log's own name"],
    },
    "one key signs twice": {
        NOTE: ["one key twice", "one key twice, other signature"],
        COSIGNATURE: ["twice, the newer last"],
    },
    "a time-stamp in the other byte order": {COSIGNATURE: ["time little-endian"]},
    "a root that is no hash": {
        CHECKPOINT: ["root of 31 bytes", "root of 33 bytes", "root empty"],
    },
    "extension lines": {
        CHECKPOINT: ["an extension line"],
        ("log_checkpoint.json", "signed"): ["with an extension line"],
        COSIGNATURE: ["over an extension line"],
    },
}

TAKEN: dict[str, dict[tuple[str, str], list[str]]] = {
    "what only some readers take for line ends": {
        NOTE: ["what some readers take for line ends"],
        POLICY: ["a comment that others take for three"],
    },
    "what only some readers take for blanks": {
        VKEY: [f"U+{point} in the name is no space" for point in ("180E", "FEFF")],
    },
    "keys and signatures of kinds not known here": {
        NOTE: ["signature of ML-DSA length", "one name, two ids"],
    },
}


def expectations(where: tuple[str, str]) -> dict[str, str]:
    """What is expected of each case of a group, by its name."""
    name, group = where
    return {case["name"]: case["expect"] for case in load(name)[group]}


@pytest.mark.parametrize("hazard", HAZARDS)
def test_each_hazard_has_vectors_that_refuse_it(hazard: str) -> None:
    for where, names in HAZARDS[hazard].items():
        found = expectations(where)
        got = {name: found.get(name, "missing") for name in names}
        assert set(got.values()) <= {"malformed", "bad-signature"}, (where, got)


@pytest.mark.parametrize("form", TAKEN)
def test_what_is_not_a_hazard_is_taken(form: str) -> None:
    for where, names in TAKEN[form].items():
        found = expectations(where)
        assert {name: found.get(name) for name in names} == dict.fromkeys(names, "ok")
