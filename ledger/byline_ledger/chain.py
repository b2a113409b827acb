"""Which lookups an answer owes, derived alike by whoever proves and whoever verifies.

The rule is docs/spec/bundle.md, "Chain": everything about the work; for each statement
used, what its author (or a key that may act for it) says about it, and that key's own
history; through the sources, the same, breadth first, down to the depth; and last, so
that a flood of them blinds nothing else, what others say about each statement, as a
page with its proven count.

`derive` runs on a live trie to build a bundle and on an opened one to check it: an
opening that lacks an owed lookup, or a bundle a statement, raises ProofError there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from byline_ledger.digest import digest_bytes, multihash
from byline_ledger.entry import StatementEntry, author_tag, id_in, subject_key
from byline_ledger.errors import ProofError
from byline_ledger.opening import Found, Walk
from byline_ledger.statement import Statement

MAX_DEPTH = 16
WORK_PAGE = 256
REMARK_PAGE = 32
OWN_PAGE = 16
MAX_WORKS = 256
MAX_SUCCESSORS = 8
MAX_EVIDENCE = 8 << 20
"""Once bodies, signatures and lookups weigh more, no further lookup is owed."""
LOOKUP_WEIGHT = 2048
"""What a lookup adds to an opening, about.  Without it a flood of small statements
makes an opening that is larger than any verifier takes."""


@dataclass(frozen=True, slots=True)
class Gone:
    """A statement whose body was taken down: what the log entry still says of it."""

    entry: StatementEntry

    @property
    def id(self) -> bytes:
        """The statement's id, 32 bytes."""
        return self.entry.id


@dataclass(frozen=True, slots=True)
class KeyHistory:
    """What a key said about itself; `successor` only if exactly one was ever named."""

    author: bytes
    statements: tuple[Statement, ...]
    total: int
    settled: bool
    successor: bytes | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A statement with what is proven about it.

    `own` are the statements about it by the keys that may act for its author; where
    `settled` is false there may be more of them than are shown.
    """

    statement: Statement
    own: tuple[Statement, ...]
    settled: bool
    remarks: tuple[Evidence, ...] = ()
    """What anybody says about it, in a page; `remarks_total` is the proven count."""
    remarks_total: int | None = None
    gone: tuple[Gone, ...] = ()
    """What was said about it and taken down: withdrawals or disputes, for all that is
    known; then `settled` is false."""


@dataclass(frozen=True, slots=True)
class WorkEvidence:
    """Everything about one work, or the first page of it and the proven `total`.

    `total` is None for a work beyond the caps, about which nothing was looked up.
    """

    digest: bytes
    level: int
    statements: tuple[Evidence, ...]
    total: int | None
    gone: tuple[Gone, ...] = ()
    """What was said about the work and taken down."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The whole answer as evidence.

    `gaps` says what pages and caps leave out, if anything; `cut` whether sources go on
    below `depth`.
    """

    works: tuple[WorkEvidence, ...]
    keys: tuple[KeyHistory, ...]
    depth: int
    cut: bool
    gaps: tuple[str, ...]
    used: frozenset[bytes] = field(repr=False)


Recall: TypeAlias = Callable[[bytes], "Statement | Gone"]
"""The statement of an id, or what is left of it."""


def derive(walk: Walk, recall: Recall, digest: bytes, depth: int) -> Chain:
    """Follow every owed lookup from `digest` (34-byte multihash) down to `depth`.

    `recall` gives a statement by its id.  The depth of the result is the level of
    the last work visited, which is less than `depth` if the chain ends before.
    """
    return _Derivation(walk, recall).run(digest, depth)


class _Derivation:
    def __init__(self, walk: Walk, recall: Recall) -> None:
        self._walk = walk
        self._recall = recall
        self._used: dict[bytes, Statement | Gone] = {}
        self._weight = 0
        self._histories: dict[bytes, KeyHistory] = {}
        self._gaps: list[str] = []

    def run(self, digest: bytes, depth: int) -> Chain:
        works: list[WorkEvidence] = []
        seen = {digest}
        level, row = 0, [digest]
        while row and level <= depth:
            found = [self._work(one, level) for one in row]
            works += found
            row = sorted(set(_sources(found)) - seen)
            if len(works) + len(row) > MAX_WORKS:
                row = row[: MAX_WORKS - len(works)]
                self._gap(f"sources beyond {MAX_WORKS} works are not followed")
            seen |= set(row)
            level += 1
        if row:
            self._gap(f"sources deeper than {depth} steps are not followed")
        works = [self._with_remarks(one) for one in works]
        keys = tuple(self._histories[key] for key in sorted(self._histories))
        gaps, used = tuple(self._gaps), frozenset(self._used)
        return Chain(tuple(works), keys, level - 1, bool(row), gaps, used)

    def _gap(self, text: str) -> None:
        if text not in self._gaps:
            self._gaps.append(text)

    def _find(self, prefix: bytes, limit: int, what: str) -> Found | None:
        """The lookup, or None once the answer has outgrown what a bundle may hold."""
        if self._weight > MAX_EVIDENCE:
            self._gap(f"statements beyond {MAX_EVIDENCE} bytes are not followed")
            return None
        self._weight += LOOKUP_WEIGHT
        found = self._walk.find(prefix, limit)
        if not found.complete:
            self._gap(f"there are more {what} than are shown")
        return found

    def _shown(self, found: Found) -> tuple[tuple[Statement, ...], tuple[Gone, ...]]:
        """The statements that are shown, and those that were taken down."""
        shown = [self._use(string) for string in found.strings]
        there = tuple(one for one in shown if isinstance(one, Statement))
        return there, tuple(one for one in shown if isinstance(one, Gone))

    def _use(self, string: bytes) -> Statement | Gone:
        """The statement behind a string of the lookup set, which must fit it."""
        id_ = id_in(string)
        known = self._used.get(id_)
        if known is None:
            known = self._recall(id_)
            self._used[id_] = known
            self._weight += _weight(known)
        if not _fits(known, string):
            raise ProofError(
                f"statement {id_.hex()} is listed where it does not belong"
            )
        return known

    def _work(self, digest: bytes, level: int) -> WorkEvidence:
        found = self._find(subject_key(digest), WORK_PAGE, "statements about a work")
        if found is None:
            return WorkEvidence(digest, level, (), None)
        shown, gone = self._shown(found)
        said = tuple(self._standing(one) for one in shown)
        return WorkEvidence(digest, level, said, found.count, gone)

    def _standing(self, statement: Statement) -> Evidence:
        """A statement with what the keys that may act for its author say about it."""
        keys, settled = self._acting(statement.author)
        about = subject_key(multihash(statement.id))
        own: list[Statement] = []
        missing: list[Gone] = []
        for key in keys:
            found = self._find(about + author_tag(key), OWN_PAGE, "statements of a key")
            if found is None:
                return Evidence(statement, tuple(own), False, gone=tuple(missing))
            shown, gone = self._shown(found)
            own += [one for one in shown if one.author == key]
            missing += gone
            settled = settled and found.complete and not gone
        return Evidence(statement, tuple(own), settled, gone=tuple(missing))

    def _with_remarks(self, work: WorkEvidence) -> WorkEvidence:
        statements = tuple(self._add_remarks(one) for one in work.statements)
        return replace(work, statements=statements)

    def _add_remarks(self, evidence: Evidence) -> Evidence:
        about = subject_key(multihash(evidence.statement.id))
        found = self._find(about, REMARK_PAGE, "remarks about a statement")
        if found is None:
            return evidence
        shown, gone = self._shown(found)
        remarks = tuple(self._remark(one) for one in shown)
        new = tuple(one for one in gone if one not in evidence.gone)
        return replace(
            evidence,
            own=evidence.own + self._own_among(evidence, remarks),
            settled=evidence.settled and not gone,
            remarks=remarks,
            remarks_total=found.count,
            gone=evidence.gone + new,
        )

    def _own_among(
        self, evidence: Evidence, remarks: tuple[Evidence, ...]
    ) -> tuple[Statement, ...]:
        """What acting keys say that the page of their own word had no place for."""
        keys, _settled = self._acting(evidence.statement.author)
        found = (one.statement for one in remarks if one.statement.author in keys)
        return tuple(one for one in found if one not in evidence.own)

    def _remark(self, statement: Statement) -> Evidence:
        """A statement about a statement; a withdrawal stands and is not followed."""
        if statement.type == "withdraw":
            return Evidence(statement, (), True)
        return self._standing(statement)

    def _acting(self, author: bytes) -> tuple[tuple[bytes, ...], bool]:
        """The author's key and its uncontested successors; false if more may act."""
        keys = [author]
        while True:
            history = self._history(keys[-1])
            if not history.settled:
                return tuple(keys), False
            if history.successor is None or history.successor in keys:
                return tuple(keys), True
            if len(keys) > MAX_SUCCESSORS:
                self._gap(f"successors beyond {MAX_SUCCESSORS} are not followed")
                return tuple(keys), False
            keys.append(history.successor)

    def _history(self, key: bytes) -> KeyHistory:
        if key not in self._histories:
            self._histories[key] = self._find_history(key)
        return self._histories[key]

    def _find_history(self, key: bytes) -> KeyHistory:
        about = subject_key(digest_bytes(key)) + author_tag(key)
        found = self._find(about, OWN_PAGE, "statements of a key")
        if found is None:
            return KeyHistory(key, (), 0, False, None)
        shown, gone = self._shown(found)
        said = tuple(one for one in shown if one.author == key)
        named = {one for one in map(successor_of, said) if one is not None}
        settled = found.complete and not gone
        successor = named.pop() if len(named) == 1 and settled else None
        return KeyHistory(key, said, found.count, settled, successor)


def _weight(one: Statement | Gone) -> int:
    """What a statement adds to a bundle, about."""
    if isinstance(one, Gone):
        return len(one.entry.to_bytes())
    return len(one.body) + len(one.signature)


def _fits(one: Statement | Gone, string: bytes) -> bool:
    """Whether this statement adds this string of a subject to the set."""
    key, tag = string[:32], string[32:40]
    if isinstance(one, Gone):
        return key in one.entry.keys and one.entry.tag == tag
    return subject_key(one.about) == key and author_tag(one.author) == tag


def successor_of(statement: Statement) -> bytes | None:
    """The 32-byte key that a `rotate` statement hands over to, if it names one."""
    key = statement.fields.get("successor")
    if statement.type == "rotate" and isinstance(key, bytes) and len(key) == 32:
        return key
    return None


def _sources(works: list[WorkEvidence]) -> Iterator[bytes]:
    for work in works:
        for evidence in work.statements:
            for source in evidence.statement.sources:
                yield source.digest
