"""How many of what, in words: shared by verdicts and by what commands print."""

from __future__ import annotations


def amount(count: int, one: str, many: str | None = None) -> str:
    """`1 file`, `2,000 files`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
