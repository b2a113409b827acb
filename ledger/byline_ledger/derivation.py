"""Which lookups an answer owes, derived alike by whoever proves and whoever verifies.

The rule is docs/spec/bundle.md, "Chain": everything about each work; for each statement
used, what its author (or a key that may act for it) says about it, that key's own
history, and the delegations, memberships and seals that it names; through the sources,
the same, breadth first, down to the depth; and last, so that a flood of them blinds
nothing else, what others say about each statement and what was made from the works.

`derive` runs on a live trie to build a bundle and on an opened one to check it: an
opening that lacks an owed lookup, or a bundle a statement, raises ProofError there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from byline_ledger.chain import (
    DERIVED_PAGE,
    MAX_WORKS,
    OWN_PAGE,
    REMARK_PAGE,
    WORK_PAGE,
    WORKS_GAP,
    Chain,
    Evidence,
    Gone,
    WorkEvidence,
    commitment_of,
    depth_gap,
    key_in,
    source_digests,
)
from byline_ledger.digest import digest_bytes, multihash
from byline_ledger.entry import author_tag, source_key, subject_key
from byline_ledger.key_lookups import KeyLookups, Notes, Place, Recall
from byline_ledger.opening import Walk
from byline_ledger.statement import Statement


def derive(
    walk: Walk,
    recall: Recall,
    place: Place,
    asked: Sequence[bytes],
    depth: int,
    keys: Sequence[bytes] = (),
) -> Chain:
    """Follow every owed lookup from `asked` (34-byte multihashes) down to `depth`.

    Both `asked` and `keys`, whom the reader trusts, ascend.  The depth of the result is
    the level of the last work visited, which is less than `depth` if the chain ends
    before.
    """
    return _Derivation(walk, recall, place, tuple(keys)).run(tuple(asked), depth)


class _Derivation(KeyLookups):
    def __init__(
        self, walk: Walk, recall: Recall, place: Place, trusted: tuple[bytes, ...]
    ) -> None:
        super().__init__(walk, recall, place)
        self._trusted = trusted

    def run(self, asked: tuple[bytes, ...], depth: int) -> Chain:
        works: list[WorkEvidence] = []
        notes: list[Notes] = []
        gaps: list[str] = []
        seen = set(asked)
        room = MAX_WORKS - 1 + len(asked)
        level, row = 0, list(asked)
        while row and level <= depth:
            found = []
            for one in row:
                notes.append(self.begin(Notes()))
                found.append(self._work(one, level))
            works += found
            row = sorted(set(source_digests(found)) - seen)
            if len(works) + len(row) > room:
                row = row[: room - len(works)]
                gaps.append(WORKS_GAP)
            seen |= set(row)
            level += 1
        if row:
            gaps.append(depth_gap(depth))
        works = self._with_remarks(works, notes)
        works[: len(asked)] = self._with_derived(works[: len(asked)], notes)
        works = [_noted(*pair) for pair in zip(works, notes, strict=True)]
        told = [gap for one in works for gap in one.gaps]
        return Chain(
            works=tuple(works),
            keys=tuple(self.histories[key][0] for key in sorted(self.histories)),
            depth=level - 1,
            cut=bool(row),
            gaps=tuple(dict.fromkeys([*told, *gaps])),
            used=frozenset(self.used),
            asked=asked,
            words=tuple(self.words[at][0] for at in sorted(self.words)),
        )

    def _with_remarks(
        self, works: list[WorkEvidence], notes: list[Notes]
    ) -> list[WorkEvidence]:
        done = []
        for work, own in zip(works, notes, strict=True):
            self.begin(own)
            statements = tuple(self._add_remarks(one) for one in work.statements)
            done.append(replace(work, statements=statements) if statements else work)
        return done

    def _with_derived(
        self, works: list[WorkEvidence], notes: list[Notes]
    ) -> list[WorkEvidence]:
        done = []
        for work, own in zip(works, notes, strict=False):
            self.begin(own)
            done.append(self._derived(work) if work.statements else work)
        return done

    # Works

    def _work(self, digest: bytes, level: int) -> WorkEvidence:
        key = subject_key(digest)
        found = self.find(key, WORK_PAGE, "statements about a work")
        if found is None:
            return WorkEvidence(digest, level, (), None)
        crowded = level == 0 and not found.complete
        statements = {one.id: one for one in found.statements}
        gone = dict.fromkeys(found.gone)
        said: dict[bytes, Evidence] = {}
        if crowded:
            self._add(key, self._trusted, statements, gone)
        for one in self._by_trust(statements.values()):
            said[one.id] = self._standing(one)
            self._follow(one)
        if crowded:
            claimants = self._claimants(statements.values())
            self._add(key, claimants, statements, gone)
            for one in statements.values():
                if one.id not in said:
                    said[one.id] = self._standing(one)
                    self._follow(one)
        return WorkEvidence(
            digest, level, tuple(said.values()), found.count, tuple(gone)
        )

    def _add(
        self,
        key: bytes,
        authors: Iterable[bytes],
        statements: dict[bytes, Statement],
        gone: dict[Gone, None],
    ) -> None:
        """What these say about a work whose page is not complete."""
        for author in authors:
            found = self.find(key + author_tag(author), OWN_PAGE, "statements of a key")
            if found is not None:
                statements.update((one.id, one) for one in found.statements)
                gone.update(dict.fromkeys(found.gone))

    def _by_trust(self, statements: Iterable[Statement]) -> list[Statement]:
        """Those of keys that the reader trusts come first."""
        return sorted(statements, key=lambda one: one.author not in self._trusted)

    def _claimants(self, statements: Iterable[Statement]) -> list[bytes]:
        """The keys that may act for those who claim a work, ascending."""
        keys: set[bytes] = set()
        for one in statements:
            if one.type == "work":
                keys |= set(self.acting_for(one).keys)
        return sorted(keys - set(self._trusted))

    def _follow(self, statement: Statement) -> None:
        """The membership and the seal that a claim names."""
        if statement.type != "work":
            return
        group = key_in(statement, "group")
        if group is not None:
            self._membership(group, key_in(statement, "for") or statement.author)
        if key_in(statement, "seal") is not None:
            self._seal(statement)

    def _membership(self, group: bytes, member: bytes) -> None:
        """Admissions, leaves and offers, each by whoever acts for that key."""
        about_member, about_group = digest_bytes(member), digest_bytes(group)
        of_group = self.acting(group).keys
        for key in of_group:
            self.word(about_member, key)
        for key in self.acting(member).keys:
            self.word(about_group, key)
        for key in of_group:
            self.word(about_group, key)

    def _seal(self, statement: Statement) -> None:
        """What the author sealed, if this is the work and the nonce that was meant."""
        nonce = key_in(statement, "seal-nonce")
        if nonce is None:
            return
        principal = key_in(statement, "for") or statement.author
        for key in dict.fromkeys((statement.author, principal)):
            self.word(commitment_of(nonce, statement.about, key), key)

    # Statements

    def _standing(self, statement: Statement) -> Evidence:
        """A statement with what the keys that may act for its author say about it."""
        acting = self.acting_for(statement)
        principal = key_in(statement, "for")
        if principal is not None:
            self.delegations(principal, statement.author)
        return self.own_word(statement, acting)

    # Remarks, and works made from this one

    def _add_remarks(self, evidence: Evidence) -> Evidence:
        about = subject_key(multihash(evidence.statement.id))
        found = self.find(about, REMARK_PAGE, "remarks about a statement")
        if found is None:
            return evidence
        remarks = tuple(self._remark(one) for one in found.statements)
        new = tuple(one for one in found.gone if one not in evidence.gone)
        acting = self.acting_for(evidence.statement)
        own, contested = evidence.own, evidence.contested
        return replace(
            evidence,
            own=own + _among(found.statements, acting.keys, own),
            settled=evidence.settled and not found.gone,
            remarks=remarks,
            remarks_total=found.count,
            gone=evidence.gone + new,
            contested=contested + _among(found.statements, acting.rivals, contested),
        )

    def _remark(self, statement: Statement) -> Evidence:
        """A statement about a statement; a withdrawal stands, and only on whose behalf
        it was signed is followed."""
        if statement.type != "withdraw":
            return self._standing(statement)
        principal = key_in(statement, "for")
        if principal is not None:
            self.delegations(principal, statement.author)
        return Evidence(statement, (), True)

    def _derived(self, work: WorkEvidence) -> WorkEvidence:
        key = source_key(work.digest)
        found = self.find(key, DERIVED_PAGE, "works made from a work")
        if found is None:
            return work
        said = tuple(self._standing(one) for one in found.statements)
        return replace(
            work, derived=said, derived_total=found.count, derived_gone=found.gone
        )


def _among(
    shown: Sequence[Statement], keys: Sequence[bytes], known: Sequence[Statement]
) -> tuple[Statement, ...]:
    """What these keys say that the pages of their own word had no place for."""
    return tuple(one for one in shown if one.author in keys and one not in known)


def _noted(work: WorkEvidence, notes: Notes) -> WorkEvidence:
    return replace(
        work,
        gaps=tuple(notes.gaps),
        capped=notes.capped,
        keys=tuple(sorted(notes.keys)),
        words=tuple(sorted(notes.words)),
    )
