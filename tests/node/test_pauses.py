"""What takes long is done less often."""

import time

import pytest
import trio
import trio.testing

from byline_node.pauses import (
    MAX_REST_SECONDS,
    SHARE,
    give_way,
    held_up,
    seconds_between,
)


def test_a_pause_is_so_many_times_as_long_as_what_came_before() -> None:
    assert seconds_between(0.5, least=2.0, most=5.0) == 0.5 * SHARE


def test_a_pause_has_bounds() -> None:
    assert seconds_between(0.01, least=2.0, most=5.0) == 2.0
    assert seconds_between(9.0, least=2.0, most=5.0) == 5.0


def test_work_that_waits_is_held_up_and_work_that_computes_is_not() -> None:
    def compute() -> int:
        until = time.thread_time() + 0.1
        count = 0
        while time.thread_time() < until:
            count += 1
        return count

    _, waiting = held_up(lambda: time.sleep(0.1))
    assert waiting > 0.09
    began = time.perf_counter()
    count, stood_still = held_up(compute)
    took = time.perf_counter() - began
    assert count
    assert stood_still < took - 0.09


@pytest.mark.trio
@pytest.mark.parametrize(
    ("stood_still", "rest"), [(0.0, 0.0), (0.1, 0.1 * SHARE), (9.0, MAX_REST_SECONDS)]
)
async def test_a_rest_is_as_long_as_the_machine_is_busy(
    stood_still: float, rest: float, autojump_clock: trio.testing.MockClock
) -> None:
    began = trio.current_time()
    await give_way(stood_still)
    assert trio.current_time() - began == pytest.approx(rest)
