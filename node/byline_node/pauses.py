"""How long something that is done again and again waits for its next turn.

Rule: what takes long is done less often.  A node that has little to spare, or waits for
others that have none, so spends less on what can wait and has the rest for what cannot;
and more is done in one go, which costs less.
"""

from __future__ import annotations

SHARE = 8
"""It takes at most one in so many parts of the time, up to its longest pause."""


def seconds_between(took: float, least: float, most: float) -> float:
    """From one turn, which took so long, to the next: from `least` to `most`."""
    return min(max(least, SHARE * took), most)
