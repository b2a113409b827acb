"""The writer: group commit, order, bounds, and what a failed write means for whom."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import trio
import trio.testing
from tests.support.signed import work

from byline_ledger.errors import ReadOnlyError, StoreError
from byline_ledger.statement import Statement
from byline_node import writer as writer_module
from byline_node.errors import BusyError
from byline_node.writer import Writer

pytestmark = pytest.mark.trio


@dataclass(frozen=True)
class Place:
    id: bytes
    index: int
    new: bool


class FakeLog:
    """Appends to a list, when it may; `refusal` is what append raises."""

    def __init__(self) -> None:
        self.commits: list[list[bytes]] = []
        self.refusal: StoreError | None = None
        self.failure: str | None = None
        self.read_only: str | None = None
        self.may_append = threading.Event()
        self.may_append.set()

    @property
    def view(self) -> Any:
        return len(self.commits)

    def append(self, statements: Sequence[Statement]) -> Any:
        self.may_append.wait(10)
        if self.refusal is not None:
            raise self.refusal
        earlier = [one for commit in self.commits for one in commit]
        self.commits.append([one.id for one in statements])
        return [
            Place(one.id, len(earlier) + i, one.id not in earlier)
            for i, one in enumerate(statements)
        ]


async def submit(
    writer: Writer, statements: Sequence[Statement], answers: dict[str, Any], name: str
) -> None:
    try:
        answers[name] = await writer.submit(statements, "api")
    except (StoreError, BusyError) as error:
        answers[name] = error


async def test_what_waits_shares_one_commit(nursery: trio.Nursery) -> None:
    """Statements that queue behind a commit are all in the next one, in order."""
    log = FakeLog()
    answers: dict[str, Any] = {}
    writer = Writer(log)
    nursery.start_soon(writer.run)
    log.may_append.clear()
    parts = [[work(f"{i}.{j}") for j in range(3)] for i in range(5)]
    for i, part in enumerate(parts):
        nursery.start_soon(submit, writer, part, answers, str(i))
        await trio.testing.wait_all_tasks_blocked()
    log.may_append.set()
    await until_answered(answers, 5)
    ids = [[one.id for one in part] for part in parts]
    assert log.commits == [ids[0], [one for part in ids[1:] for one in part]]
    for i in range(5):
        assert [place.id for place in answers[str(i)].appended] == ids[i]


async def until_answered(answers: dict[str, Any], count: int) -> None:
    while len(answers) < count:  # noqa: ASYNC110  # filled by plain tasks
        await trio.sleep(0.001)


async def test_a_commit_has_a_greatest_size(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not fit the commit waits for the next; nothing is split or lost."""
    monkeypatch.setattr(writer_module, "MAX_COMMIT", 4)
    log = FakeLog()
    answers: dict[str, Any] = {}
    writer = Writer(log)
    log.may_append.clear()
    nursery.start_soon(writer.run)
    for i in range(6):
        part = [work(f"{i}.{j}") for j in range(3)]
        nursery.start_soon(submit, writer, part, answers, str(i))
    log.may_append.set()
    await until_answered(answers, 6)
    assert [len(commit) for commit in log.commits] == [3] * 6


async def test_whoever_brings_too_much_waits(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full queue holds submitters back and lets them in as it empties."""
    monkeypatch.setattr(writer_module, "MAX_QUEUE", 4)
    log = FakeLog()
    answers: dict[str, Any] = {}
    writer = Writer(log)
    for i in range(3):
        part = [work(f"{i}.{j}") for j in range(2)]
        nursery.start_soon(submit, writer, part, answers, str(i))
    await trio.testing.wait_all_tasks_blocked()
    assert writer.queued == 4
    nursery.start_soon(writer.run)
    await until_answered(answers, 3)
    assert sum(len(commit) for commit in log.commits) == 6


async def test_listeners_hear_of_new_statements_only(nursery: trio.Nursery) -> None:
    """A statement the log held already is not announced again."""
    heard: list[tuple[list[bytes], str]] = []
    writer = Writer(FakeLog())
    writer.listen(lambda new, source: heard.append(([s.id for s in new], source)))
    nursery.start_soon(writer.run)
    first, second = work("first"), work("second")
    await writer.submit([first], "api")
    await writer.submit([first], "gossip")
    await writer.submit([first, second], "follow")
    assert heard == [([first.id], "api"), ([second.id], "follow")]


async def test_a_failed_write_stops_the_writer_and_tells_everybody() -> None:
    """Those in the commit, those in the queue and those who come later get an error."""
    log = FakeLog()
    answers: dict[str, Any] = {}
    log.refusal = StoreError("cannot write: no space left", hint="free some")
    log.failure = "cannot write"
    writer = Writer(log)
    log.may_append.clear()

    raised: list[StoreError] = []

    async def run() -> None:
        try:
            await writer.run()
        except StoreError as error:
            raised.append(error)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        for i in range(3):
            nursery.start_soon(submit, writer, [work(f"{i}")], answers, str(i))
            await trio.testing.wait_all_tasks_blocked()
        log.may_append.set()
    assert raised == [log.refusal]
    await submit(writer, [work("later")], answers, "later")
    assert len(answers) == 4
    for error in answers.values():
        assert isinstance(error, StoreError)
        assert str(error) == "the node has stopped writing: cannot write: no space left"
        assert error.hint == "free some"
    assert len({id(error) for error in answers.values()}) == 4
    assert log.commits == []


async def test_a_write_that_was_never_begun_stops_nobody(
    nursery: trio.Nursery,
) -> None:
    """Where the ledger refused for want of room and wrote nothing, it may go on."""
    log = FakeLog()
    writer = Writer(log)
    nursery.start_soon(writer.run)
    log.refusal = StoreError("the disk is nearly full")
    with pytest.raises(StoreError, match="the disk is nearly full"):
        await writer.submit([work("x")], "api")
    log.refusal = None
    assert (await writer.submit([work("y")], "api")).appended[0].new


async def test_closing_commits_what_has_queued() -> None:
    """After close nothing more is taken, and run returns once the queue is empty."""
    log = FakeLog()
    answers: dict[str, Any] = {}
    writer = Writer(log)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(submit, writer, [work("in time")], answers, "in time")
        await trio.testing.wait_all_tasks_blocked()
        await writer.close()
        nursery.start_soon(submit, writer, [work("late")], answers, "late")
        await writer.run()
    assert len(log.commits) == 1
    assert len(answers["in time"].appended) == 1
    assert isinstance(answers["late"], BusyError)


async def test_a_log_that_must_not_be_written_is_not() -> None:
    """Reads go on; whoever submits hears why, and the writer goes on."""
    log = FakeLog()
    log.read_only = "the guard file is behind"
    with pytest.raises(ReadOnlyError, match="guard file"):
        await Writer(log).submit([work("x")], "api")


async def test_a_submitter_who_leaves_does_not_take_the_statements_along() -> None:
    """Cancelling a submission does not undo it: the commit goes on."""
    log = FakeLog()
    answers: dict[str, Any] = {}
    writer = Writer(log)
    async with trio.open_nursery() as nursery:
        with trio.move_on_after(0.01):
            await writer.submit([work("x")], "api")
        nursery.start_soon(submit, writer, [work("y")], answers, "y")
        nursery.start_soon(writer.run)
        await until_answered(answers, 1)
        await writer.close()
    assert sum(len(commit) for commit in log.commits) == 2
