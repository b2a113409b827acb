"""Cases for state.json about works: disputes, seals, members and depth.

See state_cases.py.
"""

from __future__ import annotations

from typing import Any

from naive_state import Said
from state_cases import (
    MAY_TRAIN,
    TRAIN,
    Case,
    back,
    case,
    claim,
    delegate,
    rotate,
    s,
    status,
)


def dispute_cases() -> list[Case]:
    c = claim("c", 1, "a")
    d = s("d", 2, "dispute", "b", "statement c", reason="authorship")
    on_work = s("d", 2, "dispute", "b", "work w", reason="consent")
    return [
        case(
            "a dispute of the claim",
            c,
            d,
            expect={"disputed": ["c"], **status(c="effective")},
        ),
        case("a dispute of the work", c, on_work, expect={"disputed": ["c"]}),
        case(
            "a dispute of another work",
            c,
            {**on_work, "about": "work v"},
            expect={"disputed": []},
        ),
        case(
            "a withdrawn dispute", c, d, back("x", 3, "b", "d"), expect={"disputed": []}
        ),
        case(
            "a late dispute",
            c,
            rotate("r", 0, "b", "b", "e"),
            d,
            expect={"disputed": []},
        ),
        case(
            "a dispute that may be withdrawn",
            c,
            d,
            missing=[["statement d", "b"]],
            expect={"disputed": ["c"]},
        ),
        case(
            "a dispute changes no verdict",
            claim("c", 1, "a", uses=MAY_TRAIN),
            on_work,
            expect={f"consent.w {TRAIN} -": "allowed"},
        ),
    ]


def seal_cases() -> list[Case]:
    def sealed(
        name: str,
        found: str | None,
        *more: Said,
        index: int = 1,
        about: str = "seal n w a",
        author: str = "a",
        **fields: Any,
    ) -> Case:
        said = {"seal": "s", "seal_nonce": "n", **fields}
        return case(
            name,
            s("s", index, "seal", author, about),
            claim("c", 5, "a", **said),
            *more,
            expect={"seals.c": found},
        )

    rival = claim("c2", 3, "b")
    return [
        sealed("a sealed work", "s"),
        sealed("another nonce", None, seal_nonce="m"),
        sealed("another work", None, about="seal n v a"),
        sealed("another's commitment", None, about="seal n w b", author="b"),
        sealed("a commitment to another key", None, about="seal n w b"),
        sealed("sealed afterwards", None, index=6),
        sealed("a seal that is not shown", None, seal="nothing"),
        sealed("what is named is no seal", None, rival, seal="c2"),
        case(
            "no nonce",
            s("s", 1, "seal", "a", "seal n w a"),
            claim("c", 5, "a", seal="s"),
            expect={"seals": {}},
        ),
        sealed("a withdrawn seal is a seal", "s", back("x", 2, "a", "s")),
        case(
            "sealed by the key before",
            s("s", 1, "seal", "a", "seal n w a"),
            rotate("r", 2, "a", "a", "b"),
            claim("c", 5, "b", seal="s", seal_nonce="n"),
            expect={"seals.c": "s"},
        ),
        case(
            "sealed by a key that came to follow another's",
            s("s", 1, "seal", "a", "seal n w a"),
            rotate("r", 6, "m", "m", "a"),
            claim("c", 5, "m", seal="s", seal_nonce="n"),
            expect={"seals.c": None},
        ),
        case(
            "revealed by a delegate",
            s("s", 1, "seal", "a", "seal n w a"),
            delegate("d1", 2, "a", "d"),
            claim("c", 5, "d", for_="a", delegation="d1", seal="s", seal_nonce="n"),
            expect={"seals.c": "s"},
        ),
        case(
            "the seal comes first",
            s("s", 1, "seal", "a", "seal n w a"),
            rival,
            claim("c", 5, "a", seal="s", seal_nonce="n"),
            expect={"order.w": ["c", "c2"]},
        ),
        case(
            "without it the earlier claim does",
            rival,
            claim("c", 5, "a"),
            expect={"order.w": ["c2", "c"]},
        ),
        case(
            "what a quorum saw comes first",
            claim("c", 1, "a"),
            claim("c2", 3, "b", existed_by=9),
            claim("c3", 2, "e", existed_by=9),
            expect={"order.w": ["c3", "c2", "c"]},
        ),
    ]


def member_cases() -> list[Case]:
    admit = s("m", 1, "admit", "g", "key a")
    c = claim("c", 5, "a", group="g")
    leave = s("l", 3, "leave", "a", "key g")

    def member(name: str, found: str, *statements: Said, **more: Any) -> Case:
        return case(name, c, *statements, expect={"members.a g": found}, **more)

    return [
        member("admitted", "yes", admit),
        member("not admitted", "no"),
        member("admitted by a stranger", "no", {**admit, "author": "z"}),
        member(
            "admitted by the cooperative's successor",
            "yes",
            rotate("r", 0, "g", "g", "g2"),
            {**admit, "author": "g2"},
        ),
        member(
            "admitted by a delegate",
            "yes",
            delegate("d1", 0, "g", "d", types=["admit"]),
            {**admit, "author": "d", "for": "g", "delegation": "d1"},
        ),
        member("left", "no", admit, leave),
        member(
            "left before it was admitted again",
            "yes",
            admit,
            leave,
            {**admit, "id": "m2", "index": 4},
        ),
        member(
            "a stranger cannot leave for a member",
            "yes",
            admit,
            {**leave, "author": "z"},
        ),
        member(
            "a withdrawn leave is a leave", "no", admit, leave, back("x", 4, "a", "l")
        ),
        member("ended by the cooperative", "no", admit, back("x", 4, "g", "m")),
        member(
            "within its term",
            "yes",
            {**admit, "from": 10, "until": 20},
            as_of={"now": 10},
        ),
        member(
            "its term is over",
            "no",
            {**admit, "from": 10, "until": 20},
            as_of={"now": 20},
        ),
        member("its term has not begun", "no", {**admit, "from": 10}, as_of={"now": 9}),
        member("a term and no clock", "unknown", {**admit, "until": 20}),
        member(
            "whether it left is missing", "unknown", admit, missing=[["key g", "a"]]
        ),
        member(
            "whether it was admitted is missing", "unknown", missing=[["key a", "g"]]
        ),
        member(
            "whether the admission stands is missing",
            "unknown",
            admit,
            missing=[["statement m", "g"]],
        ),
        member(
            "the member's key is contested",
            "unknown",
            admit,
            rotate("r1", 0, "a", "a", "b"),
            rotate("r2", 2, "a", "a", "e"),
            leave,
        ),
    ]


def depth_cases() -> list[Case]:
    def deep(
        name: str, found: list[int | None], *statements: Said, **more: Any
    ) -> Case:
        return case(name, *statements, expect={"depth.w": found}, **more)

    def made(id_: str, how: str, work: str, *sources: str, author: str = "a") -> Said:
        index = 1 + sum(map(ord, id_))
        more = {"from_works": list(sources)} if sources else {}
        return claim(id_, index, author, work, made=how, **more)

    photo = made("cv", "human", "v")
    art = made("cu", "generated", "u", "v")
    return [
        deep("a photo", [0, 0], made("c", "human", "w")),
        deep("a formula's picture", [0, 0], made("c", "other", "w")),
        deep("assisted", [1, 1], made("c", "assisted", "w")),
        deep("generated of a photo", [1, 1], made("c", "generated", "w", "v"), photo),
        deep("generated of nobody says what", [1, None], made("c", "generated", "w")),
        deep("made in an unknown way", [0, None], made("c", "unknown", "w")),
        deep(
            "unknown, of something generated",
            [1, None],
            made("c", "unknown", "w", "u"),
            art,
            photo,
        ),
        deep("two generations", [2, 2], made("c", "generated", "w", "u"), art, photo),
        deep("a collage", [0, 1], made("c", "human", "w", "u", "v"), art, photo),
        deep("a source that nobody knows", [0, None], made("c", "human", "w", "t")),
        deep(
            "a source beside it that nobody knows",
            [0, None],
            made("c", "human", "w", "u", "t"),
            art,
            photo,
        ),
        deep("itself", [1, None], made("c", "generated", "w", "w")),
        deep(
            "each other",
            [1, None],
            made("c", "generated", "w", "v"),
            made("cv", "generated", "v", "w"),
        ),
        deep(
            "behind a cycle",
            [2, None],
            made("c", "generated", "w", "v"),
            made("cv", "generated", "v", "u"),
            made("cu", "human", "u", "v"),
        ),
        deep(
            "a cycle with a way out",
            [1, None],
            made("c", "generated", "w", "v"),
            made("cv", "human", "v", "w", "u"),
            made("cu", "generated", "u", "t"),
            made("ct", "human", "t"),
        ),
        deep(
            "rival claims",
            [0, 1],
            made("c", "generated", "w", "v"),
            photo,
            made("d", "human", "w", author="b"),
        ),
        deep(
            "a withdrawn claim",
            [0, 0],
            made("c", "generated", "w"),
            back("x", 900, "a", "c"),
            made("d", "human", "w", author="b"),
        ),
        deep(
            "all claims withdrawn",
            [0, None],
            made("c", "human", "w"),
            back("x", 900, "a", "c"),
        ),
        deep(
            "a claim in doubt",
            [0, None],
            made("c", "generated", "w", "v"),
            photo,
            missing=[["statement c", "a"]],
        ),
        deep(
            "more claims than are shown",
            [0, None],
            made("c", "generated", "w", "v"),
            photo,
            missing=[["work w", None]],
        ),
        deep(
            "more claims about a source",
            [1, None],
            made("c", "generated", "w", "v"),
            photo,
            missing=[["work v", None]],
        ),
        deep(
            "a source taken down",
            [1, None],
            made("c", "generated", "w", "v"),
            photo,
            gone=["work v"],
        ),
        deep(
            "a diamond",
            [1, 2],
            made("c", "generated", "w", "u", "v"),
            made("cv", "human", "v", "t"),
            made("cu", "assisted", "u", "t"),
            made("ct", "human", "t"),
        ),
    ]
