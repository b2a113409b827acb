"""`--as-of`: what held at a point in the past (docs/spec/state.md, "As of")."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from byline_cli.naming import parse_time
from byline_ledger.errors import UsageError
from byline_ledger.facts import AsOf

MAX_INDEX = 2**63 - 1
LONGEST_INDEX = 19
"""Digits."""

AsOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="TIME|INDEX",
        help="What held then: a day, a moment, or an entry of the log by its number.",
    ),
]


def parse_as_of(text: str | None) -> AsOf:
    """Digits are an index, anything else a time; terms are judged by that time, else by
    the clock of this machine."""
    if text is None:
        return AsOf(now=time.time_ns() // 1_000_000)
    if text.isascii() and text.isdigit():
        if len(text) > LONGEST_INDEX or int(text) > MAX_INDEX:
            raise UsageError(f"--as-of: there is no entry {text[:80]}")
        return AsOf(index=int(text), now=time.time_ns() // 1_000_000)
    return AsOf(time=parse_time(text))
