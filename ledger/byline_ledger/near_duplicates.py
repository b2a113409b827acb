"""Works that resemble each other: groups by the codes of their fingerprints.

Rule: two codes of one kind that differ in at most NEAR of 64 bits are near, and what is
connected through near ones is a cluster.  It is a hint for people who build a set, and
decides nothing.  Specification: docs/spec/label.md, "Near-duplicates".
"""

from __future__ import annotations

from collections.abc import Sequence

NEAR = 12
"""Bits of 64; the operating point of docs/spec/similar.md."""
MAX_CODES = 16_384
"""Codes of one kind that are compared, each with each: some ten seconds."""


def clusters(codes: Sequence[int]) -> list[list[int]]:
    """The groups of two or more, as places in `codes` (64 bits each, at most
    MAX_CODES), ascending."""
    assert len(codes) <= MAX_CODES
    leader = list(range(len(codes)))
    for place, code in enumerate(codes):
        before = enumerate(codes[:place])
        near = [at for at, one in before if (one ^ code).bit_count() <= NEAR]
        for other in near:
            leader[_top(leader, place)] = _top(leader, other)
    groups: dict[int, list[int]] = {}
    for place in range(len(leader)):
        groups.setdefault(_top(leader, place), []).append(place)
    return sorted(group for group in groups.values() if len(group) > 1)


def _top(leader: list[int], place: int) -> int:
    """Who speaks for the group, with shorter ways for the next who asks."""
    while leader[place] != place:
        leader[place] = leader[leader[place]]
        place = leader[place]
    return place
