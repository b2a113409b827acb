"""Limits of production code that a seed makes small, so that a short run meets them.

Rule: only limits whose every value is right: what is asked for at once, kept, or worth
doing.  A run of a minute has hundreds of statements where a year has millions; with
these it still pages, descends into sets, drops gossip and forgets peers.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from unittest.mock import patch

from byline_ledger import follow_server, follower, reconcile
from byline_node import following, gossip, session_run

KNOBS: tuple[tuple[ModuleType, str, float], ...] = (
    (follower, "WORTH_A_JUMP", 4),
    (follower, "WORTH_A_DESCENT", 8),
    (follower, "FETCHED_IDS", 3),
    (follow_server, "NEXT_ENTRIES", 4),
    (follow_server, "MAX_ENTRIES", 5),
    (follow_server, "PAGE_BYTES", 3_000),
    (follow_server, "MAX_KEPT", 1),
    (reconcile, "MAX_IDS", 3),
    (session_run, "HELPER_SECONDS", 0.05),
    (gossip, "MAX_INCOMING", 20_000),
    (gossip, "MAX_OUTGOING", 8_000),
    (gossip, "MAX_COMMIT", 4),
    (following, "SAVE_SECONDS", 0.5),
    (following, "MAX_REMEMBERED", 2),
)


@contextmanager
def turned(seed: int) -> Iterator[list[str]]:
    """Some of them, by the seed; for a third of all seeds none.  Their names."""
    dice = random.Random(f"{seed}/knobs")
    share = dice.choice([0, 0.2, 0.5])
    chosen = [knob for knob in KNOBS if dice.random() < share]
    with ExitStack() as stack:
        for module, name, value in chosen:
            kind = type(getattr(module, name))
            stack.enter_context(patch.object(module, name, kind(value)))
        yield [name for _module, name, _value in chosen]
