"""A log that is followed, as the vectors of docs/spec/network.md have it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
from naive_bundle import (
    consistency as consistency_of,
)

Case = dict[str, Any]
Exchange = tuple[bytes, bytes]

ORIGIN = "byline.example/0123456789abcdef0123456789abcdef"
LOG_KEY, AUTHOR = Key("followed log"), Key("gossiping author")
TIME = 1_767_225_600_000
HASH = bytes(range(32))
EMPTY = trie_hash(trie([]))


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

    def meet(self, size: int, known: bytes = EMPTY, **other: Any) -> Exchange:
        fields = {
            "entry": self.entries[size - 1],
            "frontier": self.frontier(size - 1),
            "note": self.note(size),
            "vkey": log_vkey(),
        }
        return ask("meet", root=known), pack(fields | other)

    def news(self, seen: int, size: int, end: int = 0, **other: Any) -> Exchange:
        end = end or size
        proof = consistency(end, self.entries[:size]) if end < size else []
        fields = {
            "entries": self.entries[seen:end],
            "note": self.note(size),
            "proof": proof,
        }
        return ask("next", **{"from": seen}), pack(fields | other)

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


def ask(what: str, **fields: Any) -> bytes:
    return pack({"ask": what, **fields})


def bodies(said: Sequence[Said], envelopes: Sequence[bytes] | None = None) -> Exchange:
    if envelopes is None:
        envelopes = [one.envelope for one in said]
    ids = b"".join(one.id for one in said)
    return ask("statements", ids=ids), pack({"envelopes": list(envelopes)})


def consistency(old: int, entries: Sequence[bytes]) -> list[bytes]:
    """RFC 6962, 2.1.2."""
    return consistency_of(old, tuple(entries))


def session(*exchanges: Exchange) -> list[dict[str, str]]:
    return [{"request": a.hex(), "response": b.hex()} for a, b in exchanges]


SAID = [work(1), work(2), work(3, title="a third")]
LOG = Log(SAID[:2], SAID[2:])
FIRST = [LOG.meet(4), LOG.page(0, 4, 4), bodies(SAID[:2])]
"""A session with the first four leaves of LOG."""
