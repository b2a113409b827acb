"""The lines and figures of a label, worked out slowly from docs/spec/label.md alone.

Rows and answers are maps as in label.json; what a map does not have is null, no, or
empty.  Each figure is found by going through all items again.  Imports nothing of the
program.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

Said = dict[str, Any]
MADE = ("human", "assisted", "generated", "other", "unknown", "unattested")
VERDICTS = ("allowed", "constrained", "notAllowed", "unknown")
USES = ("data_mining", "ai_inference", "ai_training", "ai_generative_training")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
IN_HOSTS = set(LETTERS + "0123456789.-_")
HEX = "0123456789abcdefABCDEF"
TURNING = [chr(one) for one in (0x61C, 0x200E, 0x200F, 0xFEFF)]
TURNING += [chr(one) for one in (*range(0x2028, 0x202F), *range(0x2066, 0x206A))]
TURNING = "\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e"
TURNING += "\u2066\u2067\u2068\u2069\ufeff"


# Items


def item(row: Said, answer: Said) -> Said:
    """All that the figures need of one row."""
    claims = answer.get("claims", [])
    counting = [one for one in claims if one["status"] in ("effective", "unknown")]
    effective = [one for one in claims if one["status"] == "effective"]
    disputes = [one for one in answer.get("remarks", []) if one["type"] == "dispute"]
    for claim in counting:
        disputes += claim.get("disputes", [])
    disputes = [one for one in disputes if one["status"] in ("effective", "unknown")]
    objections = [one for one in disputes if one.get("reason") == "consent"]
    depth = answer.get("synthetic_depth") or {"least": 0, "greatest": None}
    return {
        "row": row,
        "made": made(answer, counting),
        "source_type": term(effective),
        "license": licence(effective),
        "consent": {one: answer["consent"][f"cawg.{one}"] for one in USES},
        "least": depth["least"],
        "greatest": depth["greatest"],
        "places": sorted(one["index"] for one in claims),
        "signed": effective != [],
        "endorsed": any(is_endorsed(one) for one in effective),
        "disputed": len(disputes) > len(objections),
        "objections": len(objections),
        "withdrawn": len([one for one in claims if one["status"] == "withdrawn"]),
        "keys": {by(one) for one in counting},
        "named": any(has_name(answer, by(one)) for one in counting),
        "models": models(effective),
        "code": code(counting),
    }


def by(said: Said) -> str:
    return str(said.get("signed_for") or said["author"])


def is_all_shown(answer: Said) -> bool:
    here = len(answer.get("claims", [])) + len(answer.get("remarks", []))
    if answer.get("redacted") or answer["total"] is None:
        return False
    return bool(answer["total"] <= here)


def made(answer: Said, counting: list[Said]) -> str:
    if not counting and is_all_shown(answer):
        return "unattested"
    words = {one["made"] for one in counting}
    doubts = [one for one in counting if one["status"] == "unknown"]
    if not is_all_shown(answer) or doubts or len(words) != 1:
        return "unknown"
    return str(words.pop())


def term(effective: list[Said]) -> str | None:
    terms = {one.get("source_type") for one in effective}
    return terms.pop() if len(terms) == 1 else None


def licence(effective: list[Said]) -> str | None:
    named = {one["license"] for one in effective if one.get("license")}
    if len(named) > 1:
        return "differing"
    return named.pop() if named else None


def is_endorsed(claim: Said) -> bool:
    for one in claim.get("endorsements", []):
        if one["status"] == "effective" and by(one) != by(claim):
            return True
    return False


def has_name(answer: Said, key: str) -> bool:
    for found in answer.get("keys", []):
        for said in found["statements"]:
            name = said.get("fields", {}).get("name")
            is_sound = isinstance(name, str) and 1 <= len(name) <= 128
            if (
                found["author"] == key
                and said["type"] == "profile"
                and said["status"] in ("effective", "unknown")
                and is_sound
            ):
                return True
    return False


def models(effective: list[Said]) -> set[str]:
    maps = [one.get("fields", {}).get("model") for one in effective]
    names = [one.get("name") for one in maps if isinstance(one, dict)]
    return {one for one in names if isinstance(one, str) and 1 <= len(one) <= 256}


def code(counting: list[Said]) -> tuple[str, str] | None:
    """The kind, and 64 digits."""
    for claim in counting:
        for unit in claim.get("fields", {}).get("fingerprints", {}).get("iscc", []):
            if len(unit) != 60 or not unit.startswith("ISCC:"):
                continue
            raw = base64.b32decode(unit[5:] + "=")
            kind = {"2107": "image", "2007": "text"}.get(raw[:2].hex())
            bits = "".join(f"{byte:08b}" for byte in raw[2:10])
            if kind and bits.count("1") >= 8:
                return kind, bits
    return None


# Lines


def line(one: Said, proof: str) -> str:
    row = one["row"]
    fields = [
        row["digest"].removeprefix("sha256:"),
        path(row) or "",
        text(row.get("bytes")),
        one["made"],
        text(one["source_type"]),
        text(one["license"]),
        *(one["consent"][use] for use in USES),
        text(one["least"]),
        text(one["greatest"]),
        text(len(one["places"])),
        *("yes" if one[name] else "no" for name in ("endorsed", "disputed")),
        text(one["objections"]),
        text(one["withdrawn"]),
        " ".join("#" + str(place) for place in one["places"]),
        proof,
    ]
    return ",".join(map(quoted, fields)) + "\n"


def text(value: object) -> str:
    return "" if value is None else str(value)


def quoted(field: str) -> str:
    if set(field) & {",", '"', "\r", "\n"}:
        return '"' + field.replace('"', '""') + '"'
    return field


def path(row: Said) -> str | None:
    """As a manifest has it (docs/spec/collection.md, "CSV")."""
    if row.get("path") is None:
        return None
    found, given = "", row["path"]
    for at, one in enumerate(given):
        follow = given[at + 1 : at + 3]
        looks_coded = len(follow) == 2 and all(digit in HEX for digit in follow)
        if (
            one < " "
            or "\x7f" <= one <= "\x9f"
            or "\udc80" <= one <= "\udcff"
            or one in TURNING
            or (one == "%" and looks_coded)
            or (at == 0 and one in "=+-@")
        ):
            raw = one.encode("utf-8", "surrogateescape")
            found += "".join(f"%{byte:02X}" for byte in raw)
        else:
            found += one
    return found


# Figures


def figures(use: str, items: list[Said]) -> Said:
    use = use.removeprefix("cawg.")

    def sums(test: Callable[[Said], bool]) -> Said:
        found = [one for one in items if test(one)]
        total = sum(one["row"].get("bytes") or 0 for one in found)
        return {"items": len(found), "bytes": total}

    def count(name: str) -> int:
        return sum(1 for one in items if one[name])

    def top(names: Callable[[Said], set[str]]) -> Said:
        rows = [
            {"name": name, **sums(lambda one, name=name: name in names(one))}  # type: ignore[misc]
            for name in {name for one in items for name in names(one)}
        ]
        rows.sort(key=lambda one: one["name"])
        rows.sort(key=lambda one: one["items"], reverse=True)
        return {"total": len(rows), "top": rows[:10]}

    forbidden = [one for one in items if one["consent"][use] == "notAllowed"]
    return {
        "ingredients": {
            word: sums(lambda one, word=word: one["made"] == word)  # type: ignore[misc]
            for word in MADE
        },
        "source_types": top(lambda one: {one["source_type"]} - {None}),
        "models": top(lambda one: one["models"]),
        "synthetic_depth": depths(items),
        "consent": {
            f"cawg.{each}": {
                word: sums(lambda one, e=each, w=word: one["consent"][e] == w)  # type: ignore[misc]
                for word in VERDICTS
            }
            for each in USES
        },
        "violations": {
            **sums(lambda one: one["consent"][use] == "notAllowed"),
            "first": [
                {"digest": one["row"]["digest"], "path": path(one["row"])}
                for one in forbidden[:20]
            ],
        },
        "licences": top(lambda one: {one["license"] or "unknown"}),
        "sources": {
            "keys": top(lambda one: one["keys"]),
            "domains": top(lambda one: {domain(one["row"].get("url"))} - {None}),  # type: ignore[arg-type]
        },
        "trust": {
            word: count(word)
            for word in ("signed", "endorsed", "disputed", "withdrawn", "named")
        },
        "objections": {
            "items": count("objections"),
            "disputes": sum(one["objections"] for one in items),
        },
        "near_duplicates": near([one["code"] for one in items if one["code"]]),
    }


def depths(items: list[Said]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in items:
        most = one["greatest"]
        word = "open" if most is None else "8 or more" if most > 7 else str(most)
        found[word] = found.get(word, 0) + 1
    return found


def domain(url: str | None) -> str | None:
    scheme, divided, rest = (url or "").partition("://")
    low = scheme.lower()
    if not divided or not scheme.isascii() or not scheme or low[0] not in LETTERS:
        return None
    if any(one not in LETTERS + "0123456789+-." for one in low):
        return None
    for end in "/?#":
        rest = rest.partition(end)[0]
    rest = rest.rpartition("@")[2]
    host, colon, port = rest.rpartition(":")
    if colon and all(one in "0123456789" for one in port):
        rest = host
    if not rest.isascii():
        return None
    rest = rest.lower()
    if rest.startswith("www.") and rest[4:5] and rest[4] in IN_HOSTS:
        rest = rest[4:]
    return rest if 1 <= len(rest) <= 253 and set(rest) <= IN_HOSTS else None


def near(codes: list[tuple[str, str]]) -> Said:
    groups = []
    kept: list[tuple[str, str]] = []
    for kind in ("image", "text"):
        kept += [one for one in codes if one[0] == kind][:16_384]
    left = set(range(len(kept)))
    while left:
        group = {left.pop()}
        while True:
            more = {a for a in left if any(is_near(kept[a], kept[b]) for b in group)}
            if not more:
                break
            group |= more
            left -= more
        if len(group) > 1:
            groups.append(len(group))
    return {
        "bits": 12,
        "compared": len(kept),
        "clusters": len(groups),
        "items": sum(groups),
        "largest": max([0, *groups]),
    }


def is_near(one: tuple[str, str], other: tuple[str, str]) -> bool:
    differ = sum(1 for a, b in zip(one[1], other[1], strict=True) if a != b)
    return one[0] == other[0] and differ <= 12
