"""What the cases of alarm.json have in common: logs that lie, and alarms about them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from log_cases import LOG_KEY, ORIGIN, Case, bad, brief, ok
from naive_bundle import (
    Key,
    Said,
    checkpoint_text,
    commitment,
    consistency,
    digest_of,
    entry_of,
    inclusion,
    lookup,
    opened,
    pack,
    say,
    signed_note,
    tree_root,
    trie,
    trie_hash,
    vkey,
    write_opening,
)

FORMAT = "byline-alarm/1"
LIE = b"\x66" * 32
NOTICE = b"\x02moved to another origin"
Fields = dict[str, Any]


@cache
def work(number: int) -> Said:
    about = digest_of(b"work %d" % number)
    return say(Key("author"), "work", about, time=number, title=f"Work {number}")


def works(start: int, end: int) -> list[bytes]:
    """Entries."""
    return [entry_of(work(number)) for number in range(start, end)]


def strings_in(entries: tuple[bytes, ...] | list[bytes]) -> list[bytes]:
    """Lookup strings of the statement entries, as bytes say it (log.md, "Entries")."""
    found = []
    for entry in entries:
        if entry[0] == 0:
            keys = [entry[at : at + 32] for at in range(42, len(entry), 32)]
            found += [key + entry[33:41] + entry[1:33] for key in keys]
    return sorted(found)


def commit(entries: tuple[bytes, ...] | list[bytes]) -> bytes:
    """The true commitment to these entries."""
    strings = strings_in(entries)
    return commitment(len(strings), trie_hash(trie(strings)))


def opening(strings: list[bytes], wanted: list[bytes]) -> bytes:
    """Of the set of `strings`, open where the `wanted` ones lead."""
    top, visited = trie(strings), set[int]()
    for string in wanted:
        lookup(top, string, 1, visited)
    return write_opening(opened(top, visited))


def closed(strings: list[bytes]) -> bytes:
    return b"\0" + trie_hash(trie(strings))


@dataclass(frozen=True)
class Tree:
    """What a log signed, be it true or not."""

    entries: tuple[bytes, ...]
    origin: str = ORIGIN
    key: Key = LOG_KEY

    @property
    def size(self) -> int:
        return len(self.entries)

    @property
    def note(self) -> bytes:
        text = checkpoint_text(self.origin, self.size, tree_root(self.entries))
        return signed_note(text, self.origin, self.key)

    @property
    def vkey(self) -> str:
        return vkey(self.origin, self.key)

    def root(self, size: int) -> bytes:
        return tree_root(self.entries[:size])

    def leaf(self, index: int) -> list[Any]:
        proof = b"".join(inclusion(index, self.entries))
        return [index, self.entries[index], proof]

    def proof(self, old: int) -> bytes:
        return b"".join(consistency(old, self.entries))

    def frontier(self, size: int) -> bytes:
        """Roots of the perfect subtrees of the first leaves, largest first."""
        found, done = b"", 0
        for bit in reversed(range(size.bit_length())):
            if size >> bit & 1:
                found += tree_root(self.entries[done : done + (1 << bit)])
                done += 1 << bit
        return found

    def alarm(self, kind: str, **fields: Any) -> Fields:
        common = {"format": FORMAT, "kind": kind, "note": self.note, "vkey": self.vkey}
        return common | fields


@cache
def honest() -> Tree:
    """Commitments at 0, 21 and 27; 20 and 5 works before the last two."""
    entries = [commit([])]
    for start, end in ((0, 20), (20, 25)):
        entries += works(start, end)
        entries.append(commit(entries))
    return Tree(tuple(entries))


def on(*entries: bytes) -> Tree:
    """The honest log, going on with these from entry 28."""
    return Tree(honest().entries + entries)


def holds(name: str, fields: Fields) -> Case:
    """It proves its kind of the log that signed the note."""
    origin = fields["vkey"].split("+")[0]
    data = brief(pack(fields))
    return ok(name, alarm=data, kind=fields["kind"], origin=origin)


def fails(name: str, fields: Fields) -> Case:
    """Well-formed, and proves nothing."""
    return bad(name, "verification", alarm=brief(pack(fields)))


def bundle(entries: tuple[bytes, ...] | list[bytes]) -> bytes:
    return b"".join(len(one).to_bytes(2, "big") + one for one in entries)
