"""A folder of mixed files and what is said of them, with the label that must come out.

Every kind of claim and remark occurs.  The expected figures are counted here from the
plan alone, by hand, and know nothing of how labels are made.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from byline_ledger.content import (
    Fingerprints,
    Model,
    dispute_fields,
    endorse_fields,
    profile_fields,
    withdraw_fields,
    work_fields,
)
from byline_ledger.crypto import SigningKey
from byline_ledger.digest import digest_bytes
from byline_ledger.statement import Source, Statement, sign_statement

START = 1_790_000_000_000
LICENCES = ("CC-BY-4.0", "CC0-1.0", "MIT", None)
USE = "ai_generative_training"

Fields = dict[str, object]


def png(random: Random) -> bytes:
    """A small picture: a gradient and noise."""
    size = 24
    rows = b"".join(
        b"\x00" + bytes((x * y + random.randrange(40)) % 256 for x in range(size))
        for y in range(size)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return (
            struct.pack(">I", len(data))
            + checked
            + struct.pack(">I", zlib.crc32(checked))
        )

    head = struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)
    body = (
        chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )
    return b"\x89PNG\r\n\x1a\n" + body


def wav(random: Random) -> bytes:
    """A quarter of a second of noise."""
    data = random.randbytes(2_000)
    head = struct.pack(
        "<4sI4s4sIHHIIHH",
        b"RIFF",
        36 + len(data),
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        8_000,
        8_000,
        1,
        8,
    )
    return head + struct.pack("<4sI", b"data", len(data)) + data


def text(random: Random) -> bytes:
    return " ".join(f"word{random.randrange(500)}" for _ in range(60)).encode()


def table(random: Random) -> bytes:
    return "".join(f"{n},{random.random()}\n" for n in range(20)).encode()


def record(random: Random) -> bytes:
    return json.dumps({"id": random.randrange(10**9), "of": random.random()}).encode()


KINDS: tuple[tuple[str, str, Callable[[Random], bytes]], ...] = (
    ("png", "image/png", png),
    ("txt", "text/plain", text),
    ("csv", "text/csv", table),
    ("json", "application/json", record),
    ("wav", "audio/x-wav", wav),
)


@dataclass(slots=True)
class Plan:
    """What was written and said, and what a label must say of it."""

    paths: list[str] = field(default_factory=list)
    first: list[Statement] = field(default_factory=list)
    """What is published at first."""
    later: list[Statement] = field(default_factory=list)
    """Withdrawals, which come after the store was copied."""
    made: Counter[str] = field(default_factory=Counter)
    consent: Counter[str] = field(default_factory=Counter)
    trust: Counter[str] = field(default_factory=Counter)
    keys: dict[str, SigningKey] = field(default_factory=dict)
    near: int = 0
    """Pairs of near-duplicates."""
    withdrawn_path: str = ""
    """A work whose one claim was withdrawn."""


class Sayer:
    """Signs what keys say, with times and salts that follow from the seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        names = ("photographer", "writer", "model builder", "archive", "somebody")
        self.keys = {
            name: SigningKey.from_seed(self.random.randbytes(32)) for name in names
        }
        self._time = START

    def say(self, who: str, make: Callable[..., Fields], **words: object) -> Statement:
        self._time += 1_000
        fields = make(**words, time=self._time, salt=self.random.randbytes(16))
        return sign_statement(fields, self.keys[who])  # type: ignore[arg-type]


def write_all(folder: Path, count: int, seed: int) -> Plan:
    """The files, and all that is said of them."""
    sayer = Sayer(seed)
    plan = Plan(keys=sayer.keys)
    for name in ("photographer", "writer"):
        key = sayer.keys[name].public
        plan.first.append(sayer.say(name, profile_fields, key=key, name=name))
    sources: list[bytes] = []
    for number in range(count):
        suffix, media_type, make = KINDS[number % len(KINDS)]
        data = make(sayer.random) + f" {number}".encode()
        path = f"{suffix}/{number:05}.{suffix}"
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        plan.paths.append(path)
        speak(
            sayer,
            plan,
            Work(number, path, digest_bytes(data), media_type, len(data)),
            sources,
        )
    return plan


@dataclass(frozen=True, slots=True)
class Work:
    number: int
    path: str
    digest: bytes
    media_type: str
    size: int


def speak(sayer: Sayer, plan: Plan, work: Work, sources: list[bytes]) -> None:
    """One of ten cases, in turn."""
    case = work.number // len(KINDS) % 10
    found = list(CASES[case](sayer, plan, work, sources))
    plan.first += found
    if not found:
        plan.made["unattested"] += 1
        plan.consent["unknown"] += 1


def claim(
    sayer: Sayer, key: str, work: Work, use: str | None = None, **words: object
) -> Statement:
    uses = {USE: use} if use else None
    licence = LICENCES[work.number % len(LICENCES)]
    return sayer.say(
        key,
        work_fields,
        about=work.digest,
        uses=uses,
        license=licence,
        media_type=work.media_type,
        size=work.size,
        **words,
    )


def unit(kind: bytes, code: int) -> str:
    """An ISCC unit of 256 bits with this code in front."""
    body = code.to_bytes(8, "big") + bytes(24)
    return "ISCC:" + base64.b32encode(kind + body).decode().rstrip("=")


def human(
    sayer: Sayer, plan: Plan, work: Work, sources: list[bytes]
) -> Iterator[Statement]:
    """Allowed, by a key with a name; every fifth endorsed."""
    plan.made["human"] += 1
    plan.consent["allowed"] += 1
    plan.trust.update(("signed", "named"))
    sources.append(work.digest)
    code = int.from_bytes(
        hashlib.sha256(b"%d" % (work.number // 2)).digest()[:8], "big"
    )
    if work.number % 2:
        code ^= 0b111  # three bits from the one before
        plan.near += 1
    prints = Fingerprints(iscc=(unit(b"\x21\x07", code),))
    said = claim(
        sayer,
        "photographer",
        work,
        "allowed",
        source_type="digitalCapture",
        fingerprints=prints,
    )
    yield said
    if work.number % 5 == 0:
        plan.trust["endorsed"] += 1
        yield sayer.say("archive", endorse_fields, statement_id=said.id, role="archive")


def forbidden(
    sayer: Sayer, plan: Plan, work: Work, _: list[bytes]
) -> Iterator[Statement]:
    """Written by hand, and not to be trained on."""
    plan.made["human"] += 1
    plan.consent["notAllowed"] += 1
    plan.trust.update(("signed", "named"))
    yield claim(sayer, "writer", work, "notAllowed", made="human")


def generated(
    sayer: Sayer, plan: Plan, work: Work, sources: list[bytes]
) -> Iterator[Statement]:
    """By a model, from something human."""
    plan.made["generated"] += 1
    plan.consent["allowed"] += 1
    plan.trust["signed"] += 1
    model = Model("example-model-1", type="c2pa.types.model")
    from_ = tuple(Source(one, "inputTo", {}) for one in sources[-1:])
    yield claim(
        sayer,
        "model builder",
        work,
        "allowed",
        made="generated",
        sources=from_,
        model=model,
        oversight="prompt_guided",
    )


def assisted(
    sayer: Sayer, plan: Plan, work: Work, _: list[bytes]
) -> Iterator[Statement]:
    """With help, on conditions."""
    plan.made["assisted"] += 1
    plan.consent["constrained"] += 1
    plan.trust.update(("signed", "named"))
    yield claim(sayer, "writer", work, "constrained:ask me", made="assisted")


def rivals(sayer: Sayer, plan: Plan, work: Work, _: list[bytes]) -> Iterator[Statement]:
    """Two keys that say different things: unknown, and the most restrictive counts."""
    plan.made["unknown"] += 1
    plan.consent["notAllowed"] += 1
    plan.trust.update(("signed", "named"))
    yield claim(sayer, "photographer", work, "notAllowed", made="human")
    yield claim(sayer, "somebody", work, "allowed", made="generated")


def withdrawn(
    sayer: Sayer, plan: Plan, work: Work, _: list[bytes]
) -> Iterator[Statement]:
    """Taken back: nobody says anything of it any more."""
    plan.made["unattested"] += 1
    plan.consent["unknown"] += 1
    plan.trust["withdrawn"] += 1
    plan.withdrawn_path = plan.withdrawn_path or work.path
    said = claim(sayer, "somebody", work, "allowed", made="human")
    yield said
    plan.later.append(
        sayer.say("somebody", withdraw_fields, statement_id=said.id, reason="mistaken")
    )


def objected(
    sayer: Sayer, plan: Plan, work: Work, _: list[bytes]
) -> Iterator[Statement]:
    """Somebody is in it and objects; somebody else disputes how it was made."""
    plan.made["human"] += 1
    plan.consent["allowed"] += 1
    plan.trust.update(("signed", "named", "objected", "disputed"))
    said = claim(sayer, "photographer", work, "allowed", made="human")
    yield said
    yield sayer.say("somebody", dispute_fields, about=work.digest, reason="consent")
    about = b"\x12\x20" + said.id
    yield sayer.say("archive", dispute_fields, about=about, reason="how-made")


def programmed(
    sayer: Sayer, plan: Plan, work: Work, _: list[bytes]
) -> Iterator[Statement]:
    """By a formula, silent on uses."""
    plan.made["other"] += 1
    plan.consent["unknown"] += 1
    plan.trust["signed"] += 1
    yield claim(sayer, "somebody", work, source_type="algorithmicMedia")


def undecided(
    sayer: Sayer, plan: Plan, work: Work, _: list[bytes]
) -> Iterator[Statement]:
    """A capture of a screen says nothing of how what is on it was made."""
    plan.made["unknown"] += 1
    plan.consent["allowed"] += 1
    plan.trust["signed"] += 1
    yield claim(sayer, "somebody", work, "allowed", source_type="screenCapture")


def nobody(_: Sayer, __: Plan, ___: Work, ____: list[bytes]) -> Iterator[Statement]:
    """Nothing."""
    return iter(())


CASES = (
    human,
    forbidden,
    generated,
    assisted,
    rivals,
    withdrawn,
    objected,
    programmed,
    undecided,
    nobody,
)
