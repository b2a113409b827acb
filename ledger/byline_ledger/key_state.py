"""Who acts for a key: its recovery key, its rotations, its end and its successors.

Rule: docs/spec/state.md, "Keys".  A rotation is signed by the old key alone, so a
successor may do what the old key could, and never the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from byline_ledger.content_keys import read_profile, read_rotate
from byline_ledger.digest import digest_bytes
from byline_ledger.facts import NO, UNSURE, YES, Does, Facts, Record, opposite

MAX_SUCCESSORS = 8
"""As many keys may follow one."""


@dataclass(frozen=True, slots=True)
class KeyState:
    """What became of a key.

    `rotations` are those that count, by place; `ends` is the place of the first.
    `named` are the successors that they name: two or more, and none of them acts.
    Where `settled` is false, more may have been said of it than is shown, or not yet
    all of that.
    """

    key: bytes
    recovery: bytes | None
    rotations: tuple[Record, ...]
    named: tuple[bytes, ...]
    settled: bool

    @property
    def ends(self) -> int | None:
        """The place after which the key's statements come late; None: it goes on."""
        return self.rotations[0].index if self.rotations else None

    @property
    def successor(self) -> bytes | None:
        """The one key that acts for it now, if there is one and it is sure."""
        return self.named[0] if self.settled and len(self.named) == 1 else None

    @property
    def is_contested(self) -> bool:
        """Whether two keys are named to follow it."""
        return len(self.named) > 1

    def is_late(self, index: int) -> Does:
        """Whether what the key says at this place comes too late."""
        if not self.settled:
            # A rotation that is not shown may have come before.
            return UNSURE
        if self.ends is None or index <= self.ends:
            return NO
        return UNSURE if self.is_contested else YES


@dataclass(frozen=True, slots=True)
class Succession:
    """A key and those that follow it; `settled`: no other key may act for it."""

    states: tuple[KeyState, ...]
    settled: bool

    @property
    def keys(self) -> tuple[bytes, ...]:
        """The key itself first."""
        return tuple(one.key for one in self.states)

    @property
    def last(self) -> KeyState:
        """The key that acts now, unless that ended too."""
        return self.states[-1]

    def state_of(self, key: bytes) -> KeyState | None:
        """The state of a key in it."""
        return next((one for one in self.states if one.key == key), None)

    def holds(self, key: bytes) -> Does:
        """Whether a key is in it: itself, or one of those that follow."""
        if key in self.keys:
            return YES
        is_candidate = any(key in one.named for one in self.states)
        return UNSURE if is_candidate or not self.settled else NO


class Keys:
    """The states of keys by the statements that are there."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._states: dict[bytes, KeyState] = {}
        self._successions: dict[bytes, Succession] = {}

    def state(self, key: bytes) -> KeyState:
        """What became of a key."""
        if key not in self._states:
            self._states[key] = self._find(key)
        return self._states[key]

    def _find(self, key: bytes) -> KeyState:
        about = digest_bytes(key)
        recovery = _recovery_key(key, self._facts.ever_about(about))
        rotations = _that_count(key, recovery, self._facts.about(about, "rotate"))
        named = dict.fromkeys(map(successor_in, rotations))
        shown = self._facts.shown
        return KeyState(
            key=key,
            recovery=recovery,
            rotations=tuple(rotations),
            named=tuple(one for one in named if one is not None),
            settled=shown(about, key)
            and (recovery is None or shown(about, recovery))
            and not any(map(self._facts.is_early, rotations)),
        )

    def succession(self, key: bytes) -> Succession:
        """The key, its successor, that one's successor, and so on."""
        if key not in self._successions:
            self._successions[key] = self._follow(key)
        return self._successions[key]

    def _follow(self, key: bytes) -> Succession:
        states = [self.state(key)]
        while True:
            last = states[-1]
            if not last.settled:
                return Succession(tuple(states), False)
            known = [one.key for one in states]
            if last.successor is None or last.successor in known:
                return Succession(tuple(states), True)
            if len(states) > MAX_SUCCESSORS:
                return Succession(tuple(states), False)
            states.append(self.state(last.successor))

    def is_shown(self, about: bytes, key: bytes) -> bool:
        """Whether all is shown of what those who act for a key said about this."""
        found, shown = self.succession(key), self._facts.shown
        return found.settled and all(shown(about, one) for one in found.keys)

    def speaks(self, author: bytes, index: int, key: bytes) -> Does:
        """Whether what `author` itself says at a place acts for `key`."""
        succession = self.succession(key)
        found = succession.state_of(author)
        if found is None:
            return succession.holds(author)
        return opposite(found.is_late(index))

    def end_of(self, key: bytes) -> bytes:
        """The key at which the succession of a key ends: what keys are linked by."""
        return self.succession(key).last.key


def successor_in(record: Record) -> bytes | None:
    """The key that a rotation names."""
    return read_rotate(record.statement).successor


def _recovery_key(key: bytes, said: Sequence[Record]) -> bytes | None:
    """The one that the earliest profile names, if the key had not ended before."""
    for one in said:
        if one.statement.author != key:
            continue
        if one.statement.type == "rotate" and read_rotate(one.statement).sound:
            return None
        if one.statement.type == "profile":
            recovery = read_profile(one.statement).recovery
            if recovery is not None and recovery != key:
                return recovery
    return None


def _that_count(
    key: bytes, recovery: bytes | None, rotations: Sequence[Record]
) -> list[Record]:
    """The recovery key's rotations, else the key's own."""
    sound = [one for one in rotations if read_rotate(one.statement).sound]
    by_recovery = [one for one in sound if one.statement.author == recovery]
    if by_recovery:
        return by_recovery
    counting: list[Record] = []
    is_over = False
    for one in sound:
        if one.statement.author != key or (is_over and successor_in(one) is not None):
            # Whoever stole a key cannot undo that its owner declared it stolen.
            continue
        counting.append(one)
        is_over = is_over or successor_in(one) is None
    return counting
