"""Readings of crowds: what a reader asks, what it gets, and what it makes of it."""

from __future__ import annotations

from typing import Any

from bundle_logs import work_of
from naive_bundle import bits, pack, sha256, subject, unbits
from naive_prover import encode
from query_log import (
    DEPTH,
    HASH,
    VIEW,
    Case,
    ask_crowd,
    bad,
    crowd_fields,
    find_keys,
    made_of,
    ok,
)


def prefix_of(name: str, count: int) -> bytes:
    return unbits(bits(subject(work_of(name)))[:count])


def exchange(request: dict[str, Any], page: dict[str, Any]) -> dict[str, str]:
    return {"request": pack(request).hex(), "response": pack(page).hex()}


def reads(case: str, name: str, count: int, most: int = 4096) -> Case:
    """A reading to its end, in pages of `most` keys; `bundle` by its SHA-256."""
    prefix, after = prefix_of(name, count), b""
    pages = []
    while True:
        page = crowd_fields(prefix, count, after, most)
        pages.append(exchange(ask_crowd(prefix, count, after), page))
        after = page["upto"]
        if not after:
            break
    bundle = encode(VIEW.bundle(work_of(name), DEPTH)[0])
    return ok(
        case,
        digest=work_of(name).hex(),
        depth=DEPTH,
        bits=count,
        pages=pages,
        bundle=sha256(bundle).hex(),
        works=claimed(prefix, count),
    )


def claimed(prefix: bytes, count: int) -> int:
    about = {
        said.fields["about"]
        for said in VIEW.log.said.values()
        if said.type == "work" and said.id not in VIEW.log.gone
    }
    keys = find_keys(bits(prefix)[:count], b"", set(), 4096)
    return sum(1 for key in keys if made_of().get(key, ("", b""))[1] in about
               and made_of()[key][0] == "subject")  # fmt: skip


def lies(case: str, kind: str, page: dict[str, Any], count: int = 0) -> Case:
    prefix = prefix_of("photo", count)
    return bad(
        case,
        kind,
        digest=work_of("photo").hex(),
        depth=DEPTH,
        bits=count,
        pages=[exchange(ask_crowd(prefix, count), page)],
    )


def reading_cases() -> list[Case]:
    return [
        reads("a claim, in the whole set", "photo", 0),
        reads("a claim, in one crowd of two", "photo", 1),
        reads("a claim, in a crowd of itself", "photo", 64),
        reads("a withdrawn claim", "regretted", 2),
        reads("a work made from another", "collage", 2),
        reads("a work that is only disputed", "disputed only", 2),
        reads("a claim that was taken down", "gone", 1),
        reads("a work of which nothing is known", "unknown", 2),
        reads("in pages", "photo", 1, 4),
        reads("in pages of one key", "gone", 3, 1),
        *false_pages(),
    ]


def false_pages() -> list[Case]:
    page = crowd_fields(b"", 0)
    half = crowd_fields(prefix_of("photo", 1), 1)
    mine = encode(VIEW.bundle(work_of("photo"), DEPTH)[0])
    stranger = next(one for one in page["bundles"] if one not in half["bundles"])
    shallow = encode(VIEW.bundle(work_of("collage"), 0)[0])
    deep = encode(VIEW.bundle(work_of("collage"), DEPTH)[0])
    (row,) = page["gone"]

    def without(one: bytes) -> list[bytes]:
        return [other for other in page["bundles"] if other != one]

    def instead(old: bytes, new: bytes) -> list[bytes]:
        return [new if one == old else one for one in page["bundles"]]

    return [
        lies("without the work that is meant", "proof",
             page | {"bundles": without(mine)}),
        lies("without another work", "proof", page | {"bundles": without(deep)}),
        lies("without an author's key", "proof", page | {"others": page["others"][1:]}),
        lies("without what was taken down", "proof", page | {"gone": []}),
        lies("with a work of another prefix", "proof",
             half | {"bundles": [*half["bundles"], stranger]}, 1),
        lies("with a key of nobody", "proof",
             page | {"others": [*page["others"], HASH]}),
        lies("out of order", "proof", page | {"bundles": page["bundles"][::-1]}),
        lies("with another work's chain cut short", "verification",
             page | {"bundles": instead(deep, shallow)}),
        lies("with a bundle that is none", "malformed",
             page | {"bundles": instead(deep, b"\x80")}),
        lies("with an end that it does not reach", "proof",
             page | {"upto": b"\xff" * 32}),
        lies("with more opened than it needs", "proof",
             half | {"opening": page["opening"]}, 1),
        lies("with an opening that lacks a node", "proof",
             page | {"opening": half["opening"]}),
        lies("with another count", "proof", page | {"strings": page["strings"] + 1}),
        lies("with a row at another place", "proof",
             page | {"gone": [[row[0] - 1, *row[1:]]]}),
        lies("of a tree that commits to another set", "proof",
             page | {"proof": page["proof"][32:] + page["proof"][:32]}),
    ]  # fmt: skip
