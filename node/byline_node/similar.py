"""The index of fingerprints in a running node: kept in step, asked within budgets.

Rule: a search reads files of the index in a thread, one at a time; whoever asks pays
for it in seconds.  Without the extra there is no index, and whoever asks is told so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
import trio

from byline_ledger.errors import BylineError, UsageError
from byline_ledger.likeness import Question
from byline_ledger.likeness_messages import Candidates
from byline_ledger.statement import Statement
from byline_node.budgets import Budget
from byline_node.errors import BusyError
from byline_node.pauses import give_way, held_up
from byline_node.places import Places
from byline_node.similar_index import SimilarIndex, forget_taken_down

if TYPE_CHECKING:
    from byline_ledger.log import LogView

SEARCH_SECONDS = 10.0
"""For one question; over a million images it takes two to four.  What was not
looked at by then, the answer says."""
LOOK_SECONDS = 60.0
"""Between two looks for what was taken down, where nothing is committed; a takedown by
command is told at once."""
GATHER_SECONDS = 5.0
"""Between a commit and when it is read, with those that came meanwhile."""
PATIENCE_SECONDS = 600.0
"""It waits no longer for a node that is busy: some logs have no end."""
TURN_SECONDS = 15.0
"""A search waits for those before it, and no longer."""
SECONDS_RATE = 0.5
SECONDS_BURST = 20.0
"""Of searching for one address: a second, and at once."""
LEAST_SECONDS = 0.02
"""What a search counts as, however quick."""

log = structlog.get_logger("byline.similar")


class Similar:
    """The node's index; `run` in a task, `search` from any."""

    def __init__(self, node: Path, view: Callable[[], LogView]) -> None:
        self._node = node
        self._view = view
        self._index: SimilarIndex | None = None
        self._opening = threading.Lock()
        self._changed = trio.Event()
        self._one = trio.CapacityLimiter(1)
        self._turn = Places(1, 1, TURN_SECONDS)
        self._budget = Budget(SECONDS_RATE, SECONDS_BURST, trio.current_time)
        self.is_busy: Callable[[], bool] = lambda: False
        """Whether the node has better to do than to read what just came."""

    def heed(self, statements: Sequence[Statement], source: str) -> None:
        """Something was committed (writer.Listener)."""
        self._changed.set()

    async def run(self) -> None:
        """Keeps the index in step until cancelled; a failure ends that alone."""
        while True:
            try:
                # A thread for each step: a search waits for one and not for all.
                is_left = True
                while is_left:
                    is_left, stood_still = await trio.to_thread.run_sync(
                        held_up, self._step, limiter=self._one
                    )
                    await give_way(stood_still)
            except UsageError:
                return  # the extra is not installed: who asks is told
            except BylineError as error:
                log.warning("the index of fingerprints is behind", reason=str(error))
            with trio.move_on_after(LOOK_SECONDS):
                await self._changed.wait()
            # A busy node commits many times a second; a search catches up by itself.
            await trio.sleep(GATHER_SECONDS)
            with trio.move_on_after(PATIENCE_SECONDS):
                while self.is_busy():  # noqa: ASYNC110  # nobody says when it is over
                    await trio.sleep(GATHER_SECONDS)
            self._changed = trio.Event()

    def _step(self) -> bool:
        """Takes out what was taken down, and reads some of the log; whether there was
        any left."""
        index, view = self._opened(), self._view()
        index.take_out(view)
        if index.step(view):
            return True
        if index.rebuilt is not None:
            log.info(
                "the index of fingerprints was made anew",
                reason=index.rebuilt,
                size=index.size,
            )
            index.rebuilt = None
        return False

    def _opened(self) -> SimilarIndex:
        with self._opening:
            if self._index is None:
                self._index = SimilarIndex(self._node)
            return self._index

    def forget_taken_down(self) -> None:
        """The codes of what was taken down leave the disk; from any thread."""
        forget_taken_down(self._node, self._view(), self._opened)

    async def search(self, asked: Question, client: str) -> Candidates:
        """Candidates in as much of the newest tree as one question has time for.
        BusyError where `client` (an address) has asked too much, UsageError without the
        extra, StoreError."""
        # Judged when its turn has come: many at once would all pass before one is paid.
        async with self._turn.one(client):
            wait = self._budget.wait(client)
            if wait > 0:
                raise BusyError(
                    "this address has searched too much",
                    hint=f"wait {ceil(wait)} seconds",
                    retry_after=ceil(wait),
                )
            started = trio.current_time()
            try:
                return await trio.to_thread.run_sync(
                    lambda: self._opened().search(self._view(), asked, SEARCH_SECONDS),
                    limiter=self._one,
                )
            finally:
                took = trio.current_time() - started
                self._budget.charge(client, max(took, LEAST_SECONDS))
