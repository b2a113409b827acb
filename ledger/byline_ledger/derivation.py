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

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

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
    depth_gap,
    key_in,
    source_digests,
)
from byline_ledger.content_seal import seal_commitment
from byline_ledger.digest import digest_bytes, multihash
from byline_ledger.entry import author_tag, source_key, subject_key
from byline_ledger.key_lookups import (
    BY_KEY,
    EMPTY,
    Acting,
    KeyLookups,
    Notes,
    Place,
    Recall,
)
from byline_ledger.opening import Walk
from byline_ledger.statement import Statement


def derive(
    walk: Walk,
    recall: Recall,
    place: Place,
    asked: Sequence[bytes],
    depth: int,
    ahead: Sequence[bytes] = (),
) -> Chain:
    """Follow every owed lookup from `asked` (34-byte multihashes, ascending) down to
    `depth`.

    `ahead` are the keys who are heard first where a page does not show everything:
    those that the reader trusts, then those who spoke first.  The depth of the result
    is the level of the last work visited, which is less than `depth` if the chain ends
    before.
    """
    return _Derivation(walk, recall, place, tuple(ahead)).run(tuple(asked), depth)


def derive_one(walk: Walk, recall: Recall, place: Place, statement: Statement) -> Chain:
    """What has to be known to judge one statement, and nothing else about its work."""
    return _Derivation(walk, recall, place, ()).one(statement)


@dataclass(slots=True)
class _Draft:
    """A work as it is looked up: what is said of it, remarks, what was made from it."""

    digest: bytes
    level: int
    notes: Notes = field(default_factory=Notes)
    said: list[Evidence] = field(default_factory=list)
    total: int | None = None
    gone: tuple[Gone, ...] = ()
    derived: tuple[Evidence, ...] = ()
    derived_total: int | None = None
    derived_gone: tuple[Gone, ...] = ()

    def done(self) -> WorkEvidence:
        """What is to be told of it."""
        notes = self.notes
        return WorkEvidence(
            self.digest,
            self.level,
            tuple(self.said),
            self.total,
            self.gone,
            self.derived,
            self.derived_total,
            self.derived_gone,
            tuple(notes.gaps),
            notes.capped,
            tuple(sorted(notes.keys)),
            tuple(sorted(notes.words)),
        )


class _Derivation(KeyLookups):
    def __init__(
        self, walk: Walk, recall: Recall, place: Place, ahead: tuple[bytes, ...]
    ) -> None:
        super().__init__(walk, recall, place)
        self._ahead = {key: rank for rank, key in enumerate(ahead)}
        self._is_alone = True

    def run(self, asked: tuple[bytes, ...], depth: int) -> Chain:
        self._is_alone = len(asked) == 1
        drafts: list[_Draft] = []
        gaps: list[str] = []
        seen = set(asked)
        room = MAX_WORKS - 1 + len(asked)
        level, row = 0, list(asked)
        while row and level <= depth:
            found = [self._work(one, level) for one in row]
            drafts += found
            row = sorted(source_digests(one.said for one in found) - seen)
            if len(drafts) + len(row) > room:
                row = row[: room - len(drafts)]
                gaps.append(WORKS_GAP)
            seen |= set(row)
            level += 1
        if row:
            gaps.append(depth_gap(depth))
        for draft in drafts:
            self.notes = draft.notes
            draft.said = [self._with_remarks(one) for one in draft.said]
        if self._is_alone and drafts[0].said:
            self._derive(drafts[0])
        return self._chain(asked, drafts, gaps, level - 1, bool(row))

    def one(self, statement: Statement) -> Chain:
        draft = _Draft(statement.about, 0)
        self.notes = draft.notes
        draft.said = [self._with_remarks(self._standing(statement))]
        return self._chain((statement.about,), [draft], [], 0, False)

    def _chain(
        self,
        asked: tuple[bytes, ...],
        drafts: Sequence[_Draft],
        gaps: Sequence[str],
        depth: int,
        cut: bool,
    ) -> Chain:
        works = [draft.done() for draft in drafts]
        told = [gap for one in works for gap in one.gaps]
        return Chain(
            works=tuple(works),
            keys=tuple(self.histories[key][0] for key in sorted(self.histories)),
            depth=depth,
            cut=cut,
            gaps=tuple(dict.fromkeys([*told, *gaps])),
            used=frozenset(self.used),
            asked=asked,
            words=tuple(self.words[at][0] for at in sorted(self.words)),
        )

    # Works

    def _work(self, digest: bytes, level: int) -> _Draft:
        draft = _Draft(digest, level)
        self.notes = draft.notes
        found = self.find(subject_key(digest), WORK_PAGE, "statements about a work")
        if found is None:
            return draft
        draft.total, draft.gone = found.count, found.gone
        if level == 0 and not found.complete:
            draft.notes.capped = not self._is_alone
            self._crowded(draft, found.statements)
        else:
            draft.said = [self._claim(one) for one in self._ranked(found.statements)]
        return draft

    def _crowded(self, draft: _Draft, page: Sequence[Statement]) -> None:
        """A work whose page is not complete: those who are heard first come before all
        others, and what those say whose claims are shown is looked up as well."""
        key = subject_key(draft.digest)
        shown = {one.id: one for one in page}
        gone = dict.fromkeys(draft.gone)
        self._add(key, self._ahead, shown, gone)
        known = set(self._ahead)
        said: dict[bytes, Evidence] = {}
        ranked = self._ranked(shown.values())
        for turn in ([one for one in ranked if one.author in self._ahead], ranked):
            said |= {one.id: self._claim(one) for one in turn if one.id not in said}
            claimants = sorted(self._claimants(turn) - known)
            known.update(claimants)
            brought = self._add(key, claimants, shown, gone)
            said |= {one.id: self._claim(one) for one in brought}
        draft.said, draft.gone = list(said.values()), tuple(gone)

    def _add(
        self,
        key: bytes,
        authors: Iterable[bytes],
        shown: dict[bytes, Statement],
        gone: dict[Gone, None],
    ) -> list[Statement]:
        """What these say about a work whose page is not complete, and what of it was
        not shown."""
        brought: dict[bytes, Statement] = {}
        for author in authors:
            found = self.find(key + author_tag(author), OWN_PAGE, BY_KEY)
            if found is not None:
                brought |= {one.id: one for one in found.statements}
                gone.update(dict.fromkeys(found.gone))
        fresh = [one for id_, one in brought.items() if id_ not in shown]
        shown |= brought
        return fresh

    def _ranked(self, statements: Collection[Statement]) -> Collection[Statement]:
        """Those of the keys who are heard first, in their order, then the others."""
        if not self._ahead:
            return statements
        rank = self._ahead.get
        return sorted(statements, key=lambda one: rank(one.author, len(self._ahead)))

    def _claimants(self, statements: Iterable[Statement]) -> set[bytes]:
        """The keys that may act for those who claim a work."""
        claims = (one for one in statements if one.type == "work")
        return {key for one in claims for key in self.acting_for(one).keys}

    def _claim(self, statement: Statement) -> Evidence:
        """What is said about a work; of a claim, with its membership and its seal."""
        evidence = self._standing(statement)
        if statement.type == "work":
            self._follow(statement)
        return evidence

    def _follow(self, statement: Statement) -> None:
        """The membership and the seal that a claim names: of its author, and of the key
        that it was signed for, since whether that holds is not judged here."""
        principal = key_in(statement, "for") or statement.author
        keys = dict.fromkeys((statement.author, principal))
        group, nonce = key_in(statement, "group"), key_in(statement, "seal-nonce")
        if group is not None:
            self._membership(group, keys)
        if nonce is not None and key_in(statement, "seal") is not None:
            for key in keys:
                self.word(seal_commitment(nonce, statement.about, key), key)

    def _membership(self, group: bytes, members: Iterable[bytes]) -> None:
        """Admissions, leaves and offers, each by whoever acts for that key."""
        about_group, of_group = digest_bytes(group), self.acting(group).keys
        for member in members:
            for key in of_group:
                self.word(digest_bytes(member), key)
            for key in self.acting(member).keys:
                self.word(about_group, key)
        for key in of_group:
            self.word(about_group, key)

    # Statements

    def _standing(self, statement: Statement) -> Evidence:
        """A statement with what the keys that may act for its author say about it."""
        return self.own_word(statement, self._authority(statement))

    def _authority(self, statement: Statement) -> Acting:
        """Who may act for its author; and of one that was signed for another key, who
        may act for that, and what it delegated."""
        acting, principal = self.acting_for(statement), key_in(statement, "for")
        if principal is not None:
            self.delegations(principal, statement.author)
        return acting

    # Remarks, and works made from this one

    def _with_remarks(self, evidence: Evidence) -> Evidence:
        """With what anybody says about it: the first page."""
        statement, own, settled = evidence.statement, evidence.own, evidence.settled
        about = subject_key(multihash(statement.id))
        found = self.find(about, REMARK_PAGE, "remarks about a statement")
        if found is None:
            return evidence
        if found is EMPTY:
            return Evidence(statement, own, settled, (), 0, evidence.gone)
        return Evidence(
            statement,
            own,
            settled and not found.gone,
            tuple(self._remark(one) for one in found.statements),
            found.count,
            tuple(dict.fromkeys(evidence.gone + found.gone)),
        )

    def _remark(self, statement: Statement) -> Evidence:
        """A statement about a statement; a withdrawal stands, and is followed only
        where it was signed for another key."""
        if statement.type != "withdraw":
            return self._standing(statement)
        if key_in(statement, "for") is not None:
            # The key that signed it may have ended before.
            self._authority(statement)
        return Evidence(statement)

    def _derive(self, draft: _Draft) -> None:
        self.notes = draft.notes
        key = source_key(draft.digest)
        found = self.find(key, DERIVED_PAGE, "works made from a work")
        if found is not None:
            draft.derived = tuple(self._standing(one) for one in found.statements)
            draft.derived_total, draft.derived_gone = found.count, found.gone
