"""The logs that the bundle vectors are made from, and who witnesses them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from naive_bundle import (
    Key,
    Said,
    cosignature,
    digest_of,
    say,
    sha256,
    tag,
    vkey,
)
from naive_prover import Log, View

Fields = dict[str, Any]

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
NOON = 1_760_000_000_000
"""Claimed time of the first statement, Unix milliseconds; each next one is later."""


class Clock:
    """Claimed times, one second apart; each new log begins at noon."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> int:
        self.now += 1000
        return self.now


CLOCK = Clock()


def new_log(name: str) -> Log:
    CLOCK.now = NOON
    return Log(f"{name}.example/{sha256(name.encode()).hex()[:32]}", Key(f"log {name}"))


def work_of(name: str) -> bytes:
    """Digest of the work of that name: its bytes are its name."""
    return digest_of(name.encode())


def claim(key: Key, name: str, made: str = "digitalCreation", **further: Any) -> Said:
    """A full `work` statement about the work of that name."""
    further.setdefault("source_type", IPTC + made)
    return say(key, "work", work_of(name), time=CLOCK(), **further)


def made_from(*sources: tuple[bytes, str]) -> list[Fields]:
    return [{"digest": digest, "relationship": rel} for digest, rel in sources]


def endorse(key: Key, what: Said, role: str = "witnessed") -> Said:
    return say(key, "endorse", what.name, time=CLOCK(), role=role)


def dispute(key: Key, about: bytes, reason: str = "how-made") -> Said:
    return say(key, "dispute", about, time=CLOCK(), reason=reason)


def withdraw(key: Key, what: Said, reason: str = "mistaken") -> Said:
    return say(key, "withdraw", what.name, time=CLOCK(), reason=reason)


def note(key: Key, about: bytes, text: str) -> Said:
    """A statement of a type that no version knows."""
    return say(key, "x-note", about, time=CLOCK(), text=text)


def rotate(key: Key, successor: bytes) -> Said:
    about = digest_of(key.public)
    return say(key, "rotate", about, time=CLOCK(), successor=successor)


def key_below(other: Key, name: str) -> Key:
    """A key whose author tag sorts before that of `other`."""
    number = 0
    while tag(Key(f"{name} {number}").public) >= tag(other.public):
        number += 1
    return Key(f"{name} {number}")


# Bundles that hold


def main_log() -> View:
    """Chains, endorsements, disputes, withdrawals, rotations: of everything some."""
    log = new_log("main")
    photographer, illustrator, editor = map(
        Key, ("photographer", "illustrator", "editor")
    )
    archive, friend, stranger = map(Key, ("archive", "friend", "stranger"))
    photo = claim(photographer, "photo", "digitalCapture", title="Harbour at dawn")
    texture = claim(illustrator, "texture", "trainedAlgorithmicMedia")
    log.publish([photo, texture])
    drawing = claim(
        illustrator,
        "drawing",
        "compositeWithTrainedAlgorithmicMedia",
        license="CC-BY-4.0",
        uses={"cawg.ai_generative_training": {"use": "notAllowed"}},
        sources=made_from(
            (work_of("photo"), "componentOf"), (work_of("texture"), "inputTo")
        ),
    )
    mistaken = claim(editor, "page", title="Hrabour")
    page = claim(
        editor,
        "page",
        title="Harbour",
        media_type="text/html",
        size=4,
        sources=made_from(
            (work_of("drawing"), "parentOf"), (work_of("never attested"), "inputTo")
        ),
    )
    log.publish([drawing, mistaken, page])
    vouched = endorse(archive, page, "archive")
    hasty = endorse(friend, page)
    log.publish(
        [
            withdraw(editor, mistaken),
            vouched,
            hasty,
            withdraw(friend, hasty),
            withdraw(stranger, page),
            withdraw(stranger, vouched),
            dispute(stranger, drawing.name),
            dispute(stranger, work_of("page")),
            note(archive, work_of("page"), "unknown type about a work"),
            note(archive, page.name, "unknown type about a statement"),
            say(friend, "endorse", page.name, time=CLOCK()),
        ]
    )
    log.publish(_rotations())
    return log.publish(_circles())


def _rotations() -> list[Said]:
    """Claims by keys that were replaced, in every way that a key can be."""
    old, new, stranger = map(Key, ("old", "new", "stranger"))
    handed_on = claim(old, "handed on")
    torn, left, right = map(Key, ("torn", "left", "right"))
    contested = claim(torn, "contested")
    first, second = Key("first of two"), Key("second of two")
    circular = claim(first, "circular")
    careless = Key("careless")
    unnamed = claim(careless, "unnamed")
    forger = claim(old, "forged rotation")
    return [
        handed_on,
        rotate(old, new.public),
        withdraw(new, handed_on, "superseded"),
        say(
            stranger,
            "rotate",
            digest_of(old.public),
            time=CLOCK(),
            successor=stranger.public,
        ),
        forger,
        withdraw(stranger, forger),
        contested,
        rotate(torn, left.public),
        rotate(torn, right.public),
        withdraw(left, contested),
        circular,
        rotate(first, second.public),
        rotate(second, first.public),
        withdraw(second, circular),
        unnamed,
        rotate(careless, new.public[:31]),
        withdraw(new, unnamed),
        *_successions(),
    ]


def _successions() -> list[Said]:
    """Ten keys in a row: eight successors may act, the ninth may not."""
    keys = [Key(f"heir {number}") for number in range(10)]
    too_far = claim(keys[0], "nine successors")
    near = claim(keys[1], "eight successors")
    rows = pairwise(keys)
    return [
        *(rotate(key, after.public) for key, after in rows),
        too_far,
        near,
        withdraw(keys[9], too_far),
        withdraw(keys[9], near),
    ]


def _circles() -> list[Said]:
    """Works that are their own source, and two that are made from each other."""
    key = Key("circle")
    around = claim(
        key, "own source", sources=made_from((work_of("own source"), "parentOf"))
    )
    return [
        around,
        claim(key, "hen", sources=made_from((work_of("egg"), "parentOf"))),
        claim(key, "egg", sources=made_from((work_of("hen"), "parentOf"))),
        claim(
            key, "made from a statement", sources=made_from((around.name, "inputTo"))
        ),
        dispute(Key("stranger"), around.name),
    ]


def flood_log() -> View:
    """Claims with more remarks than a page shows; withdrawals lie behind the flood."""
    log = new_log("flood")
    author = Key("flooded")
    flooder = key_below(author, "flooder")
    withdrawn, standing = claim(author, "withdrawn"), claim(author, "standing")
    log.publish([withdrawn, standing])
    for about in (withdrawn, standing):
        log.publish([note(flooder, about.name, str(i)) for i in range(50)])
    log.publish([withdraw(author, withdrawn)])
    chatty = Key("chatty")
    own = claim(chatty, "drowned by its author")
    log.publish([own, *(note(chatty, own.name, str(i)) for i in range(50))])
    vain = Key("vain")
    about_self = digest_of(vain.public)
    log.publish([note(vain, about_self, str(i)) for i in range(40)])
    return log.publish([claim(vain, "by a key with a long history")])


def crowd_log() -> View:
    """One work with more statements than a page shows."""
    log, author = new_log("crowd"), Key("crowd")
    about = work_of("crowded")
    return log.publish(
        [say(author, "work", about, time=NOON + number) for number in range(288)]
    )


def heavy_log() -> View:
    """A work whose sources have more to say than a bundle may hold (10 MB)."""
    log = new_log("heavy")
    names = [f"heavy {number}" for number in range(60)]
    sources = made_from(*((work_of(name), "inputTo") for name in names))
    first = claim(Key("heavy"), "heavy", sources=sources)
    filler = "x" * 16_000
    keys = [Key(f"heavy {number}") for number in range(10)]
    rest = [claim(key, name, further=filler) for name in names for key in keys]
    return log.publish([first, *rest])


def sources_log() -> View:
    """One work with more sources than are followed."""
    log, author = new_log("sources"), Key("collector")
    statements = []
    for row in range(5):
        names = [f"piece {row} {number}" for number in range(60)]
        sources = made_from(*((work_of(name), "componentOf") for name in names))
        statements.append(claim(author, "collage", sources=sources))
    return log.publish(statements)


def few_log() -> View:
    """So few statements that the whole lookup set is one leaf."""
    alone = claim(Key("lonely"), "alone")
    return new_log("few").publish([alone, dispute(Key("stranger"), alone.name)])


WITNESS_TIME = 1_760_001_000
WITNESSES = {
    name: Key(f"witness {name}") for name in ("one", "two", "three", "unknown")
}


def policy(view: View, *, quorum: str = "all", names: str = "one two") -> str:
    """A reader's policy (C2SP tlog-policy)."""
    witnesses = (
        f"witness {name} {vkey(witness_name(name), WITNESSES[name], 4)}\n"
        for name in names.split()
    )
    quorum_lines = f"group trusted {quorum} {names}\nquorum trusted\n"
    return f"log {view.vkey}\n" + "".join(witnesses) + quorum_lines


def witness_name(name: str) -> str:
    return f"witness.example/{name}"


def cosigned(view: View, names: str) -> bytes:
    """The checkpoint with the lines of these witnesses."""
    lines = (
        cosignature(view.text, witness_name(name), WITNESSES[name], WITNESS_TIME)
        for name in names.split()
    )
    return view.note + b"".join(lines)
