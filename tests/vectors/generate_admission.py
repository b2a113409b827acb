"""Writes admission.json, from docs/spec/admission.md alone.

    python tests/vectors/generate_admission.py

Imports nothing of the program.  `expect` is a reason, `admitted`, or the kind of an
error.  Times are Unix milliseconds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from naive_bundle import pack

HERE = Path(__file__).parent
NOW = 1_767_225_600_000  # 2026-01-01T00:00:00Z
MINUTE, DAY = 60_000, 86_400_000
UNIT = 3_600_000
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
REASONS = [
    "denied-author",
    "denied-digest",
    "too-large",
    "too-many-sources",
    "not-listed",
    "not-vouched",
    "too-little-work",
    "too-early",
    "too-old",
    "over-quota",
    "author-rate",
    "peer-rate",
]
LISTS = {"listed", "vouchers", "denied_authors", "denied_digests"}
ALICE, BOB, CAROL = (bytes([number]) * 32 for number in (1, 2, 3))

Case = dict[str, Any]


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def multihash(data: bytes) -> bytes:
    return b"\x12\x20" + sha256(data)


def did(public: bytes) -> str:
    number, text = int.from_bytes(b"\xed\x01" + public, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    return "did:key:z" + text


def body(**further: Any) -> bytes:
    fields = {
        "type": "work",
        "author": ALICE,
        "time": NOW,
        "about": multihash(b"a photo"),
        "salt": bytes(16),
        **further,
    }
    return pack(fields)


def sources(count: int) -> list[dict[str, Any]]:
    return [
        {"digest": multihash(b"source %d" % number), "relationship": "parentOf"}
        for number in range(count)
    ]


# Proof of work


def leading_zeros(digest: bytes) -> int:
    bits = "".join(f"{byte:08b}" for byte in digest)
    return len(bits) - len(bits.lstrip("0"))


def with_work(bits: int, zeros: range, **further: Any) -> bytes:
    """A body that commits to `bits`, and whose id begins with so many zeros."""
    number = 0
    while True:
        nonce = number.to_bytes(8, "big")
        found = body(**{"proof-of-work": {"bits": bits, "nonce": nonce}}, **further)
        if leading_zeros(sha256(found)) in zeros:
            return found
        number += 1


def work_cases() -> Iterator[Case]:
    def case(name: str, data: bytes, bits: int) -> Case:
        return {
            "name": name,
            "body": data.hex(),
            "id": sha256(data).hex(),
            "bits": bits,
        }

    yield case("no field", body(), 0)
    yield case("8 bits", with_work(8, range(8, 9)), 8)
    yield case("8 bits, and luck beyond", with_work(8, range(10, 13)), 8)
    yield case("1 bit", with_work(1, range(1, 257)), 1)
    yield case("one zero too few", with_work(8, range(7, 8)), 0)
    yield case(
        "12 bits on another type", with_work(12, range(12, 257), type="seal"), 12
    )
    yield case("luck without a target", lucky(8), 0)
    for name, field in {
        "0 bits": {"bits": 0, "nonce": bytes(8)},
        "65 bits": {"bits": 65, "nonce": bytes(8)},
        "a nonce of 7 bytes": {"bits": 1, "nonce": bytes(7)},
        "a nonce of text": {"bits": 1, "nonce": "12345678"},
        "bits of text": {"bits": "1", "nonce": bytes(8)},
        "bits that are true": {"bits": True, "nonce": bytes(8)},
        "another key": {"bits": 1, "hash": "x", "nonce": bytes(8)},
        "no nonce": {"bits": 1},
        "no map": 1,
    }.items():
        yield case(f"malformed: {name}", zeros_with(field), 0)


def lucky(zeros: int) -> bytes:
    return next(
        found
        for number in range(1 << 20)
        if leading_zeros(sha256(found := body(title=str(number)))) >= zeros
    )


def zeros_with(field: Any) -> bytes:
    """With a zero bit in front, so that the field alone is what is wrong."""
    return next(
        found
        for number in range(1 << 20)
        if sha256(found := body(title=str(number), **{"proof-of-work": field}))[0] < 128
    )


# Policies


def policy_digest(settings: dict[str, Any], **bursts: int) -> str:
    said = {**settings, **bursts}
    for name in LISTS & said.keys():
        said[name] = sorted(set(map(raw, said[name])))
    return sha256(b"byline/admission/v1\0" + pack(said)).hex()


def raw(text: str) -> bytes:
    known = {did(key): key for key in (ALICE, BOB, CAROL)}
    return known[text] if text in known else bytes.fromhex(text)


def policy_cases() -> Iterator[Case]:
    def good(name: str, settings: dict[str, Any], digest: str) -> Case:
        return {"name": name, "settings": settings, "digest": digest, "expect": "ok"}

    yield good("open", {}, policy_digest({}))
    yield good("open, said", {"authors": "anyone", "work_bits": 0}, policy_digest({}))
    for name, settings in {
        "listed": {"authors": "listed", "listed": [did(BOB), did(ALICE)]},
        "vouched": {"authors": "vouched", "vouchers": [did(CAROL)]},
        "denied": {"denied_authors": [did(BOB)], "denied_digests": ["ab" * 32]},
        "sizes": {"max_bytes": 4096, "max_sources": 0, "work_bits": 20},
        "clock": {"clock_ahead_minutes": 0, "clock_behind_days": 30},
        "quotas": {"quota_strings": 1, "quota_bytes": 1 << 40},
        "rates": {"author_rate": 100, "author_burst": 66},
    }.items():
        yield good(name, settings, policy_digest(settings))
    settings = {"peer_rate": 100, "old_rate": 1}
    digest = policy_digest(settings, peer_burst=100, old_burst=66)
    yield good("bursts left out", settings, digest)
    twice = {"listed": [did(BOB), did(BOB)]}
    yield good("a key twice", twice, policy_digest(twice))
    for name, bad in {
        "an unknown name": {"author": "listed"},
        "an unknown word": {"authors": "friends"},
        "authors of another type": {"authors": ["listed"]},
        "a list that is text": {"listed": did(BOB)},
        "a key that is a number": {"listed": [1]},
        "a key in hex": {"listed": ["ab" * 32]},
        "a digest too short": {"denied_digests": ["ab" * 31]},
        "a number that is text": {"work_bits": "20"},
        "a number that is true": {"work_bits": True},
        "65 bits of work": {"work_bits": 65},
        "255 bytes": {"max_bytes": 255},
        "16,385 bytes": {"max_bytes": 16_385},
        "a quota of nothing": {"quota_strings": 0},
        "a rate of nothing": {"author_rate": 0},
        "a burst without its rate": {"author_burst": 100},
        "a burst in which not every statement fits": {
            "author_rate": 100,
            "author_burst": 65,
        },
    }.items():
        yield {"name": name, "settings": bad, "expect": "usage"}


# Buckets


def bucket_cases() -> Iterator[Case]:
    """Each step: at a time, so many strings are asked for."""
    for name, rate, burst, steps in (
        ("full at first, then empty", 60, 66, [(0, 66), (0, 1), (60_000, 1)]),
        ("one millisecond too soon", 60, 66, [(0, 66), (59_999, 1), (60_000, 1)]),
        ("never more than the burst", 3600, 66, [(0, 2), (10**9, 66), (10**9, 1)]),
        ("a rate that does not divide", 7, 66, [(0, 65), (0, 2), (514_285, 2)]),
        ("what is refused takes nothing", 60, 66, [(0, 60), (0, 7), (0, 6), (0, 1)]),
        ("a clock set back", 60, 66, [(100_000, 66), (0, 1), (60_000, 1)]),
        ("fast", 10**9, 10**9, [(0, 10**9), (1, 277), (1, 1)]),
    ):
        yield {
            "name": name,
            "rate": rate,
            "burst": burst,
            "steps": list(play(rate, burst, steps)),
        }


def play(rate: int, burst: int, steps: list[tuple[int, int]]) -> Iterator[Case]:
    level, then = burst * UNIT, steps[0][0]
    for now, strings in steps:
        here = min(burst * UNIT, level + max(0, now - then) * rate)
        until = None
        if here >= strings * UNIT:
            level, then = here - strings * UNIT, now
        else:
            until = now - (here - strings * UNIT) // rate
        yield {"now": now, "strings": strings, "level": here, "until": until}


# Decisions


def decision(name: str, settings: dict[str, Any], expect: str, **more: Any) -> Case:
    return {
        "name": name,
        "settings": settings,
        "source": "api",
        "peer": "203.0.113.1",
        "now": NOW,
        "body": body().hex(),
        "vouched": False,
        "held": {"strings": 0, "bytes": 0},
        "levels": {},
        "until": None,
        "expect": expect,
        **more,
    }


def order_cases() -> Iterator[Case]:
    """One statement that every rule refuses; then the first rule is taken away."""
    data = body(time=NOW - 10 * DAY, sources=sources(3))
    rules: list[tuple[dict[str, Any], str, int | None]] = [
        ({"denied_authors": [did(ALICE)]}, "denied-author", None),
        ({"denied_digests": [sha256(b"a photo").hex()]}, "denied-digest", None),
        ({"max_bytes": 256}, "too-large", None),
        ({"max_sources": 2}, "too-many-sources", None),
        ({"authors": "listed"}, "not-listed", None),
        ({"work_bits": 20}, "too-little-work", None),
        ({"clock_behind_days": 9}, "too-old", None),
        ({"quota_strings": 100}, "over-quota", None),
        # 5 strings: 1 unit is missing.
        ({"author_rate": 60}, "author-rate", NOW + 1),
        ({"peer_rate": 60}, "peer-rate", NOW + 5 * 60_000),
    ]
    for start in range(len(rules) + 1):
        settings = {k: v for rule, _, _ in rules[start:] for k, v in rule.items()}
        _, expect, until = (*rules, ({}, "admitted", None))[start]
        yield decision(
            f"rule order {start}: {expect}",
            settings,
            expect,
            body=data.hex(),
            held={"strings": 96, "bytes": 0},
            levels={"author": 5 * UNIT - 1, "peer": 0},
            until=until,
        )


def author_cases() -> Iterator[Case]:
    listed = {"authors": "listed", "listed": [did(ALICE)]}
    vouched = {"authors": "vouched", "vouchers": [did(BOB)]}
    yield decision("a listed key", listed, "admitted")
    yield decision("another key", listed, "not-listed", body=body(author=BOB).hex())
    yield decision("vouched for", vouched, "admitted", vouched=True)
    yield decision("not vouched for", vouched, "not-vouched")
    yield decision("a voucher", vouched, "admitted", body=body(author=BOB).hex())
    also = {**vouched, "listed": [did(ALICE)]}
    yield decision("listed where vouching counts", also, "admitted")
    only = {"authors": "listed", "vouchers": [did(BOB)]}
    yield decision("vouched for where lists count", only, "not-listed", vouched=True)
    denied = {"denied_authors": [did(ALICE)], "listed": [did(ALICE)]}
    yield decision("denied goes before listed", denied, "denied-author")
    digest = {"denied_digests": [sha256(b"source 1").hex()]}
    data = body(sources=sources(2))
    yield decision("a denied source", digest, "denied-digest", body=data.hex())
    own = {"denied_digests": [sha256(body()).hex()]}
    yield decision("a denied statement", own, "denied-digest")
    yield decision("another digest", {"denied_digests": ["00" * 32]}, "admitted")


def work_decisions() -> Iterator[Case]:
    policy = {"work_bits": 8}
    good, weak = with_work(8, range(8, 257)).hex(), with_work(7, range(8, 257)).hex()
    yield decision("enough work", policy, "admitted", body=good)
    yield decision("luck beyond its target", policy, "too-little-work", body=weak)
    trusting = {**policy, "listed": [did(ALICE)]}
    yield decision("a listed key needs no work", trusting, "admitted")
    vouching = {**policy, "vouchers": [did(BOB)]}
    yield decision("vouched for: no work", vouching, "admitted", vouched=True)


def clock_cases() -> Iterator[Case]:
    ahead = {"clock_ahead_minutes": 15}
    for source in ("api", "gossip", "follow"):
        late = body(time=NOW + 15 * MINUTE).hex()
        yield decision(
            f"just in time, {source}", ahead, "admitted", source=source, body=late
        )
        early = body(time=NOW + 15 * MINUTE + 1).hex()
        yield decision(
            f"too early, {source}",
            ahead,
            "too-early",
            source=source,
            body=early,
            until=NOW + 1,
        )
    behind = {"clock_behind_days": 30}
    old = body(time=NOW - 30 * DAY - 1).hex()
    yield decision(
        "old enough", behind, "admitted", body=body(time=NOW - 30 * DAY).hex()
    )
    yield decision("too old", behind, "too-old", body=old)
    yield decision("too old, gossip", behind, "too-old", body=old, source="gossip")
    yield decision("history", behind, "admitted", body=old, source="follow")
    allowing = {**behind, "old_rate": 60}
    yield decision(
        "within the allowance", allowing, "admitted", body=old, levels={"old": 2 * UNIT}
    )
    yield decision(
        "beyond the allowance",
        allowing,
        "too-old",
        body=old,
        levels={"old": UNIT},
        until=NOW + 60_000,
    )
    yield decision(
        "the first millisecond", ahead | behind, "too-old", body=body(time=0).hex()
    )
    last = body(time=2**63 - 1).hex()
    until = 2**63 - 1 - 15 * MINUTE
    yield decision("the last millisecond", ahead, "too-early", body=last, until=until)


def amount_cases() -> Iterator[Case]:
    size = len(body())
    yield decision("of the size", {"max_bytes": 256}, "admitted")
    strings = {"quota_strings": 10}
    held = {"strings": 8, "bytes": 0}
    yield decision("fills the quota", strings, "admitted", held=held)
    held = {"strings": 9, "bytes": 0}
    yield decision("over the quota", strings, "over-quota", held=held)
    limit = {"quota_bytes": size + 5}
    held = {"strings": 0, "bytes": 5}
    yield decision("fills the bytes", limit, "admitted", held=held)
    held = {"strings": 0, "bytes": 6}
    yield decision("over the bytes", limit, "over-quota", held=held)
    rate = {"author_rate": 7}
    yield decision("has the strings", rate, "admitted", levels={"author": 2 * UNIT})
    yield decision(
        "rounded up",
        rate,
        "author-rate",
        levels={"author": UNIT},
        until=NOW + 514_286,
    )
    twice = sources(2) + sources(2)
    data = body(sources=twice).hex()
    yield decision(
        "a source twice counts once",
        rate,
        "admitted",
        body=data,
        levels={"author": 4 * UNIT},
    )


# What is remembered


def place_cases() -> Iterator[Case]:
    ids = [bytes([number]) * 31 + b"\x07" for number in (1, 2)]
    head = b"\x01" + sha256(b"a policy")

    def record(id_: bytes, code: int, until: int, peer: bytes = bytes(8)) -> bytes:
        hint = sha256(ALICE)[:8]
        return id_ + bytes([code]) + until.to_bytes(8, "big") + hint + peer

    peer = sha256(b"a peer")[:8]
    one, two = record(ids[0], 6, 0), record(ids[1], 0x80 | 11, NOW, peer)
    for name, data, expect in (
        ("nothing", head, "ok"),
        ("two", head + one + two, "ok"),
        ("each reason", head + b"".join(record(ids[0], n, 0) for n in (1, 12)), "ok"),
        ("no head", b"", "malformed"),
        ("a short digest", head[:-1], "malformed"),
        ("another version", b"\x02" + head[1:], "malformed"),
        ("half a record", head + one[:-1], "malformed"),
        ("reason 0", head + record(ids[0], 0, 0), "malformed"),
        ("reason 13", head + record(ids[0], 13, 0), "malformed"),
        ("deferred until nothing", head + record(ids[0], 0x8B, 0), "malformed"),
    ):
        yield {"name": name, "place": data.hex(), "expect": expect}


def main() -> None:
    content = {
        "reasons": REASONS,
        "policies": list(policy_cases()),
        "work": list(work_cases()),
        "buckets": list(bucket_cases()),
        "decisions": [
            *order_cases(),
            *author_cases(),
            *work_decisions(),
            *clock_cases(),
            *amount_cases(),
        ],
        "places": list(place_cases()),
    }
    text = json.dumps(content, indent=1, ensure_ascii=True)
    (HERE / "admission.json").write_text(text + "\n", "ascii")
    print("wrote admission.json")


if __name__ == "__main__":
    main()
