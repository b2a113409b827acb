"""A log that is asked for crowds, and pages of it, naively (network.md, "Crowd")."""

from __future__ import annotations

from typing import Any

from bundle_logs import claim, dispute, made_from, new_log, withdraw, work_of
from naive_bundle import (
    Key,
    bits,
    inclusion,
    lookup,
    lookup_key,
    opened,
    subject,
    write_opening,
)
from naive_prover import View, encode

Case = dict[str, Any]

HASH = bytes(range(32))
WORK = work_of("photo")
DEPTH = 4
WHEN = 1_770_000_000_000


def ok(name: str, **fields: Any) -> Case:
    return {"name": name, "expect": "ok", **fields}


def bad(name: str, kind: str = "malformed", **fields: Any) -> Case:
    return {"name": name, "expect": kind, **fields}


def make_view() -> View:
    """A few works, one made from another, one withdrawn, one taken down."""
    log = new_log("crowd")
    keys = [Key(f"author {number}") for number in range(4)]
    photo = claim(keys[0], "photo", title="Harbour")
    regretted = claim(keys[1], "regretted")
    others = [claim(keys[2], f"other {number}") for number in range(3)]
    log.publish([photo, regretted, *others])
    collage = claim(
        keys[0], "collage", sources=made_from((work_of("photo"), "componentOf"))
    )
    gone = claim(keys[3], "gone")
    log.take_down(gone, "court order", WHEN)
    remark = dispute(keys[2], work_of("disputed only"))
    return log.publish([collage, withdraw(keys[1], regretted), gone, remark])


VIEW = make_view()


def ask_crowd(prefix: bytes, count: int, after: bytes = b"") -> dict[str, Any]:
    return {
        "after": after,
        "ask": "crowd",
        "bits": count,
        "depth": DEPTH,
        "prefix": prefix,
    }


def find_keys(prefix: str, after: bytes, visited: set[int], most: int) -> list[bytes]:
    """Up to `most` keys under the prefix and behind `after`; notes what is opened."""
    found: list[bytes] = []

    def walk(node: list[Any], path: str) -> None:
        if len(found) >= most:
            return
        shared = min(len(path), len(prefix))
        highest = int(path[:256].ljust(256, "1"), 2).to_bytes(32, "big")
        if path[:shared] != prefix[:shared] or highest <= after:
            return
        visited.add(id(node))
        if node[0] == "leaf":
            keys = sorted({string[:32] for string in node[1]})
        elif node[1] >= 256:
            keys = [int(node[4][:256], 2).to_bytes(32, "big")]
        else:
            walk(node[5], node[4] + "0")
            walk(node[6], node[4] + "1")
            return
        fitting = [k for k in keys if bits(k).startswith(prefix) and k > after]
        found.extend(fitting[: most - len(found)])

    walk(VIEW.top, "")
    return found


def made_of() -> dict[bytes, tuple[str, bytes]]:
    """Each key of the log, but for those of what was taken down: role and content."""
    known: dict[bytes, tuple[str, bytes]] = {}
    for said in VIEW.log.said.values():
        if said.id not in VIEW.log.gone:
            about = said.fields["about"]
            known[subject(about)] = ("subject", about)
            known[lookup_key("author", said.author)] = ("author", said.author)
            for source in said.sources:
                known[lookup_key("source", source)] = ("source", source)
    return known


def gone_row(id_: bytes) -> list[Any]:
    """A row of a bundle, with an inclusion proof of its own."""
    index, entry, tombstone = VIEW.gone_row(id_)
    return [index, entry, b"".join(inclusion(index, VIEW.entries)), tombstone]


def crowd_fields(
    prefix: bytes, count: int, after: bytes = b"", most: int = 4096
) -> dict[str, Any]:
    """A page of up to `most` keys."""
    visited: set[int] = set()
    keys = find_keys(bits(prefix)[:count], after, visited, most)
    parts: dict[str, list[Any]] = {"bundles": [], "others": []}
    gone: set[bytes] = set()
    for key in keys:
        role, what = made_of().get(key, ("gone", b""))
        if role == "gone":
            _, strings = lookup(VIEW.top, key, 256, visited)
            gone |= {string[40:] for string in strings}
        elif role == "subject":
            parts["bundles"].append(encode(VIEW.bundle(what, DEPTH)[0]))
        else:
            parts["others"].append(what)
    return {
        "bundles": parts["bundles"],
        "gone": [gone_row(id_) for id_ in sorted(gone)],
        "log": VIEW.vkey,
        "note": VIEW.note,
        "opening": write_opening(opened(VIEW.top, visited)),
        "others": parts["others"],
        "proof": b"".join(inclusion(len(VIEW.entries) - 1, VIEW.entries)),
        "strings": VIEW.count,
        "upto": keys[-1] if len(keys) == most else b"",
    }
