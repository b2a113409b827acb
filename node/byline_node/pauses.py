"""How long something that is done again and again waits for its next turn.

Rule: what takes long is done less often.  A node that has little to spare, or waits for
others that have none, so spends less on what can wait and has the rest for what cannot;
and more is done in one go, which costs less.  What has no haste at all gives way to
whatever else the machine does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import trio

SHARE = 8
"""It takes at most one in so many parts of the time, up to its longest pause."""
MAX_REST_SECONDS = 5.0

_Result = TypeVar("_Result")


def seconds_between(took: float, least: float, most: float) -> float:
    """From one turn, which took so long, to the next: from `least` to `most`."""
    return min(max(least, SHARE * took), most)


def held_up(work: Callable[[], _Result]) -> tuple[_Result, float]:
    """What `work()` returns, and for how many of its seconds this thread stood still:
    others had the processor, this process's other threads or the disk were in use."""
    began, used = time.perf_counter(), time.thread_time()
    result = work()
    took, used = time.perf_counter() - began, time.thread_time() - used
    return result, max(0.0, took - used)


async def give_way(seconds: float) -> None:
    """Rests after work that was held up for so long: not at all on an idle machine, and
    for most of the time on a busy one."""
    await trio.sleep(min(SHARE * seconds, MAX_REST_SECONDS))
