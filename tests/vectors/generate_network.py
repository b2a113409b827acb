"""Writes network.json, the vectors of docs/spec/network.md, from that page alone.

    python tests/vectors/generate_network.py            write the file
    python tests/vectors/generate_network.py --check    compare it with what is there

Every case has a `name` and `expect`: "ok", or the kind of error that a reader owes it;
an invalid case differs from a valid one in one thing.  Bytes are in hex.  A session is
what a follower asks and is told, in order; `known` are the envelopes it has before.
Imports nothing of the program: naive_bundle.py has a log of its own.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from naive_bundle import (
    Key,
    Said,
    checkpoint_text,
    commitment,
    digest_of,
    entry_of,
    pack,
    say,
    signed_note,
    strings_of,
    tree_root,
    trie,
    trie_hash,
    vkey,
)

Case = dict[str, Any]
Exchange = tuple[bytes, bytes]

ORIGIN = "byline.example/0123456789abcdef0123456789abcdef"
LOG_KEY, AUTHOR = Key("followed log"), Key("gossiping author")
TIME = 1_767_225_600_000
HASH = bytes(range(32))
MAX_BATCH = 60_000


def ok(name: str, **fields: Any) -> Case:
    return {"name": name, "expect": "ok", **fields}


def bad(name: str, kind: str = "malformed", **fields: Any) -> Case:
    return {"name": name, "expect": kind, **fields}


def work(number: int, **further: Any) -> Said:
    salt = number.to_bytes(16, "big")
    about = digest_of(b"work %d" % number)
    return say(AUTHOR, "work", about, time=TIME + number, salt=salt, **further)


def forged(said: Said) -> bytes:
    return pack([1, said.body, bytes([said.signature[0] ^ 1]) + said.signature[1:]])


# A log, and what it answers


class Log:
    """Entries as they are given; checkpoints over any number of them."""

    def __init__(self, *commits: Sequence[Said]) -> None:
        self.said = [one for commit in commits for one in commit]
        self.entries = [commitment(0, trie_hash(trie([])))]
        strings: list[bytes] = []
        for commit in commits:
            for one in commit:
                self.entries.append(entry_of(one))
                strings = sorted(strings + strings_of(one))
            self.entries.append(commitment(len(strings), trie_hash(trie(strings))))
        self.set_root = trie_hash(trie(strings))

    def root(self, size: int) -> bytes:
        return tree_root(tuple(self.entries[:size]))

    def note(self, size: int) -> bytes:
        text = checkpoint_text(ORIGIN, size, self.root(size))
        return signed_note(text, ORIGIN, LOG_KEY)

    def head(self, size: int, seen: int = 0, **other: Any) -> Exchange:
        proof = consistency(seen, self.entries[:size]) if 0 < seen < size else []
        fields = {"note": self.note(size), "proof": proof, "vkey": log_vkey()}
        return ask("head", **{"from": seen}), pack(fields | other)

    def page(self, start: int, end: int, size: int, **other: Any) -> Exchange:
        proof = consistency(end, self.entries[:size]) if end < size else []
        fields = {"entries": self.entries[start:end], "proof": proof}
        return ask("entries", start=start, size=size), pack(fields | other)

    def last(self, size: int, **other: Any) -> Exchange:
        fields = {"entry": self.entries[size - 1], "frontier": self.frontier(size - 1)}
        return ask("commitment", size=size), pack(fields | other)

    def frontier(self, size: int) -> list[bytes]:
        hashes, start = [], 0
        for level in range(size.bit_length() - 1, -1, -1):
            if size >> level & 1:
                hashes.append(tree_root(tuple(self.entries[start : start + 2**level])))
                start += 2**level
        return hashes


def log_vkey() -> str:
    return vkey(ORIGIN, LOG_KEY)


def consistency(old: int, entries: Sequence[bytes]) -> list[bytes]:
    """RFC 6962, 2.1.2."""
    return subproof(old, tuple(entries), whole=True)


def subproof(m: int, entries: tuple[bytes, ...], *, whole: bool) -> list[bytes]:
    if m == len(entries):
        return [] if whole else [tree_root(entries)]
    k = 1
    while 2 * k < len(entries):
        k *= 2
    left, right = entries[:k], entries[k:]
    if m <= k:
        return [*subproof(m, left, whole=whole), tree_root(right)]
    return [*subproof(m - k, right, whole=False), tree_root(left)]


def ask(what: str, **fields: Any) -> bytes:
    return pack({"ask": what, **fields})


def bodies(said: Sequence[Said], envelopes: Sequence[bytes] | None = None) -> Exchange:
    if envelopes is None:
        envelopes = [one.envelope for one in said]
    ids = b"".join(one.id for one in said)
    return ask("statements", ids=ids), pack({"envelopes": list(envelopes)})


# Messages


def request_cases() -> list[Case]:
    good = {
        "head at first contact": {"ask": "head", "from": 0},
        "head": {"ask": "head", "from": 2**63 - 1},
        "commitment": {"ask": "commitment", "size": 7},
        "entries": {"ask": "entries", "size": 7, "start": 3},
        "statements": {"ask": "statements", "ids": HASH + HASH[::-1]},
        "4,096 statements": {"ask": "statements", "ids": HASH * 4096},
    }
    wrong = {
        "something else": {"ask": "everything"},
        "nothing": {"from": 0},
        "a key too many": {"ask": "head", "from": 0, "to": 1},
        "a key too few": {"ask": "entries", "size": 7},
        "a size of 2^63": {"ask": "head", "from": 2**63},
        "a size as text": {"ask": "commitment", "size": "7"},
        "no ids": {"ask": "statements", "ids": b""},
        "a part of an id": {"ask": "statements", "ids": HASH[1:]},
        "4,097 statements": {"ask": "statements", "ids": HASH * 4097},
        "ids in an array": {"ask": "statements", "ids": [HASH]},
    }
    raw = {
        "no map": pack(["head", 0]),
        "keys out of order": b"\x82\xa4from\x00\xa3ask\xa4head",
        "a long integer": b"\x82\xa3ask\xa4head\xa4from\xcc\x00",
        "a byte too many": pack({"ask": "head", "from": 0}) + b"\x00",
        "truncated": pack({"ask": "head", "from": 0})[:-1],
        "empty": b"",
    }
    return message_cases(good, wrong, raw)


def response_cases() -> list[Case]:
    good = {
        "the same": {"same": True},
        "head": {"note": b"note", "proof": [HASH], "vkey": "vkey"},
        "commitment": {"entry": commitment(0, HASH), "frontier": [HASH]},
        "entries": {"entries": [b"\x00", b""], "proof": []},
        "envelopes": {"envelopes": [b"\x93", b""]},
        "a refusal": {"error": "why"},
    }
    wrong = {
        "not the same": {"same": False},
        "a key too many": {"same": True, "size": 1},
        "no key": {},
        "entries that are text": {"entries": ["entry"], "proof": []},
        "a hash of 31 bytes": {"entries": [], "proof": [HASH[1:]]},
        "129 hashes": {"entries": [], "proof": [HASH] * 129},
        "4,097 envelopes": {"envelopes": [b""] * 4097},
        "a commitment of 65 bytes": {"entry": bytes(65), "frontier": []},
        "a key that is bytes": {"note": b"", "proof": [], "vkey": b""},
        "nested too deep": {"entries": [[b""]], "proof": [[HASH]]},
    }
    return message_cases(good, wrong, {"nil": b"\xc0", "empty": b""})


def message_cases(
    good: dict[str, Any], wrong: dict[str, Any], raw: dict[str, bytes]
) -> list[Case]:
    return [
        *(ok(name, bytes=pack(fields).hex()) for name, fields in good.items()),
        *(bad(name, bytes=pack(fields).hex()) for name, fields in wrong.items()),
        *(bad(name, bytes=data.hex()) for name, data in raw.items()),
    ]


def frame_cases() -> list[Case]:
    """`bodies` come out of `bytes`, at most `most` bytes each; then the stream ends."""
    two = "00000002aabb"
    return [
        ok("none", bytes="", most=2, bodies=[]),
        ok("one", bytes=two, most=2, bodies=["aabb"]),
        ok("two", bytes=two + "00000001cc", most=2, bodies=["aabb", "cc"]),
        ok("an empty one", bytes="00000000", most=2, bodies=[""]),
        bad("too long", bytes=two, most=1, bodies=[]),
        bad("half a length", bytes="0000", most=2, bodies=[]),
        bad("half a body", bytes="00000002aa", most=2, bodies=[]),
    ]


def batch_cases() -> list[Case]:
    one, two = work(1), work(2)
    later = pack([2, one.body, one.signature])
    first, second = pack([1, one.body, one.signature]), two.envelope

    def sifted(name: str, items: list[bytes], fresh: list[Said], **counts: int) -> Case:
        header = pack([0] * len(items))[: 1 if len(items) < 16 else 3]
        expected = {"known": 0, "unsupported": 0, "bad": 0} | counts
        ids = [said.id.hex() for said in fresh]
        return ok(name, bytes=(header + b"".join(items)).hex(), fresh=ids, **expected)

    return [
        sifted("empty", [], []),
        sifted("two statements", [first, second], [one, two]),
        sifted("one of them twice", [first, second, first], [one, two], known=1),
        sifted("a forgery first", [forged(one), first], [one], bad=1),
        sifted("a later version", [later, second], [two], unsupported=1),
        sifted("an item that is none", [b"\x01", second], [two], bad=1),
        sifted("1,024 items", [b"\x01"] * 1024, [], bad=1024),
        bad("1,025 items", bytes=(b"\xdc\x04\x01" + b"\x01" * 1025).hex()),
        bad("no array", bytes="80"),
        bad("a long header", bytes="dc0000"),
        bad("a byte too many", bytes="9000"),
        bad("an item missing", bytes="91"),
        bad("60,001 bytes", bytes=(b"\x91\xc5\xea\x5d" + bytes(59_997)).hex()),
    ]


# Sessions


def session(*exchanges: Exchange) -> list[dict[str, str]]:
    return [{"request": a.hex(), "response": b.hex()} for a, b in exchanges]


def session_cases() -> list[Case]:
    return [*good_sessions(), *lying_statements(), *lying_logs(), *lying_heads()]


SAID = [work(1), work(2), work(3, title="a third")]
LOG = Log(SAID[:2], SAID[2:])
FIRST = [LOG.head(4), LOG.page(0, 4, 4), bodies(SAID[:2])]
"""A session with the first four leaves of LOG."""


def admits(name: str, sessions: list[list[dict[str, str]]], **fields: Any) -> Case:
    ids = [said.id.hex() for said in fields.pop("admitted", SAID)]
    root = fields.pop("set_root", LOG.set_root).hex()
    return ok(name, sessions=sessions, admitted=ids, set_root=root, **fields)


def good_sessions() -> list[Case]:
    grown = session(LOG.head(6, 4), LOG.page(4, 6, 6), bodies(SAID[2:]))
    unchanged = session((ask("head", **{"from": 6}), pack({"same": True})))
    pages = session(
        LOG.head(6),
        LOG.page(0, 2, 6),
        bodies(SAID[:1]),
        LOG.page(2, 6, 6),
        bodies(SAID[1:], [SAID[1].envelope]),
        bodies(SAID[2:]),
    )
    long = Log([work(n) for n in range(100, 170)])
    known = [said.envelope.hex() for said in long.said]
    jump = session(long.head(72), long.last(72))
    return [
        admits("from the start, then what is new, then nothing new",
               [session(*FIRST), grown, unchanged]),
        admits("pages that are not full", [pages]),
        admits("a set that is known whole", [jump], known=known, admitted=[],
               set_root=long.set_root),
        admits("a statement that is known", [session(
            LOG.head(6), LOG.page(0, 6, 6), bodies(SAID[1:]))],
            known=[SAID[0].envelope.hex()], admitted=SAID[1:]),
        gap(),
    ]  # fmt: skip


def gap() -> Case:
    held = [SAID[0].envelope, b"", SAID[2].envelope]
    rest = [SAID[0], SAID[2]]
    return admits(
        "a statement that is not to be had",
        [session(LOG.head(6), LOG.page(0, 6, 6), bodies(SAID, held))],
        admitted=rest,
        set_root=Log(rest).set_root,
        gaps=[SAID[1].id.hex()],
    )


def lie(name: str, kind: str, *exchanges: Exchange, before: Any = ()) -> Case:
    return bad(name, kind, sessions=[*before, session(*exchanges)])


def lying_statements() -> list[Case]:
    def told(name: str, kind: str, *envelopes: bytes) -> Case:
        return lie(name, kind, *FIRST[:2], bodies(SAID[:2], envelopes))

    one, two = SAID[0].envelope, SAID[1].envelope
    return [
        told("a forged signature", "bad-signature", forged(SAID[0]), two),
        told("another statement", "verification", two, two),
        told("no envelope", "malformed", b"\x90", two),
        told("no answer at all", "malformed"),
        told("more than was asked", "malformed", one, two, one),
    ]


def lying_logs() -> list[Case]:
    def signs(name: str, kind: str, *entries: bytes) -> Case:
        log = Log()
        log.entries += entries
        size = len(log.entries)
        steps = [log.head(size), log.page(0, size, size)]
        if kind == "keys":
            kind, steps = "verification", [*steps, bodies(SAID[:1])]
        return lie(name, kind, *steps)

    entry = entry_of(SAID[0])
    root = trie_hash(trie(sorted(strings_of(SAID[0]))))
    other_tag = entry[:33] + bytes(8) + entry[41:]
    return [
        signs("a statement under another tag", "keys", other_tag, commitment(2, root)),
        signs("a statement twice", "verification", entry, entry, commitment(2, root)),
        signs("a count that is wrong", "verification", entry, commitment(3, root)),
        signs("no commitment at the end", "verification", entry),
        signs("an entry of no kind", "malformed", b"\x07", commitment(0, root)),
        lie("entries that were changed", "proof", LOG.head(4),
            LOG.page(0, 4, 4, entries=[*LOG.entries[:3], LOG.entries[5]])),
        lie("entries that were left out", "proof", LOG.head(4),
            LOG.page(0, 4, 4, entries=LOG.entries[:3])),
        lie("no entries", "malformed", LOG.head(4), LOG.page(0, 4, 4, entries=[])),
        lie("more entries than there are", "malformed", LOG.head(4),
            LOG.page(0, 4, 4, entries=LOG.entries[:5])),
        lie("a refusal", "not-found", LOG.head(4),
            (ask("entries", start=0, size=4), pack({"error": "no"}))),
        false_commitment(),
    ]  # fmt: skip


def false_commitment() -> Case:
    long = Log([work(n) for n in range(100, 170)])
    entry = commitment(140, HASH)
    return lie("a commitment that is not the last leaf", "proof",
               long.head(72), long.last(72, entry=entry))  # fmt: skip


def lying_heads() -> list[Case]:
    before = [session(*FIRST)]
    fork = Log([SAID[0], SAID[2]])
    longer = Log([SAID[0], SAID[2]], [SAID[1]])
    stranger = vkey(ORIGIN, Key("stranger"))
    other_name = vkey("byline.example/other", LOG_KEY)
    seen = {"from": 4}
    return [
        lie("a checkpoint signed by another key", "bad-signature",
            LOG.head(4, vkey=stranger)),
        lie("a checkpoint of another name", "bad-signature",
            LOG.head(4, vkey=other_name)),
        lie("no note", "malformed", LOG.head(4, note=b"note")),
        lie("the same, at first contact", "malformed",
            (ask("head", **{"from": 0}), pack({"same": True}))),
        lie("a log that went back", "verification",
            (ask("head", **seen), LOG.head(1)[1]), before=before),
        lie("two trees of one size", "inconsistent-log",
            (ask("head", **seen), fork.head(4)[1]), before=before),
        lie("a longer tree of another history", "inconsistent-log",
            longer.head(6, 4), before=before),
        lie("a proof of something else", "inconsistent-log",
            LOG.head(6, 4, proof=[HASH]), before=before),
    ]  # fmt: skip


# The worked example


def example() -> dict[str, Any]:
    """A log of two statements, followed from its start."""
    frame = [len(body).to_bytes(4, "big") + body for body in FIRST[0]]
    return {
        "vkey": log_vkey(),
        "note": LOG.note(4).decode(),
        "entries": [entry.hex() for entry in LOG.entries[:4]],
        "head_frames": [data.hex() for data in frame],
        "exchanges": session(*FIRST),
        "same": session((ask("head", **{"from": 4}), pack({"same": True}))),
        "batch": (b"\x92" + SAID[0].envelope + SAID[1].envelope).hex(),
    }


def vectors() -> dict[str, Any]:
    return {
        "batches": batch_cases(),
        "example": example(),
        "frames": frame_cases(),
        "requests": request_cases(),
        "responses": response_cases(),
        "sessions": session_cases(),
    }


def main() -> None:
    path = Path(__file__).with_name("network.json")
    text = json.dumps(vectors(), indent=1, sort_keys=True) + "\n"
    if "--check" not in sys.argv[1:]:
        path.write_text(text, "ascii")
        print(f"{path.name}: {len(text)} bytes")
    elif path.read_text("ascii") != text:
        sys.exit(f"{path.name} is not what {Path(__file__).name} writes")


if __name__ == "__main__":
    main()
