"""The one task that appends to the log.

Rule: statements of all sources queue here, and each commit takes whatever has queued
(docs/spec/log.md, "One commit"), so a lone statement is on disk in milliseconds while
a flood shares its fsyncs.  Nothing is answered before it is durable.  After a failed
write the writer stops and the node with it: what the disk really holds is then known
only to the next opening of the store.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

import trio

from byline_ledger.errors import BylineError, ReadOnlyError, StoreError
from byline_ledger.statement import Statement
from byline_node.errors import BusyError
from byline_node.receipts import Receipt, receipts_from_view

if TYPE_CHECKING:
    from byline_ledger.log import Appended, LogView

MAX_COMMIT = 8192
"""Statements in one commit; a single submission may be as large, not larger."""
MAX_QUEUE = 16384
"""Statements that wait; whoever brings more waits until there is room."""

Listener: TypeAlias = Callable[[Sequence[Statement], str], None]
"""Told of the new statements of a commit and their source; must not block."""


class Log(Protocol):
    """What the writer needs of a `Ledger`."""

    @property
    def view(self) -> LogView: ...
    @property
    def read_only(self) -> str | None: ...
    @property
    def failure(self) -> str | None: ...
    def append(self, statements: Sequence[Statement]) -> list[Appended]: ...


@dataclass(frozen=True, slots=True)
class Committed:
    """Statements that are on disk, in the order they were submitted."""

    appended: tuple[Appended, ...]
    view: LogView
    """A tree that holds them all."""

    def receipts(self) -> tuple[Receipt, ...]:
        """Proofs for all of them; some 100 microseconds each, so off the event loop."""
        return receipts_from_view(self.appended, self.view)


@dataclass(slots=True, eq=False)
class Submission:
    """Statements that wait for their commit."""

    statements: tuple[Statement, ...]
    source: str
    done: trio.Event = field(default_factory=trio.Event)
    outcome: Committed | BylineError | None = None

    def settle(self, outcome: Committed | BylineError) -> None:
        self.outcome = outcome
        self.done.set()


class Writer:
    """Queue and commit loop over one ledger; `run` in a task, `submit` from any."""

    def __init__(self, ledger: Log) -> None:
        self._ledger = ledger
        self._queue: deque[Submission] = deque()
        self._queued = 0
        self._listeners: list[Listener] = []
        self._changed = trio.Condition()
        self._closed: BylineError | None = None
        self.counts: Counter[str] = Counter()
        """New statements since the start, by the source that brought each first."""

    @property
    def queued(self) -> int:
        """Statements that wait for a commit."""
        return self._queued

    def listen(self, listener: Listener) -> None:
        """Calls `listener` after each commit with what is new in it."""
        self._listeners.append(listener)

    async def submit(self, statements: Sequence[Statement], source: str) -> Committed:
        """Returns once all are durable; their signatures must be verified already.

        `source` is "api", "gossip" or "follow".  Raises StoreError where the log is not
        written any more, BusyError where the node is stopping.
        """
        if len(statements) > MAX_COMMIT:
            raise ValueError(f"{len(statements)} statements in one submission")
        if self._ledger.read_only is not None:
            raise ReadOnlyError(self._ledger.read_only)
        if not statements:
            return Committed((), self._ledger.view)
        submission = Submission(tuple(statements), source)
        await self._enqueue(submission)
        await submission.done.wait()
        assert submission.outcome is not None
        if isinstance(submission.outcome, BylineError):
            raise copy_error(submission.outcome)
        return submission.outcome

    async def _enqueue(self, submission: Submission) -> None:
        size = len(submission.statements)
        async with self._changed:
            while self._closed is None and self._queued + size > MAX_QUEUE:
                await self._changed.wait()
            if self._closed is not None:
                raise copy_error(self._closed)
            self._queue.append(submission)
            self._queued += size
            self._changed.notify_all()

    async def run(self) -> None:
        """Commits until closed and empty.  Raises StoreError after a failed write."""
        while batch := await self._take():
            try:
                await self._commit(batch)
            except BylineError as error:
                if self._ledger.failure is not None:
                    await self._fail(batch, error)
                    raise
                # Refused before anything was written: the disk may have room again.
                for one in batch:
                    one.settle(error)

    async def _take(self) -> list[Submission]:
        """Everything queued, up to one commit; empty once closed and drained."""
        async with self._changed:
            while not self._queue and self._closed is None:
                await self._changed.wait()
            batch: list[Submission] = []
            size = 0
            while self._queue:
                size += len(self._queue[0].statements)
                if size > MAX_COMMIT:
                    break
                batch.append(self._queue.popleft())
            self._queued -= sum(len(one.statements) for one in batch)
            self._changed.notify_all()
            return batch

    async def _commit(self, batch: list[Submission]) -> None:
        everything = [s for one in batch for s in one.statements]
        # Not cancellable: half a commit is not a thing that may be left alone.
        appended = await trio.to_thread.run_sync(self._ledger.append, everything)
        view = self._ledger.view
        start = 0
        for one in batch:
            end = start + len(one.statements)
            one.settle(Committed(tuple(appended[start:end]), view))
            self._tell(one, appended[start:end])
            start = end

    def _tell(self, one: Submission, appended: Sequence[Appended]) -> None:
        pairs = zip(one.statements, appended, strict=True)
        new = [statement for statement, place in pairs if place.new]
        self.counts[one.source] += len(new)
        for listener in self._listeners if new else ():
            listener(new, one.source)

    async def close(self) -> None:
        """Takes no more; what has queued is still committed, then `run` returns."""
        await self._close(
            BusyError("the node is stopping and takes no more statements")
        )

    async def _close(self, reason: BylineError) -> None:
        async with self._changed:
            self._closed = self._closed or reason
            self._changed.notify_all()

    async def _fail(self, batch: list[Submission], error: BylineError) -> None:
        stopped = StoreError(f"the node has stopped writing: {error}", hint=error.hint)
        with trio.CancelScope(shield=True):
            await self._close(stopped)
        for one in [*batch, *self._queue]:
            one.settle(stopped)
        self._queue.clear()


def copy_error(error: BylineError) -> BylineError:
    """One failure may answer many submitters: each raises an exception of its own."""
    return type(error)(str(error), hint=error.hint)
