"""What holds for every test: signals as in a shell, no deadlines, honest clocks."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
import trio
import trio.testing
from hypothesis import settings

# A shell that runs this in the background has SIGINT ignored, and children inherit it:
# the programs under test could not be interrupted.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long one example takes says more about the machine than about the code.
settings.register_profile("byline", deadline=None, print_blob=True)
settings.load_profile("byline")


@pytest.fixture
def autojump_clock(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> trio.testing.MockClock:
    """A clock that jumps when all wait; with threads, work would count as waiting."""

    async def run_here(
        function: Callable[..., object], *args: object, **_how: object
    ) -> object:
        await trio.lowlevel.checkpoint()
        return function(*args)

    monkeypatch.setattr(trio.to_thread, "run_sync", run_here)
    return autojump_clock
