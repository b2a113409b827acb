"""What a node takes into its log: one decision for all ways in.

Rule: the rules stand in one order, what never changes first and what uses something up
last, and the first that refuses is the reason.  Nothing is used up by what is refused.
Admission is the operator's business, apart from validity (docs/adr/0003).
Specification: docs/spec/admission.md, "Rules".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

from byline_ledger.admission_policy import (
    ANYONE,
    DAY,
    LISTED,
    MINUTE,
    AdmissionPolicy,
)
from byline_ledger.buckets import UNIT, Buckets, Rate
from byline_ledger.entry import entry_of
from byline_ledger.proof_of_work import work_of
from byline_ledger.statement import Statement


class Source(StrEnum):
    """The ways in."""

    API = "api"
    GOSSIP = "gossip"
    FOLLOW = "follow"


class Reason(StrEnum):
    """Why a statement is not taken, in the order of the rules: there are no others."""

    DENIED_AUTHOR = "denied-author"
    DENIED_DIGEST = "denied-digest"
    TOO_LARGE = "too-large"
    TOO_MANY_SOURCES = "too-many-sources"
    NOT_LISTED = "not-listed"
    NOT_VOUCHED = "not-vouched"
    TOO_LITTLE_WORK = "too-little-work"
    TOO_EARLY = "too-early"
    TOO_OLD = "too-old"
    OVER_QUOTA = "over-quota"
    AUTHOR_RATE = "author-rate"
    PEER_RATE = "peer-rate"

    @property
    def holds_everywhere(self) -> bool:
        """Whether it would be refused so whoever brought it."""
        return self not in (Reason.TOO_OLD, Reason.PEER_RATE)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A statement with a signature that holds, how it came, and who brought it."""

    source: Source
    peer: str
    statement: Statement

    @property
    def strings(self) -> int:
        """Lookup strings that it would add."""
        return len(entry_of(self.statement).keys)


@dataclass(frozen=True, slots=True)
class Admitted:
    """It is to be taken."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It is not to be taken."""

    reason: Reason
    text: str
    """Why, for the person who made the statement."""
    until: int | None = None
    """When it could be admitted, Unix milliseconds; None: not under this policy."""


Verdict: TypeAlias = Admitted | Refused
ADMITTED = Admitted()


@dataclass(frozen=True, slots=True)
class Held:
    """What the log holds of one author."""

    strings: int
    bytes: int


class State(Protocol):
    """All that a decision depends on beside policy, arrival and time."""

    def is_vouched(self, statement: Statement, /) -> bool: ...
    def held(self, author: bytes, /) -> Held: ...
    def level(self, kind: str, key: bytes, rate: Rate, now: int, /) -> int: ...


# The rules


def _denied_author(
    policy: AdmissionPolicy, arrival: Arrival, state: State, now: int
) -> Refused | None:
    if arrival.statement.author not in policy.denied_authors:
        return None
    return Refused(Reason.DENIED_AUTHOR, "this node takes nothing from this key")


def _denied_digest(
    policy: AdmissionPolicy, arrival: Arrival, state: State, now: int
) -> Refused | None:
    one = arrival.statement
    named = {one.id, one.about[2:], *(source.digest[2:] for source in one.sources)}
    if not named & policy.denied_digests:
        return None
    return Refused(Reason.DENIED_DIGEST, "this node takes nothing about this file")


def _size(
    policy: AdmissionPolicy, arrival: Arrival, state: State, now: int
) -> Refused | None:
    size = len(arrival.statement.body)
    if size <= policy.max_bytes:
        return None
    expected = f"this node takes statements of at most {policy.max_bytes:,} bytes"
    return Refused(Reason.TOO_LARGE, f"{expected}, and this one has {size:,}")


def _sources(
    policy: AdmissionPolicy, arrival: Arrival, state: State, now: int
) -> Refused | None:
    count = len(arrival.statement.sources)
    if count <= policy.max_sources:
        return None
    expected = f"this node takes statements with at most {policy.max_sources} sources"
    return Refused(Reason.TOO_MANY_SOURCES, f"{expected}, and this one has {count}")


def _authors(
    policy: AdmissionPolicy, arrival: Arrival, state: State, now: int
) -> Refused | None:
    if policy.authors == ANYONE or arrival.statement.author in policy.trusted:
        return None
    if policy.authors == LISTED:
        text = "this node takes statements only of keys that its operator has listed"
        return Refused(Reason.NOT_LISTED, text)
    if state.is_vouched(arrival.statement):
        return None
    text = "this node takes statements only of keys that somebody it trusts vouches for"
    return Refused(Reason.NOT_VOUCHED, text)


def _work(
    policy: AdmissionPolicy, arrival: Arrival, state: State, now: int
) -> Refused | None:
    done = work_of(arrival.statement)
    if done >= policy.work_bits or is_trusted(policy, arrival.statement, state):
        return None
    text = (
        f"this node asks for {policy.work_bits} bits of proof of work, so that nobody "
        f"floods it, and this statement has {done}"
    )
    return Refused(Reason.TOO_LITTLE_WORK, text)


def _ahead(
    policy: AdmissionPolicy, arrival: Arrival, state: State, now: int
) -> Refused | None:
    minutes = policy.clock_ahead_minutes
    if minutes is None or arrival.statement.time <= now + minutes * MINUTE:
        return None
    text = f"it is dated more than {minutes} minutes after this node's clock"
    return Refused(Reason.TOO_EARLY, text, arrival.statement.time - minutes * MINUTE)


def _behind(
    policy: AdmissionPolicy, arrival: Arrival, state: State, now: int
) -> Refused | None:
    if not _is_old(policy, arrival, now):
        return None
    text = (
        f"it is dated more than {policy.clock_behind_days} days back, "
        "and this node takes in only so many of those"
    )
    if policy.old is None:
        return Refused(Reason.TOO_OLD, text)
    key = arrival.statement.author
    return _rated(Reason.TOO_OLD, text, policy.old, "old", key, arrival, state, now)


def _quota(
    policy: AdmissionPolicy, arrival: Arrival, state: State, now: int
) -> Refused | None:
    if policy.quota_strings is None and policy.quota_bytes is None:
        return None
    held = state.held(arrival.statement.author)
    strings = held.strings + arrival.strings
    size = held.bytes + len(arrival.statement.body)
    too_many = policy.quota_strings is not None and strings > policy.quota_strings
    too_much = policy.quota_bytes is not None and size > policy.quota_bytes
    if not too_many and not too_much:
        return None
    return Refused(
        Reason.OVER_QUOTA, "this node holds as much of this key as it takes of any"
    )


def _author_rate(
    policy: AdmissionPolicy, arrival: Arrival, state: State, now: int
) -> Refused | None:
    text = "this node takes in only so much of one key at a time"
    key, rate = arrival.statement.author, policy.author
    return _rated(Reason.AUTHOR_RATE, text, rate, "author", key, arrival, state, now)


def _peer_rate(
    policy: AdmissionPolicy, arrival: Arrival, state: State, now: int
) -> Refused | None:
    text = "this node takes in only so much from one place at a time"
    key, rate = arrival.peer.encode(), policy.peer
    return _rated(Reason.PEER_RATE, text, rate, "peer", key, arrival, state, now)


def _rated(
    reason: Reason,
    text: str,
    rate: Rate | None,
    kind: str,
    key: bytes,
    arrival: Arrival,
    state: State,
    now: int,
) -> Refused | None:
    if rate is None:
        return None
    missing = arrival.strings * UNIT - state.level(kind, key, rate, now)
    return None if missing <= 0 else Refused(reason, text, now + rate.wait(missing))


Rule: TypeAlias = Callable[[AdmissionPolicy, Arrival, State, int], Refused | None]

RULES: tuple[tuple[str, Rule], ...] = (
    ("denied author", _denied_author),
    ("denied digest", _denied_digest),
    ("size", _size),
    ("sources", _sources),
    ("authors", _authors),
    ("work", _work),
    ("ahead", _ahead),
    ("behind", _behind),
    ("quota", _quota),
    ("author's rate", _author_rate),
    ("peer's rate", _peer_rate),
)


def decide(
    policy: AdmissionPolicy, arrival: Arrival, state: State, now: int
) -> Verdict:
    """What becomes of an arrival; `now` in Unix milliseconds."""
    refusals = (found for _name, found in explain(policy, arrival, state, now))
    return next((found for found in refusals if found is not None), ADMITTED)


def explain(
    policy: AdmissionPolicy, arrival: Arrival, state: State, now: int
) -> Iterator[tuple[str, Refused | None]]:
    """What each rule by itself says, in their order."""
    return ((name, rule(policy, arrival, state, now)) for name, rule in RULES)


def is_trusted(policy: AdmissionPolicy, statement: Statement, state: State) -> bool:
    """Whether the author is trusted by name or vouched for."""
    return statement.author in policy.trusted or state.is_vouched(statement)


def charges(
    policy: AdmissionPolicy, arrival: Arrival, now: int
) -> Iterator[tuple[str, bytes, Rate]]:
    """The buckets that an admitted arrival takes its strings from."""
    author = arrival.statement.author
    if policy.old is not None and _is_old(policy, arrival, now):
        yield "old", author, policy.old
    if policy.author is not None:
        yield "author", author, policy.author
    if policy.peer is not None:
        yield "peer", arrival.peer.encode(), policy.peer


def _is_old(policy: AdmissionPolicy, arrival: Arrival, now: int) -> bool:
    days = policy.clock_behind_days
    live = arrival.source != Source.FOLLOW
    return live and days is not None and arrival.statement.time < now - days * DAY


# State


class AdmissionState:
    """Levels of the buckets; what the log says comes from `vouched` and `held`."""

    def __init__(
        self,
        vouched: Callable[[Statement], bool],
        held: Callable[[bytes], Held],
    ) -> None:
        self.is_vouched = vouched
        self.held = held
        self.buckets = {kind: Buckets() for kind in ("old", "author", "peer")}

    def level(self, kind: str, key: bytes, rate: Rate, now: int) -> int:
        """Units in a bucket."""
        return self.buckets[kind].level(key, rate, now)


class Trial:
    """The state as it would be after what was admitted so far of one request."""

    def __init__(self, state: AdmissionState, now: int) -> None:
        self._state = state
        self._now = now
        self._spent: Counter[tuple[str, bytes, Rate]] = Counter()
        self._bytes: Counter[bytes] = Counter()
        self._strings: Counter[bytes] = Counter()

    def is_vouched(self, statement: Statement) -> bool:
        return self._state.is_vouched(statement)

    def held(self, author: bytes) -> Held:
        held = self._state.held(author)
        return Held(
            held.strings + self._strings[author], held.bytes + self._bytes[author]
        )

    def level(self, kind: str, key: bytes, rate: Rate, now: int) -> int:
        level = self._state.level(kind, key, rate, now)
        return level - self._spent[kind, key, rate] * UNIT

    def admit(self, policy: AdmissionPolicy, arrival: Arrival) -> None:
        """Counts an arrival that was admitted."""
        strings, author = arrival.strings, arrival.statement.author
        for charge in charges(policy, arrival, self._now):
            self._spent[charge] += strings
        self._strings[author] += strings
        self._bytes[author] += len(arrival.statement.body)

    def settle(self) -> dict[bytes, Held]:
        """Takes from the buckets; what each author has more now."""
        for (kind, key, rate), strings in self._spent.items():
            self._state.buckets[kind].take(key, strings, rate, self._now)
        return {
            author: Held(strings, self._bytes[author])
            for author, strings in self._strings.items()
        }
