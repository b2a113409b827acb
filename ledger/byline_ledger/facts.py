"""What the rules of effective state are asked about: statements with their places.

Rule: docs/spec/state.md, "Words" and "As of".  `Facts` holds the statements that are
there as of an index or a time, and can say whether all is shown of what a key said
about something.  Where they come from (a bundle, a log, a test) is of no matter here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from byline_ledger.content_delegated import read_delegated
from byline_ledger.digest import digest_bytes
from byline_ledger.statement import Statement

Does: TypeAlias = Literal["yes", "no", "unknown"]
"""The answer to "does it count?"."""
YES: Does = "yes"
NO: Does = "no"
UNSURE: Does = "unknown"

RESTRICTING = frozenset({"withdraw", "rotate", "dispute", "leave"})
PERMITTING = frozenset({"grant", "admit", "delegate", "offer"})


@dataclass(frozen=True, slots=True)
class Record:
    """A statement, its leaf index, and the Unix seconds by which a quorum had seen it
    (None: not known)."""

    statement: Statement
    index: int
    existed_by: int | None = None

    @property
    def seen(self) -> int | None:
        """`existed_by` in Unix milliseconds."""
        return None if self.existed_by is None else self.existed_by * 1000

    @property
    def earlier(self) -> int:
        """Unix milliseconds from which it may have been there."""
        return self._times()[0]

    @property
    def later(self) -> int:
        """Unix milliseconds from which it was there by all that is known."""
        return self._times()[-1]

    def _times(self) -> list[int]:
        seen = self.seen
        return sorted([self.statement.time] + ([] if seen is None else [seen]))


@dataclass(frozen=True, slots=True)
class AsOf:
    """A point in the past: `index` of the last entry, `time` in Unix milliseconds, or
    both.  `now` is the reader's clock, by which terms are judged if there is no `time`.
    """

    index: int | None = None
    time: int | None = None
    now: int | None = None

    @property
    def moment(self) -> int | None:
        """When terms are judged; None without a clock."""
        return self.now if self.time is None else self.time


NOW = AsOf()

Shown: TypeAlias = Callable[[bytes, "bytes | None"], bool]
"""`shown(about, key)`: whether everything that a key (None: anybody) said about a
multihash is among the statements."""
Gone: TypeAlias = Callable[[bytes], bool]
"""`gone(about)`: whether anything that was said about a multihash was taken down."""


def _all(_about: bytes, _key: bytes | None) -> bool:
    return True


def _none(_about: bytes) -> bool:
    return False


class Facts:
    """The statements that are there as of a point in time, in the log's order."""

    def __init__(
        self,
        records: Iterable[Record],
        *,
        shown: Shown = _all,
        gone: Gone = _none,
        as_of: AsOf = NOW,
    ) -> None:
        last = as_of.index
        placed = sorted(
            (one for one in records if last is None or one.index <= last),
            key=lambda one: one.index,
        )
        self.as_of = as_of
        self.moment = as_of.moment
        self.shown = shown
        self.gone = gone
        self._by_id: dict[bytes, Record] = {}
        self._about: dict[bytes, list[Record]] = {}
        self._ever: dict[bytes, list[Record]] = {}
        self._numbers: Counter[tuple[bytes, bytes, int]] = Counter()
        self._keys = {
            digest_bytes(one.statement.author): one.statement.author for one in placed
        }
        for one in placed:
            self._ever.setdefault(one.statement.about, []).append(one)
            if self._is_there(one):
                self._add(one)

    def _add(self, one: Record) -> None:
        if one.statement.id in self._by_id:
            return
        self._by_id[one.statement.id] = one
        self._about.setdefault(one.statement.about, []).append(one)
        content = read_delegated(one.statement)
        if content.delegation is not None and content.number is not None:
            place = one.statement.author, content.delegation, content.number
            self._numbers[place] += 1

    def _is_there(self, one: Record) -> bool:
        time = self.as_of.time
        if time is None:
            return True
        type_ = one.statement.type
        if type_ in RESTRICTING or type_ == "work":
            return one.earlier <= time
        if type_ in PERMITTING:
            return one.later <= time
        return (one.statement.time if one.seen is None else one.seen) <= time

    def is_early(self, one: Record) -> bool:
        """Whether it may not have been there yet: what it permits does not count."""
        return self.as_of.time is not None and one.later > self.as_of.time

    @property
    def goes_by_claims(self) -> bool:
        """Whether authors' own clocks decide what was there: no quorum dates it."""
        if self.as_of.time is None:
            return False
        records = (one for rows in self._ever.values() for one in rows)
        return any(one.existed_by is None for one in records)

    def by_id(self, id_: bytes) -> Record | None:
        """The statement with this id, if it is there."""
        return self._by_id.get(id_)

    def about(self, digest: bytes, type_: str) -> Sequence[Record]:
        """The statements of a type about a multihash, by place."""
        found = self._about.get(digest, ())
        return [one for one in found if one.statement.type == type_]

    def ever_about(self, digest: bytes) -> Sequence[Record]:
        """All of them whatever the time asked about: for which one came first."""
        return self._ever.get(digest, [])

    def key_named(self, digest: bytes) -> bytes | None:
        """The key that a multihash names, if it signed anything here."""
        return self._keys.get(digest)

    def uses_of_number(self, author: bytes, delegation: bytes, number: int) -> int:
        """How many statements of an author carry a number under a delegation."""
        return self._numbers[author, delegation, number]

    def in_term(self, from_: int | None, until: int | None) -> Does:
        """Whether the moment is in a term; without bounds it always is."""
        if from_ is None and until is None:
            return YES
        if self.moment is None:
            return UNSURE
        begun = (from_ or 0) <= self.moment
        return YES if begun and (until is None or self.moment < until) else NO


def opposite(found: Does) -> Does:
    """Yes for no, no for yes."""
    return {NO: YES, YES: NO, UNSURE: UNSURE}[found]


def best(*found: Does) -> Does:
    """Yes if any is yes, else unknown if any is."""
    return YES if YES in found else UNSURE if UNSURE in found else NO


def every(*found: Does) -> Does:
    """No if any is no, else unknown if any is."""
    return NO if NO in found else UNSURE if UNSURE in found else YES
