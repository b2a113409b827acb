"""Whose log is read by the page: one peer's at a time, in turns.

Rule: from two at once, every statement would be fetched and verified twice.  Logs that
hold the same have it in orders of their own: whoever reads half of each has read a
quarter of it twice.  So long turns go to the log that is nearest to its end, and each
time one of the others has a turn between them: none can keep the rest from being read,
whether it has no end or takes its time (docs/spec/network.md, "Follow").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import trio

LONG, SHORT = 180.0, 20.0
"""Seconds after which the turn goes to whoever waits: from who is nearest to the end,
and from another."""
LEAST_RATE = 200
"""Entries a second; a log that is read more slowly has no long turns."""
PATIENCE = 60.0
"""Seconds without a page, after which one that waits goes ahead: whoever has the turn
is slow, costs the others time, and must not hold them up for ever."""


@dataclass(slots=True, eq=False)
class Turns:
    """Who has the turn, and who waits."""

    holder: Turn | None = None
    waiting: list[Turn] = field(default_factory=list)
    since: float = 0.0
    """When the holder's turn began."""
    left: int = 0
    """How many entries it had to read then."""
    page_at: float = 0.0
    """When its turn began, or its last page ended."""
    by_order: bool = False
    """The holder had it for having waited longest."""
    near_since: float = 0.0
    """When whoever is nearest to the end began to have the turn, be it one or more."""

    @property
    def is_over(self) -> bool:
        """Whether somebody else should have it."""
        if not self.waiting:
            return False
        passed = trio.current_time() - self.since
        if self._is_nearer():
            return passed >= SHORT if self.by_order else True
        return self._is_long or (passed >= SHORT and self._is_slow(passed))

    @property
    def _is_long(self) -> bool:
        """Whether others than the nearest have waited long enough."""
        since = self.since if self.by_order else self.near_since
        return trio.current_time() - since >= LONG

    def _is_slow(self, passed: float) -> bool:
        assert self.holder is not None
        return self.left - self.holder.left() < LEAST_RATE * passed

    def _is_nearer(self) -> bool:
        """Whether one that waits is nearer to the end than the holder."""
        assert self.holder is not None
        return any(one.left() < self.holder.left() for one in self.waiting)

    def give(self, turn: Turn) -> None:
        """It begins.  The one before, if any, is over."""
        self.forget(turn)
        self.holder, self.left = turn, turn.left()
        self.since = self.page_at = trio.current_time()
        turn.given.set()

    def forget(self, turn: Turn) -> None:
        """It waits no longer."""
        if turn in self.waiting:
            self.waiting.remove(turn)

    def pass_on(self) -> None:
        """The holder's turn ends; next is, by turns, whoever waited longest and whoever
        is nearest to the end: that may be one after the other, for so long."""
        was_by_order, is_nearer = self.by_order, self._is_nearer()
        self.holder = None
        if not self.waiting:
            self.by_order = False
        elif was_by_order or (is_nearer and not self._is_long):
            self._give_nearest(begins=was_by_order)
        else:
            self.by_order = True
            self.give(self.waiting[0])

    def _give_nearest(self, *, begins: bool) -> None:
        self.by_order = False
        if begins:
            self.near_since = trio.current_time()
        self.give(min(self.waiting, key=lambda one: one.left()))


class Turn:
    """One session's turn, which begins before its first page."""

    def __init__(self, turns: Turns, left: Callable[[], int]) -> None:
        """`left()` is how many entries of its log are still to be read."""
        self.left = left
        self.given = trio.Event()
        self._turns = turns
        self._goes_ahead = False

    def end_page(self) -> bool:
        """A page was read; whether somebody else should have the turn now."""
        if self._turns.holder is not self:
            return False
        self._turns.page_at = trio.current_time()
        return self._turns.is_over

    async def begin(self) -> None:
        """Returns when it is this session's turn, or has waited too long for it."""
        turns = self._turns
        if turns.holder is self:
            return
        if turns.holder is None:
            turns.near_since = trio.current_time()
            turns.give(self)
        elif not self._goes_ahead:
            # Once, and not before each page: whoever has the turn may be slow for good.
            await self._wait(turns)

    async def _wait(self, turns: Turns) -> None:
        self.given = trio.Event()
        turns.waiting.append(self)
        started = trio.current_time()
        try:
            while not (self._goes_ahead or self.given.is_set()):
                with trio.move_on_at(max(started, turns.page_at) + PATIENCE):
                    await self.given.wait()
                until = max(started, turns.page_at) + PATIENCE
                is_late = trio.current_time() >= until
                self._goes_ahead = is_late and not self.given.is_set()
        finally:
            turns.forget(self)

    def end(self) -> None:
        """If it is this session's, it is somebody else's now."""
        if self._turns.holder is self:
            self._turns.pass_on()
