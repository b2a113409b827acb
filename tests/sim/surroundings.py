"""What makes a run depend on its seed alone: time, threads, dice, scheduling, disks.

Rule: production code is not told that it is simulated.  What it shares with the rest of
the process (trio's threads, the `random` module, fsync) is replaced while a run lasts,
so nothing can go round it; whatever it is given anyway (host, store, clock) is a fake.
"""

from __future__ import annotations

import logging
import math
import os
import random
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NoReturn
from unittest.mock import patch

import structlog
import trio
from tests.sim.host import FakeHost
from tests.sim.wires import Wires

from byline_node import network, pauses, peers, service, session_run, signature_checks

EPOCH = 1_800_000_000.0
"""Unix seconds at the beginning of every run."""
THREAD_SECONDS = 0.002
KEPT_LINES = 300


class _NoTime:
    """Real work is never held up, or a seed would not bring the same again."""

    perf_counter = thread_time = staticmethod(lambda: 0.0)


class Surroundings:
    """One run's; `with surroundings.in_place()` around `trio.run`."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(f"{seed}/world")
        self.wires = Wires(random.Random(f"{seed}/wires"))
        self._threads = random.Random(f"{seed}/threads")
        self.seed = seed
        self.log: deque[str] = deque(maxlen=KEPT_LINES)
        """What the nodes logged last."""

    @contextmanager
    def in_place(self) -> Iterator[None]:
        scheduling = random.Random(f"{self.seed}/tasks")
        state = random.getstate()
        random.seed(f"{self.seed}/node")
        run = trio._core._run
        config = structlog.get_config()
        try:
            with (
                patch.object(run, "_ALLOW_DETERMINISTIC_SCHEDULING", True),
                patch.object(run, "_r", scheduling),
                patch.object(trio.to_thread, "run_sync", self.run_here),
                patch.object(threading.Thread, "start", _no_thread),
                patch.object(signature_checks, "MANY", math.inf),  # no process
                patch.object(signature_checks, "_threads", _any_number()),
                patch.object(session_run, "_parsers", _any_number()),
                patch.object(peers, "token_bytes", random.randbytes),
                patch.object(pauses, "time", _NoTime),
                patch.object(os, "fsync", lambda _descriptor: None),
                patch.object(network, "open_host", self.open_host),
                patch.object(network, "parse_peer", lambda _address: None),
                patch.object(service, "Poster", NoPoster),
            ):
                structlog.configure(processors=[self._note], logger_factory=_nowhere)
                yield
        finally:
            structlog.configure(**config)
            random.setstate(state)

    async def run_here(
        self,
        work: Callable[..., Any],
        *arguments: Any,
        limiter: trio.CapacityLimiter | None = None,
        abandon_on_cancel: bool = False,
    ) -> Any:
        """trio.to_thread.run_sync without a thread: other tasks run before and after,
        for as long as the dice say."""
        somebody = object()
        if limiter is not None:
            await limiter.acquire_on_behalf_of(somebody)
        try:
            with trio.CancelScope(shield=not abandon_on_cancel):
                await trio.lowlevel.checkpoint()
                await self._take_time()
                result = work(*arguments)
                await self._take_time()
                return result
        finally:
            if limiter is not None:
                limiter.release_on_behalf_of(somebody)

    async def _take_time(self) -> None:
        if self._threads.random() < 0.05:
            await trio.sleep(self._threads.expovariate(1 / THREAD_SECONDS))

    @asynccontextmanager
    async def open_host(
        self, seed: bytes, listen: Sequence[str], topics: Sequence[str], **_more: Any
    ) -> AsyncIterator[FakeHost]:
        """Instead of host.open_host."""
        host = FakeHost(self.wires, peer_at(listen[0]), listen[0], topics)
        async with host.running():
            yield host

    def _note(self, _logger: Any, level: str, event: dict[str, Any]) -> NoReturn:
        said = " ".join(f"{name}={value}" for name, value in event.items())
        self.log.append(f"{level} {said[:300]}")
        raise structlog.DropEvent


class NoPoster:
    """client.Poster where there are no URLs."""

    async def post(self, url: str, body: bytes) -> tuple[int, bytes]:
        raise AssertionError(url)

    async def close(self) -> None: ...


def _no_thread(thread: threading.Thread) -> NoReturn:
    raise AssertionError(f"{thread.name} would make the run depend on the machine")


def _any_number() -> trio.CapacityLimiter:
    return trio.CapacityLimiter(math.inf)


def _nowhere(*_names: Any) -> logging.Logger:
    return logging.getLogger("nowhere")


# Names


def address_of(number: int) -> str:
    """Where node `number` listens."""
    return f"/ip4/10.{number // 250}.{number % 250}.1/tcp/4737"


def peer_at(address: str) -> str:
    """The peer id of whoever listens there."""
    _, _, ip, *_ = address.split("/")
    _, high, low, _ = ip.split(".")
    return peer_name(int(high) * 250 + int(low))


def peer_name(number: int) -> str:
    """`N1`, `N2` ...; a peer id has no 0."""
    return "N" + str(number).replace("0", "o")
