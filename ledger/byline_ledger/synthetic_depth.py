"""How many generations of AI lie between a work and what it was made from at first.

Rule: docs/spec/state.md, "Synthetic depth".  Takes time in proportion to the declared
sources, and no recursion: a chain may be as long as a stranger likes, and may bite its
own tail.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Alternative:
    """One claim about how a work was made.

    `own` is 1 for a work that AI made or helped with, else 0; `is_gap` where the chain
    is open already here.
    """

    own: int
    sources: tuple[bytes, ...]
    is_gap: bool = False


@dataclass(frozen=True, slots=True)
class Depth:
    """Generations on the shortest and on the longest way to works without sources.

    `greatest` is None where the chain has gaps: then `complete` is false, and `least`
    is still a lower bound.
    """

    least: int
    greatest: int | None
    complete: bool = field(init=False)
    """Whether the chain has no gaps."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "complete", self.greatest is not None)


OPEN = Depth(0, None)
"""What is known of a work about which nothing is known."""
UNKNOWN_WAY = Alternative(0, (), True)
"""Stands for a claim that may exist, or may not count."""


def synthetic_depths(
    works: Mapping[bytes, tuple[Alternative, ...]],
) -> dict[bytes, Depth]:
    """The depth of each of these works; a source that is none of them is open."""
    found: dict[bytes, Depth] = {}
    for circle in _components(works):
        # Within a cycle each work counts the others as unknown.
        depths = {one: _depth(works[one], found) for one in circle}
        found |= depths
    return found


def _depth(ways: tuple[Alternative, ...], found: Mapping[bytes, Depth]) -> Depth:
    each = [_along(way, found) for way in ways or (UNKNOWN_WAY,)]
    greatest = [one.greatest for one in each if one.greatest is not None]
    is_complete = len(greatest) == len(each)
    return Depth(min(one.least for one in each), max(greatest) if is_complete else None)


def _along(way: Alternative, found: Mapping[bytes, Depth]) -> Depth:
    below = [found.get(one, OPEN) for one in way.sources] or [Depth(0, 0)]
    greatest = [one.greatest for one in below if one.greatest is not None]
    is_complete = len(greatest) == len(below) and not way.is_gap
    return Depth(
        way.own + min(one.least for one in below),
        way.own + max(greatest) if is_complete else None,
    )


def _components(
    works: Mapping[bytes, tuple[Alternative, ...]],
) -> Iterator[list[bytes]]:
    """Works that are each other's sources, sources first."""
    walk = _Walk(works)
    for start in works:
        yield from walk.components(start)


class _Walk:
    """Tarjan's algorithm, with a path of its own in place of the call stack."""

    def __init__(self, works: Mapping[bytes, tuple[Alternative, ...]]) -> None:
        self._works = works
        self._number: dict[bytes, int] = {}
        self._lowest: dict[bytes, int] = {}
        self._open: list[bytes] = []
        self._is_open: set[bytes] = set()

    def components(self, start: bytes) -> Iterator[list[bytes]]:
        """Those that are reached from `start` and were not reached before."""
        path = [] if start in self._number else [(start, self._enter(start))]
        while path:
            work, sources = path[-1]
            source = next(sources, None)
            if source is None:
                path.pop()
                if path:
                    self._lower(path[-1][0], self._lowest[work])
                if self._lowest[work] == self._number[work]:
                    yield self._close(work)
            elif source not in self._number:
                path.append((source, self._enter(source)))
            elif source in self._is_open:
                self._lower(work, self._number[source])

    def _enter(self, work: bytes) -> Iterator[bytes]:
        self._number[work] = self._lowest[work] = len(self._number)
        self._open.append(work)
        self._is_open.add(work)
        sources = (source for way in self._works[work] for source in way.sources)
        return (source for source in sources if source in self._works)

    def _lower(self, work: bytes, number: int) -> None:
        self._lowest[work] = min(self._lowest[work], number)

    def _close(self, work: bytes) -> list[bytes]:
        circle: list[bytes] = []
        while not circle or circle[-1] != work:
            circle.append(self._open.pop())
        self._is_open.difference_update(circle)
        return circle
