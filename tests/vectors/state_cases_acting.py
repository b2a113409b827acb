"""Cases for state.json about delegations and points in time.  See state_cases.py."""

from __future__ import annotations

from typing import Any

from naive_state import Said
from state_cases import (
    MAY_TRAIN,
    MINE,
    NO_TRAIN,
    TRAIN,
    Case,
    back,
    case,
    claim,
    delegate,
    recovery,
    rotate,
    s,
    status,
)


def delegation_cases() -> list[Case]:
    def by(
        name: str,
        valid: str,
        *more: Said,
        given: dict[str, Any] | None = None,
        said: dict[str, Any] | None = None,
        **rest: Any,
    ) -> Case:
        for_ = {"for_": "p", "delegation": "d1", **(said or {})}
        statements = [
            delegate("d1", 1, "p", "d", **(given or {})),
            claim("c", 5, "d", **for_),
            *more,
        ]
        return case(name, *statements, expect={"delegations.c": [valid, "p"]}, **rest)

    tree = "tree w v u"
    return [
        by("a delegated work", "valid"),
        by("by another key", "invalid", said={"for_": "q"})
        | {"hand": {"delegations.c": ["invalid", "q"]}},
        by("named, and there is none", "invalid", said={"delegation": "nothing"}),
        by(
            "named, and not shown",
            "unknown",
            said={"delegation": "nothing"},
            missing=[["key d", "p"]],
        ),
        by(
            "what is named is no delegation",
            "invalid",
            claim("d2", 2, "p", "v"),
            said={"delegation": "d2"},
        ),
        by(
            "given to another key",
            "invalid",
            delegate("d2", 2, "p", "e"),
            said={"delegation": "d2"},
        ),
        by(
            "given later",
            "invalid",
            delegate("d2", 8, "p", "d"),
            said={"delegation": "d2"},
        ),
        by(
            "given by the delegate itself",
            "invalid",
            delegate("d2", 2, "d", "d"),
            said={"delegation": "d2"},
        ),
        by(
            "given by a successor",
            "valid",
            rotate("r", 2, "p", "p", "q"),
            delegate("d2", 3, "q", "d"),
            said={"delegation": "d2"},
        ),
        by(
            "given by a late key",
            "invalid",
            rotate("r", 2, "p", "p", "q"),
            delegate("d2", 3, "p", "d"),
            said={"delegation": "d2"},
        ),
        by("given before a rotation", "valid", rotate("r", 2, "p", "p", "q")),
        by(
            "after the key was declared compromised",
            "invalid",
            rotate("r", 3, "p", "p", None),
        ),
        by(
            "before the key was declared compromised",
            "valid",
            rotate("r", 9, "p", "p", None),
        ),
        by(
            "while the key is contested",
            "unknown",
            rotate("r", 2, "p", "p", "q"),
            rotate("r2", 3, "p", "p", "o"),
        ),
        by("withdrawn before", "invalid", back("x", 3, "p", "d1")),
        by("withdrawn after", "valid", back("x", 9, "p", "d1")),
        by(
            "withdrawn by a successor",
            "invalid",
            rotate("r", 2, "p", "p", "q"),
            back("x", 3, "q", "d1"),
        ),
        by(
            "withdrawn by the delegate",
            "valid",
            back("x", 3, "d", "d1"),
            back("y", 4, "d", "d1", for_="p", delegation="d1"),
        ),
        by(
            "whether it was withdrawn is missing",
            "unknown",
            missing=[["statement d1", "p"]],
        ),
        by("something about it was taken down", "unknown", gone=["statement d1"]),
        by(
            "the delegating key's history is missing",
            "unknown",
            missing=[["key p", "p"]],
        ),
        by("a type that it does not cover", "invalid", given={"types": ["endorse"]}),
        by("over by the author's time", "invalid", given={"until": 1005}),
        by("just not over", "valid", given={"until": 1006}),
        by("not begun by the author's time", "invalid", given={"from_": 1006}),
        by("begun at that time", "valid", given={"from_": 1005}),
        by("over when the quorum saw it", "unknown", said={"existed_by": 5}),
        by("seen in the term", "valid", said={"existed_by": 4}),
        by(
            "seen before the term",
            "invalid",
            given={"from_": 1001},
            said={"existed_by": 1},
        ),
        by(
            "a use that it does not cover",
            "invalid",
            given={"uses": [MINE]},
            said={"uses": MAY_TRAIN},
        ),
        by(
            "a use that it covers",
            "valid",
            given={"uses": [TRAIN]},
            said={"uses": MAY_TRAIN},
        ),
        by(
            "in its manifest",
            "valid",
            given={"manifests": [tree]},
            said={"in_manifest": [tree, 0], "proven_in": tree},
        ),
        by("in no manifest", "invalid", given={"manifests": [tree]}),
        by(
            "in another manifest",
            "invalid",
            given={"manifests": ["tree w v"]},
            said={"in_manifest": [tree, 0], "proven_in": tree},
        ),
        by(
            "at another entry of the manifest",
            "invalid",
            given={"manifests": [tree]},
            said={"in_manifest": [tree, 1]},
        ),
        by("numbered", "valid", given={"count": 3}, said={"number": 3}),
        by("a number too high", "invalid", given={"count": 3}, said={"number": 4}),
        by("no number", "invalid", given={"count": 3}),
        by(
            "a number used twice",
            "unknown",
            claim("c2", 6, "d", "v", for_="p", delegation="d1", number=2),
            given={"count": 3},
            said={"number": 2},
        ),
        by("a delegation without a term", "invalid", given={"until": None}),
        case(
            "for nobody in particular",
            claim("c", 1, "d", delegation="d1"),
            claim("c2", 2, "d", "v", for_="p"),
            expect={"delegations": {}, **status(c="effective")},
        ),
        case(
            "a number alone", claim("c", 1, "d", number=1), expect={"delegations": {}}
        ),
        case(
            "a profile is not delegated",
            delegate("d1", 1, "p", "d"),
            s("q", 2, "profile", "d", "key d", for_="p", delegation="d1"),
            expect={"delegations.q": ["invalid", "p"], **status(q="effective")},
        ),
        case(
            "a profile is not delegated, whatever is shown",
            s("q", 2, "profile", "d", "key d", for_="p", delegation="d1"),
            expect={"delegations.q": ["invalid", "p"]},
        ),
        case(
            "the delegate withdraws for the key",
            delegate("d1", 1, "p", "d"),
            claim("c", 2, "p"),
            back("x", 3, "d", "c", for_="p", delegation="d1"),
            expect=status(c="withdrawn", x="effective"),
        ),
        case(
            "a delegate who may not withdraw",
            delegate("d1", 1, "p", "d", types=["work"]),
            claim("c", 2, "p"),
            back("x", 3, "d", "c", for_="p", delegation="d1"),
            expect=status(c="effective", x="no-effect"),
        ),
        case(
            "a delegate who may perhaps withdraw",
            delegate("d1", 1, "p", "d"),
            claim("c", 2, "p"),
            back("x", 3, "d", "c", for_="p", delegation="d1", existed_by=9),
            expect=status(c="unknown", x="unknown"),
        ),
        case(
            "the key withdraws its delegate's claim",
            delegate("d1", 1, "p", "d"),
            claim("c", 2, "d", for_="p", delegation="d1"),
            back("x", 3, "p", "c"),
            expect=status(c="withdrawn"),
        ),
        case(
            "the delegate withdraws its own",
            delegate("d1", 1, "p", "d", types=["work"]),
            claim("c", 2, "d", for_="p", delegation="d1"),
            back("x", 3, "d", "c"),
            expect=status(c="withdrawn"),
        ),
        case(
            "not the key of an invalid delegation",
            claim("c", 2, "d", for_="p", delegation="c0"),
            claim("c0", 1, "p", "v"),
            back("x", 3, "p", "c"),
            expect=status(c="effective", x="no-effect"),
        ),
        case(
            "a late delegate",
            delegate("d1", 1, "p", "d"),
            rotate("r", 2, "d", "d", None),
            claim("c", 3, "d", for_="p", delegation="d1"),
            expect=status(c="late"),
        ),
        case(
            "an unknown delegation leaves the claim unknown",
            claim("c", 3, "d", for_="p", delegation="d1"),
            missing=[["key d", "p"]],
            expect=status(c="unknown"),
        ),
        case(
            "what the key said about its delegate's claim is missing",
            delegate("d1", 1, "p", "d"),
            claim("c", 2, "d", for_="p", delegation="d1"),
            missing=[["statement c", "p"]],
            expect=status(c="unknown"),
        ),
    ]


def time_cases() -> list[Case]:
    c = claim("c", 1, "a", uses=MAY_TRAIN)
    dated = {**c, "existed_by": 5}
    gone = back("x", 7, "a", "c")
    use = f"consent.w {TRAIN} -"
    grant = s("g", 3, "grant", "a", "work w", grantee="z", uses=[TRAIN], existed_by=5)
    no = claim("c", 1, "a", uses=NO_TRAIN)
    lifted = f"consent.w {TRAIN} z"
    return [
        case(
            "before a withdrawal",
            c,
            gone,
            as_of={"index": 6},
            expect=status(c="effective"),
        ),
        case(
            "at a withdrawal", c, gone, as_of={"index": 7}, expect=status(c="withdrawn")
        ),
        case(
            "before the claim",
            c,
            as_of={"index": 0},
            expect={"statuses": {}, use: "unknown"},
        ),
        case(
            "before it, by its author's time",
            c,
            as_of={"time": 1000},
            expect={"statuses": {}},
        ),
        case(
            "since then, by its author's time",
            c,
            as_of={"time": 1001},
            expect={**status(c="effective"), use: "allowed", "by_claims": True},
        ),
        case(
            "said, and not yet seen",
            dated,
            as_of={"time": 4999},
            expect={**status(c="unknown"), use: "unknown", "by_claims": False},
        ),
        case(
            "seen",
            dated,
            as_of={"time": 5000},
            expect={**status(c="effective"), use: "allowed"},
        ),
        case(
            "seen before it says",
            {**c, "time": 9000, "existed_by": 5},
            as_of={"time": 6000},
            expect={**status(c="unknown"), use: "unknown"},
        ),
        case(
            "a no counts from the earlier",
            {**no, "existed_by": 5},
            as_of={"time": 2000},
            expect={use: "notAllowed"},
        ),
        case(
            "a withdrawal leaves doubt from the earlier",
            c,
            {**gone, "existed_by": 5},
            as_of={"time": 2000},
            expect={**status(c="unknown", x="unknown"), use: "unknown"},
        ),
        case(
            "a withdrawal counts from the later",
            c,
            {**gone, "existed_by": 5},
            as_of={"time": 5000},
            expect=status(c="withdrawn"),
        ),
        case(
            "a no is not undone from the earlier",
            no,
            claim("c2", 2, "b", uses=MAY_TRAIN),
            {**gone, "existed_by": 5},
            as_of={"time": 2000},
            expect={use: "notAllowed"},
        ),
        case(
            "a rotation leaves doubt from the earlier",
            c,
            {**rotate("r", 5, "a", "a", "b"), "existed_by": 5},
            as_of={"time": 2000},
            expect={"keys.a.settled": False, **status(c="unknown")},
        ),
        case(
            "a withdrawal of a delegation leaves doubt from the earlier",
            delegate("d1", 1, "p", "d"),
            {**back("x", 2, "p", "d1"), "existed_by": 5},
            claim("c", 3, "d", for_="p", delegation="d1"),
            as_of={"time": 2000},
            expect={"delegations.c": ["unknown", "p"]},
        ),
        case(
            "leaving leaves doubt from the earlier",
            s("m", 1, "admit", "g", "key a"),
            s("l", 3, "leave", "a", "key g", existed_by=5),
            claim("c2", 4, "a", group="g"),
            as_of={"time": 2000},
            expect={"members.a g": "unknown"},
        ),
        case(
            "a grant counts from the later",
            no,
            grant,
            as_of={"time": 4999},
            expect={lifted: "notAllowed"},
        ),
        case(
            "a grant that was seen",
            no,
            grant,
            as_of={"time": 5000},
            expect={lifted: "allowed"},
        ),
        case(
            "an endorsement counts when it was seen",
            s("e", 2, "endorse", "b", "statement c", role="editor", existed_by=5),
            c,
            as_of={"time": 4999},
            expect={"statuses": {"c": "effective"}},
        ),
        case(
            "an index and a time",
            c,
            gone,
            claim("c2", 9, "b"),
            as_of={"index": 8, "time": 1007},
            expect={"statuses.c": "withdrawn"},
        ),
        case(
            "the recovery key is the first, whatever the time",
            {**recovery("p", 0, "a", "rec"), "time": 9000},
            {**recovery("q", 2, "a", "thief"), "time": 0},
            c,
            as_of={"time": 5000},
            expect={"keys.a.recovery": "rec"},
        ),
        case(
            "a rotation not yet there",
            c,
            rotate("r", 5, "a", "a", "b"),
            as_of={"time": 1004},
            expect={"keys.a.ends": None},
        ),
        case(
            "terms are judged at that time",
            no,
            {**grant, "from": 1000, "until": 6000},
            as_of={"time": 6000},
            expect={lifted: "notAllowed"},
        ),
        case(
            "terms are judged by the clock",
            no,
            {**grant, "from": 1000, "until": 6000},
            as_of={"now": 5999},
            expect={lifted: "allowed"},
        ),
        case(
            "terms without a clock permit nothing",
            no,
            {**grant, "until": 6000},
            expect={lifted: "notAllowed"},
        ),
    ]
