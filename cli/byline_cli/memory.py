"""How this process deals with memory that it no longer needs.

Both defaults are made for programs that hold little: measured on a node that took in a
million statements (`make bench-sync`).
"""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress

GARBAGE = 500_000, 10, 10
"""New objects before a search for cycles.  Writes make new nodes of the lookup set,
whose size makes a search dear: with the defaults a busy node spends a fifth of its time
on searches that find next to nothing."""

HEAP = (
    (-8, 2),  # M_ARENA_MAX: each thread had a heap of its own
    (-3, 128 << 10),  # M_MMAP_THRESHOLD: large buffers go back as soon as they are free
    (-1, 1 << 20),  # M_TRIM_THRESHOLD: so does the end of a heap
)
"""What glibc's mallopt(3) is told: else it keeps 300 MiB that nobody uses."""


def set_up_memory() -> None:
    """Call before there are threads.  Where the C library is another, it is left so."""
    gc.set_threshold(*GARBAGE)
    with suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        for option, value in HEAP:
            mallopt(option, value)
