"""Mistakes of this program that somebody's bytes have found.

Rule: such a mistake costs what was being done for that peer, and neither the others nor
the node.  It is caught where a peer's task, stream or message begins, nowhere deeper:
what is half done must not go on.  Nothing of ours is meant to end here.
"""

from __future__ import annotations

from collections import deque
from itertools import count

import structlog

MAX_TOLD = 100
"""Lines with a traceback in the life of a process: a stranger may repeat it."""

noted: deque[str] = deque(maxlen=16)
"""The last ones."""

_told = count()
log = structlog.get_logger("byline.mistakes")


def note_mistake(error: Exception, doing: str, peer: str) -> str:
    """Remembers it, and writes it to the log with its traceback; what to say of it."""
    text = f"a mistake of this program, {doing}: {error!r}"
    noted.append(text)
    if next(_told) < MAX_TOLD:
        log.error("a mistake of this program", doing=doing, peer=peer, exc_info=error)
    return text
