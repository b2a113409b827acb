"""What goes wrong, when and with whom: a plan that its seed alone decides."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from random import Random

KILLS_A_MINUTE = 5.6
FREEZES_A_MINUTE = 2.4
RESTARTS_A_MINUTE = 1.0
PARTITION_SECONDS = 60.0
PARTITION_SHARE = 0.2
"""Of the whole time, where that is less."""
FIRST, LAST = 0.02, 0.93
"""Between these parts of the whole time something goes wrong."""
START_SECONDS = 8.0
"""What a node may need to be there again, as far as this plan is concerned."""


class Kind(StrEnum):
    KILL = "kill -9"
    FREEZE = "SIGSTOP"
    RESTART = "restart"
    PART = "partition"


@dataclass(frozen=True, slots=True)
class Event:
    """`lasts` is how long a node stays down, is frozen, or the halves are parted."""

    at: float
    kind: Kind
    node: int
    """-1 for the partition."""
    lasts: float


def plan(seed: int, nodes: int, seconds: float) -> list[Event]:
    """In order; no node is in two troubles at once, and most are in none."""
    random = Random(seed)
    minutes = seconds / 60
    drafts = [
        *spread(random, ceil(KILLS_A_MINUTE * minutes), seconds, Kind.KILL),
        *spread(random, ceil(FREEZES_A_MINUTE * minutes), seconds, Kind.FREEZE),
        *spread(random, ceil(RESTARTS_A_MINUTE * minutes), seconds, Kind.RESTART),
    ]
    events = seat(random, sorted(drafts, key=lambda one: one.at), nodes)
    lasts = min(PARTITION_SECONDS, seconds * PARTITION_SHARE)
    at = random.uniform(0.3, 0.5) * seconds
    return sorted([*events, Event(at, Kind.PART, -1, lasts)], key=lambda one: one.at)


def spread(random: Random, count: int, seconds: float, kind: Kind) -> list[Event]:
    """So many of a kind, one in each equal part of the time."""
    slice_ = seconds * (LAST - FIRST) / count
    return [
        Event(
            seconds * FIRST + (number + random.random()) * slice_,
            kind,
            -1,
            lasting(random, kind, seconds),
        )
        for number in range(count)
    ]


def lasting(random: Random, kind: Kind, seconds: float) -> float:
    if kind is Kind.FREEZE:
        return random.uniform(1.0, min(25.0, seconds / 8))
    return random.uniform(0.2, min(6.0, seconds / 12))


def seat(random: Random, drafts: list[Event], nodes: int) -> list[Event]:
    """Gives each its node: one of those that have been well for longest."""
    free_at = [0.0] * nodes
    events = []
    for draft in drafts:
        order = sorted(range(nodes), key=lambda number: free_at[number])
        node = random.choice(order[: max(1, nodes // 2)])
        start = 0.0 if draft.kind is Kind.FREEZE else START_SECONDS
        free_at[node] = max(free_at[node], draft.at) + draft.lasts + start
        events.append(Event(draft.at, draft.kind, node, draft.lasts))
    return events
