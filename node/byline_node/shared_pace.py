"""How often one of many may speak, if what all say together is to stay the same.

Rule: everybody hears everybody, counts those who speak, and pauses for the longer the
more they are; nobody is in charge.  This is how RTP's participants share what is left
for their reports (RFC 3550, section 6.2).
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable

PAUSES = 5
"""Of one's own that another may be silent for and still count."""


class SharedPace:
    """Counts speakers; a pause is as long as `seconds` for each of them."""

    def __init__(
        self,
        seconds: float,
        least: float,
        most: float,
        clock: Callable[[], float],
    ) -> None:
        """A pause is between `least` and `most` seconds, but for its jitter."""
        self._seconds = seconds
        self._least = least
        self._most = most
        self._clock = clock
        self._heard: OrderedDict[str, float] = OrderedDict()
        """When each spoke last, the longest silent first; no more of them than make a
        pause of `most` seconds."""

    def hear(self, speaker: str) -> None:
        """Somebody else spoke."""
        self._heard.pop(speaker, None)
        self._heard[speaker] = self._clock()
        if len(self._heard) * self._seconds > self._most:
            self._heard.popitem(last=False)

    def pause(self) -> float:
        """Seconds until one's own turn comes again."""
        silent_since = self._clock() - PAUSES * self._steady()
        while self._heard and next(iter(self._heard.values())) < silent_since:
            self._heard.popitem(last=False)
        # A quarter either way, so that those who began together do not stay together.
        return self._steady() * random.uniform(0.75, 1.25)  # noqa: S311

    def _steady(self) -> float:
        wanted = self._seconds * (len(self._heard) + 1)
        return min(max(wanted, self._least), self._most)
