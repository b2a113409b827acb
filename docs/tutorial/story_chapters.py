"""The chapters of story.py.  Each says what is done, and what must come of it.

What is expected is written here by hand, from docs/spec/state.md.
"""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from story_names import name_server
from story_people import WAIT, Cast, Person, expect

USE = "ai_generative_training"
NOTHING = 3
"""Ends a query about a work of which nothing is known."""


def work(person: Person, name: str, *more: object) -> dict[str, Any]:
    """What somebody is told about a file of theirs: the answer's first work."""
    found: dict[str, Any] = person("query", name, *more)["answer"]["works"][0]
    return found


def verdict(person: Person, name: str, *more: object) -> str:
    """Whether the file may be used to train AI that generates."""
    return str(person("consent", name, "--for", USE, *more)["verdict"])


def attest(person: Person, name: str, *more: object) -> str:
    """Attest one file; the id of the statement."""
    return str(person("attest", name, *more)["attested"][0]["id"])


def outcome(profile: dict[str, Any]) -> str:
    """What the last check of a profile's first name found."""
    return str(profile["names"][0]["results"][-1]["outcome"])


def seals(cast: Cast) -> None:
    """1. Ada seals a photo that nobody has seen, and shows it later"""
    ada, eve = cast.ada, cast.eve
    ada.write("dawn.jpg", b"the pixels of a dawn that nobody else has seen")
    ada(
        *("attest", "dawn.jpg", "--sealed", "--made", "human", "--title", "Dawn"),
        *("--source-type", "digitalCapture", "--use", f"{USE}=notAllowed"),
    )
    told = ada("query", "dawn.jpg", code=NOTHING)["answer"]["works"][0]
    expect("statements about the photo that the archive knows", told["total"], 0)
    # Eve gets hold of it, and claims it first.
    ada.give("dawn.jpg", eve)
    attest(eve, "dawn.jpg", "--made", "human", "--use", f"{USE}=allowed")
    ada("reveal", "dawn.jpg")
    claims = work(ada, "dawn.jpg")["claims"]
    expect("the earliest evidence is Ada's", claims[0]["author"], ada.key)
    expect("Eve's claim is listed too", claims[1]["author"], eve.key)
    expect("of two words, the stricter holds", verdict(ada, "dawn.jpg"), "notAllowed")
    ada.refused("reveal", "dawn.jpg")
    ada.write("dusk.jpg", b"a dusk")
    ada.refused("reveal", "dusk.jpg", code=3)


def chains(cast: Cast) -> None:
    """2. Ben writes about the photo; others vouch, contest, and take back"""
    ada, ben, eve, archive = cast.ada, cast.ben, cast.eve, cast.archive
    ada.give("dawn.jpg", ben)
    ben.write("essay.txt", b"Of light, and of those who wait for it. " * 30)
    essay = attest(
        *(ben, "essay.txt", "--made", "human", "--from", "dawn.jpg:inputTo"),
        *("--use", f"{USE}=allowed"),
    )
    archive("endorse", essay, "--role", "archive")
    eve("dispute", essay, "--reason", "sources", "--note", "That was my photo.")
    ben.refused("endorse", essay, "--role", "owner")
    ben.refused("dispute", essay, "--reason", "envy")
    claim = work(ben, "essay.txt")["claims"][0]
    expect("vouched for as", claim["endorsements"][0]["role"], "archive")
    expect("contested for", claim["disputes"][0]["reason"], "sources")
    expect("which is a mark", claim["disputed"], True)
    expect("and no status", claim["status"], "effective")
    expect("nor a verdict", verdict(ben, "essay.txt"), "allowed")
    down = work(ben, "dawn.jpg")["derived"]
    expect("made from the photo", [one["id"] for one in down], [essay])
    drawn = json.loads(ben.run("graph", "essay.txt", "--format", "json").stdout)
    expect("works in the graph of the essay", len(drawn["works"]), 2)
    ben.run("graph", "essay.txt", "--out", "essay.svg")
    eve.refused("withdraw", essay, "--reason", "mistaken")
    before = ben("query", "essay.txt")["answer"]["log_size"] - 1
    ben("withdraw", essay, "--reason", "consent-changed")
    status = work(ben, "essay.txt")["claims"][0]["status"]
    expect("after Ben took it back", status, "withdrawn")
    expect("nobody says what holds then", verdict(ben, "essay.txt"), "unknown")
    was = verdict(ben, "essay.txt", "--as-of", before)
    expect("as of the entry before", was, "allowed")


def keys(cast: Cast) -> None:
    """3. Keys are named, lent, stolen, and taken back"""
    ada, eve = cast.ada, cast.eve
    with name_server({"_byline.ada.example": f"byline-key={ada.key}"}) as server:
        ada(
            *("profile", "set", "--name", "Ada", "--recovery", cast.recovery),
            *("--proof", "dns-txt=ada.example"),
        )
        checked = cast.ben("profile", "check", ada.key, "--name-server", server)
        expect("ada.example names Ada's key", outcome(checked), "confirmed")
        eve("profile", "set", "--name", "Ada", "--proof", "dns-txt=ada.example")
        found = cast.ben("profile", "check", eve.key, "--name-server", server, code=1)
        expect("and Eve's key", outcome(found), "refuted")
    # A machine signs for Ada, within limits.
    machine = cast.mia
    lent = ada(
        *("key", "delegate", machine.key, "--type", "work", "--until", "30d"),
        *("--use", "ai_training"),
    )["id"]
    signing = ("--on-behalf-of", ada.key, "--delegation", lent)
    machine.write("crop.jpg", b"some pixels of a dawn")
    attest(machine, "crop.jpg", "--made", "assisted", *signing)
    claim = work(machine, "crop.jpg")["claims"][0]
    expect("signed by the machine", claim["author"], machine.key)
    expect("for Ada", claim["signed_for"], ada.key)
    machine.write("more.jpg", b"more pixels")
    machine.refused(
        *("attest", "more.jpg", "--made", "human", *signing, "--use", f"{USE}=allowed")
    )
    ada("key", "revoke", lent)
    machine.refused("attest", "more.jpg", "--made", "human", *signing)
    # Somebody has Ada's key; she has the recovery code, on paper.
    ada.refused("key", "rotate", ada.key)
    ada("key", "rotate", eve.key)  # as the thief
    ada("key", "new", "next", "--no-passphrase")
    following = ada("key", "show", "next")["key"]
    ada(
        *("key", "recover", ada.key, "--successor", following, "--reason"),
        "compromised",
        secrets={"BYLINE_RECOVERY_CODE": cast.recovery_code},
    )
    history = cast.ben("key", "history", ada.key)
    expect("who follows Ada's key", history["successors"], [following])
    dawn = work(ada, "dawn.jpg")["claims"][0]
    expect("what she signed before stands", dawn["status"], "effective")
    ada.write("late.jpg", b"signed by the thief")
    attest(ada, "late.jpg", "--made", "human", "--use", f"{USE}=allowed")
    expect("what the thief signs", work(ada, "late.jpg")["claims"][0]["status"], "late")
    expect("which allows nothing", verdict(ada, "late.jpg"), "unknown")


def consent(cast: Cast) -> None:
    """4. Mia asks, and is granted what others are not"""
    ben, mia = cast.ben, cast.mia
    ben.write("storm.txt", b"a storm over the sea")
    attest(ben, "storm.txt", "--made", "human", "--use", f"{USE}=notAllowed")
    ben.give("storm.txt", mia)
    expect("for everybody", verdict(mia, "storm.txt"), "notAllowed")
    asked = mia("request", "storm.txt", "--use", USE, "--purpose", "A model of seas")
    granted = ben(
        *("grant", "storm.txt", "--to", mia.key, "--use", USE),
        *("--condition", "name me", "--request", asked["id"]),
    )
    mine = verdict(mia, "storm.txt", "--grantee", mia.key)
    expect("for Mia, who has a grant", mine, "constrained")
    expect("for everybody, still", verdict(mia, "storm.txt"), "notAllowed")
    mia("grant", "storm.txt", "--to", cast.eve.key, "--use", USE)
    hers = verdict(mia, "storm.txt", "--grantee", cast.eve.key)
    expect("for Eve, by a grant of Mia's", hers, "notAllowed")
    ben("withdraw", granted["id"], "--reason", "consent-changed")
    mine = verdict(mia, "storm.txt", "--grantee", mia.key)
    expect("for Mia, once Ben took it back", mine, "notAllowed")
    header = ben.run("consent", "export", "storm.txt", "--format", "aipref").stdout
    expect("in a crawler's words", "train-ai=n" in header, True)


def cooperative(cast: Cast) -> None:
    """5. A guild offers what its members made"""
    ben, guild, mia = cast.ben, cast.guild, cast.mia
    shares = ("--share", f"{ben.key}=3", "--share", f"{cast.archive.key}=1")
    for number, more in enumerate((shares, (), ())):
        name = f"guild{number}.txt"
        ben.write(name, b"a text for the guild %d" % number)
        attest(ben, name, "--made", "human", "--group", guild.key, *more)
        ben.give(name, mia)
    expect("before he is a member", verdict(mia, "guild0.txt"), "unknown")
    guild("admit", ben.key)
    guild.refused("admit", ben.key)
    guild("offer", guild.key, "--use", f"{USE}=allowed", "--price", "2EUR/item")
    offered = verdict(mia, "guild0.txt")
    expect("as a member, by the guild's offer", offered, "constrained")
    cast.eve.refused("leave", guild.key)


def generations(cast: Cast) -> None:
    """6. What models made of it, and how far it is from anything human"""
    mia = cast.mia
    mia.write("sketch.txt", b"a sketch by hand")
    attest(mia, "sketch.txt", "--made", "human")
    before = "sketch.txt"
    for number in range(2):
        name = f"generation{number}.txt"
        mia.write(name, b"a model's variation %d" % number)
        attest(
            *(mia, name, "--made", "generated", "--model", "sea-1", "--from", before),
            *("--oversight", "prompt_guided"),
        )
        before = name
    depth = work(mia, before)["synthetic_depth"]
    expect("least generations of AI", depth["least"], 2)
    expect("greatest", depth["greatest"], 2)
    mia.write("orphan.txt", b"a model's text of nobody says what")
    attest(mia, "orphan.txt", "--made", "generated")
    depth = work(mia, "orphan.txt")["synthetic_depth"]
    expect("unknown stays unknown", (depth["least"], depth["greatest"]), (1, None))
    mia.refused("attest", "orphan.txt", "--made", "by magic")


def data_set(cast: Cast) -> None:
    """7. A data set: what may be used, what is owed, and a label that others check"""
    mia, ben = cast.mia, cast.ben
    folder = mia.folder / "set"
    folder.mkdir()
    for name in ("storm.txt", "guild0.txt", "guild1.txt", "sketch.txt"):
        (mia.folder / name).rename(folder / name)
    (folder / "found.txt").write_bytes(b"found somewhere")
    made = mia("collection", "create", "set", "--out", "set.csv", "--title", "Seas")
    expect("works in the manifest", made["count"], 5)
    mia.run(
        "filter",
        "set",
        "--for",
        USE,
        "--out",
        "yes.txt",
        "--denied",
        "no.csv",
        "--constrained",
    )
    taken = (mia.folder / "yes.txt").read_text().split()
    expect("may be used on conditions", taken, ["set/guild0.txt", "set/guild1.txt"])
    settled = mia(
        *("settle", "set.csv", "--group", cast.guild.key, "--for", USE),
        *("--out", "settlement"),
    )
    owed = {one["member"]: one["due"] for one in settled["members"]}
    expect("due to Ben, in cents", owed[ben.key], {"EUR": 350})
    expect("due to who shares", owed[cast.archive.key], {"EUR": 50})
    checked = mia("settle", "verify", "settlement", "--member", ben.key)
    expect("Ben computes the same, offline", checked["ok"], True)
    found = mia("find", "--key", ben.key, "--in", "set.csv")["found"]
    paths = sorted(one["path"] for one in found)
    expect("Ben's in the set", paths, ["guild0.txt", "guild1.txt", "storm.txt"])
    mia("label", "set.csv", "--for", USE, "--out", "label", "--title", "Seas")
    checked = mia("label", "verify", "label", "--files", "set")
    expect("the label follows from its proofs", checked["holds"], True)
    mia("label", "stale")
    guild1 = work(mia, "set/guild1.txt")["claims"][0]["id"]
    ben("withdraw", guild1, "--reason", "consent-changed")
    mia("label", "stale", code=1)
    (folder / "guild0.txt").write_bytes(b"a text for the guild, changed")
    mia("label", "verify", "label", "--files", "set", code=1)


def altered(cast: Cast) -> None:
    """8. Copies that were altered are found, and never taken for the file itself"""
    ben, mia = cast.ben, cast.mia
    words = [
        f"the {number}th wave of the sea came in and went out," for number in range(90)
    ]
    ben.write("waves.txt", "\n".join(words).encode())
    attest(ben, "waves.txt", "--made", "human", "--similar")
    words[40:42] = ["a line that somebody put in,"]
    mia.write("copied.txt", "\n".join(words).encode())
    told = mia("query", "copied.txt", code=NOTHING)
    expect("claims about the copy", told["answer"]["works"][0]["claims"], [])
    near = mia("similar", "copied.txt")["similar"]
    expect("but it resembles a work of", near[0]["author"], ben.key)
    mia.write("short.txt", b"too short to resemble anything")
    told = mia("similar", "short.txt", code=NOTHING)
    expect("of a few words", told["problem"], "the text is too short")


def credentials(cast: Cast) -> None:
    """9. Content Credentials, out and in again"""
    ben, mia = cast.ben, cast.mia
    ben.run("export", "--c2pa", "waves.txt", "--sidecar", "--deposit", "--out", SIDECAR)
    ben.give("waves.txt", mia)
    ben.give(SIDECAR, mia)
    mia(
        *("import", "--c2pa", "waves.txt", "--sidecar", SIDECAR),
        *("--save", "waves.txt.byline"),
    )
    checked = mia("verify", "waves.txt.byline", "waves.txt")
    expect("the proof that it carries holds", checked["ok"], True)
    relayed = work(mia, "waves.txt")["remarks"]
    expect("Mia relays a claim", [one["type"] for one in relayed], ["relay"])
    # Somebody who has the altered copy alone asks for what was written of it.
    copy = (mia.folder / "copied.txt").read_bytes()
    matches = ask(f"{cast.url}/v1/matches/byContent", copy)["matches"]
    expect("manifests of works like the copy", len(matches), 1)
    with urllib.request.urlopen(  # of our own node
        f"{cast.url}/v1/manifests/{matches[0]['manifestId']}", timeout=WAIT
    ) as reply:
        same = reply.read() == (ben.folder / SIDECAR).read_bytes()
    expect("and it is the one that Ben left", same, True)


def ask(url: str, text: bytes) -> dict[str, Any]:
    """POST a text to the archive's node; what it says."""
    request = urllib.request.Request(  # of our own node
        url, text, {"content-type": "text/plain"}
    )
    with urllib.request.urlopen(request, timeout=WAIT) as reply:
        found: dict[str, Any] = json.load(reply)
    return found


SIDECAR = "waves.txt.c2pa"
