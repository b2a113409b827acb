"""The cases of settlement.json: one for each rule of docs/spec/settlement.md.

A case has the `works` of a manifest with their bytes, row by row, and statements as in
state.json; the cooperative is g, and the moment 2,000.  `due` says by hand, for some
keys, works, contested works, and what is due.  Imports nothing of the program.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from naive_state import Said
from state_cases import back, claim, delegate, rotate, s

TRAIN = "cawg.ai_generative_training"
Case = dict[str, Any]
Due = tuple[int, int, int]


def price(amount: int, per: str = "item", currency: str = "EUR") -> Said:
    return {"amount": amount, "currency": currency, "per": per}


def offer(id_: str, index: int, asked: Said | None, by: str = "g", **more: Any) -> Said:
    uses = more.pop("uses", {TRAIN: {"use": "allowed"}})
    named = {"price": asked} if asked is not None else {}
    return s(id_, index, "offer", by, "key g", uses=uses, **named, **more)


def admit(id_: str, index: int, member: str, **more: Any) -> Said:
    return s(id_, index, "admit", "g", f"key {member}", **more)


def leave(id_: str, index: int, member: str) -> Said:
    return s(id_, index, "leave", member, "key g")


def work(id_: str, index: int, author: str, name: str = "w", **more: Any) -> Said:
    return claim(id_, index, author, name, group="g", **more)


def shares(**parts: int) -> list[Said]:
    return [{"key": key, "parts": one} for key, one in parts.items()]


def case(
    name: str, works: list[tuple[str, int | None]], *said: Said, **due: Due
) -> Case:
    """Whoever is not in `due` has no row."""
    rows = [{"work": one, "bytes": size} for one, size in works]
    statements = list(said)
    return {"name": name, "works": rows, "statements": statements, "hand": due}


ONE: list[tuple[str, int | None]] = [("w", 10)]
BASE = (admit("a1", 1, "ann"), admit("a2", 2, "ben"), offer("o", 3, price(300)))


def claim_cases() -> Iterator[Case]:
    yield case("an empty manifest", [], *BASE)
    yield case("a member alone", ONE, *BASE, work("c", 4, "ann"), ann=(1, 0, 300))
    yield case("a work that nobody claims", ONE, *BASE)
    for name, said in (
        ("a claim of no member", work("c", 4, "eve")),
        ("a claim that names no group", claim("c", 4, "ann")),
        ("a claim that names another group", claim("c", 4, "ann", group="h")),
    ):
        yield case(name, ONE, *BASE, said)
    ann = work("c", 4, "ann")
    yield case("a claim that was withdrawn", ONE, *BASE, ann, back("x", 5, "ann", "c"))
    hidden = case("a claim that may be withdrawn", ONE, *BASE, ann)
    yield hidden | {"missing": [["statement c", "ann"]]}
    yield case("a member that left", ONE, *BASE, ann, leave("l", 5, "ann"))
    again = admit("a3", 6, "ann")
    yield case(
        "a member that left and came back",
        ONE,
        *(*BASE, ann, leave("l", 5, "ann"), again),
        ann=(1, 0, 300),
    )
    ended = back("x", 5, "g", "a1")
    yield case("a member whose admission was withdrawn", ONE, *BASE, ann, ended)
    past = (admit("a1", 1, "ann", until=1500), BASE[2])
    yield case("a member whose term is over", ONE, *past, ann)
    unknown = case("a member that may have left", ONE, *BASE, ann)
    yield unknown | {"missing": [["key g", "ann"]]}
    bot = delegate("d", 4, "ann", "bot")
    by_bot = work("c", 5, "bot", for_="ann", delegation="d")
    yield case(
        "a delegate's claim is the member's", ONE, *BASE, bot, by_bot, ann=(1, 0, 300)
    )
    loose = work("c", 5, "bot", for_="ann", delegation="nothing")
    yield case("an invalid delegation", ONE, *BASE, loose)


def share_cases() -> Iterator[Case]:
    three = work("c", 4, "ann", shares=shares(ann=1, ben=1, eve=1))
    yield case(
        "shares that divide, one of a key that is no member",
        ONE,
        *(*BASE, three),
        ann=(1, 0, 100),
        ben=(1, 0, 100),
        eve=(1, 0, 100),
    )
    uneven = work("c", 4, "ann", shares=shares(ann=50, ben=30))
    yield case(
        "shares that make up no hundred",
        ONE,
        *BASE,
        uneven,
        ann=(1, 0, 187),
        ben=(1, 0, 113),
    )
    much = work("c", 4, "ann", shares=shares(ann=90, ben=90))
    yield case(
        "shares of more than a hundred",
        ONE,
        *BASE,
        much,
        ann=(1, 0, 150),
        ben=(1, 0, 150),
    )
    away = work("c", 4, "ann", shares=shares(ben=7))
    yield case("all of it to somebody else", ONE, *BASE, away, ben=(1, 0, 300))
    for name, given in (
        ("a key twice", [*shares(ann=1), *shares(ann=2)]),
        ("no parts", shares(ann=1, ben=0)),
        ("too many parts", shares(ann=1, ben=1_000_001)),
        ("too many keys", shares(**{f"k{n}": 1 for n in range(33)})),
        ("nobody", []),
    ):
        odd = work("c", 4, "ann", shares=given)
        yield case(
            f"shares that are not sound: {name}", ONE, *BASE, odd, ann=(1, 0, 300)
        )
    largest = shares(**{f"k{n:02}": 1_000_000 for n in range(32)})
    full = case("shares of 32 keys", ONE, *BASE, work("c", 4, "ann", shares=largest))
    yield full | {"hand": None}


def contest_cases() -> Iterator[Case]:
    both = (*BASE, work("c1", 4, "ann"), work("c2", 5, "ben"))
    two: list[tuple[str, int | None]] = [("w", 10), ("v", 20)]
    yield case("two members claim one work", ONE, *both, ann=(0, 1, 0), ben=(0, 1, 0))
    third = work("c3", 6, "ann", "v")
    yield case(
        "contested in one, not in the other",
        two,
        *both,
        third,
        ann=(1, 1, 300),
        ben=(0, 1, 0),
    )
    twice = (*BASE, work("c1", 4, "ann"), work("c2", 5, "ann", shares=shares(ben=1)))
    yield case("of one's own claims the first counts", ONE, *twice, ann=(1, 0, 300))
    late = work("c0", 6, "ann", existed_by=1)
    early = (*BASE, work("c1", 4, "ann", existed_by=9, shares=shares(ben=1)), late)
    yield case("the first by evidence, not by place", ONE, *early, ann=(1, 0, 300))
    new = (
        rotate("r", 5, "ann", "ann", "new"),
        admit("a3", 6, "new"),
        work("c2", 7, "new"),
    )
    yield case(
        "linked keys are one", ONE, *BASE, work("c1", 4, "ann"), *new, ann=(1, 0, 300)
    )
    ann = work("c", 4, "ann")
    for name, said, contested in (
        ("the work", s("d", 5, "dispute", "eve", "work w", reason="authorship"), 1),
        (
            "the claim",
            s("d", 5, "dispute", "eve", "statement c", reason="authorship"),
            1,
        ),
        (
            "how it was made",
            s("d", 5, "dispute", "eve", "work w", reason="how-made"),
            0,
        ),
        ("another work", s("d", 5, "dispute", "eve", "work v", reason="authorship"), 0),
    ):
        due = (1 - contested, contested, 300 * (1 - contested))
        yield case(f"a dispute about {name}", ONE, *BASE, ann, said, ann=due)
    dispute = s("d", 5, "dispute", "eve", "work w", reason="authorship")
    over = back("x", 6, "eve", "d")
    yield case(
        "a dispute that was withdrawn", ONE, *BASE, ann, dispute, over, ann=(1, 0, 300)
    )
    doubt = case("a dispute in doubt", ONE, *BASE, ann, dispute, ann=(1, 0, 300))
    yield doubt | {"missing": [["statement d", "eve"]]}


def offer_cases() -> Iterator[Case]:
    ann, said = BASE[0], work("c", 4, "ann")
    sure = offer("o2", 6, price(7))
    for name, first, due in (
        ("the earliest counts", offer("o1", 5, price(5)), 5),
        ("one without a price", offer("o1", 5, None), 7),
        ("one for somebody", offer("o1", 5, price(5), grantee="eve"), 7),
        ("one by somebody else", offer("o1", 5, price(5), by="eve"), 7),
        (
            "one for another use",
            offer("o1", 5, price(5), uses={"cawg.data_mining": {"use": "allowed"}}),
            7,
        ),
        ("one that is over", offer("o1", 5, price(5), until=2000), 7),
        ("one that is to come", offer("o1", 5, price(5), from_=2001), 7),
        ("one from now", offer("o1", 5, price(5), from_=2000), 5),
        ("a price that is not sound", offer("o1", 5, price(5, currency="euro")), 7),
        ("a price per nothing", offer("o1", 5, price(5, per="hour")), 7),
    ):
        yield case(f"offers: {name}", ONE, ann, said, first, sure, ann=(1, 0, due))
    gone = (offer("o1", 5, price(5)), sure, back("x", 7, "g", "o1"))
    yield case("offers: one that was withdrawn", ONE, ann, said, *gone, ann=(1, 0, 7))
    yield case("offers: none", ONE, ann, said, ann=(1, 0, 0))
    no = work("c", 4, "ann", uses={TRAIN: {"use": "notAllowed"}})
    yield case(
        "a word that says no is due all the same", ONE, ann, no, sure, ann=(1, 0, 7)
    )
    yes = work("c", 4, "ann", uses={TRAIN: {"use": "allowed"}})
    yield case("a word that allows", ONE, ann, yes, sure, ann=(1, 0, 7))


def due_cases() -> Iterator[Case]:
    base = BASE[:2]
    works = [
        work(f"c{n}", 4 + n, who, name)
        for n, (who, name) in enumerate([("ann", "u"), ("ann", "v"), ("ben", "w")])
    ]
    rows: list[tuple[str, int | None]] = [("u", 600_000), ("v", 0), ("w", 1_400_000)]
    for per, amount, ann, ben in (
        ("item", 7, 14, 7),
        ("set", 100, 67, 33),
        ("year", 2, 1, 1),
        ("megabyte", 10, 6, 14),
        ("megabyte", 1, 1, 1),
        ("item", 0, 0, 0),
    ):
        yield case(
            f"due: {amount} per {per}",
            rows,
            *(*base, *works, offer("o", 9, price(amount, per))),
            ann=(2, 0, ann),
            ben=(1, 0, ben),
        )
    nothing: list[tuple[str, int | None]] = [("u", None), ("v", 0), ("w", None)]
    yield case(
        "due: per megabyte of nothing",
        nothing,
        *(*base, *works, offer("o", 9, price(10, "megabyte"))),
        ann=(2, 0, 0),
        ben=(1, 0, 0),
    )
    yield case(
        "a work used twice counts once, with the bytes of its first row",
        [("u", 5), ("w", None), ("u", 900), ("w", 7)],
        *(*base, *works, offer("o", 9, price(7))),
        ann=(1, 0, 7),
        ben=(1, 0, 7),
    )
    keys = [f"k{n}" for n in range(7)]
    tie = work("c", 4, "ann", shares=shares(**dict.fromkeys(keys, 1)))
    found = case(
        "units left over go to the lesser keys",
        ONE,
        *base,
        tie,
        offer("o", 9, price(10)),
    )
    yield found | {"hand": None}
    big: list[tuple[str, int | None]] = [
        ("u", 2**53 - 1),
        ("v", 2**53 - 1),
        ("w", 2**62),
    ]
    found = case(
        "sizes beyond 2^53", big, *base, *works, offer("o", 9, price(10**6, "megabyte"))
    )
    yield found | {"hand": None}


def random_cases(seed: int, count: int) -> Iterator[Case]:
    for number in range(count):
        yield random_case(Random(seed * 1_000 + number), number)


def random_case(dice: Random, number: int) -> Case:
    keys = ["ann", "ben", "eve", "fay"]
    said = [admit(f"a{n}", n, one) for n, one in enumerate(keys[:3], 1)]
    per = dice.choice(("item", "megabyte", "set", "year"))
    said.append(offer("o", 5, price(dice.randrange(1_000), per)))
    works = [f"w{n}" for n in range(dice.randrange(1, 6))]
    for n in range(dice.randrange(1, 10)):
        named = dice.sample(keys, dice.randrange(0, 4))
        parts = {one: dice.randrange(1, 1_000) for one in named}
        more = {"shares": shares(**parts)} if parts else {}
        said.append(
            work(f"c{n}", 10 + n, dice.choice(keys), dice.choice(works), **more)
        )
    for n in range(dice.randrange(3)):
        about = f"work {dice.choice(works)}"
        said.append(s(f"d{n}", 30 + n, "dispute", "eve", about, reason="authorship"))
    if dice.random() < 0.3:
        said.append(leave("l", 40, dice.choice(keys[:3])))
    rows = [
        (dice.choice(works), dice.choice((None, 1, 999_999, 10**7))) for _ in range(8)
    ]
    return case(f"random {number}", rows, *said) | {"hand": None}
