"""How many bytes peers may have us keep before anybody here reads them.

libp2p announces a window for each stream, and then keeps whatever comes.  Here each
connection is held to MAX_UNREAD and all together to MAX_UNREAD_ALL; what goes beyond
costs the connection that has brought most.  Counting is cheap as long as nobody is
near a limit: exact for the connection that a frame came on, lazy for the others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MAX_UNREAD = 16 << 20
"""Bytes of one connection: the largest window of a stream."""
MAX_UNREAD_ALL = 64 << 20


class UnreadBytes:
    """Of all connections of one host; `cut` is called with one that brings too many."""

    def __init__(self, cut: Callable[[Any], None]) -> None:
        self._cut = cut
        self._known: dict[Any, int] = {}
        self._total = 0

    def admits(self, muxed: Any, length: int) -> bool:
        """Whether `length` more bytes may be read from a connection."""
        self._note(muxed, unread_on(muxed) + length)
        if self._known[muxed] > MAX_UNREAD:
            self._cut(muxed)
            return False
        if self._total > MAX_UNREAD_ALL:
            self._recount(muxed, length)
            if self._total > MAX_UNREAD_ALL:
                worst = max(self._known, key=lambda one: self._known[one])
                self.forget(worst)
                self._cut(worst)
                return worst is not muxed
        return True

    def forget(self, muxed: Any) -> None:
        """A connection has gone."""
        self._total -= self._known.pop(muxed, 0)

    def _note(self, muxed: Any, unread: int) -> None:
        self._total += unread - self._known.get(muxed, 0)
        self._known[muxed] = unread

    def _recount(self, current: Any, length: int) -> None:
        for muxed in list(self._known):
            if muxed.is_closed:
                self.forget(muxed)
            elif muxed is not current:
                self._note(muxed, unread_on(muxed))
        self._note(current, unread_on(current) + length)

    @property
    def total(self) -> int:
        """Bytes of all connections, or more."""
        return self._total


def unread_on(muxed: Any) -> int:
    """Bytes that have come on a connection and wait for a reader."""
    return sum(map(len, muxed.stream_buffers.values()))
