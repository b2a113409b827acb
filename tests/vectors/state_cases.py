"""Cases for state.json, rule by rule, each with what the rule says by hand.

A statement is `s(id, index, type, author, about, **fields)`.  Keys, works and
statements go by their names.  Imports nothing of the program.
"""

from __future__ import annotations

from typing import Any

from naive_state import Said

Case = dict[str, Any]
TRAIN, MINE = "cawg.ai_generative_training", "cawg.data_mining"
NO_TRAIN = {TRAIN: {"use": "notAllowed"}}
MAY_TRAIN = {TRAIN: {"use": "allowed"}}
IF_NAMED = {TRAIN: {"use": "constrained", "constraint-info": "name me"}}


def s(id_: str, index: int, type_: str, author: str, about: str, **fields: Any) -> Said:
    """A statement; a `_` at the end of a field's name is dropped, others become `-`."""
    place = {name: fields.pop(name) for name in ("existed_by",) if name in fields}
    named = {name.rstrip("_").replace("_", "-"): v for name, v in fields.items()}
    base = {"id": id_, "index": index, "type": type_, "author": author, "about": about}
    return {**base, **place, "time": 1000 + index, **named}


def claim(id_: str, index: int, author: str, work: str = "w", **fields: Any) -> Said:
    return s(id_, index, "work", author, f"work {work}", **fields)


def back(id_: str, index: int, author: str, target: str, **fields: Any) -> Said:
    about = f"statement {target}"
    return s(id_, index, "withdraw", author, about, reason="mistaken", **fields)


def rotate(id_: str, index: int, author: str, key: str, to: str | None) -> Said:
    if to is None:
        return s(id_, index, "rotate", author, f"key {key}", reason="compromised")
    return s(id_, index, "rotate", author, f"key {key}", successor=to)


def recovery(id_: str, index: int, key: str, by: str) -> Said:
    return s(id_, index, "profile", key, f"key {key}", recovery=by)


def delegate(id_: str, index: int, author: str, to: str, **fields: Any) -> Said:
    given = {"types": ["work", "withdraw"], "until": 5000, **fields}
    return s(id_, index, "delegate", author, f"key {to}", **given)


def case(name: str, *statements: Said, expect: dict[str, Any], **more: Any) -> Case:
    """`expect` is by hand: `section.name` to value; the oracle has to agree."""
    return {"name": name, "statements": list(statements), "hand": expect, **more}


def status(**found: str) -> dict[str, Any]:
    return {f"statuses.{name}": value for name, value in found.items()}


def key_cases() -> list[Case]:
    c, w = claim("c", 1, "a"), back("x", 9, "b", "c")
    late = claim("late", 8, "a")
    both = [rotate("r1", 5, "a", "a", "b"), rotate("r2", 6, "a", "a", "d")]
    return [
        case("a claim stands", c, expect=status(c="effective")),
        case(
            "its author withdraws it",
            c,
            back("x", 2, "a", "c"),
            expect={**status(c="withdrawn", x="effective"), "withdrawn.c": "x"},
        ),
        case(
            "a withdrawal for a reason of a later version counts",
            c,
            s("x", 2, "withdraw", "a", "statement c", reason="bequeathed"),
            expect={**status(c="withdrawn", x="effective"), "withdrawn.c": "x"},
        ),
        case(
            "a stranger's withdrawal has no effect",
            c,
            w,
            expect=status(c="effective", x="no-effect"),
        ),
        case(
            "a withdrawal before its statement counts",
            claim("c", 3, "a"),
            back("x", 1, "a", "c"),
            expect=status(c="withdrawn"),
        ),
        case(
            "the earliest withdrawal is named",
            c,
            back("x2", 5, "a", "c"),
            back("x1", 3, "a", "c"),
            expect={"withdrawn.c": "x1"},
        ),
        case(
            "a withdrawal is not withdrawn",
            c,
            back("x", 2, "a", "c"),
            back("y", 3, "a", "x"),
            expect=status(c="withdrawn", y="effective"),
        ),
        case(
            "a withdrawal of what is not shown",
            back("x", 2, "a", "nothing"),
            expect=status(x="unknown"),
        ),
        case(
            "a withdrawal of a work",
            s("x", 2, "withdraw", "a", "work w", reason="legal"),
            c,
            expect=status(x="unknown", c="effective"),
        ),
        case(
            "a successor withdraws",
            c,
            rotate("r", 5, "a", "a", "b"),
            w,
            expect={
                **status(c="withdrawn", r="effective"),
                "keys.a.successor": "b",
                "keys.a.ends": 5,
            },
        ),
        case(
            "the old key is late",
            c,
            rotate("r", 5, "a", "a", "b"),
            late,
            back("y", 9, "a", "c"),
            expect=status(c="effective", late="late", y="no-effect"),
        ),
        case(
            "a late permission is none",
            c,
            rotate("r", 5, "a", "a", "b"),
            s("g", 8, "grant", "a", "work w", grantee="z", uses=[TRAIN]),
            expect=status(g="late"),
        ),
        case(
            "two successors are contested",
            c,
            *both,
            w,
            late,
            expect={
                **status(c="unknown", late="unknown", r1="unknown"),
                "keys.a.successor": None,
                "keys.a.named": ["b", "d"],
            },
        ),
        case(
            "a contested key's own late withdrawal leaves doubt",
            c,
            *both,
            back("y", 9, "a", "c"),
            expect=status(c="unknown", y="unknown"),
        ),
        case("contested, and nobody objects", c, *both, expect=status(c="effective")),
        case(
            "the recovery key decides",
            c,
            recovery("p", 0, "a", "rec"),
            *both,
            rotate("r3", 7, "rec", "a", "d"),
            w,
            late,
            expect={
                **status(
                    c="effective",
                    late="late",
                    r1="no-effect",
                    r3="effective",
                    x="no-effect",
                ),
                "keys.a.successor": "d",
                "keys.a.ends": 7,
            },
        ),
        case(
            "the recovery key contradicts itself",
            recovery("p", 0, "a", "rec"),
            rotate("r1", 5, "rec", "a", "b"),
            rotate("r2", 6, "rec", "a", "d"),
            c,
            expect={"keys.a.named": ["b", "d"], "keys.a.successor": None},
        ),
        case(
            "the first profile names the recovery key",
            recovery("p", 0, "a", "rec"),
            recovery("q", 2, "a", "thief"),
            rotate("r", 5, "thief", "a", "b"),
            c,
            expect={
                "keys.a.recovery": "rec",
                "keys.a.ends": None,
                **status(r="no-effect"),
            },
        ),
        case(
            "a withdrawn profile still names it",
            recovery("p", 0, "a", "rec"),
            back("x", 2, "a", "p"),
            rotate("r", 5, "rec", "a", "b"),
            expect={"keys.a.successor": "b", **status(p="withdrawn")},
        ),
        case(
            "a profile without one does not count for it",
            s("p0", 0, "profile", "a", "key a", name="A"),
            recovery("p", 2, "a", "rec"),
            expect={"keys.a.recovery": "rec"},
        ),
        case(
            "a profile after a rotation names nobody",
            rotate("r", 5, "a", "a", "b"),
            recovery("p", 6, "a", "thief"),
            rotate("q", 7, "thief", "a", "d"),
            c,
            expect={
                "keys.a.recovery": None,
                "keys.a.successor": "b",
                **status(p="late", q="no-effect"),
            },
        ),
        case(
            "a key is not its own recovery key",
            recovery("p", 0, "a", "a"),
            recovery("q", 1, "a", "rec"),
            expect={"keys.a.recovery": "rec"},
        ),
        case(
            "a profile about another key names nobody",
            s("p", 0, "profile", "b", "key a", recovery="thief"),
            c,
            expect={"keys.a.recovery": None},
        ),
        case(
            "compromised: nobody follows",
            c,
            rotate("r", 5, "a", "a", None),
            late,
            expect={"keys.a.successor": None, "keys.a.ends": 5, **status(late="late")},
        ),
        case(
            "a thief does not undo that",
            c,
            rotate("r", 5, "a", "a", None),
            rotate("q", 6, "a", "a", "thief"),
            back("x", 7, "thief", "c"),
            expect={"keys.a.named": [], **status(q="no-effect", x="no-effect")},
        ),
        case(
            "declared after a successor was named",
            rotate("r", 5, "a", "a", "b"),
            rotate("q", 6, "a", "a", None),
            c,
            expect={"keys.a.successor": "b", "keys.a.ends": 5},
        ),
        case(
            "the recovery key names one after it declared",
            recovery("p", 0, "a", "rec"),
            rotate("r", 5, "rec", "a", None),
            rotate("q", 6, "rec", "a", "b"),
            expect={"keys.a.successor": "b", "keys.a.ends": 5},
        ),
        case(
            "a rotation that names nobody and is not compromised",
            s("r", 5, "rotate", "a", "key a", reason="routine"),
            late,
            expect={"keys.a.ends": None, **status(late="effective", r="no-effect")},
        ),
        case(
            "a key does not follow itself",
            rotate("r", 5, "a", "a", "a"),
            late,
            expect={"keys.a.ends": None, **status(late="effective")},
        ),
        case(
            "a rotation of a key that signed nothing",
            rotate("r", 5, "b", "a", "b"),
            expect=status(r="unknown"),
        ),
        case(
            "a rotation of a work",
            s("r", 5, "rotate", "a", "work w", successor="b"),
            expect=status(r="unknown"),
        ),
        case(
            "two keys follow each other",
            rotate("r", 5, "a", "a", "b"),
            rotate("q", 6, "b", "b", "a"),
            c,
            back("x", 6, "b", "c"),
            expect={"keys.a.succession": ["a", "b"], **status(c="withdrawn")},
        ),
        chain_of_keys(8),
        chain_of_keys(9),
        case(
            "a key's history is missing",
            c,
            missing=[["key a", "a"]],
            expect={"keys.a.settled": False, **status(c="unknown")},
        ),
        case(
            "a no is not withdrawn by a key that may have ended",
            claim("c", 1, "a", uses=NO_TRAIN),
            claim("c2", 2, "b", uses=MAY_TRAIN),
            back("x", 3, "a", "c"),
            missing=[["key a", "a"]],
            expect={
                **status(c="unknown", x="unknown"),
                f"consent.w {TRAIN} -": "notAllowed",
            },
        ),
        case(
            "what a recovery key said is missing",
            c,
            recovery("p", 0, "a", "rec"),
            missing=[["key a", "rec"]],
            expect=status(c="unknown"),
        ),
        case(
            "late, and the history is missing",
            rotate("r", 5, "a", "a", "b"),
            late,
            missing=[["key a", "a"]],
            expect={"keys.a.successor": None, **status(late="unknown", r="unknown")},
        ),
        case(
            "what the author said about it is missing",
            c,
            missing=[["statement c", "a"]],
            expect=status(c="unknown"),
        ),
        case(
            "something about it was taken down",
            c,
            gone=["statement c"],
            expect=status(c="unknown"),
        ),
        case(
            "something about the work was taken down",
            c,
            gone=["work w"],
            expect=status(c="unknown"),
        ),
        case(
            "more claims than are shown",
            c,
            missing=[["work w", None]],
            expect={**status(c="effective"), "depth.w": [0, None]},
        ),
        case(
            "a stranger withdraws where the author's word is missing",
            c,
            w,
            missing=[["statement c", "a"]],
            expect=status(x="unknown"),
        ),
        case(
            "linked one-sidedly, a grant lifts nothing",
            claim("c", 1, "a", uses=NO_TRAIN),
            s("g", 2, "grant", "m", "work w", grantee="z", uses=[TRAIN]),
            rotate("r", 5, "m", "m", "a"),
            expect={f"consent.w {TRAIN} z": "notAllowed"},
        ),
    ]


def chain_of_keys(links: int) -> Case:
    keys = ["a", *(f"k{i}" for i in range(links))]
    steps = [
        rotate(f"r{i}", i + 2, keys[i], keys[i], keys[i + 1]) for i in range(links)
    ]
    found = "withdrawn" if links == 8 else "unknown"
    return case(
        f"{links} successors",
        claim("c", 1, "a"),
        *steps,
        back("x", 50, keys[-1], "c"),
        expect=status(c=found),
    )
