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

from byline_ledger.digest import digest_bytes, multihash
from byline_ledger.entry import author_tag, subject_key
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


@dataclass(frozen=True, slots=True)
class WorkEvidence:
    """Everything about one work, or the first page of it and the proven `total`.

    `total` is None for a work beyond the caps, about which nothing was looked up.
    """

    digest: bytes
    level: int
    statements: tuple[Evidence, ...]
    total: int | None


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


def derive(
    walk: Walk, statement: Callable[[bytes], Statement], digest: bytes, depth: int
) -> Chain:
    """Follow every owed lookup from `digest` (34-byte multihash) down to `depth`.

    `statement` gives a statement by its id.  The depth of the result is the level of
    the last work visited, which is less than `depth` if the chain ends before.
    """
    return _Derivation(walk, statement).run(digest, depth)


class _Derivation:
    def __init__(self, walk: Walk, statement: Callable[[bytes], Statement]) -> None:
        self._walk = walk
        self._statement = statement
        self._used: dict[bytes, Statement] = {}
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

    def _shown(self, found: Found) -> tuple[Statement, ...]:
        return tuple(self._use(string) for string in found.strings)

    def _use(self, string: bytes) -> Statement:
        """The statement behind a string of the lookup set, which must fit it."""
        key, tag, id_ = string[:32], string[32:40], string[40:]
        statement = self._used.get(id_)
        if statement is None:
            statement = self._statement(id_)
            self._used[id_] = statement
            self._weight += len(statement.body) + len(statement.signature)
        if subject_key(statement.about) != key or author_tag(statement.author) != tag:
            raise ProofError(
                f"statement {id_.hex()} is listed where it does not belong"
            )
        return statement

    def _work(self, digest: bytes, level: int) -> WorkEvidence:
        found = self._find(subject_key(digest), WORK_PAGE, "statements about a work")
        if found is None:
            return WorkEvidence(digest, level, (), None)
        said = tuple(self._standing(one) for one in self._shown(found))
        return WorkEvidence(digest, level, said, found.count)

    def _standing(self, statement: Statement) -> Evidence:
        """A statement with what the keys that may act for its author say about it."""
        keys, settled = self._acting(statement.author)
        about = subject_key(multihash(statement.id))
        own: list[Statement] = []
        for key in keys:
            found = self._find(about + author_tag(key), OWN_PAGE, "statements of a key")
            if found is None:
                return Evidence(statement, tuple(own), False)
            own += [one for one in self._shown(found) if one.author == key]
            settled = settled and found.complete
        return Evidence(statement, tuple(own), settled)

    def _with_remarks(self, work: WorkEvidence) -> WorkEvidence:
        statements = tuple(self._add_remarks(one) for one in work.statements)
        return replace(work, statements=statements)

    def _add_remarks(self, evidence: Evidence) -> Evidence:
        about = subject_key(multihash(evidence.statement.id))
        found = self._find(about, REMARK_PAGE, "remarks about a statement")
        if found is None:
            return evidence
        remarks = tuple(self._remark(one) for one in self._shown(found))
        own = evidence.own + self._own_among(evidence, remarks)
        return replace(evidence, own=own, remarks=remarks, remarks_total=found.count)

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
        said = tuple(one for one in self._shown(found) if one.author == key)
        named = {one for one in map(successor_of, said) if one is not None}
        successor = named.pop() if len(named) == 1 and found.complete else None
        return KeyHistory(key, said, found.count, found.complete, successor)


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
