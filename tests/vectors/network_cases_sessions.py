"""Sessions of following: what is asked, what is told, what the follower thinks of it.

A session is what a follower asks and is told, in order; `known` are the envelopes that
it has before.
"""

from __future__ import annotations

from typing import Any

from naive_bundle import (
    Key,
    commitment,
    entry_of,
    pack,
    strings_of,
    trie,
    trie_hash,
    vkey,
)
from network_log import (
    EMPTY,
    FIRST,
    HASH,
    LOG,
    LOG_KEY,
    ORIGIN,
    SAID,
    Case,
    Exchange,
    Log,
    ask,
    bad,
    bodies,
    forged,
    ok,
    session,
    work,
)


def session_cases() -> list[Case]:
    return [*good_sessions(), *lying_statements(), *lying_logs(), *lying_heads()]


def admits(name: str, sessions: list[list[dict[str, str]]], **fields: Any) -> Case:
    ids = [said.id.hex() for said in fields.pop("admitted", SAID)]
    root = fields.pop("set_root", LOG.set_root).hex()
    return ok(name, sessions=sessions, admitted=ids, set_root=root, **fields)


def good_sessions() -> list[Case]:
    grown = session(LOG.news(4, 6), bodies(SAID[2:]))
    unchanged = session((ask("next", **{"from": 6}), pack({"same": True})))
    pages = session(
        LOG.meet(6),
        LOG.page(0, 2, 6),
        bodies(SAID[:1]),
        LOG.page(2, 6, 6),
        bodies(SAID[1:], [SAID[1].envelope]),
        bodies(SAID[2:]),
    )
    long = Log([work(n) for n in range(100, 170)])
    known = [said.envelope.hex() for said in long.said]
    equal = session((ask("meet", root=long.set_root), pack({"equal": True})))
    jump = session(long.meet(72, b""))
    one = Log(SAID[:1]).set_root
    return [
        admits("from the start, then what is new, then nothing new",
               [session(*FIRST), grown, unchanged]),
        admits("pages that are not full", [pages]),
        admits("a set that is known whole", [equal, jump], known=known, admitted=[],
               set_root=long.set_root),
        admits("a statement that is known", [session(
            LOG.meet(6, one), LOG.page(0, 6, 6), bodies(SAID[1:]))],
            known=[SAID[0].envelope.hex()], admitted=SAID[1:]),
        admits("more news than fit into one answer", [session(*FIRST), session(
            LOG.news(4, 6, 5), bodies(SAID[2:]), LOG.page(5, 6, 6))]),
        gap(),
    ]  # fmt: skip


def gap() -> Case:
    held = [SAID[0].envelope, b"", SAID[2].envelope]
    rest = [SAID[0], SAID[2]]
    return admits(
        "a statement that is not to be had",
        [session(LOG.meet(6), LOG.page(0, 6, 6), bodies(SAID, held))],
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
        steps = [log.meet(size)]
        if kind != "last":
            steps += [log.page(0, size, size)]
        kind = "verification" if kind == "last" else kind
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
        signs("no commitment at the end", "malformed", entry),
        signs("a notice at the end", "last", b"\x02moved"),
        signs("an entry of no kind", "malformed", b"\x07", commitment(0, root)),
        lie("entries that were changed", "proof", LOG.meet(4),
            LOG.page(0, 4, 4, entries=[*LOG.entries[:3], LOG.entries[5]])),
        lie("entries that were left out", "proof", LOG.meet(4),
            LOG.page(0, 4, 4, entries=LOG.entries[:3])),
        lie("no entries", "malformed", LOG.meet(4), LOG.page(0, 4, 4, entries=[])),
        lie("more entries than there are", "malformed", LOG.meet(4),
            LOG.page(0, 4, 4, entries=LOG.entries[:5])),
        lie("a refusal", "not-found", LOG.meet(4),
            (ask("entries", start=0, size=4), pack({"error": "no"}))),
        false_commitment(),
    ]  # fmt: skip


def false_commitment() -> Case:
    long = Log([work(n) for n in range(100, 170)])
    entry = commitment(140, HASH)
    return lie("a commitment that is not the last leaf", "proof",
               long.meet(72, entry=entry))  # fmt: skip


def lying_heads() -> list[Case]:
    before = [session(*FIRST)]
    fork = Log([SAID[0], SAID[2]])
    longer = Log([SAID[0], SAID[2]], [SAID[1]])
    stranger = vkey(ORIGIN, Key("stranger"))
    other_name = vkey("byline.example/other", LOG_KEY)

    def tells(log: Log, size: int, **other: Any) -> list[Exchange]:
        """News of another history, and the head that convicts it."""
        return [log.news(4, size, **other), log.head(size, 4)]

    return [
        lie("a checkpoint signed by another key", "bad-signature",
            LOG.meet(4, vkey=stranger)),
        lie("a checkpoint of another name", "bad-signature",
            LOG.meet(4, vkey=other_name)),
        lie("no note", "malformed", LOG.meet(4, note=b"note")),
        lie("the same, at first contact", "malformed",
            (ask("meet", root=EMPTY), pack({"same": True}))),
        lie("an equal set, where that was not asked", "malformed",
            (ask("meet", root=b""), pack({"equal": True})),
            before=[session((ask("meet", root=EMPTY), pack({"equal": True})))]),
        lie("a log that went back", "verification",
            LOG.news(4, 1, entries=[]), before=before),
        lie("two trees of one size", "inconsistent-log",
            *tells(fork, 4), before=before),
        lie("a longer tree of another history", "inconsistent-log",
            *tells(longer, 6), before=before),
        lie("a proof of something else", "inconsistent-log",
            LOG.news(4, 6, proof=[HASH]), LOG.head(6, 4, proof=[HASH]), before=before),
        lie("news that are not in the log", "proof",
            LOG.news(4, 6, entries=LOG.entries[3:5]), LOG.head(6, 4), before=before),
        lie("news without entries", "malformed",
            LOG.news(4, 6, entries=[]), before=before),
        lie("news signed by another key of the same log", "bad-signature",
            LOG.news(4, 6, note=b"".join([LOG.note(6)[:-5], b"AAAA\n"])),
            LOG.meet(6, b""), before=before),
    ]  # fmt: skip
