"""Token buckets: how much of something a stranger may have in the long run and at once.

Rule: integers alone, so that everybody computes the same; what is kept is bounded.
Specification: docs/spec/admission.md, "Buckets".
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

UNIT = 3_600_000
"""Units in one lookup string: a rate per hour is as many units per millisecond."""
MAX_BUCKETS = 16_384


@dataclass(frozen=True, slots=True)
class Rate:
    """Lookup strings per hour, and at once."""

    per_hour: int
    burst: int

    def wait(self, units: int) -> int:
        """Milliseconds in which a bucket gains so many units."""
        return -(-max(units, 0) // self.per_hour)


class Buckets:
    """A bucket for each key that was used lately; all others are full."""

    def __init__(self, most: int = MAX_BUCKETS) -> None:
        self._most = most
        self._levels: OrderedDict[bytes, tuple[int, int]] = OrderedDict()
        self._booked: OrderedDict[bytes, int] = OrderedDict()

    def level(self, key: bytes, rate: Rate, now: int) -> int:
        """Units in the bucket."""
        units, then = self._levels.get(key, (rate.burst * UNIT, now))
        gained = max(0, now - then) * rate.per_hour
        return min(rate.burst * UNIT, units + gained)

    def take(self, key: bytes, strings: int, rate: Rate, now: int) -> None:
        """Takes them out; the bucket must hold them."""
        level = self.level(key, rate, now) - strings * UNIT
        self._levels[key] = (level, now)
        _bound(self._levels, key, self._most)

    def book(self, key: bytes, strings: int, until: int, rate: Rate) -> int:
        """When a statement that must wait until `until` should come again: behind those
        of its bucket that were told to come again before."""
        booked = self._booked.get(key, 0)
        if booked >= until:
            until = booked + rate.wait(strings * UNIT)
        self._booked[key] = until
        _bound(self._booked, key, self._most)
        return until


def _bound(
    kept: OrderedDict[bytes, tuple[int, int]] | OrderedDict[bytes, int],
    key: bytes,
    most: int,
) -> None:
    """Forgets what was not used for longest."""
    kept.move_to_end(key)
    if len(kept) > most:
        kept.popitem(last=False)
