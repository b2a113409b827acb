"""Places for requests that are held at once, of which one address has a share.

Rule: whoever holds all of their share waits for themselves alone.  Loopback has no
share: a proxy there may speak for many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from byline_node.budgets import is_loopback
from byline_node.errors import BusyError


class Places:
    """`total` places, `share` of them for one client (budgets.owner_of)."""

    def __init__(self, total: int, share: int, wait: float) -> None:
        """A request waits `wait` seconds for a place."""
        self._total = total
        self._share = share
        self._wait = wait
        self._places = trio.Semaphore(total)
        self._shares: dict[str, trio.Semaphore] = {}
        self._users: Counter[str] = Counter()

    @asynccontextmanager
    async def one(self, client: str) -> AsyncIterator[None]:
        """Holds a place.  BusyError if none became free."""
        share = self._share_of(client)
        self._users[client] += 1
        try:
            deadline = trio.current_time() + self._wait
            async with _held(share, deadline), _held(self._places, deadline):
                yield
        finally:
            self._users[client] -= 1
            if not self._users[client]:
                del self._users[client], self._shares[client]

    def _share_of(self, client: str) -> trio.Semaphore:
        if client not in self._shares:
            size = self._total if is_loopback(client) else self._share
            self._shares[client] = trio.Semaphore(size)
        return self._shares[client]


@asynccontextmanager
async def _held(places: trio.Semaphore, deadline: float) -> AsyncIterator[None]:
    with trio.CancelScope(deadline=deadline) as waiting:
        await places.acquire()
    if waiting.cancelled_caught:
        raise BusyError("too many requests at once: try again")
    try:
        yield
    finally:
        places.release()
