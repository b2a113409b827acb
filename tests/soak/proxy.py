"""TCP proxies that are slow, that stall, and that can be cut: a process of its own.

Rule: bytes are late, never wrong, as with TCP over a bad line: what is lost on it is
sent again and shows as a stall.  While a link is cut it reads nothing and dials nobody;
the two ends see silence.

Standard input: a line of JSON with the links and a seed, then `cut` and `mend` for
those that cross from half to half.  The process ends with it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

import trio

CHUNK = 65_536
WAITING = 64
"""Chunks on the way in one direction; then the sender is held up."""


@dataclass(frozen=True, slots=True)
class Link:
    """One direction of dialling: whoever connects to `port` means `to`."""

    port: int
    host: str
    to: tuple[str, int]
    delay: float
    """Seconds, each way."""
    stalls: float
    """Share of chunks that were lost at first."""
    crosses: bool
    """It leads from one half to the other."""

    @classmethod
    def parse(cls, value: dict[str, Any]) -> Link:
        return cls(**value | {"to": tuple(value["to"])})

    def lateness(self, random: Random) -> float:
        late = self.delay * random.uniform(0.8, 1.4)
        return late + (random.uniform(0.2, 1.0) if random.random() < self.stalls else 0)


class Proxies:
    """All links of one process."""

    def __init__(self, links: list[Link], seed: int) -> None:
        self._links = links
        self._random = Random(seed)
        self._open = trio.Event()
        self._open.set()

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            for link in self._links:
                serve = partial(trio.serve_tcp, host=link.host)
                await nursery.start(serve, partial(self._carry, link), link.port)
            print("ready", flush=True)
            await self._heed()
            nursery.cancel_scope.cancel()

    async def _heed(self) -> None:
        """Until the end of the input: whoever started this is gone then."""
        while line := await trio.to_thread.run_sync(
            sys.stdin.readline, abandon_on_cancel=True
        ):
            if line.strip() == "cut":
                self._open = trio.Event()
            else:
                self._open.set()

    async def _passable(self, link: Link) -> None:
        if link.crosses:
            await self._open.wait()

    async def _carry(self, link: Link, near: trio.SocketStream) -> None:
        """One connection, until either end closes it."""
        try:
            await self._passable(link)
            far = await trio.open_tcp_stream(*link.to)
            async with far, trio.open_nursery() as nursery:

                async def one_way(
                    source: trio.SocketStream, sink: trio.SocketStream
                ) -> None:
                    await self._pump(link, source, sink)
                    nursery.cancel_scope.cancel()

                nursery.start_soon(one_way, near, far)
                nursery.start_soon(one_way, far, near)
        except (OSError, trio.BrokenResourceError):
            pass  # the node at the other end is not there: close

    async def _pump(
        self, link: Link, source: trio.SocketStream, sink: trio.SocketStream
    ) -> None:
        """Chunks keep their order and their distance: a delay is not a narrow line."""
        send, receive = trio.open_memory_channel[tuple[float, bytes]](WAITING)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._read, link, source, send)
            try:
                async with receive:
                    async for due, data in receive:
                        await trio.sleep_until(due)
                        await self._passable(link)
                        await sink.send_all(data)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                nursery.cancel_scope.cancel()

    async def _read(
        self,
        link: Link,
        source: trio.SocketStream,
        send: trio.MemorySendChannel[tuple[float, bytes]],
    ) -> None:
        async with send:
            try:
                while data := await source.receive_some(CHUNK):
                    due = trio.current_time() + link.lateness(self._random)
                    await send.send((due, data))
                    await self._passable(link)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                pass  # it was reset: as good as closed


def main() -> None:
    told = json.loads(sys.stdin.readline())
    links = [Link.parse(one) for one in told["links"]]
    trio.run(Proxies(links, told["seed"]).run)


if __name__ == "__main__":
    main()
