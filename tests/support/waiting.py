"""Waiting for what other tasks and threads bring about, and no longer."""

from __future__ import annotations

import time
from collections.abc import Callable

import trio
import trio.lowlevel


async def until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Returns once the condition holds; TooSlowError if it never does."""
    with trio.fail_after(seconds):
        while not condition():  # noqa: ASYNC110  # the code under test knows no tests
            await trio.sleep(0.005)


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    """The same for tests without an event loop, such as those of other processes."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.005)


class LoopTurns:
    """Counts how often the event loop comes round, in a task that runs it."""

    def __init__(self) -> None:
        self.count = 0

    async def run(self) -> None:
        while True:
            self.count += 1
            await trio.lowlevel.checkpoint()
