"""Which lookups a naive prover owes: bundle.md, "Chain" and "Answer", read straight.

Nothing of the program is imported; what is shared is naive_bundle.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from naive_bundle import Said, digest_of, lookup, lookup_key, subject, tag
from naive_chain_state import Shown

MAX_EVIDENCE = 8 << 20
FOLLOWED = ("admit", "delegate", "leave", "offer")


@dataclass
class Found:
    """Count, statements that are there, ids of those taken down; is that all, and all
    there?"""

    count: int
    shown: list[Said]
    gone: list[bytes]
    all_shown: bool

    @property
    def whole(self) -> bool:
        return self.all_shown and not self.gone


@dataclass
class Own:
    """What is said about a statement by the keys that may act for its author."""

    said: list[Said]
    whole: bool
    gone: list[bytes]


@dataclass
class History:
    count: int
    whole: bool
    after: bytes | None
    rivals: list[bytes]
    recovery: bytes | None = None


class Chain:
    def __init__(self, view: Any, ahead: Sequence[bytes] = ()) -> None:
        """`ahead`: the keys of the reader, then those who came first."""
        self.view = view
        self.ahead = list(ahead)
        self.visited: set[int] = set()
        self.used: set[bytes] = set()
        self.weight = 0
        self.gaps: set[str] = set()
        self.histories: dict[bytes, History] = {}
        self.words: dict[tuple[bytes, bytes], dict[str, Any]] = {}
        self.whole: set[bytes] = set()
        self.gone: set[bytes] = set()
        """Prefixes of which all is there, and subjects of which something is gone."""

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
        found = Found(count, there, gone, count == len(strings))
        if found.whole:
            self.whole.add(prefix)
        if gone:
            self.gone.add(prefix[:32])
        return found

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

    def answer(self, asked: Sequence[bytes], depth: int) -> dict[str, Any]:
        works: list[dict[str, Any]] = []
        visited, row, level = set(asked), list(asked), 0
        while row and level <= depth:
            sources: set[bytes] = set()
            for digest in row:
                work = self._work(digest, level)
                works.append(work)
                sources |= {one for said, _ in work["said"] for one in said.sources}
            row = sorted(sources - visited)
            if len(works) + len(row) > 255 + len(asked):
                self.gaps.add("works")
                row = row[: 255 + len(asked) - len(works)]
            visited |= set(row)
            level += 1
        if row:
            self.gaps.add("depth")
        alone = len(asked) == 1 and bool(works[0]["said"])
        for work in works:
            work["said"] = [self._remarked(*row) for row in work["said"]]
        if alone:
            self._derived(works[0], asked[0])
        there = [id_ for id_ in self.used if id_ not in self.view.log.gone]
        log = self.view.log
        world = Shown([log.said[one] for one in there], log.index, self)
        works = [self._told(work, world) for work in works]
        return {
            "depth": level - 1,
            "gaps": sorted(self.gaps),
            "keys": self._keys(),
            # To keep the vectors small, what is empty is left out.
            "words": [one for _, one in sorted(self.words.items()) if one["total"]],
            "works": [work for work in works if work["total"] != 0],
            "works_total": len(works),
        }

    def _keys(self) -> list[dict[str, Any]]:
        return [
            {
                "author": key.hex(),
                "total": one.count,
                "successor": one.after and one.after.hex(),
                **({"recovery": one.recovery.hex()} if one.recovery else {}),
                **({"rivals": [k.hex() for k in one.rivals]} if one.rivals else {}),
            }
            for key, one in sorted(self.histories.items())
            if one.count
        ]

    def _work(self, digest: bytes, level: int) -> dict[str, Any]:
        """The work; each statement shown, and its author's own word."""
        found = self.look(subject(digest), 256, "work page")
        shown = list(found.shown) if found else []
        gone = list(found.gone) if found else []
        crowded = level == 0 and found is not None and not found.all_shown
        if crowded:
            self._more(digest, self.ahead, shown, gone)
        first = [s for key in self.ahead for s in shown if s.author == key]
        rest = [one for one in shown if one.author not in self.ahead]
        said: list[tuple[Said, Own]] = []
        looked_up = set(self.ahead)
        for turn in (first, rest):
            said += [
                (one, self._followed(one)) for one in turn if not _is_in(one, said)
            ]
            if crowded:
                claims = [one for one in turn if one.type == "work"]
                keys = {key for one in claims for key in self._acting_for(one)[0]}
                known = len(shown)
                self._more(digest, sorted(keys - looked_up), shown, gone)
                looked_up |= keys
                said += [(one, self._followed(one)) for one in shown[known:]]
        return {
            "digest": digest[2:].hex(),
            "level": level,
            "total": found.count if found else None,
            "said": said,
            "gone": gone,
        }

    def _more(
        self,
        digest: bytes,
        keys: Sequence[bytes],
        shown: list[Said],
        gone: list[bytes],
    ) -> None:
        """What these keys say about a work whose page is not complete."""
        for key in keys:
            found = self.look(subject(digest) + tag(key), 16, "own page")
            if found is not None:
                shown += [one for one in found.shown if one not in shown]
                gone += [one for one in found.gone if one not in gone]

    def _followed(self, said: Said) -> Own:
        """Own word; for a claim, membership and seal as well."""
        own = self._own(said)
        if said.type != "work":
            return own
        group, principal = key_of(said, "group"), key_of(said, "for") or said.author
        both = dict.fromkeys([said.author, principal])
        if group:
            for member in both:
                for key in self._acting(group)[0]:
                    self._word(digest_of(member), key)
                for key in self._acting(member)[0]:
                    self._word(digest_of(group), key)
            for key in self._acting(group)[0]:
                self._word(digest_of(group), key)
        nonce = key_of(said, "seal-nonce")
        if key_of(said, "seal") and nonce:
            for key in both:
                about = said.fields["about"]
                seal = digest_of(b"byline/seal/v1\0" + nonce + about + key)
                self._word(seal, key)
        return own

    def _word(self, about: bytes, key: bytes) -> None:
        """What a key says about something, each that may be withdrawn with its own
        word; once."""
        if (about, key) in self.words:
            return
        page = 64 if about == digest_of(key) else 16
        found = self.look(subject(about) + tag(key), page, "own page")
        word: dict[str, Any] = {"about": about[2:].hex(), "author": key.hex()}
        word["total"] = found.count if found else None
        said = [one for one in found.shown if one.author == key] if found else []
        word["said"] = [self._told_word(one) for one in said]
        if found and found.gone:
            word["redacted"] = self._indexes(found.gone)
        self.words[about, key] = word

    def _told_word(self, said: Said) -> Any:
        """Its index, and those of its own word; whether that is all."""
        index = self.view.log.index[said.id]
        if said.type not in FOLLOWED:
            return index
        own = self._own_by(said, self._acting(said.author))
        return [index, self._indexes([one.id for one in own.said]), own.whole]

    def _derived(self, work: dict[str, Any], digest: bytes) -> None:
        """What names the one work that was asked for as its source; nothing if nobody
        says anything of the work itself."""
        found = self.look(lookup_key("source", digest), 32, "derived page")
        if found is None:
            return
        for one in found.shown:
            self._own(one)
        if found.count:
            work["derived_total"] = found.count
            work["derived"] = self._indexes([one.id for one in found.shown])
        if found.gone:
            work["derived_redacted"] = self._indexes(found.gone)

    def _told(self, work: dict[str, Any], world: Shown) -> dict[str, Any]:
        claims: list[dict[str, Any] | int] = []
        remarks: list[dict[str, Any]] = []
        gone = work.pop("gone")
        if gone:
            work["redacted"] = self._indexes(gone)
        for said, own, shown, count in work.pop("said"):
            if said.type == "work":
                claim = self._headline(world, said, own, shown, count)
                plain = len(claim) == 3 and claim["status"] == "effective"
                claims.append(claim["index"] if plain else claim)
            else:
                remarks.append(self._brief(world, said))
        if claims:
            work["claims"] = sorted(claims, key=_index)
        if remarks:
            work["remarks"] = sorted(remarks, key=_index)
        return work

    def _indexes(self, ids: list[bytes]) -> list[int]:
        return sorted(self.view.log.index[id_] for id_ in set(ids))

    def _remarked(
        self, said: Said, own: Own
    ) -> tuple[Said, Own, list[Said], int | None]:
        """With what anybody says about it, each with its author's own word."""
        found = self.look(subject(said.name), 32, "remark page")
        if found is None:
            return said, own, [], None
        for remark in found.shown:
            if remark.type == "withdraw":
                if key_of(remark, "for"):
                    self._acting_for(remark)
                    self._delegation(remark)
            else:
                self._own(remark)
        own.gone += found.gone
        return said, own, found.shown, found.count

    def _own(self, said: Said) -> Own:
        """Statements about `said` by the keys acting for its author, and for the key
        that it was signed for; are these all?"""
        acting = self._acting_for(said)
        self._delegation(said)
        return self._own_by(said, acting)

    def _own_by(self, said: Said, acting: tuple[list[bytes], list[bytes], bool]) -> Own:
        keys, rivals, whole = acting
        own = Own([], whole, [])
        others = [key for key in rivals if key not in keys]
        for which, into in ((keys, own.said), (others, [])):
            for key in which:
                found = self.look(subject(said.name) + tag(key), 16, "own page")
                if found is None:
                    own.whole = False
                    break
                into += [one for one in found.shown if one.author == key]
                own.gone += found.gone
                own.whole = own.whole and found.whole
        return own

    def _delegation(self, said: Said) -> None:
        """What the key that it was signed for says about the one that signed."""
        principal = key_of(said, "for")
        if principal:
            for key in self._acting(principal)[0]:
                self._word(digest_of(said.author), key)

    def _acting_for(self, said: Said) -> tuple[list[bytes], list[bytes], bool]:
        keys, rivals, whole = self._acting(said.author)
        principal = key_of(said, "for")
        if principal:
            more, others, all_there = self._acting(principal)
            keys = list(dict.fromkeys(keys + more))
            rivals = list(dict.fromkeys(rivals + others))
            whole = whole and all_there
        return keys, rivals, whole

    def _acting(self, author: bytes) -> tuple[list[bytes], list[bytes], bool]:
        """Acting keys, contested successors, and whether that is all."""
        keys = [author]
        for successors in range(9):
            one = self._history(keys[-1])
            if not one.whole:
                return keys, one.rivals, False
            if one.after is None or one.after in keys:
                return keys, one.rivals, True
            if successors < 8:
                keys.append(one.after)
        self.gaps.add("successors")
        return keys, [], False

    def _history(self, key: bytes) -> History:
        if key not in self.histories:
            self.histories[key] = self._find_history(key)
        return self.histories[key]

    def _find_history(self, key: bytes) -> History:
        about = subject(digest_of(key))
        found = self.look(about + tag(key), 64, "own page")
        if found is None:
            return History(0, False, None, [])
        mine = [one for one in found.shown if one.author == key]
        mine.sort(key=lambda one: self.view.log.index[one.id])
        recovery, is_over = None, False
        rotations = []
        for one in mine:
            named = key_of(one, "recovery")
            if is_rotation(one):
                if not is_over or not key_of(one, "successor"):
                    rotations.append(one)
                is_over = is_over or not key_of(one, "successor")
            elif one.type == "profile" and named != key and not rotations:
                recovery = recovery or named
        whole = found.whole
        if recovery:
            more = self.look(about + tag(recovery), 16, "own page")
            shown = more.shown if more else []
            better = [s for s in shown if is_rotation(s) and s.author == recovery]
            rotations = better or rotations
            whole = whole and more is not None and more.whole
        after = sorted({k for s in rotations if (k := key_of(s, "successor"))})
        successor = after[0] if whole and len(after) == 1 else None
        rivals = after[:8] if len(after) > 1 else []
        return History(found.count, whole, successor, rivals, recovery)

    def _brief(self, world: Shown, said: Said) -> dict[str, Any]:
        index = self.view.log.index[said.id]
        return {"id": said.id.hex(), "index": index, "status": world.judged(said)[0]}

    def _headline(
        self,
        world: Shown,
        said: Said,
        own: Own,
        shown: list[Said],
        count: int | None,
    ) -> dict[str, Any]:
        _, withdrawal = world.judged(said)
        lists: dict[str, list[Any]] = {"endorse": [], "dispute": [], "other": []}
        for one in shown:
            if one.id.hex() != withdrawal:
                brief = self._brief(world, one)
                lists.get(one.type, lists["other"]).append(brief)
        further = {
            "withdrawal": withdrawal,
            "remarks_total": count,
            "endorsements": sorted(lists["endorse"], key=_index),
            "disputes": sorted(lists["dispute"], key=_index),
            "others": sorted(lists["other"], key=_index),
            "redacted": self._indexes(own.gone),
        }
        further = {name: value for name, value in further.items() if value}
        return {**self._brief(world, said), **further}


def key_of(said: Said, name: str) -> bytes | None:
    """A field of 32 bytes."""
    value = said.fields.get(name)
    return value if isinstance(value, bytes) and len(value) == 32 else None


def is_rotation(said: Said) -> bool:
    """A `rotate` that hands over, or ends its key because it is compromised."""
    after, reason = key_of(said, "successor"), said.fields.get("reason")
    return said.type == "rotate" and (after is not None or reason == "compromised")


def _is_in(said: Said, rows: Sequence[tuple[Said, Own]]) -> bool:
    return any(said == one for one, _ in rows)


def _index(brief: dict[str, Any] | int) -> int:
    return brief if isinstance(brief, int) else int(brief["index"])
