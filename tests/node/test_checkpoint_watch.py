"""Comparing what others show of a log: nobody's slowness keeps it from the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import trio
import trio.testing
from tests.support.following import follow, logs
from tests.support.memory_log import MemoryLog
from tests.support.signed import work

from byline_ledger.checkpoint import log_vkey, sign_checkpoint
from byline_ledger.crypto import SigningKey
from byline_ledger.cursor import Cursor
from byline_ledger.errors import ContradictionError
from byline_ledger.follow_server import serve
from byline_ledger.follower import Follower
from byline_node.checkpoint_watch import ASK_SECONDS, Ask, CheckpointWatch

pytestmark = pytest.mark.trio


class Mesh:
    """Messages of a list, then nothing."""

    def __init__(self) -> None:
        self._send, self._receive = trio.open_memory_channel[tuple[str, bytes]](999)
        self.published: list[bytes] = []

    def show(self, note: bytes, sender: str = "somebody") -> None:
        self._send.send_nowait((sender, note))

    async def publish(self, topic: str, data: bytes) -> None:
        self.published.append(data)

    async def messages(self, topic: str) -> AsyncIterator[Any]:
        async for sender, data in self._receive:
            yield SimpleNamespace(sender=sender, data=data)


def followed(number: int) -> tuple[MemoryLog, Cursor, bytes]:
    """A log, a cursor at its end, and an earlier checkpoint of it."""
    theirs, mine = MemoryLog(number), MemoryLog(1)
    earlier = theirs.checkpoint
    theirs.append([work("one")])
    one = Follower(lambda: mine)
    follow(one, mine, theirs)
    assert one.cursor is not None
    return theirs, one.cursor, earlier


async def show(
    nursery: trio.Nursery,
    note: bytes,
    followed_logs: Sequence[tuple[str, Cursor]],
    ask: Ask,
    found: list[ContradictionError],
) -> None:
    """Has a checkpoint compared with these logs."""
    mesh = Mesh()
    watch = CheckpointWatch(
        mesh,
        "own.example/1",
        lambda: followed_logs,
        ask,
        on_own=lambda _note: None,
        on_contradiction=found.append,
    )
    nursery.start_soon(watch.run)
    mesh.show(note)
    await trio.sleep(1)


async def test_a_peer_that_is_slow_to_answer_keeps_no_other_log_from_being_compared(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    _slow, slow_cursor, earlier = followed(2)
    liar, liar_cursor, _ = followed(3)
    other = MemoryLog(3)
    other.append([work("another past")])
    found: list[tuple[float, ContradictionError]] = []
    asked: list[float] = []

    async def ask(_peer: str, _request: bytes) -> bytes:
        asked.append(trio.current_time())
        await trio.sleep(29)
        return b""

    mesh = Mesh()
    watch = CheckpointWatch(
        mesh,
        "own.example/1",
        lambda: [("slow", slow_cursor), ("liar", liar_cursor)],
        ask,
        on_own=lambda _note: None,
        on_contradiction=lambda error: found.append((trio.current_time(), error)),
    )
    started = trio.current_time()
    nursery.start_soon(watch.run)
    for _ in range(3):
        mesh.show(earlier)
    mesh.show(other.checkpoint)
    await trio.sleep(ASK_SECONDS + 1)
    mesh.show(earlier)  # while the first question is still open
    await trio.sleep(1)
    assert [(at - started < 1, e.vkey) for at, e in found] == [(True, liar.vkey)]
    assert len(asked) == 1
    await trio.sleep(30)
    mesh.show(earlier)
    await trio.sleep(1)
    assert len(asked) == 2
    nursery.cancel_scope.cancel()


async def test_an_earlier_tree_that_the_log_does_not_extend_is_a_contradiction(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    theirs, cursor, _ = followed(2)
    theirs.append([work("more")])
    mine, _theirs, one = logs()
    follow(one, mine, theirs)
    assert one.cursor is not None
    other = MemoryLog(2)
    other.append([work("another past")])
    assert other.size == cursor.size
    found: list[ContradictionError] = []

    async def ask(_peer: str, request: bytes) -> bytes:
        return serve(theirs, request)

    followed_logs = [("peer", one.cursor)]
    await show(nursery, other.checkpoint, followed_logs, ask, found)
    assert [error.vkey for error in found] == [theirs.vkey]
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize("order", [1, -1])
async def test_another_log_of_the_same_name_hides_nothing(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery, order: int
) -> None:
    """Also where it was met first."""
    liar, liar_cursor, _ = followed(3)
    other = MemoryLog(3)
    other.append([work("another past")])
    key = SigningKey.from_seed(b"s" * 32)
    namesake = replace(
        liar_cursor,
        note=sign_checkpoint(liar_cursor.seen, key),
        vkey=log_vkey(liar.origin, key.public),
    )
    found: list[ContradictionError] = []

    async def ask(_peer: str, _request: bytes) -> bytes:
        raise AssertionError("nothing is asked")

    followed_logs = [("namesake", namesake), ("liar", liar_cursor)][::order]
    await show(nursery, other.checkpoint, followed_logs, ask, found)
    assert [one.vkey for one in found] == [liar.vkey]
    nursery.cancel_scope.cancel()


async def test_the_more_nodes_tell_the_less_each_of_them_does(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    """All together tell as many, however many they are."""

    async def ask(_peer: str, _request: bytes) -> bytes:
        raise AssertionError("nobody is asked")

    told: dict[int, int] = {}
    for others in (0, 100):
        mesh = Mesh()
        watch = CheckpointWatch(
            mesh,
            "own.example/1",
            lambda: (),
            ask,
            on_own=lambda _note: None,
            on_contradiction=lambda _error: None,
        )
        for number in range(others):
            mesh.show(b"", sender=f"{number}")
        async with trio.open_nursery() as running:
            running.start_soon(watch.run)
            for _ in range(1_000):
                await trio.sleep(1)
                watch.tell(b"newer")
            running.cancel_scope.cancel()
        told[others] = len(mesh.published)
    assert 1_000 / 6.25 <= told[0] <= 1_000 / 3.75 + 1
    # Half of the time: then those who fell silent no longer count.
    assert told[100] < 0.6 * told[0]
