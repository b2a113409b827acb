"""Whose log is read: long turns for one near its end, and a turn for everybody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import pytest
import trio
import trio.testing

from byline_node.turns import LONG, PATIENCE, SHORT, Turn, Turns

pytestmark = pytest.mark.trio

PAGE = 2.0
SHARE = LONG / (LONG + SHORT)


class Log:
    """Read by the page of 1,000 entries, which take `pause` seconds."""

    def __init__(
        self, turns: Turns, left: Callable[[Log], int], pause: float = PAGE
    ) -> None:
        self.pages = 0
        self.pause = pause
        self.turn = Turn(turns, lambda: 1_000 * left(self))
        self.begun: list[float] = []
        """When each turn began, or each page beside that of another."""

    async def read(self) -> None:
        while True:
            if self.turn._turns.holder is not self.turn:
                await self.turn.begin()
                self.begun.append(trio.current_time())
            await trio.sleep(self.pause)
            self.pages += 1
            if self.turn.end_page():
                self.turn.end()


async def read_all(logs: dict[str, Log], seconds: float) -> Counter[str]:
    with trio.move_on_after(seconds):
        async with trio.open_nursery() as nursery:
            for log in logs.values():
                nursery.start_soon(log.read)
                await trio.testing.wait_all_tasks_blocked()
    return Counter({name: log.pages for name, log in logs.items()})


@pytest.mark.parametrize("sizes", [(1_000, 2_000), (2_000, 1_000)])
async def test_the_log_nearest_to_its_end_has_the_long_turns(
    autojump_clock: trio.testing.MockClock, sizes: tuple[int, int]
) -> None:
    """Whoever came first."""
    turns = Turns()
    logs = {
        str(size): Log(turns, lambda log, size=size: size - log.pages) for size in sizes
    }
    pages = await read_all(logs, 5 * (LONG + SHORT))
    assert abs(pages["1000"] / pages.total() - SHARE) < 0.05


async def test_a_slow_log_has_no_long_turns(
    autojump_clock: trio.testing.MockClock,
) -> None:
    turns = Turns()
    slow = Log(turns, lambda log: 1_000 - log.pages, pause=10.0)
    logs = {"slow": slow, "other": Log(turns, lambda log: 10_000 - log.pages)}
    await read_all(logs, 5 * (LONG + SHORT))
    assert len(slow.begun) > 10


async def test_whoever_is_there_first_makes_room_for_who_is_nearer(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """After one page: it did not wait for its turn."""
    turns = Turns()
    logs = {
        str(size): Log(turns, lambda log, size=size: size - log.pages)
        for size in (3_000, 2_000, 1_000)
    }
    pages = await read_all(logs, LONG - SHORT)
    assert (pages["3000"], pages["2000"]) == (1, 0)


async def test_of_many_logs_each_has_its_turn_and_one_has_most(
    autojump_clock: trio.testing.MockClock,
) -> None:
    turns = Turns()
    logs = {
        str(n): Log(turns, lambda log, n=n: 10_000 + n - log.pages) for n in range(6)
    }
    pages = await read_all(logs, 5 * (LONG + SHORT))
    assert abs(pages["0"] / pages.total() - SHARE) < 0.05
    assert all(len(log.begun) == 1 for name, log in logs.items() if name != "0")


async def test_whoever_says_that_it_is_nearly_read_does_not_get_all(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Not even two who say it in turns."""
    turns = Turns()
    logs = {
        "one": Log(turns, lambda log: log.pages // 7 % 2),
        "honest": Log(turns, lambda log: 10_000 - log.pages),
        "two": Log(turns, lambda log: (log.pages + 3) // 5 % 2),
    }
    pages = await read_all(logs, 3600)
    assert pages["honest"] / pages.total() > (1 - SHARE) / 2
    assert len(logs["honest"].begun) >= 3600 // (4 * LONG)


async def test_nobody_goes_ahead_while_turns_pass_on(
    autojump_clock: trio.testing.MockClock,
) -> None:
    turns = Turns()
    logs = {str(n): Log(turns, lambda log: 10_000 - log.pages) for n in range(9)}
    await read_all(logs, 5 * (LONG + SHORT))
    begun = sorted(time for log in logs.values() for time in log.begun)
    assert all(later - earlier >= SHORT for earlier, later in pairwise(begun))


@pytest.mark.parametrize("offset", [0, 0.003, 0.008, 0.01])
async def test_whoever_waits_for_a_slow_one_goes_ahead_in_the_end(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery, offset: float
) -> None:
    """However the sum of two times is rounded."""
    turns = Turns()
    slow, other = Turn(turns, lambda: 5), Turn(turns, lambda: 7)
    await slow.begin()
    await trio.sleep(2 * PATIENCE + offset)
    started = trio.current_time()
    await other.begin()
    assert trio.current_time() == started + PATIENCE
    assert turns.holder is slow
    await other.begin()
    assert trio.current_time() == started + PATIENCE, "it waits once"
    slow.end()
    await other.begin()
    assert turns.holder is other
    nursery.cancel_scope.cancel()


async def test_one_that_is_given_up_while_it_waits_is_passed_over(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    turns = Turns()
    first, gone, last = (Turn(turns, lambda: 5) for _ in range(3))
    await first.begin()
    with trio.move_on_after(1):
        await gone.begin()
    nursery.start_soon(last.begin)
    await trio.testing.wait_all_tasks_blocked()
    gone.end()
    first.end()
    assert turns.holder is last
    last.end()
    assert turns.holder is None
