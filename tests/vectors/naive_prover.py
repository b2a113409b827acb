"""A naive log and prover: bundle.md, "File" and "Opening", read straight.

Nothing of the program is imported; what is shared is naive_bundle.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from naive_bundle import (
    Key,
    Said,
    checkpoint_text,
    commitment,
    entry_of,
    inclusion,
    inclusion_of,
    lookup,
    opened,
    pack,
    signed_note,
    strings_of,
    subject,
    tree_root,
    trie,
    trie_hash,
    vkey,
    write_opening,
)
from naive_chain import Chain

# A log


@dataclass
class Log:
    """Entries and the statements behind them; every tree it publishes is `View`."""

    origin: str
    key: Key
    said: dict[bytes, Said] = field(default_factory=dict)
    index: dict[bytes, int] = field(default_factory=dict)
    strings: set[bytes] = field(default_factory=set)
    entries: list[bytes] = field(default_factory=list)
    gone: dict[bytes, bytes] = field(default_factory=dict)
    """Tombstones by statement id."""

    def take_down(self, said: Said, reason: str, time: int) -> None:
        self.gone[said.id] = pack({"reason": reason, "time": time})

    def publish(self, statements: Sequence[Said]) -> View:
        """Append the statements and a commitment; a fresh log publishes nothing."""
        for said in statements:
            self.said[said.id] = said
            self.index[said.id] = len(self.entries)
            self.strings |= set(strings_of(said))
            self.entries.append(entry_of(said))
        top = trie(sorted(self.strings))
        self.entries.append(commitment(len(self.strings), trie_hash(top)))
        return View(self, tuple(self.entries), top, len(self.strings))


@dataclass
class View:
    """One published tree of a log."""

    log: Log
    entries: tuple[bytes, ...]
    top: list[Any]
    count: int

    @property
    def text(self) -> bytes:
        return checkpoint_text(
            self.log.origin, len(self.entries), tree_root(self.entries)
        )

    @property
    def note(self) -> bytes:
        return signed_note(self.text, self.log.origin, self.log.key)

    @property
    def vkey(self) -> str:
        return vkey(self.log.origin, self.log.key)

    def row(self, id_: bytes) -> list[Any]:
        return [self.log.index[id_], self.log.said[id_].envelope]

    def gone_row(self, id_: bytes) -> list[Any]:
        index = self.log.index[id_]
        return [index, self.entries[index], self.log.gone[id_]]

    def inclusion(self, *ids: bytes) -> bytes:
        """The shared proof of these statements."""
        places = {self.log.index[id_] for id_ in ids}
        return b"".join(inclusion_of(places, self.entries)) if ids else b""

    def first(self, asked: Sequence[bytes], keys: Sequence[bytes]) -> list[bytes]:
        """Who claimed the one work first, where its page is not complete."""
        count, shown = lookup(self.top, subject(asked[0]), 256, set())
        if len(asked) > 1 or count == len(shown):
            return []
        log = self.log
        said = [one for one in log.said.values() if one.fields["about"] == asked[0]]
        said.sort(key=lambda one: log.index[one.id])
        there = [one for one in said[:256] if one.id not in log.gone]
        authors = dict.fromkeys(one.author for one in there if one.type == "work")
        return [key for key in authors if key not in keys][:8]

    def bundle(self, asked: bytes, depth: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """Fields of the bundle (`opening` as a trie), and the answer's headline."""
        return self.shared([asked], depth)

    def shared(
        self,
        asked: Sequence[bytes],
        depth: int,
        keys: Sequence[bytes] = (),
        first: Sequence[bytes] | None = None,
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The same for several works at once, and for a reader who trusts some keys."""
        asked, keys = sorted(asked), sorted(keys)
        first = self.first(asked, keys) if first is None else first
        chain = Chain(self, [*keys, *first])
        answer = chain.answer(asked, depth)
        last = len(self.entries) - 1
        fields = {
            "asked": asked,
            "checkpoint": self.note,
            "depth": answer["depth"],
            "earlier": [],
            "first": list(first),
            "format": "byline-bundle/3",
            "inclusion": self.inclusion(*chain.used),
            "keys": keys,
            "log": self.vkey,
            "opening": opened(self.top, chain.visited),
            "proof": b"".join(inclusion(last, self.entries)),
            "redacted": [
                self.gone_row(i) for i in sorted(chain.used) if i in self.log.gone
            ],
            "statements": [
                self.row(i) for i in sorted(chain.used) if i not in self.log.gone
            ],
            "strings": self.count,
        }
        return fields, answer


def encode(fields: dict[str, Any]) -> bytes:
    """A bundle's bytes; a trie under `opening` is written out."""
    if isinstance(fields.get("opening"), list):
        fields = {**fields, "opening": write_opening(fields["opening"])}
    return pack(fields)
