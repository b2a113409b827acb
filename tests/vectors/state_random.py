"""Random cases for state.json: few keys, few works, and whatever they may say.

Imports nothing of the program.
"""

from __future__ import annotations

import random
from typing import Any

from naive_state import Said
from state_cases import IF_NAMED, MAY_TRAIN, MINE, NO_TRAIN, TRAIN, Case

KEYS = ("a", "b", "d", "g", "z")
WORKS = ("u", "v", "w")
USES = (NO_TRAIN, MAY_TRAIN, IF_NAMED, {MINE: {"use": "allowed"}})
KINDS = {
    "work": 8,
    "withdraw": 5,
    "rotate": 2,
    "profile": 1,
    "delegate": 3,
    "grant": 3,
    "admit": 2,
    "leave": 1,
    "offer": 2,
    "dispute": 1,
    "endorse": 1,
    "seal": 1,
}


def random_cases(seed: int, count: int) -> list[Case]:
    dice = random.Random(seed)
    return [random_case(dice, str(number)) for number in range(count)]


def random_case(dice: random.Random, name: str) -> Case:
    count = dice.randint(3, 14)
    kinds = dice.choices(list(KINDS), list(KINDS.values()), k=count)
    # The order in which they are thought of is not that of the log.
    places = sorted(range(count), key=lambda i: i + dice.choice([0, 0, 0, -4, 4]))
    known: list[Said] = []
    for i, kind in enumerate(kinds):
        known.append(statement(dice, kind, f"s{i}", places.index(i), known))
    found: Case = {"name": name, "statements": known, "hand": {}}
    cutoff = dice.randint(0, count)
    for one in known:
        if dice.random() < 0.4 and one["index"] < cutoff:
            one["existed_by"] = one["index"] // 3 * 3 + 1
    if dice.random() < 0.4:
        found["missing"] = [place(dice, known) for _ in range(dice.randint(1, 2))]
    if dice.random() < 0.15:
        found["gone"] = [dice.choice(["work w", f"statement {known[0]['id']}"])]
    if dice.random() < 0.5:
        found["as_of"] = as_of(dice, count)
    return found


def as_of(dice: random.Random, count: int) -> dict[str, int]:
    some = {
        "index": dice.randint(0, count),
        "time": 1000 * dice.randint(0, count + 1),
        "now": 1000 * dice.randint(0, count + 1),
    }
    return {name: value for name, value in some.items() if dice.random() < 0.5}


def place(dice: random.Random, known: list[Said]) -> list[Any]:
    if dice.random() < 0.3:
        return [f"work {dice.choice(WORKS)}", None]
    said = dice.choice(known)
    if dice.random() < 0.5:
        return [f"statement {said['id']}", said["author"]]
    return [f"key {dice.choice(KEYS)}", dice.choice(KEYS)]


def statement(
    dice: random.Random, kind: str, id_: str, index: int, known: list[Said]
) -> Said:
    author = dice.choice(KEYS)
    said: Said = {
        "id": id_,
        "index": index,
        "type": kind,
        "author": author,
        "about": "",
        "time": 1000 * max(0, index + dice.choice([0, 0, 0, -3, 3])),
        **MAKERS[kind](dice, author, known),
    }
    given = [one for one in known if one["type"] == "delegate"]
    if given and dice.random() < 0.5:
        delegation = dice.choice(given)
        to = str(delegation["about"]).partition(" ")[2]
        keeps = dice.random() < 0.8 and kind not in ("rotate", "profile", "delegate")
        said |= {"for": delegation["author"], "delegation": delegation["id"]}
        said["author"] = to if keeps else said["author"]
        if "count" in delegation and dice.random() < 0.8:
            said["number"] = dice.randint(1, 3)
    return said


def some_work(dice: random.Random) -> str:
    return dice.choice(("u", "v", "w", "w", "w"))


def term(dice: random.Random) -> dict[str, int]:
    if dice.random() < 0.6:
        return {}
    return {"from": 1000 * dice.randint(0, 4), "until": 1000 * dice.randint(4, 14)}


def work(dice: random.Random, author: str, known: list[Said]) -> Said:
    del author
    mine = some_work(dice)
    said: Said = {"about": f"work {mine}"}
    how = dice.choice(["human", "assisted", "generated", "unknown", "other"])
    said |= {"made": how}
    if dice.random() < 0.5:
        others = [one for one in (*WORKS, "t") if one != mine]
        said["from-works"] = sorted(dice.sample(others, dice.randint(1, 2)))
    if dice.random() < 0.6:
        said["uses"] = dice.choice(USES)
    if dice.random() < 0.4:
        said["group"] = "g"
    seals = [one for one in known if one["type"] == "seal"]
    if seals and dice.random() < 0.7:
        said |= {"seal": dice.choice(seals)["id"], "seal-nonce": "n"}
    return said


def withdraw(dice: random.Random, author: str, known: list[Said]) -> Said:
    own = [one for one in known if one["author"] == author] or known
    target = dice.choice(own if dice.random() < 0.6 else known)["id"] if known else "x"
    return {"about": f"statement {target}", "reason": "mistaken"}


def rotate(dice: random.Random, author: str, known: list[Said]) -> Said:
    key = author if dice.random() < 0.7 else dice.choice(KEYS)
    if dice.random() < 0.2:
        return {"about": f"key {key}", "reason": "compromised"}
    return {"about": f"key {key}", "successor": dice.choice(KEYS)}


def profile(dice: random.Random, author: str, known: list[Said]) -> Said:
    return {"about": f"key {author}", "recovery": dice.choice(KEYS)}


def delegate(dice: random.Random, author: str, known: list[Said]) -> Said:
    kinds = ["work", "withdraw", "grant", "admit", "offer", "seal", "dispute"]
    said: Said = {
        "about": f"key {dice.choice(KEYS)}",
        "types": sorted(dice.sample(kinds, dice.randint(3, 7))),
        "until": 1000 * dice.randint(5, 15),
    }
    if dice.random() < 0.2:
        said["from"] = 1000 * dice.randint(0, 3)
    if dice.random() < 0.2:
        said["uses"] = [TRAIN]
    if dice.random() < 0.2:
        said["count"] = 2
    return said


def grant(dice: random.Random, author: str, known: list[Said]) -> Said:
    said: Said = {
        "about": f"work {some_work(dice)}",
        "grantee": dice.choice(["z", "z", "b"]),
        "uses": [TRAIN],
        **term(dice),
    }
    if dice.random() < 0.4:
        said["constraint-info"] = "name me"
    return said


def admit(dice: random.Random, author: str, known: list[Said]) -> Said:
    return {"about": f"key {dice.choice(KEYS)}", "author": "g", **term(dice)}


def leave(dice: random.Random, author: str, known: list[Said]) -> Said:
    return {"about": "key g"}


def offer(dice: random.Random, author: str, known: list[Said]) -> Said:
    said: Said = {"about": f"work {some_work(dice)}", **term(dice)}
    if dice.random() < 0.7:
        said |= {"about": "key g", "author": "g"}
    said["uses"] = dice.choice(USES)
    if dice.random() < 0.3:
        said["terms-url"] = "https://example.org/terms"
    if dice.random() < 0.3:
        said["grantee"] = "z"
    return said


def dispute(dice: random.Random, author: str, known: list[Said]) -> Said:
    claims = [f"statement {one['id']}" for one in known if one["type"] == "work"]
    about = dice.choice([*claims, f"work {some_work(dice)}"])
    return {"about": about, "reason": "other"}


def endorse(dice: random.Random, author: str, known: list[Said]) -> Said:
    claims = [f"statement {one['id']}" for one in known] or ["statement x"]
    return {"about": dice.choice(claims), "role": "editor"}


def seal(dice: random.Random, author: str, known: list[Said]) -> Said:
    return {"about": f"seal n {some_work(dice)} {author}"}


MAKERS = {
    "work": work,
    "withdraw": withdraw,
    "rotate": rotate,
    "profile": profile,
    "delegate": delegate,
    "grant": grant,
    "admit": admit,
    "leave": leave,
    "offer": offer,
    "dispute": dispute,
    "endorse": endorse,
    "seal": seal,
}
