"""Lookup strings that were taken in and not written yet.

Rule: what is inserted into a lookup set piece by piece must see the strings of the
pieces before it, also while several pieces wait for one write.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence

FEW = 64
"""Strings that are inserted one by one rather than by sorting all."""


class Unwritten:
    """A sorted list of strings."""

    def __init__(self) -> None:
        self._strings: list[bytes] = []

    def add(self, strings: Sequence[bytes]) -> None:
        """Takes in some more."""
        if len(strings) > FEW:
            self._strings = sorted([*self._strings, *strings])
        else:
            for string in strings:
                insort(self._strings, string)

    def between(self, low: bytes, high: bytes) -> list[bytes]:
        """Those strings s with low <= s <= high, ascending."""
        start = bisect_left(self._strings, low)
        return self._strings[start : bisect_right(self._strings, high)]
