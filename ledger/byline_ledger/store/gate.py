"""Lets many threads use a thing that one thread may close under them.

LevelDB frees its memory on close, and a read that is still under way in another thread
would take the process down.  So every use passes a gate: closing waits until the last
one has left, and later ones are turned away with a StoreError.
"""

from __future__ import annotations

from threading import Condition, Lock

from byline_ledger.errors import StoreError


class Gate:
    """`with gate:` around every use; `shut()` before the thing is freed."""

    __slots__ = ("_changed", "_inside", "_lock", "_shut")

    def __init__(self) -> None:
        # Entered for every read: a condition's own `with` takes three times as long.
        self._lock = Lock()
        self._changed = Condition(self._lock)
        self._inside = 0
        self._shut = False

    def __enter__(self) -> None:
        with self._lock:
            if self._shut:
                raise StoreError("the store is closed")
            self._inside += 1

    def __exit__(self, *_exception: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._shut and not self._inside:
                self._changed.notify_all()

    def shut(self) -> bool:
        """Waits until nobody is inside; False if it was shut before."""
        with self._changed:
            first, self._shut = not self._shut, True
            while self._inside:
                self._changed.wait()
            return first
