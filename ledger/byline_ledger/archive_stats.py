"""How an archive divides: its claims by how made, year and medium, counted in step with
the log.

Rule: the log is read once, in its order, and only what is new is read again.  A claim
counts until it is withdrawn, by whoever may (docs/spec/state.md, "Status"), as of the
entry that is read; then it is counted among the withdrawn.  These are claims and not
works.

Specification: docs/spec/label.md, "Statistics".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from byline_ledger.content_work import read_work
from byline_ledger.digest import digest_bytes, multihash
from byline_ledger.effective import WITHDRAWN
from byline_ledger.entry import author_tag, id_in, subject_key
from byline_ledger.errors import BylineError
from byline_ledger.facts import AsOf
from byline_ledger.moment import utc
from byline_ledger.one_standing import OneStanding
from byline_ledger.statement import Statement
from byline_ledger.vocabulary import PLAIN_ANSWERS

if TYPE_CHECKING:
    from byline_ledger.log import LogView

MEDIA = ("text", "image", "audio", "video", "model", "font", "application")
"""Top-level media types with a count of their own; also `other` and `unknown`."""
FIRST_YEAR, LAST_YEAR = 1990, 2099
"""Claimed times beyond are one bucket each: a stranger can claim any time."""

MOST_WORDS = 64
"""What was said about a claim that is looked through for its places."""

Bucket = tuple[str, str, str]
"""How made, year, medium."""


@dataclass(slots=True)
class ArchiveStats:
    """Counts of claims by bucket up to entry `done` of a log."""

    done: int = 0
    standing: Counter[Bucket] = field(default_factory=Counter)
    withdrawn: Counter[Bucket] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    """Statements of other types that have a meaning here, by type."""
    taken_down: int = 0
    """Statements without a body when they were counted."""

    def advance(
        self, view: LogView, most: int, go_on: Callable[[], bool] = lambda: True
    ) -> bool:
        """Read up to `most` entries more, or until `go_on` says no; whether that was
        all that the view has."""
        start, end = self.done, min(self.done + most, view.size)
        self.done = end
        for index, statement in view.statements(start, end):
            self._count(view, index, statement)
            if not go_on():
                self.done = index + 1
                break
        self.taken_down += sum(1 for _ in view.taken_down(start, self.done))
        return self.done == view.size

    def _count(self, view: LogView, index: int, said: Statement) -> None:
        if said.type == "work":
            is_gone = _was_spoken_of(view, said, index) and _is_withdrawn(
                OneStanding(view, said), index
            )
            (self.withdrawn if is_gone else self.standing)[bucket_of(said)] += 1
            return
        self.others[said.type if said.type in KNOWN else "other"] += 1
        if said.type == "withdraw":
            self._withdraw(view, index, said)

    def _withdraw(self, view: LogView, index: int, said: Statement) -> None:
        """The claim that it is about goes from one count to the other, once."""
        claim = _claim(view, said, index)
        if claim is None or not _might_act(view, said, claim):
            return
        standing = OneStanding(view, claim)
        if _is_withdrawn(standing, index) and not _is_withdrawn(standing, index - 1):
            bucket = bucket_of(claim)
            self.standing[bucket] -= 1
            self.withdrawn[bucket] += 1

    def by(self, place: int) -> dict[str, dict[str, int]]:
        """Standing claims by one part of their bucket (1: year, 2: medium), and within
        it by how they were made."""
        found: dict[str, Counter[str]] = {}
        for bucket, count in self.standing.items():
            found.setdefault(bucket[place], Counter())[bucket[0]] += count
        return {word: _plain(found[word]) for word in sorted(found)}

    def to_json(self, view: LogView) -> dict[str, object]:
        """What `GET /v1/stats` answers."""
        return {
            "origin": view.origin,
            "entries": view.size,
            "counted": self.done,
            "complete": self.done == view.size,
            "claims": _plain(_made(self.standing)),
            "withdrawn": _plain(_made(self.withdrawn)),
            "by_year": self.by(1),
            "by_medium": self.by(2),
            "other_statements": dict(sorted(self.others.items())),
            "taken_down": self.taken_down,
        }


KNOWN = frozenset(
    {
        *("endorse", "dispute", "withdraw", "grant", "profile", "rotate", "delegate"),
        *("admit", "leave", "offer", "request", "collection", "label", "seal"),
        *("relay", "settlement"),
    }
)
"""Types with a count of their own; a stranger can write any."""


def bucket_of(claim: Statement) -> Bucket:
    """Where a claim is counted."""
    content = read_work(claim)
    return content.made, year_of(claim.time), medium_of(content.media_type)


def year_of(time: int) -> str:
    """The year of a claimed time (Unix ms), or before or after those counted."""
    text = utc(time // 1_000)
    year = int(text[:4]) if text[:4].isdecimal() else LAST_YEAR + 1
    if year < FIRST_YEAR:
        return f"before {FIRST_YEAR}"
    return str(year) if year <= LAST_YEAR else f"after {LAST_YEAR}"


def medium_of(media_type: str | None) -> str:
    """The top-level media type."""
    if media_type is None:
        return "unknown"
    top = media_type.partition("/")[0].lower()
    return top if top in MEDIA else "other"


def _was_spoken_of(view: LogView, claim: Statement, before: int) -> bool:
    """Whether anything was said about a claim among the first `before` entries, or may
    have been."""
    about = subject_key(multihash(claim.id))
    ids = [id_in(one) for one in view.strings_under(about, limit=MOST_WORDS)]
    places = view.indexes_of(ids).values()
    return len(ids) == MOST_WORDS or any(place < before for place in places)


def _might_act(view: LogView, said: Statement, claim: Statement) -> bool:
    """Whether a withdrawal needs to be looked at: that of a stranger does nothing to a
    claim by a key that never spoke of itself, and so has no successor."""
    if said.author == claim.author or "for" in said.fields or "for" in claim.fields:
        return True
    own = subject_key(digest_bytes(claim.author)) + author_tag(claim.author)
    return any(view.strings_under(own, limit=1))


def _is_withdrawn(standing: OneStanding, index: int) -> bool:
    """As of the entry at this place."""
    found = standing.as_of(AsOf(index=index))
    return found is not None and found.status == WITHDRAWN


def _claim(view: LogView, said: Statement, before: int) -> Statement | None:
    """The claim that a withdrawal is about, if it is in the log so far."""
    index = view.index_of(said.about[2:])
    if index is None or index >= before:
        return None
    try:
        claim = view.statement(said.about[2:])
    except BylineError:
        return None  # taken down, or damaged: what it said is not known
    return claim if claim is not None and claim.type == "work" else None


def _made(counts: Mapping[Bucket, int]) -> Counter[str]:
    found: Counter[str] = Counter()
    for bucket, count in counts.items():
        found[bucket[0]] += count
    return found


def _plain(counts: Mapping[str, int]) -> dict[str, int]:
    """All plain answers in their order."""
    return {word: counts.get(word, 0) for word in PLAIN_ANSWERS}
