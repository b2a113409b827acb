"""The chapters of story.py.  Each says what is done, and what must come of it."""

from __future__ import annotations

from typing import Any

from story_people import Cast, Person, expect, fail

TRAIN = "ai_generative_training"
NOTHING = 3
"""Ends a query about a work of which nothing is known."""


def work(person: Person, name: str, *more: object) -> dict[str, Any]:
    """What somebody is told about a file of theirs: the answer's first work."""
    found: dict[str, Any] = person("query", name, *more)["answer"]["works"][0]
    return found


def verdict(person: Person, name: str, *more: object) -> str:
    """Whether the file may be used to train AI that generates."""
    return str(person("consent", name, "--for", TRAIN, *more)["verdict"])


def attest(person: Person, name: str, *more: object) -> str:
    """Attest one file; the id of the statement."""
    return str(person("attest", name, *more)["attested"][0]["id"])


def seals(cast: Cast) -> None:
    """1. Ada seals a photo that nobody has seen, and shows it later"""
    ada, eve = cast.ada, cast.eve
    ada.write("dawn.jpg", b"the pixels of a dawn that nobody else has seen")
    ada(
        "attest",
        "dawn.jpg",
        "--sealed",
        "--made",
        "human",
        "--title",
        "Dawn",
        "--source-type",
        "digitalCapture",
        "--use",
        f"{TRAIN}=notAllowed",
    )
    told = ada("query", "dawn.jpg", code=NOTHING)["answer"]["works"][0]
    expect("statements about the photo that the archive knows", told["total"], 0)
    # Eve gets hold of it, and claims it first.
    ada.give("dawn.jpg", eve)
    attest(eve, "dawn.jpg", "--made", "human", "--use", f"{TRAIN}=allowed")
    ada("reveal", "dawn.jpg")
    claims = work(ada, "dawn.jpg")["claims"]
    expect("whose evidence is earliest", claims[0]["author"], ada.key)
    expect("Eve's claim is listed too", claims[1]["author"], eve.key)
    ada.refused("reveal", "dawn.jpg")
    ada.write("dusk.jpg", b"a dusk")
    ada.refused("reveal", "dusk.jpg", code=3)
    expect("with both claims, training is", verdict(ada, "dawn.jpg"), "notAllowed")


def chains(cast: Cast) -> None:
    """2. Ben writes about the photo; others vouch, contest, and take back"""
    ada, ben, eve, archive = cast.ada, cast.ben, cast.eve, cast.archive
    ada.give("dawn.jpg", ben)
    ben.write("essay.txt", b"Of light, and of those who wait for it. " * 30)
    essay = attest(
        ben,
        "essay.txt",
        "--made",
        "human",
        "--from",
        "dawn.jpg:inputTo",
        "--use",
        f"{TRAIN}=allowed",
    )
    archive("endorse", essay, "--role", "archive")
    eve("dispute", essay, "--reason", "sources", "--note", "That was my photo.")
    ben.refused("endorse", essay, "--role", "owner")
    ben.refused("dispute", essay, "--reason", "envy")
    claim = work(ben, "essay.txt")["claims"][0]
    expect("vouched for as", claim["endorsements"][0]["role"], "archive")
    expect("contested for", claim["disputes"][0]["reason"], "sources")
    expect("and still", claim["status"], "effective")
    expect("a dispute changes no verdict", verdict(ben, "essay.txt"), "allowed")
    eve.refused("withdraw", essay, "--reason", "mistaken")
    down = work(ben, "dawn.jpg")["derived"]
    expect("what was made from the photo", [one["id"] for one in down], [essay])
    before = cast.ada("query", "dawn.jpg")["answer"]["log_size"] - 1
    ben("withdraw", essay, "--reason", "consent-changed")
    expect(
        "after Ben withdrew it",
        work(ben, "essay.txt")["claims"][0]["status"],
        "withdrawn",
    )
    expect("nobody knows then", verdict(ben, "essay.txt"), "unknown")
    expect(
        "as of the entry before",
        verdict(ben, "essay.txt", "--as-of", before),
        "allowed",
    )


def keys(cast: Cast) -> None:
    """3. Keys are named, handed over, stolen and taken back"""


def consent(cast: Cast) -> None:
    """4. Mia asks, and is granted what others are not"""
    ada, mia = cast.ada, cast.mia
    ada.write("storm.jpg", b"a storm over the sea")
    attest(
        ada,
        "storm.jpg",
        "--made",
        "human",
        "--source-type",
        "digitalCapture",
        "--use",
        f"{TRAIN}=notAllowed",
    )
    ada.give("storm.jpg", mia)
    expect("for everybody", verdict(mia, "storm.jpg"), "notAllowed")
    asked = mia("request", "storm.jpg", "--use", TRAIN, "--purpose", "A model of seas")
    granted = ada(
        "grant",
        "storm.jpg",
        "--to",
        mia.key,
        "--use",
        TRAIN,
        "--on-terms",
        "name me",
        "--request",
        asked["id"],
    )
    expect(
        "for Mia, now", verdict(mia, "storm.jpg", "--grantee", mia.key), "constrained"
    )
    expect("for everybody, still", verdict(mia, "storm.jpg"), "notAllowed")
    mia.refused("grant", "storm.jpg", "--to", mia.key, "--use", TRAIN)
    ada("withdraw", granted["id"], "--reason", "consent-changed")
    expect(
        "for Mia, after the grant was withdrawn",
        verdict(mia, "storm.jpg", "--grantee", mia.key),
        "notAllowed",
    )


def cooperative(cast: Cast) -> None:
    """5. A guild of photographers offers what its members made"""
    ada, ben, guild, mia = cast.ada, cast.ben, cast.guild, cast.mia
    for number in range(3):
        ada.write(f"guild{number}.jpg", b"a photo for the guild %d" % number)
        attest(
            ada,
            f"guild{number}.jpg",
            "--made",
            "human",
            "--group",
            guild.key,
            *(
                ("--share", f"{ada.key}=3", "--share", f"{ben.key}=1")
                if number == 0
                else ()
            ),
        )
        ada.give(f"guild{number}.jpg", mia)
    expect("before she is a member", verdict(mia, "guild0.jpg"), "unknown")
    guild("admit", ada.key, "--parts", "1")
    guild.refused("admit", ada.key)
    guild(
        "offer",
        guild.key,
        "--use",
        f"{TRAIN}=allowed",
        "--price",
        "250EUR/item",
        "--contact",
        "guild@example.org",
    )
    expect(
        "as a member, by the guild's offer", verdict(mia, "guild0.jpg"), "constrained"
    )
    guild("leave", "key:default") if False else None
    cast.eve.refused("leave", guild.key)


def altered(cast: Cast) -> None:
    """6. Copies that were altered are found, and never taken for the file itself"""


def credentials(cast: Cast) -> None:
    """7. Content Credentials, out and in again"""


def data_set(cast: Cast) -> None:
    """8. A data set: what may be used, what it owes, and a label that others check"""


__all__ = [
    "altered",
    "chains",
    "consent",
    "cooperative",
    "credentials",
    "data_set",
    "fail",
    "keys",
    "seals",
]
