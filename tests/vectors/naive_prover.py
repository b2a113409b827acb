"""A naive log and prover: bundle.md, "Chain" and "Answer", read straight.

Nothing of the program is imported; what is shared is naive_bundle.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from naive_bundle import (
    Key,
    Said,
    checkpoint_text,
    commitment,
    digest_of,
    entry_of,
    inclusion,
    lookup,
    opened,
    pack,
    signed_note,
    strings_of,
    subject,
    tag,
    tree_root,
    trie,
    trie_hash,
    vkey,
    write_opening,
)

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
        index = self.log.index[id_]
        proof = b"".join(inclusion(index, self.entries))
        return [index, self.log.said[id_].envelope, proof]

    def gone_row(self, id_: bytes) -> list[Any]:
        index = self.log.index[id_]
        proof = b"".join(inclusion(index, self.entries))
        return [index, self.entries[index], proof, self.log.gone[id_]]

    def bundle(self, asked: bytes, depth: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """Fields of the bundle (`opening` as a trie), and the answer's headline."""
        chain = Chain(self)
        answer = chain.answer(asked, depth)
        last = len(self.entries) - 1
        fields = {
            "asked": asked,
            "checkpoint": self.note,
            "depth": answer["depth"],
            "earlier": [],
            "format": "byline-bundle/2",
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


# Which lookups are owed (bundle.md, "Chain"), and the answer's headline ("Answer")

MAX_EVIDENCE = 8 << 20


@dataclass
class Found:
    """Count, statements that are there, ids of those taken down; is that all, and all
    there?"""

    count: int
    shown: list[Said]
    gone: list[bytes]
    whole: bool


class Chain:
    def __init__(self, view: View) -> None:
        self.view = view
        self.visited: set[int] = set()
        self.used: set[bytes] = set()
        self.weight = 0
        self.gaps: set[str] = set()
        self.histories: dict[bytes, tuple[int, bool, bytes | None]] = {}

    def look(self, prefix: bytes, page: int, gap: str) -> Found | None:
        """What is shown; None where no lookup is owed any more."""
        if self.weight > MAX_EVIDENCE:
            self.gaps.add("bytes")
            return None
        self.weight += 2048
        count, strings = lookup(self.view.top, prefix, page, self.visited)
        if count > len(strings):
            self.gaps.add(gap)
        there: list[Said] = []
        gone: list[bytes] = []
        for string in strings:
            self._use(string[40:], there, gone)
        return Found(count, there, gone, count == len(strings) and not gone)

    def _use(self, id_: bytes, there: list[Said], gone: list[bytes]) -> None:
        said, log = self.view.log.said[id_], self.view.log
        if id_ in log.gone:
            gone.append(id_)
            weight = len(log.entries[log.index[id_]])
        else:
            there.append(said)
            weight = len(said.body) + len(said.signature)
        if id_ not in self.used:
            self.used.add(id_)
            self.weight += weight

    def answer(self, asked: bytes, depth: int) -> dict[str, Any]:
        works: list[dict[str, Any]] = []
        visited, row, level = {asked}, [asked], 0
        while row and level <= depth:
            sources: set[bytes] = set()
            for digest in row:
                work = self._work(digest, level)
                works.append(work)
                sources |= {one for said, *_ in work["said"] for one in said.sources}
            row = sorted(sources - visited)
            if len(works) + len(row) > 256:
                self.gaps.add("works")
                row = row[: 256 - len(works)]
            visited |= set(row)
            level += 1
        if row:
            self.gaps.add("depth")
        works = [self._told(work) for work in works]
        return {
            "depth": level - 1,
            "gaps": sorted(self.gaps),
            "keys": self._keys(),
            # To keep the vectors small, what is empty is left out.
            "works": [work for work in works if work["total"] != 0],
            "works_total": len(works),
        }

    def _keys(self) -> list[dict[str, Any]]:
        return [
            {"author": key.hex(), "total": total, "successor": after and after.hex()}
            for key, (total, _, after) in sorted(self.histories.items())
            if total
        ]

    def _work(self, digest: bytes, level: int) -> dict[str, Any]:
        """The work; each statement shown, its author's own word, and if that is all."""
        found = self.look(subject(digest), 256, "work page")
        shown = found.shown if found else []
        said = [(one, *self._own(one)) for one in shown]
        return {
            "digest": digest[2:].hex(),
            "level": level,
            "total": found.count if found else None,
            "said": said,
            "gone": found.gone if found else [],
        }

    def _told(self, work: dict[str, Any]) -> dict[str, Any]:
        claims: list[dict[str, Any] | int] = []
        remarks: list[dict[str, Any]] = []
        gone = work.pop("gone")
        if gone:
            work["redacted"] = self._indexes(gone)
        for said, own, settled, missing in work.pop("said"):
            claim = self._claim(said, own, settled, missing)
            if said.type == "work":
                if gone and claim["status"] == "effective":
                    claim["status"] = "unknown"
                plain = len(claim) == 3 and claim["status"] == "effective"
                claims.append(claim["index"] if plain else claim)
            else:
                brief = {key: claim[key] for key in ("id", "index", "status")}
                if said.type == "withdraw" and claim["status"] != "withdrawn":
                    brief["status"] = "unknown"
                remarks.append(brief)
        if claims:
            work["claims"] = sorted(claims, key=_index)
        if remarks:
            work["remarks"] = sorted(remarks, key=_index)
        return work

    def _indexes(self, ids: list[bytes]) -> list[int]:
        return sorted(self.view.log.index[id_] for id_ in set(ids))

    def _claim(
        self, said: Said, own: list[Said], settled: bool, missing: list[bytes]
    ) -> dict[str, Any]:
        found = self.look(subject(said.name), 32, "remark page")
        if found is None:
            return self._headline(said, own, settled, [], None, missing)
        count, shown = found.count, found.shown
        missing = missing + found.gone
        settled = settled and not found.gone
        # The page may show a word of the author that the page of own words does not.
        acting, _ = self._acting(said.author)
        own = own + [one for one in shown if one.author in acting and one not in own]
        decided = self._status(own, settled)[1]
        remarks = []
        for remark in shown:
            if remark.id.hex() == decided:
                continue
            if remark.type == "withdraw":
                status = "no-effect" if settled else "unknown"
                if remark in own:
                    status = "effective"
            else:
                word, all_there, _ = self._own(remark)
                status = self._status(word, all_there)[0]
            remarks.append([remark.type, self._brief(remark, status)])
        return self._headline(said, own, settled, remarks, count, missing)

    def _own(self, said: Said) -> tuple[list[Said], bool, list[bytes]]:
        """Statements about `said` by the keys acting for its author; are these all?"""
        keys, settled = self._acting(said.author)
        own: list[Said] = []
        gone: list[bytes] = []
        for key in keys:
            found = self.look(subject(said.name) + tag(key), 16, "own page")
            if found is None:
                return own, False, gone
            own += [one for one in found.shown if one.author == key]
            gone += found.gone
            settled = settled and found.whole
        return own, settled, gone

    def _acting(self, author: bytes) -> tuple[list[bytes], bool]:
        keys = [author]
        for successors in range(9):
            _, complete, after = self._history(keys[-1])
            if not complete:
                return keys, False
            if after is None or after in keys:
                return keys, True
            if successors < 8:
                keys.append(after)
        self.gaps.add("successors")
        return keys, False

    def _history(self, key: bytes) -> tuple[int, bool, bytes | None]:
        if key not in self.histories:
            found = self.look(subject(digest_of(key)) + tag(key), 16, "own page")
            self.histories[key] = (0, False, None)
            if found is not None:
                named = set(successors(found.shown, key)) if found.whole else set()
                after = named.pop() if len(named) == 1 else None
                self.histories[key] = (found.count, found.whole, after)
        return self.histories[key]

    def _status(self, own: list[Said], settled: bool) -> tuple[str, str | None]:
        withdrawals = [one for one in own if one.type == "withdraw"]
        if withdrawals:
            first = min(withdrawals, key=lambda one: self.view.log.index[one.id])
            return "withdrawn", first.id.hex()
        return ("effective" if settled else "unknown"), None

    def _brief(self, said: Said, status: str) -> dict[str, Any]:
        index = self.view.log.index[said.id]
        return {"id": said.id.hex(), "index": index, "status": status}

    def _headline(
        self,
        said: Said,
        own: list[Said],
        settled: bool,
        remarks: list[list[Any]],
        count: int | None,
        missing: list[bytes],
    ) -> dict[str, Any]:
        status, withdrawal = self._status(own, settled)
        lists: dict[str, list[Any]] = {"endorse": [], "dispute": [], "other": []}
        for type_, brief in remarks:
            lists.get(type_, lists["other"]).append(brief)
        further = {
            "withdrawal": withdrawal,
            "remarks_total": count,
            "endorsements": sorted(lists["endorse"], key=_index),
            "disputes": sorted(lists["dispute"], key=_index),
            "others": sorted(lists["other"], key=_index),
            "redacted": self._indexes(missing),
        }
        further = {name: value for name, value in further.items() if value}
        return {**self._brief(said, status), **further}


def successors(statements: Sequence[Said], key: bytes) -> Iterator[bytes]:
    """The keys that `rotate` statements by `key` hand over to."""
    for said in statements:
        after = said.fields.get("successor")
        is_key = isinstance(after, bytes) and len(after) == 32
        if said.type == "rotate" and said.author == key and is_key:
            yield after


def _index(brief: dict[str, Any] | int) -> int:
    return brief if isinstance(brief, int) else int(brief["index"])
