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
    group_of: list[int] = []
    members: dict[int, list[int]] = {}
    for place, code in enumerate(codes):
        before = zip(group_of, codes, strict=False)
        near = {group for group, one in before if (one ^ code).bit_count() <= NEAR}
        # The smaller groups go into the largest, so that no code moves often.
        largest = max(near, key=lambda group: len(members[group]), default=place)
        kept = members.setdefault(largest, [])
        for group in near - {largest}:
            for at in members[group]:
                group_of[at] = largest
            kept += members.pop(group)
        kept.append(place)
        group_of.append(largest)
    return sorted(sorted(group) for group in members.values() if len(group) > 1)
