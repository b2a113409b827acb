"""What an answer rests on: works, statements, keys, and what is proven about each.

Meaning and order are docs/spec/bundle.md, "Chain"; derivation.py makes a `Chain` from
lookups, state rules read it (docs/spec/state.md).  Nothing here says what a statement
amounts to: whether a withdrawal counts or a delegation holds is for whoever reads.

`parts` cuts a chain of many asked works into one chain for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from byline_ledger.crypto import KEY_SIZE
from byline_ledger.entry import StatementEntry
from byline_ledger.key_state import MAX_SUCCESSORS
from byline_ledger.statement import Statement

MAX_ASKED = 512
MAX_TRUSTED = 16
MAX_FIRST = 8
"""Keys who claimed a work first and are heard behind any flood."""
MAX_DEPTH = 16
WORK_PAGE = 256
REMARK_PAGE = 32
DERIVED_PAGE = 32
HISTORY_PAGE = 64
"""Profiles and a cooperative's offers stand in a key's history."""
OWN_PAGE = 16
MAX_WORKS = 256
MAX_EVIDENCE = 8 << 20
"""Once bodies, signatures and lookups weigh more, no further lookup is owed."""
LOOKUP_WEIGHT = 2048
"""What a lookup adds to an opening, about.  Without it a flood of small statements
makes an opening that is larger than any verifier takes."""

_K = TypeVar("_K")
_V = TypeVar("_V")


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
    """What a key said about itself, and what its recovery key said about it.

    `settled`: all of both is shown.  `successor` only if it is settled and the
    rotations that count name exactly one; of several, `named` has all and nobody acts.
    """

    author: bytes
    statements: tuple[Statement, ...]
    total: int
    settled: bool
    successor: bytes | None
    recovery: bytes | None = None
    """The recovery key that the earliest profile with one names."""
    recovered: tuple[Statement, ...] = ()
    """What the recovery key said about the key."""
    named: tuple[bytes, ...] = ()
    """The successors that the rotations shown name and that count, ascending."""

    @property
    def rivals(self) -> tuple[bytes, ...]:
        """Contested successors: none of them acts, but their word raises doubt."""
        return self.named[:MAX_SUCCESSORS] if len(self.named) > 1 else ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """A statement with what is proven about it.

    `own` are the statements about it by the keys that may act for its author (and for
    the key that it was signed `for`), and by rivals that a contested rotation names;
    where `settled` is false there may be more of them than are shown.
    """

    statement: Statement
    own: tuple[Statement, ...] = ()
    settled: bool = False
    remarks: tuple[Evidence, ...] = ()
    """What anybody says about it, in a page; `remarks_total` is the proven count."""
    remarks_total: int | None = None
    gone: tuple[Gone, ...] = ()
    """What was said about it and taken down: withdrawals or disputes, for all that is
    known; then `settled` is false."""


@dataclass(frozen=True, slots=True)
class Word:
    """What one key said about one thing that an answer depends on.

    Delegations and admissions (`about` names a key), leaves and offers (a
    cooperative's key), seals (a commitment).  The first page, each of the types in
    FOLLOWED with its own word; `total` is proven, None beyond the caps.
    """

    about: bytes
    """34-byte multihash."""
    author: bytes
    statements: tuple[Evidence, ...]
    total: int | None
    settled: bool
    gone: tuple[Gone, ...] = ()


FOLLOWED = frozenset({"admit", "delegate", "leave", "offer"})
"""Types in a `Word` that may have been withdrawn, so their own word is owed."""


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
    derived: tuple[Evidence, ...] = ()
    """Statements that name it as a source: only for a work that was asked for alone;
    `derived_total` is proven, None if not looked up."""
    derived_total: int | None = None
    derived_gone: tuple[Gone, ...] = ()
    gaps: tuple[str, ...] = ()
    """What pages and caps leave out of this work's part of the answer."""
    capped: bool = False
    """Whether it was the caps, which all works of a bundle share."""
    keys: tuple[bytes, ...] = ()
    """Whose histories its part of the answer rests on."""
    words: tuple[tuple[bytes, bytes], ...] = ()
    """`about` and `author` of the words that it rests on."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The whole answer as evidence.

    `gaps` says what pages and caps leave out, if anything; `cut` whether sources go on
    below `depth`.  Works come by level, those of one level ascending; keys ascending;
    words ascending by `about`, then `author`.
    """

    works: tuple[WorkEvidence, ...]
    keys: tuple[KeyHistory, ...]
    depth: int
    cut: bool
    gaps: tuple[str, ...]
    used: frozenset[bytes] = field(repr=False)
    asked: tuple[bytes, ...] = ()
    words: tuple[Word, ...] = ()

    @property
    def capped(self) -> bool:
        """Whether the caps left anything out."""
        return WORKS_GAP in self.gaps or any(one.capped for one in self.works)


# What the derivation reads from statements


def key_in(statement: Statement, name: str) -> bytes | None:
    """A field that is a 32-byte key; None if it is anything else."""
    value = statement.fields.get(name)
    return value if isinstance(value, bytes) and len(value) == KEY_SIZE else None


def source_digests(said: Iterable[Sequence[Evidence]]) -> set[bytes]:
    """The works that what is said of some works names as sources."""
    rows = (one.statement.sources for each in said for one in each)
    return {source.digest for sources in rows for source in sources}


# One chain for each work that was asked for


def parts(chain: Chain) -> Iterator[Chain]:
    """The chain of each asked work, in their order, as if it had been asked alone; but
    what was made from a work is looked up only where it was."""
    if len(chain.asked) == 1:
        yield chain
        return
    cutter = _Cutter(chain)
    for digest in chain.asked:
        yield cutter.part(digest)


class _Cutter:
    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._works = {one.digest: one for one in chain.works}
        self._keys = {one.author: one for one in chain.keys}
        self._words = {(one.about, one.author): one for one in chain.words}
        # A chain that ends by itself has every source; this work may lie deeper.
        self._limit = chain.depth if chain.cut else len(chain.works)

    def part(self, digest: bytes) -> Chain:
        works, depth, gaps = self._follow(digest)
        told = [gap for one in works for gap in one.gaps]
        keys = sorted({key for one in works for key in one.keys})
        words = sorted({at for one in works for at in one.words})
        return Chain(
            works=tuple(works),
            keys=_those(self._keys, keys),
            depth=depth,
            cut=any(gap == depth_gap(self._limit) for gap in gaps),
            gaps=tuple(dict.fromkeys([*told, *gaps])),
            used=frozenset(),
            asked=(digest,),
            words=_those(self._words, words),
        )

    def _follow(self, digest: bytes) -> tuple[list[WorkEvidence], int, list[str]]:
        """The work and its sources, the last level, and which were not followed."""
        first = self._works[digest]
        if not any(one.statement.sources for one in first.statements):
            return [first], 0, []
        works, gaps = [first], []
        seen, level, row = {digest}, 0, [first]
        while True:
            further = sorted(source_digests(one.statements for one in row) - seen)
            seen |= set(further)
            known = [self._works[one] for one in further if one in self._works]
            if level == self._limit:
                gaps += [depth_gap(self._limit)] if further else []
                return works, level, gaps
            if len(known) < len(further):
                gaps.append(WORKS_GAP)
            if not known:
                return works, level, gaps
            level += 1
            row = [_as_source(one, level) for one in known]
            works += row


def _as_source(work: WorkEvidence, level: int) -> WorkEvidence:
    return work if work.level == level else replace(work, level=level)


def _those(found: Mapping[_K, _V], wanted: Iterable[_K]) -> tuple[_V, ...]:
    return tuple(found[one] for one in wanted)


def depth_gap(depth: int) -> str:
    """How it is said that a chain goes on."""
    return f"sources deeper than {depth} steps are not followed"


WORKS_GAP = f"sources beyond {MAX_WORKS} works are not followed"
