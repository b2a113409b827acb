"""Cases of bundle.json, and the small bundles that invalid ones are made from."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from bundle_logs import Clock, Fields, few_log, made_from, new_log, work_of
from naive_bundle import (
    Key,
    Said,
    commitment,
    inclusion_of,
    say,
    sha256,
    strings_of,
    subject,
    tag,
    trie,
    trie_hash,
)
from naive_prover import View, encode

Case = dict[str, Any]


def case(name: str, why: str, data: bytes, expect: Fields, ask: Fields) -> Case:
    return {
        "name": name,
        "why": why,
        "bundle": b64encode(data).decode(),
        "ask": ask,
        "expect": expect,
    }


class Small:
    """A log of nine statements, and its bundle for "work", which changes spoil."""

    def __init__(self, variant: int) -> None:
        log = self.log = new_log("small")
        self.clock = Clock()
        author, stranger, friend = map(Key, ("author", "stranger", "friend"))
        source, self.first = self._work(author, "source"), self._work(author, "work")
        self.other = self._work(author, "other")
        fill = [self._fill(f"{variant} {number}") for number in range(3)]
        self.older = log.publish([source, self.first, self.other, *fill])
        self.source = source
        self.claim = self._work(author, "work", "source")
        self.dispute = self._say(stranger, "dispute", self.claim.name, reason="other")
        self.withdrawal = self._say(author, "withdraw", self.first.name, reason="legal")
        self.view = log.publish([self.claim, self.dispute, self.withdrawal])
        self.newer = deepcopy(log).publish([self._work(friend, "later")])
        self.asked = work_of("work")

    def _say(self, key: Key, type_: str, about: bytes, **further: Any) -> Said:
        return say(key, type_, about, time=self.clock(), **further)

    def _work(self, key: Key, name: str, *sources: str) -> Said:
        if not sources:
            return self._say(key, "work", work_of(name))
        listed = made_from(*((work_of(one), "inputTo") for one in sources))
        return self._say(key, "work", work_of(name), sources=listed)

    def _fill(self, name: str) -> Said:
        """A statement that has nothing to do with the work, and fills the set."""
        return self._work(Key("filler"), name, *(f"{name} {n}" for n in range(8)))

    def shows_everything(self) -> bool:
        """Whether its bundle has what the cases below need: all kinds of nodes."""
        opened_nodes = list(nodes(self.fields()["opening"]))
        inner = [node[1] for node in opened_nodes if node[0] == "inner"]
        closed = [node for node in opened_nodes if node[0] == "closed"]
        return len(closed) > 0 and any(d > 0 for d in inner)

    def fields(self) -> Fields:
        """A bundle that holds, to be spoiled by the caller."""
        return deepcopy(self.view.bundle(self.asked, 4)[0])

    def without(self, *dropped: Said) -> Fields:
        """A bundle of a log that never saw these, under this log's checkpoint."""
        fields = self.fields()
        gone = {string for said in dropped for string in strings_of(said)}
        top = trie(sorted(self.log.strings - gone))
        view = View(self.log, self.view.entries, top, self.view.count - len(gone))
        other = view.bundle(self.asked, 4)[0]
        for name in ("opening", "statements", "inclusion", "strings", "depth"):
            fields[name] = deepcopy(other[name])
        return fields

    def with_row(self, fields: Fields, row: list[Any]) -> Fields:
        """A bundle with one more statement, and the proof of all."""
        rows = sorted([*fields["statements"], row], key=lambda one: id_in(one[1]))
        return fields | {"statements": rows, "inclusion": self.proof_of(rows)}

    def proof_of(self, rows: list[list[Any]], view: View | None = None) -> bytes:
        """The shared proof of these rows, in this tree or another."""
        entries = (view or self.view).entries
        return b"".join(inclusion_of({row[0] for row in rows}, entries))

    def lying(self, top: list[Any], count: int) -> View:
        """This log's tree, but the last entry commits to another lookup set."""
        last = commitment(count, trie_hash(top))
        return View(self.log, (*self.view.entries[:-1], last), top, count)

    def with_strings(self, *more: bytes) -> View:
        """A log that lies: its set has strings too many."""
        strings = sorted(self.log.strings | set(more))
        return self.lying(trie(strings), len(strings))


def row_of(fields: Fields, said: Said) -> list[Any]:
    """The row of a statement in a bundle."""
    row: list[Any] = next(r for r in fields["statements"] if r[1] == said.envelope)
    return row


def nodes(node: list[Any]) -> Iterator[list[Any]]:
    yield node
    if node[0] == "inner":
        yield from nodes(node[5])
        yield from nodes(node[6])


def leaf_with(fields: Fields, string: bytes) -> list[Any]:
    found = (n for n in nodes(fields["opening"]) if n[0] == "leaf" and string in n[1])
    return next(found)


def about_string(said: Said) -> bytes:
    """The string under which a statement is listed with what it is about."""
    return subject(said.fields["about"]) + tag(said.author) + said.id


def inner_with_prefix(fields: Fields, *, ragged: bool = False) -> list[Any]:
    """An open inner node with a label; `ragged`: that ends within a byte."""
    found = (n for n in nodes(fields["opening"]) if n[0] == "inner" and n[1])
    return next(n for n in found if not ragged or n[1] % 8)


FEW = few_log()
SMALL = next(small for small in map(Small, range(99)) if small.shows_everything())
ALONE = work_of("alone")


def few() -> Fields:
    """The bundle for "alone", which holds, to be spoiled where no trie is needed."""
    return deepcopy(FEW.bundle(ALONE, 4)[0])


def bad(
    level: str,
    name: str,
    why: str,
    fields: Fields | bytes,
    *,
    digest: bytes = ALONE,
    **ask: Any,
) -> Case:
    data = fields if isinstance(fields, bytes) else encode(fields)
    return case(name, why, data, {"level": level}, {"digest": digest.hex(), **ask})


def incomplete(name: str, why: str, fields: Fields, **ask: Any) -> Case:
    """A change to the bundle for "work" that leaves it without its completeness."""
    return bad("completeness", name, why, fields, digest=SMALL.asked, **ask)


def not_included(name: str, why: str, fields: Fields) -> Case:
    return bad("inclusion", name, why, fields, digest=SMALL.asked)


def id_in(envelope: bytes) -> bytes:
    """Id of the statement in an envelope: array of 3, version, bin, bin of 64."""
    head = {0xC4: 2, 0xC5: 3}[envelope[2]]
    return sha256(envelope[2 + head : -66])
